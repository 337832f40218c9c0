"""The machine and its system: release, memory, processor, hypervisor, kernels, firmware."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

KIB = 1024
IMAGE_MARK = "/run/ostree-booted"
_OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
_EFI_VARIABLES = "/sys/firmware/efi/efivars"
_SECURE_BOOT = f"{_EFI_VARIABLES}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


@dataclass(frozen=True)
class Machine:
    """`memory_bytes` is what the kernel manages; below Xen that is dom0's share only (`under_xen`).

    `os_name` is what the system calls itself before people. `image_based`: an image of OSTree's is what boots, which no
    package can be installed into. `secure_boot` is None where the firmware's variables are not to be seen.
    `xen_without_shadow_paging` are the configurations of installed hypervisors built without it.
    """

    os_id: str
    os_version: str
    os_name: str
    image_based: bool
    memory_bytes: int
    cpu_vendor: str
    cpu_family: str
    cpu_flags: frozenset[str]
    under_xen: bool
    kernel_command_line: str
    boot_id: str
    efi: bool
    secure_boot: bool | None
    dom0_kernels: tuple[str, ...]
    xen_images: tuple[str, ...]
    xen_without_shadow_paging: tuple[str, ...]


def read_machine(files: HostFiles) -> Machine:
    """Read all of it."""
    release = parse_os_release(next(filter(None, map(files.read, _OS_RELEASE)), ""))
    return Machine(
        os_id=release.get("ID", ""),
        os_version=release.get("VERSION_ID", ""),
        os_name=release.get("PRETTY_NAME", ""),
        image_based=files.exists(IMAGE_MARK),
        memory_bytes=parse_meminfo(files.read("/proc/meminfo")),
        cpu_vendor=parse_cpu_field(files.read("/proc/cpuinfo"), "vendor_id"),
        cpu_family=parse_cpu_field(files.read("/proc/cpuinfo"), "cpu family"),
        cpu_flags=parse_cpu_flags(files.read("/proc/cpuinfo")),
        under_xen=files.runs_xen(),
        kernel_command_line=files.read("/proc/cmdline").strip(),
        boot_id=files.boot_id(),
        efi=files.exists("/sys/firmware/efi"),
        secure_boot=_secure_boot(files),
        dom0_kernels=tuple(
            path.replace("/config-", "/vmlinuz-")
            for path in files.glob("/boot/config-*")
            if re.search(r"^CONFIG_XEN_DOM0=y$", files.read(path), re.MULTILINE)
            and files.at(path.replace("/config-", "/vmlinuz-")).is_file()
        ),
        # GRUB's script passes links over, which Fedora has beside the images.
        xen_images=tuple(
            path
            for path in files.glob("/boot/xen-*.gz")
            if files.at(path).is_file() and not files.at(path).is_symlink()
        ),
        xen_without_shadow_paging=tuple(
            path
            for path in files.glob("/boot/xen-*.config")
            if not re.search(r"^CONFIG_SHADOW_PAGING=y$", files.read(path), re.MULTILINE)
        ),
    )


def _secure_boot(files: HostFiles) -> bool | None:
    """A firmware that knows no Secure Boot has other variables; efivarfs may not be mounted, or the kernel without it."""
    if files.exists("/sys/firmware/efi") and not files.glob(f"{_EFI_VARIABLES}/*"):
        return None
    return parse_efi_flag(files.read_bytes(_SECURE_BOOT))


def parse_os_release(text: str) -> dict[str, str]:
    """Parse os-release(5): shell assignments, one a line. One whose quotation does not end is none."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.startswith("#"):
            with suppress(ValueError):
                found[name.strip()] = " ".join(shlex.split(value))
    return found


def parse_meminfo(text: str) -> int:
    """Return MemTotal in bytes, 0 where it is not said (proc(5); "kB" there is KiB)."""
    found = re.search(r"^MemTotal:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * KIB if found else 0


def parse_cpu_flags(text: str) -> frozenset[str]:
    """Return the first processor's flags of /proc/cpuinfo."""
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def parse_cpu_field(text: str, name: str) -> str:
    """Return a field of the first processor in /proc/cpuinfo, "" where it is not there."""
    found = re.search(rf"^{name}[ \t]*:[ \t]*(.*?)[ \t]*$", text, re.MULTILINE)
    return found[1] if found else ""


def parse_efi_flag(data: bytes) -> bool:
    """Read a one-byte EFI variable as efivarfs shows it: four bytes of attributes come first."""
    return len(data) == 5 and data[4] == 1

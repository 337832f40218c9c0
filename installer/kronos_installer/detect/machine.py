"""The machine and its system: release, memory, processor, hypervisor, kernels, firmware."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

KIB = 1024
_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


@dataclass(frozen=True)
class Machine:
    """`memory_bytes` is what the kernel manages; below Xen that is dom0's share only (`under_xen`).

    `xen_without_shadow_paging` are the configurations of installed hypervisors built without it.
    """

    os_id: str
    os_version: str
    memory_bytes: int
    cpu_vendor: str
    cpu_family: str
    cpu_flags: frozenset[str]
    under_xen: bool
    kernel_command_line: str
    boot_id: str
    efi: bool
    secure_boot: bool
    dom0_kernels: tuple[str, ...]
    xen_images: tuple[str, ...]
    xen_without_shadow_paging: tuple[str, ...]


def read_machine(files: HostFiles) -> Machine:
    """Read all of it."""
    release = parse_os_release(files.read("/etc/os-release"))
    variable = files.at(_SECURE_BOOT)
    return Machine(
        os_id=release.get("ID", ""),
        os_version=release.get("VERSION_ID", ""),
        memory_bytes=parse_meminfo(files.read("/proc/meminfo")),
        cpu_vendor=parse_cpu_field(files.read("/proc/cpuinfo"), "vendor_id"),
        cpu_family=parse_cpu_field(files.read("/proc/cpuinfo"), "cpu family"),
        cpu_flags=parse_cpu_flags(files.read("/proc/cpuinfo")),
        under_xen=files.runs_xen(),
        kernel_command_line=files.read("/proc/cmdline").strip(),
        boot_id=files.boot_id(),
        efi=files.exists("/sys/firmware/efi"),
        secure_boot=variable.exists() and parse_efi_flag(variable.read_bytes()),
        dom0_kernels=tuple(
            path.replace("/config-", "/vmlinuz-")
            for path in files.glob("/boot/config-*")
            if re.search(r"^CONFIG_XEN_DOM0=y$", files.read(path), re.MULTILINE)
        ),
        xen_images=files.glob("/boot/xen-*.gz"),
        xen_without_shadow_paging=tuple(
            path
            for path in files.glob("/boot/xen-*.config")
            if not re.search(r"^CONFIG_SHADOW_PAGING=y$", files.read(path), re.MULTILINE)
        ),
    )


def parse_os_release(text: str) -> dict[str, str]:
    """Parse os-release(5): shell assignments, one a line."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.startswith("#"):
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

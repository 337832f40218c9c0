"""What a boot into Xen stands on beside GRUB: where /boot lies and its room, the firmware, processors, IOMMU."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.efi import EfiBoot, read_efi
from kronos_installer.detect.mounts import indirection, mount_of, read_mounts, waits_for_network
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from kronos_installer.detect.grub import Grub
    from kronos_installer.host_files import HostFiles

# File systems into whose blocks GRUB can write a file's content anew: no checksums, no copies on write.
_WRITABLE = frozenset({"ext2", "ext3", "ext4", "xfs", "vfat", "jfs"})
_WRITTEN = ("/boot", "/etc", "/var")
# What the boot guard (kronos_installer.guard) needs before any network starts.
_NEEDED_EARLY = (str(Paths().host_setup_state), "/etc", "/usr")
# GRUB's modules for what its writing does not go through.
_READ_ONLY_MODULES = {
    "lvm": "LVM", "diskfilter": "LVM or a software RAID", "mdraid09": "a software RAID",
    "mdraid1x": "a software RAID", "dm_nv": "a firmware RAID", "btrfs": "btrfs", "zfs": "zfs", "f2fs": "f2fs",
    "cryptodisk": "an encrypted volume", "luks": "an encrypted volume", "luks2": "an encrypted volume",
}  # fmt: skip
_IOMMU_TABLES = ("DMAR", "IVRS")
# Parts of Xen that guests need; a build may be without. Xen's own words: xen/arch/x86/Kconfig.
_XEN_OPTIONS = ("CONFIG_PV", "CONFIG_HVM", "CONFIG_SHADOW_PAGING")


@dataclass(frozen=True)
class Boot:
    """`environment_obstacle`: why GRUB cannot write its environment block, "" when it can.

    `read_only` are those of /boot, /etc and /var that cannot be written, each with its mount point; `over_network` those
    places that the boot guard needs and a boot mounts after the network, likewise. `free_bytes`
    and `free_files` are /boot's room, for root: none where there is no /boot. `iommu` is "active" (the kernel uses it), "present" (the firmware describes
    one), or "". `cpus` are the logical processors that are seen, below Xen dom0's. `xen_without` are the parts that
    an installed Xen was built without, each with its configuration.
    """

    environment_obstacle: str
    read_only: tuple[tuple[str, str], ...]
    free_bytes: int
    free_files: int
    efi: EfiBoot | None
    iommu: str
    cpus: int
    xen_without: tuple[tuple[str, str], ...]
    over_network: tuple[tuple[str, str], ...]


def read_boot(files: HostFiles, grub: Grub) -> Boot:
    """Read all of it. Raises OSError."""
    mounts = read_mounts(files)
    free_bytes, free_files = _room(files)
    places = ((path, mount_of(mounts, path)) for path in _WRITTEN)
    early = ((path, mount_of(mounts, path)) for path in _NEEDED_EARLY)
    return Boot(
        environment_obstacle=environment_obstacle(files, grub),
        read_only=tuple((path, mount.point) for path, mount in places if mount and mount.read_only),
        free_bytes=free_bytes,
        free_files=free_files,
        efi=read_efi(files),
        iommu=_iommu(files),
        cpus=parse_cpu_count(files.read("/proc/cpuinfo")),
        xen_without=tuple(
            (path, option)
            for path in files.glob("/boot/xen-*.config")
            for option in missing_options(files.read(path))
        ),
        over_network=tuple(
            (path, mount.point) for path, mount in early if mount and waits_for_network(files, mount)
        ),
    )


def _room(files: HostFiles) -> tuple[int, int]:
    where = files.at("/boot")
    if not where.is_dir():
        return 0, 0
    room = os.statvfs(where)
    # FAT and btrfs do not count files: they say 0 of 0 are free.
    return room.f_bfree * room.f_frsize, room.f_ffree if room.f_files else sys.maxsize


def environment_obstacle(files: HostFiles, grub: Grub) -> str:
    """Tell why GRUB cannot write (GRUB manual, "The GRUB environment block"): by the mount, else by the menu."""
    mount = mount_of(read_mounts(files), grub.environment_path)
    if mount is not None:
        if mount.filesystem not in _WRITABLE:
            return mount.filesystem
        return indirection(files, mount.device)
    return next((what for module, what in _READ_ONLY_MODULES.items() if module in grub.parsed.modules), "")


def _iommu(files: HostFiles) -> str:
    if files.glob("/sys/class/iommu/*/uevent"):
        return "active"
    tables = [name for name in _IOMMU_TABLES if files.exists(f"/sys/firmware/acpi/tables/{name}")]
    return "present" if tables else ""


def parse_cpu_count(text: str) -> int:
    """Return how many logical processors /proc/cpuinfo lists."""
    return len(re.findall(r"^processor\s*:", text, re.MULTILINE))


def missing_options(text: str) -> tuple[str, ...]:
    """Return those of the parts that a Xen configuration says it is built without; old ones do not know them all."""
    return tuple(o for o in _XEN_OPTIONS if re.search(rf"^# {o} is not set$", text, re.MULTILINE))

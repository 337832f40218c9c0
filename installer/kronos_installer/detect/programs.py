"""Programs that a set-up may need, where each release's package puts them, and which of them are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.wishes import StorageType

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

# A need, as NetworkEdit has it: the package's name on Debian, then programs, any of which will do.
Need = tuple[str, ...]

QEMU: Need = ("qemu-system-xen", "/usr/libexec/xen-qemu-system-i386", "/usr/bin/qemu-system-i386",
              "/usr/bin/qemu-system-x86_64")  # fmt: skip
NFS: Need = ("nfs-common", "/usr/sbin/mount.nfs", "/sbin/mount.nfs")
_LVM: Need = ("lvm2", "/usr/sbin/lvm", "/sbin/lvm")
_ISCSI: Need = ("open-iscsi", "/usr/sbin/iscsiadm", "/sbin/iscsiadm", "/usr/bin/iscsiadm")
OF_STORAGE: dict[str, tuple[Need, ...]] = {
    StorageType.LVM: (_LVM,),
    StorageType.NFS: (NFS,),
    StorageType.ISCSI: (_ISCSI, _LVM),
}


def read_programs(files: HostFiles) -> frozenset[str]:
    """Return which of these programs are there."""
    of_storage = (need for needs in OF_STORAGE.values() for need in needs)
    paths = (path for need in (QEMU, *of_storage) for path in need[1:])
    return frozenset(path for path in paths if files.exists(path))

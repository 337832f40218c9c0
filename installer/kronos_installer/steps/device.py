"""What steps ask of a block device: signatures (wipefs(8)), a file system's uuid (blkid(8)), its files (debugfs(8)).

All of it only reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.disks import WIPEFS, parse_wipefs
from kronos_installer.detect.mounts import read_mounts
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import ProcessError

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.host_files import HostFiles

# What a file system has from the start (mke2fs(8)), and the directory that the daemon keeps its disks in.
_OWN = frozenset({".", "..", "lost+found"})
DISKS = "sr"
# blkid: nothing was found.
_NOTHING = 2
# "/INODE/MODE/UID/GID/NAME/SIZE/"
_FIELDS, _NAME = 8, 5


class FileSystemUnreadableError(KronosError):
    """Whether a file system holds data is not known."""

    def __init__(self, device: str, why: str) -> None:
        super().__init__(f"what is on {device} cannot be read: {why}", resolution="see `e2fsck -n`")


def signatures(host: Host, device: str) -> tuple[str, ...]:
    """Return the types of what is on a device. Raises KronosError."""
    answer = host.runner((*WIPEFS, "--no-act", device))
    return tuple(kind for kinds in parse_wipefs(answer).values() for kind in kinds) if answer.strip() else ()


def file_system_uuid(host: Host, device: str) -> str:
    """Return the uuid of the file system on a device, "" where there is none, or no such device. Raises KronosError."""
    if not host.exists(device):
        return ""
    try:
        return host.runner(("blkid", "--probe", "--match-tag", "UUID", "--output", "value", device)).strip()
    except ProcessError as error:
        if error.returncode == _NOTHING:
            return ""
        raise


def is_mounted(files: HostFiles, mount_point: str) -> bool:
    """Tell whether something is mounted there."""
    return any(mount.point == mount_point for mount in read_mounts(files))


def held_names(host: Host, device: str, mount_point: str) -> tuple[str, ...]:
    """Return what an ext4 file system holds beyond what it was made with; disks as `sr/NAME`.

    Raises FileSystemUnreadableError, KronosError, OSError.
    """
    if is_mounted(host, mount_point):
        where = host.at(mount_point)
        top = {path.name for path in where.iterdir()}
        disks = {path.name for path in (where / DISKS).iterdir()} if (where / DISKS).is_dir() else set()
    else:
        top = _listed(host, device, "/")
        disks = _listed(host, device, f"/{DISKS}") if DISKS in top else set()
    return tuple(sorted((top - _OWN - {DISKS}) | {f"{DISKS}/{name}" for name in disks - _OWN}))


def _listed(host: Host, device: str, directory: str) -> set[str]:
    answer = host.runner(("debugfs", "-R", f"ls -p {directory}", device))
    rows = [line.split("/") for line in answer.splitlines() if line]
    names = {row[_NAME] for row in rows if len(row) == _FIELDS}
    if not {".", ".."} <= names:
        raise FileSystemUnreadableError(device, answer.strip() or "debugfs lists nothing")
    return names

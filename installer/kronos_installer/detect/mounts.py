"""What is mounted where, and from what kind of device: /proc/self/mountinfo (proc_pid_mountinfo(5)) and sysfs."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

_OCTAL = re.compile(r"\\([0-7]{3})")
# Device mapper targets below which GRUB sees the plain disk all the same.
_PLAIN_MAPPINGS = re.compile(r"(part\d+-)?mpath-")
# What systemd takes for a file system of the network by its kind (systemd.mount(5)).
_OF_THE_NETWORK = frozenset({
    "afs", "ceph", "cifs", "davfs", "gfs", "gfs2", "glusterfs", "lustre", "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2",
    "smb3", "smbfs", "sshfs",
})  # fmt: skip


@dataclass(frozen=True)
class Mount:
    """One mount. `device` is the block device's "major:minor", an invented one for file systems without."""

    point: str
    device: str
    filesystem: str
    source: str
    read_only: bool


def read_mounts(files: HostFiles) -> tuple[Mount, ...]:
    """Return all mounts, in the order in which they were made; none where the kernel's list is not there."""
    return parse_mountinfo(files.read("/proc/self/mountinfo"))


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """Parse mountinfo. Lines that are not of its form are skipped."""
    found = []
    for line in text.splitlines():
        left, dash, right = line.partition(" - ")
        fields, more = left.split(" "), right.split(" ")
        if dash and len(fields) >= 6 and len(more) >= 3:
            read_only = "ro" in fields[5].split(",") or "ro" in more[2].split(",")
            found.append(Mount(_plain(fields[4]), fields[2], more[0], _plain(more[1]), read_only))
    return tuple(found)


def _plain(field: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)


def mount_of(mounts: tuple[Mount, ...], path: str) -> Mount | None:
    """Return the mount that `path` lies on: the longest that covers it, of equals the last, which hides the others."""
    covering = [m for m in mounts if m.point[:1] == "/" and posixpath.commonpath([m.point, path]) == m.point]
    return max(enumerate(covering), key=lambda pair: (len(pair[1].point), pair[0]))[1] if covering else None


def waits_for_network(files: HostFiles, mount: Mount) -> bool:
    """Tell whether a boot mounts it only when the network is up: by its kind, or for fstab's `_netdev` (systemd.mount(5)).

    Never the root, which is there before systemd.
    """
    if mount.point == "/":
        return False
    lines = (line.split() for line in files.read("/etc/fstab").splitlines())
    told = (fields for fields in lines if len(fields) >= 4 and (fields[1].rstrip("/") or "/") == mount.point)
    by_option = any("_netdev" in fields[3].split(",") for fields in told)
    return by_option or mount.filesystem.removeprefix("fuse.") in _OF_THE_NETWORK


def indirection(files: HostFiles, device: str) -> str:
    """Return what lies between a block device and the plain disk, as words for an operator; "" for nothing."""
    place = f"/sys/dev/block/{device}"
    uuid = files.read(f"{place}/dm/uuid").strip()
    if uuid and not _PLAIN_MAPPINGS.match(uuid):
        kind = uuid.partition("-")[0]
        return {"LVM": "LVM", "CRYPT": "an encrypted volume"}.get(kind, f"a device mapper target ({kind})")
    # A partition's directory lies in its disk's.
    if files.exists(f"{place}/md") or files.exists(f"{place}/../md"):
        return "a software RAID"
    if files.exists(f"{place}/bcache"):
        return "bcache"
    return ""

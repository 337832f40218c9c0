"""Files that a boot loader reads: on the disk itself, not in a file system's journal.

GRUB does not replay a journal: after a power cut it sees what lies in place, which fsync(2) does not change
(https://www.gnu.org/software/grub/manual/grub/ and ext4(5): fsync commits the journal, no more).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
from pathlib import Path

from kronos_installer.detect.mounts import parse_mountinfo

# <linux/ext4.h>, since Linux 5.14: commit the journal and write all of it in place.
_EXT4_IOC_CHECKPOINT = 0x4004662B
# <linux/fs.h>; ioctl_fsfreeze: the file system is whole on the disk when it is frozen, with an empty log.
_FIFREEZE, _FITHAW = 0xC0045877, 0xC0045878
_MOUNTS = Path("/proc/self/mountinfo")
# What Linux's ext4 mounts and may have a journal.
_EXT = frozenset({"ext3", "ext4"})
# No such request there; a file system without a journal; not for us (in a container); frozen by somebody else.
_NOT_TO_BE_HAD = frozenset(
    {errno.ENOTTY, errno.ENODEV, errno.EPERM, errno.EOPNOTSUPP, errno.EBUSY, errno.EROFS}
)


def settle(directory: Path) -> None:
    """Write in place what the file system of `directory` has in its journal. Raises OSError when the disk fails."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _sync(fd)
        kind = _type_of(directory)
        if kind == "xfs" or (kind in _EXT and not _ask(fd, _EXT4_IOC_CHECKPOINT)):
            _freeze_and_thaw(fd)
    finally:
        os.close(fd)


def _sync(fd: int) -> None:
    """syncfs(2), which Python does not have; sync(2) would wait for servers that are away, too."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syncfs(fd) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _type_of(directory: Path) -> str:
    """Return the type of a directory's file system, as proc_pid_mountinfo(5) has it."""
    device = directory.stat().st_dev
    name = f"{os.major(device)}:{os.minor(device)}"
    mounts = parse_mountinfo(_MOUNTS.read_text(errors="replace"))
    return next((mount.filesystem for mount in mounts if mount.device == name), "")


def _ask(fd: int, request: int) -> bool:
    """Return whether the file system did it."""
    try:
        fcntl.ioctl(fd, request, b"\0\0\0\0")
    except OSError as error:
        if error.errno not in _NOT_TO_BE_HAD:
            raise
        return False
    return True


def _freeze_and_thaw(fd: int) -> None:
    """Freeze for a moment, in a process of its own: a kill of this one leaves no host with a frozen root."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setsid()
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            if _ask(fd, _FIFREEZE):
                _ask(fd, _FITHAW)
            status = 0
        finally:
            os._exit(status)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        raise OSError(errno.EIO, "the file system that GRUB reads cannot be frozen and thawed")

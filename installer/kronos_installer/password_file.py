"""The file that holds a pool administrator's password: read when it is needed, never kept."""

from __future__ import annotations

import os
import posixpath
import stat
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

_MOST_BYTES = 4096
# What a reboot empties (file-hierarchy(7)); Debian clears /tmp at every boot, or has it in memory.
_VOLATILE = ("/run/", "/tmp/", "/dev/", "/var/run/")  # noqa: S108 -- none of them is written


class PasswordFileError(KronosError):
    """The file does not give a password away safely."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{path} {what}", resolution=f"chown root: {path}; chmod 600 {path}; one line in it")


def read_password(files: HostFiles, path: str) -> str:
    """Return the file's one line. Raises PasswordFileError: it is not there, not root's alone, or not one line."""
    try:
        # A pipe that nobody writes to would be waited for.
        fd = os.open(files.at(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise PasswordFileError(path, "is no regular file")
            if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
                raise PasswordFileError(path, "may be read or changed by others")
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise PasswordFileError(path, f"cannot be read: {error.strerror}") from error
    try:
        lines = data.decode().splitlines()
    except UnicodeDecodeError as error:
        raise PasswordFileError(path, "is not UTF-8") from error
    if len(data) > _MOST_BYTES or len(lines) != 1 or not lines[0]:
        raise PasswordFileError(path, "does not hold one line")
    return lines[0]


def is_lasting(path: str) -> bool:
    """Tell whether a file or folder is there after a reboot, as far as its path tells."""
    plain = f"/{posixpath.normpath(path).lstrip('/')}/"
    return not plain.startswith(_VOLATILE)

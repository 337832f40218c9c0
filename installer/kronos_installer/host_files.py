"""Reading a host's files below a root: `/`, or a folder with a captured host."""

from __future__ import annotations

import base64
import glob
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NotRequired, TypedDict

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACCESS_LIST = "system.posix_acl_access"
# Far above any file of these, and far below what memory holds: the largest are menus of GRUB and tables of leases.
_LARGEST = 64 * 1024 * 1024
_DOM0 = 1 << 11  # XENFEAT_dom0, Xen's public/features.h
_NULL = os.makedev(1, 3)  # Linux' devices.txt
_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
# What administrators and packages give a file (xattr(7)). Not security.ima and security.evm: these are the kernel's, and
# of one inode.
_ATTRIBUTES = (ACCESS_LIST, "security.capability", "security.selinux")


class FileRecord(TypedDict):
    """A FileState in a journal: content and attributes' values in base64, mode as an octal string."""

    content: str
    mode: str
    uid: int
    gid: int
    attributes: NotRequired[dict[str, str]]


class UnsuitableFileError(KronosError):
    """A file that would be changed is not a regular file."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{path} is {what}", resolution="replace it by a regular file")


class UnreadableFileError(KronosError):
    """A file is there and cannot be read, or what is there is no file; `path` is the host's, `what` follows it in a sentence."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(
            f"{path} {what}", resolution="see what it is (ls -lL); only root can read every file"
        )
        self.path, self.what = path, what


@dataclass(frozen=True)
class FileState:
    """All of a regular file that is put back: bytes, permission bits, owner and group, extended attributes (xattr(7)).

    Attributes make no two states different: a relabelled file is not one that somebody has edited.
    """

    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    attributes: Mapping[str, bytes] = field(default_factory=dict, compare=False)

    def to_json(self) -> FileRecord:
        """Return the journal's form."""
        content = base64.b64encode(self.content).decode()
        record: FileRecord = {
            "content": content,
            "mode": f"{self.mode:04o}",
            "uid": self.uid,
            "gid": self.gid,
        }
        if self.attributes:
            record["attributes"] = {
                name: base64.b64encode(value).decode() for name, value in self.attributes.items()
            }
        return record

    @classmethod
    def from_json(cls, record: FileRecord) -> FileState:
        """Read the journal's form."""
        content = base64.b64decode(record["content"])
        attributes = {name: base64.b64decode(value) for name, value in record.get("attributes", {}).items()}
        return cls(content, int(record["mode"], 8), record["uid"], record["gid"], attributes)


@dataclass(frozen=True)
class HostFiles:
    """A host as its files; paths are the host's absolute ones, as text."""

    root: Path

    def at(self, path: str) -> Path:
        """Return where the host's `path` lies on this machine."""
        return self.root / path.lstrip("/")

    def exists(self, path: str) -> bool:
        """Tell whether there is anything at `path`, a dangling link too."""
        where = self.at(path)
        return where.exists() or where.is_symlink()

    def read(self, path: str) -> str:
        """Return a text, "" where there is none. Bytes that are not UTF-8 show as U+FFFD. Raises UnreadableFileError."""
        return self.read_bytes(path).decode(errors="replace")

    def read_bytes(self, path: str) -> bytes:
        """Return a file's content, nothing where there is none and for a file that is masked by a link to /dev/null.

        Raises UnreadableFileError: for a pipe, which would hold us up for ever, and for a device, which has no end, too.
        """
        where = self.at(path)
        try:
            kind = where.stat()
            if stat.S_ISDIR(kind.st_mode) or (stat.S_ISCHR(kind.st_mode) and kind.st_rdev == _NULL):
                return b""
            if not stat.S_ISREG(kind.st_mode):
                raise UnreadableFileError(path, "is not a regular file")
            if kind.st_size > _LARGEST:
                raise UnreadableFileError(path, f"is larger than {_LARGEST} bytes")
            return where.read_bytes()
        except _NOT_THERE:
            return b""
        except OSError as error:
            raise UnreadableFileError(path, f"cannot be read: {error.strerror}") from error

    def boot_id(self) -> str:
        """Return what is other at every boot (random(4))."""
        return self.read("/proc/sys/kernel/random/boot_id").strip()

    def runs_xen(self) -> bool:
        """Tell whether the running kernel is Xen's dom0 (the kernel's ABI/stable/sysfs-hypervisor-xen, ABI/testing).

        A virtual machine of another Xen says that it is below Xen too; its features lack that of a dom0.
        """
        if self.read("/sys/hypervisor/type").strip() != "xen":
            return False
        features = self.read("/sys/hypervisor/properties/features").strip()
        if not re.fullmatch(r"[0-9a-f]{1,16}", features) or "control_d" in self.read(
            "/proc/xen/capabilities"
        ):
            return True
        return bool(int(features, 16) & _DOM0)

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the absolute paths that match, sorted; `*` does not match a leading dot (glob(7))."""
        found = glob.glob(pattern.lstrip("/"), root_dir=self.root)  # noqa: PTH207 -- Path.glob matches dotfiles
        return tuple(sorted(f"/{name}" for name in found))

    def state(self, path: str) -> FileState | None:
        """Return the regular file at `path`, None where there is nothing.

        Raises UnsuitableFileError for links, folders and devices: what cannot be put back as it was; UnreadableFileError.
        """
        where = self.at(path)
        try:
            found = where.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(found.st_mode):
            raise UnsuitableFileError(path, "a symbolic link")
        if not stat.S_ISREG(found.st_mode):
            raise UnsuitableFileError(path, "not a regular file")
        return FileState(
            self.read_bytes(path), stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, _attributes(where)
        )


def _attributes(where: Path) -> dict[str, bytes]:
    found = {}
    # A file system without attributes has none to lose.
    with suppress(OSError):
        for name in os.listxattr(where):
            if name in _ATTRIBUTES or name.startswith("user."):
                found[name] = os.getxattr(where, name)
    return found

"""Reading a host's files below a root: `/`, or a folder with a captured host."""

from __future__ import annotations

import base64
import glob
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from pathlib import Path


class FileRecord(TypedDict):
    """A FileState in a journal: content in base64, mode as an octal string."""

    content: str
    mode: str
    uid: int
    gid: int


class UnsuitableFileError(KronosError):
    """A file that would be changed is not a regular file."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{path} is {what}", resolution="replace it by a regular file")


@dataclass(frozen=True)
class FileState:
    """All of a regular file that is put back: bytes, permission bits, owner and group."""

    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0

    def to_json(self) -> FileRecord:
        """Return the journal's form."""
        content = base64.b64encode(self.content).decode()
        return {"content": content, "mode": f"{self.mode:04o}", "uid": self.uid, "gid": self.gid}

    @classmethod
    def from_json(cls, record: FileRecord) -> FileState:
        """Read the journal's form."""
        content = base64.b64decode(record["content"])
        return cls(content, int(record["mode"], 8), record["uid"], record["gid"])


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
        """Return a text, "" where there is none. Bytes that are not UTF-8 show as U+FFFD."""
        try:
            return self.at(path).read_bytes().decode(errors="replace")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return ""

    def boot_id(self) -> str:
        """Return what is other at every boot (random(4))."""
        return self.read("/proc/sys/kernel/random/boot_id").strip()

    def runs_xen(self) -> bool:
        """Tell whether the running kernel is below Xen (the kernel's ABI/stable/sysfs-hypervisor-xen)."""
        return self.read("/sys/hypervisor/type").strip() == "xen"

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the absolute paths that match, sorted; `*` does not match a leading dot (glob(7))."""
        found = glob.glob(pattern.lstrip("/"), root_dir=self.root)  # noqa: PTH207 -- Path.glob matches dotfiles
        return tuple(sorted(f"/{name}" for name in found))

    def state(self, path: str) -> FileState | None:
        """Return the regular file at `path`, None where there is nothing.

        Raises UnsuitableFileError for links, folders and devices: what cannot be put back as it was.
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
        return FileState(where.read_bytes(), stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)

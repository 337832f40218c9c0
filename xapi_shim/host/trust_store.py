"""Folders of PEM files that have names: authorities, certificates trusted for a purpose, revocation lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xapi_shim.base.atomic_file import fsync_directory, write_atomic
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from pathlib import Path

# A name is a file's, and says what the file is; no hidden one.
_NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,251}\.pem")


class TrustStoreError(KronosError):
    """A file of the store cannot be had as asked."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class NameInvalidError(TrustStoreError):
    """The name is none that a file of the store can have."""

    def __init__(self, name: str) -> None:
        super().__init__(name[:64], "a name is letters, digits, '.', '_' and '-', and ends with .pem")


class NameTakenError(TrustStoreError):
    """There is a file of this name already."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "there is one of this name already")


class NameUnknownError(TrustStoreError):
    """There is no file of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "there is none of this name")


class TrustStore:
    """The PEM files of one folder; the folder is made when the first comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Return the names, sorted. Raises OSError."""
        if not self._folder.is_dir():
            return []
        return sorted(p.name for p in self._folder.iterdir() if _NAME.fullmatch(p.name) and p.is_file())

    def check_free(self, name: str) -> None:
        """Raise NameInvalidError, or NameTakenError where there is a file of this name."""
        if self._path(name).exists():
            raise NameTakenError(name)

    def add(self, name: str, pem: str) -> None:
        """Keep a new file, durably. Raises NameInvalidError, NameTakenError, OSError."""
        self.check_free(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomic(self._path(name), pem.encode())

    def remove(self, name: str) -> None:
        """Forget a file, durably. Raises NameInvalidError, NameUnknownError, OSError."""
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            raise NameUnknownError(name) from None
        fsync_directory(self._folder)

    def read(self, name: str) -> str:
        """Return a file's text. Raises NameInvalidError, NameUnknownError, OSError."""
        try:
            return self._path(name).read_text()
        except FileNotFoundError:
            raise NameUnknownError(name) from None

    def bundle(self) -> str:
        """Return all files in one text. Raises OSError."""
        return "".join(f"{self.read(name).strip()}\n" for name in self.names())

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise NameInvalidError(name)
        return self._folder / name

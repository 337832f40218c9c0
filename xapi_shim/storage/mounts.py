"""What storage drivers ask of the host's mounts: NFS exports, mounted below a directory of ours.

Nothing here looks into a mount: a server that does not answer would hold it up.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from xapi_shim.storage.interface import SrConfigError

if TYPE_CHECKING:
    from pathlib import Path

# RFC 1123, 2.1: letters, digits and hyphens, which neither begin nor end a label.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.?")


@dataclass(frozen=True)
class NfsSource:
    """An export, or a directory in one: what mount.nfs(8) calls the remote target."""

    server: str
    path: str

    def __str__(self) -> str:
        return f"[{self.server}]:{self.path}" if ":" in self.server else f"{self.server}:{self.path}"

    def below(self, name: str) -> NfsSource:
        """Return a directory in it."""
        return replace(self, path=f"{self.path.rstrip('/')}/{name}")


@dataclass(frozen=True)
class Export:
    """A directory that a server serves, and to whom: names, networks, or `*`."""

    path: str
    clients: str


class Mounts(Protocol):
    """The mounts of a host. What it is given was checked with `checked_server` and `checked_path`."""

    async def mount_nfs(self, source: NfsSource, target: Path, options: tuple[str, ...]) -> None:
        """Mount `source` at `target`, which is made; nothing is done where it is already.

        Raises MountError, also where something else is mounted there.
        """
        ...

    async def unmount(self, target: Path) -> None:
        """Let go of what is mounted at `target`, and remove that; nothing where nothing is. Raises MountError."""
        ...

    def mounted_at(self, target: Path) -> str | None:
        """Return what is mounted at `target`, as NfsSource writes it."""
        ...

    async def exports(self, server: str) -> tuple[Export, ...]:
        """Return what `server` serves, by path. Raises MountError."""
        ...


def checked_server(text: str, *, key: str = "server", code: int = 102) -> str:
    """Return the name or address of a server. Raises SrConfigError."""
    if not text:
        raise SrConfigError(key, "the server is not given", code=code)
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    # No zone (RFC 4007): Python takes anything for one, commas too.
    with suppress(ValueError):
        if "%" not in bare:
            return str(ipaddress.ip_address(bare))
    if not _HOST_NAME.fullmatch(text):
        raise SrConfigError(key, f"neither a host's name nor an address: {text!r}", code=code)
    return text


def checked_path(text: str, *, key: str = "serverpath", code: int = 103) -> str:
    """Return an absolute path on a server, without a closing slash. Raises SrConfigError.

    What mount(8) and /proc/mounts take for something else is refused: commas, spaces, backslashes.
    """
    if not text.startswith("/") or not text.isprintable() or any(c in text for c in " ,\\\"'#"):
        raise SrConfigError(key, f"not a path that can be mounted: {text!r}", code=code)
    parts = [part for part in text.split("/") if part]
    if ".." in parts or "." in parts:
        raise SrConfigError(key, f"not a plain path: {text!r}", code=code)
    return "/" + "/".join(parts)

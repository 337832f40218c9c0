"""Mounts that are links, for the simulator and for tests: servers are directories, their exports directories in those."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xapi_shim.storage.interface import MountError
from xapi_shim.storage.mounts import Export, NfsSource

if TYPE_CHECKING:
    from pathlib import Path


class SimulatedMounts:
    """The servers of the directory `servers`; a directory directly below a server is an export of it."""

    def __init__(self, servers: Path) -> None:
        self._servers = servers

    async def mount_nfs(self, source: NfsSource, target: Path, options: tuple[str, ...]) -> None:  # noqa: ARG002
        there = self.mounted_at(target)
        if there == str(source):
            return
        if there is not None:
            raise MountError(str(source), f"{target} has {there} mounted already")
        served = self._server(source.server) / source.path.strip("/")
        if not served.is_dir():
            raise MountError(str(source), "No such file or directory")
        if target.is_dir():
            target.rmdir()
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.symlink_to(served)

    async def unmount(self, target: Path) -> None:
        if target.is_symlink():
            target.unlink()

    def mounted_at(self, target: Path) -> str | None:
        if not target.is_symlink():
            return None
        server, _, path = os.path.relpath(target.readlink(), self._servers).partition("/")
        return str(NfsSource(server, f"/{path}"))

    async def exports(self, server: str) -> tuple[Export, ...]:
        folders = sorted(path for path in self._server(server).iterdir() if path.is_dir())
        return tuple(Export(f"/{folder.name}", "*") for folder in folders)

    def _server(self, name: str) -> Path:
        folder = self._servers / name
        if not folder.is_dir():
            raise MountError(name, "no such server")
        return folder

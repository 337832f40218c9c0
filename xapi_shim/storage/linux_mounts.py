"""Mounts of a Linux host: mount.nfs(8), umount(8), showmount(8) and /proc/self/mountinfo (proc(5))."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import ProgramMissingError, run_async
from xapi_shim.storage.interface import MountError
from xapi_shim.storage.mounts import Export

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xapi_shim.storage.mounts import NfsSource

# A server that is not there: TCP alone would be tried for minutes.
TIMEOUT_S = 45.0
_RESOLUTION = "apt-get install nfs-common, or dnf install nfs-utils"
_ESCAPE = re.compile(r"\\([0-7]{3})")


class LinuxMounts:
    """The real ones, of the namespace that the daemon runs in: the host's own (xapi.service)."""

    def __init__(self, mountinfo: Path = Path("/proc/self/mountinfo")) -> None:
        self._mountinfo = mountinfo
        self._locks: defaultdict[Path, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def mount_nfs(self, source: NfsSource, target: Path, options: tuple[str, ...]) -> None:
        async with self._locks[target]:
            there = self.mounted_at(target)
            if there == str(source):
                return
            if there is not None:
                raise MountError(str(source), f"{target} has {there} mounted already")
            try:
                target.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise MountError(str(source), f"{target}: {error.strerror}") from error
            try:
                # retry=0: mount.nfs would else try for two minutes by itself (nfs(5)).
                await _run(str(source), ["mount.nfs", str(source), str(target), "-o",
                                         ",".join(("retry=0", *options))])  # fmt: skip
            except MountError:
                _remove(target)
                raise

    async def unmount(self, target: Path) -> None:
        async with self._locks[target]:
            there = self.mounted_at(target)
            if there is not None:
                # -c: nothing looks the path up, which would ask the server.
                await _run(there, ["umount", "-c", str(target)])
            _remove(target)

    def mounted_at(self, target: Path) -> str | None:
        text = self._mountinfo.read_text(encoding="utf-8", errors="surrogateescape")
        return mounted_in(text, str(target))

    async def exports(self, server: str) -> tuple[Export, ...]:
        return read_exports(await _run(server, ["showmount", "--no-headers", "--exports", server]))


def mounted_in(mountinfo: str, target: str) -> str | None:
    """Return the source of the topmost mount at `target`, from the text of /proc/self/mountinfo."""
    found = None
    for line in mountinfo.splitlines():
        front, separator, back = line.partition(" - ")
        fields, source = front.split(" "), back.split(" ")
        if separator and len(fields) >= 6 and len(source) >= 2 and _plain(fields[4]) == target:
            found = _plain(source[1])
    return found


def read_exports(text: str) -> tuple[Export, ...]:
    """Return what showmount printed: a path a line, then clients, or `(everyone)`, which is `*`."""
    found = {}
    for line in text.splitlines():
        path, _, clients = line.strip().rpartition(" ")
        path = path.strip()
        if path.startswith("/"):
            found[path] = "*" if clients == "(everyone)" else clients
    return tuple(Export(path, clients) for path, clients in sorted(found.items()))


def _plain(field: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), field)


def _remove(target: Path) -> None:
    """Remove a place to mount at; what is not empty stays."""
    with suppress(OSError):
        target.rmdir()


async def _run(what: str, argv: Sequence[str]) -> str:
    try:
        done = await run_async(argv, timeout_s=TIMEOUT_S, check=False)
    except ProgramMissingError as error:
        raise MountError(what, f"{error.program} is not installed ({_RESOLUTION})") from error
    except KronosError as error:
        raise MountError(what, error.message) from error
    if done.returncode != 0:
        lines = (done.stderr.strip() or f"{argv[0]} ended with status {done.returncode}").splitlines()
        raise MountError(what, "; ".join(line.strip() for line in lines))
    return done.stdout

"""Changes of configuration files that services take at once, or that leave no trace."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from xapi_shim.base.atomic_file import fsync_directory, write_atomic
from xapi_shim.base.errors import KronosError
from xapi_shim.host.interface import HostError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path


async def replace_files(files: Mapping[Path, bytes | None], take: Callable[[], Awaitable[None]]) -> None:
    """Make each file what is given, or remove it for None, and have the change taken by `take`.

    A file keeps its mode; a new one is for all to read. Where `take` fails, or a file cannot be
    written, all are as before, and `take` is called for those. Raises HostError.
    """
    try:
        before = {path: path.read_bytes() if path.exists() else None for path in files}
        if before == files:
            await take()
            return
    except OSError as error:
        raise HostError(f"a configuration file cannot be read: {error}") from error
    try:
        _put(files)
        await take()
    except BaseException as error:
        with suppress(OSError):
            _put(before)
        with suppress(KronosError):
            await take()
        if isinstance(error, OSError):
            raise HostError(f"a configuration file cannot be written: {error}") from error
        raise


def _make_folder(folder: Path) -> None:
    """Make a folder that every service may read, whatever the daemon's umask: some run as users of their own."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir()
        missing.chmod(0o755)


def _put(files: Mapping[Path, bytes | None]) -> None:
    for path, data in files.items():
        if data is not None:
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
            _make_folder(path.parent)
            write_atomic(path, data, mode=mode)
        elif path.exists():
            path.unlink()
            fsync_directory(path.parent)

"""The tars inside a .deb, read as a stream and within limits: who built it may not be who publishes it.

What is unpacked is neither held in memory nor trusted to end.
"""

from __future__ import annotations

import gzip
import lzma
import shutil
import signal
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast

from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import ProcessError, run

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTROL_FILE_BYTES = 1 << 20
CONTROL_BYTES = 64 << 20
DATA_BYTES = 4 << 30
MEMBERS = 1_000_000


class Readable(Protocol):
    """One part of a .deb."""

    def read(self, size: int = ..., /) -> bytes: ...


class _Limited:
    """A file that is refused when more than `limit_bytes` come out of it."""

    def __init__(self, file: Readable, limit_bytes: int) -> None:
        self._file, self._limit_bytes, self._left = file, limit_bytes, limit_bytes

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {self._limit_bytes} bytes")
        return piece


@contextmanager
def members(
    name: str, part: Readable, limit_bytes: int
) -> Iterator[Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]]:
    """Give the members of the tar in the part `name`, each with its content; afterwards the rest is read.

    Raises ValueError for more than `limit_bytes` or a compression that nobody here knows, and what tarfile,
    gzip and lzma raise for damage.
    """
    with _unpacked(name, part, limit_bytes) as plain:
        limited = _Limited(plain, limit_bytes)
        with tarfile.open(
            fileobj=cast("IO[bytes]", limited), mode="r|", encoding="utf-8", errors="surrogateescape"
        ) as tar:
            yield _counted(tar)
        # To the end, where the checksum is.
        while limited.read(1 << 20):
            pass


def _counted(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    for number, member in enumerate(tar):
        if number == MEMBERS:
            raise ValueError(f"it has more than {MEMBERS} files")
        yield member, tar.extractfile(member) if member.isreg() else None


@contextmanager
def _unpacked(name: str, part: Readable, limit_bytes: int) -> Iterator[Readable]:
    match Path(name).suffix:
        case ".tar":
            yield part
        case ".gz":
            with gzip.open(cast("IO[bytes]", part)) as plain:
                yield cast("IO[bytes]", plain)
        case ".xz":
            with lzma.open(cast("IO[bytes]", part)) as plain:
                yield plain
        case ".zst":  # Ubuntu's; Python reads it from 3.14 on
            with tempfile.TemporaryDirectory() as folder, _unzstd(part, Path(folder), limit_bytes) as file:
                yield file
        case other:
            raise ValueError(f"{name}: compressed as nobody here knows: {other}")


@contextmanager
def _unzstd(part: Readable, folder: Path, limit_bytes: int) -> Iterator[IO[bytes]]:
    """Unpack by zstd(1), which prlimit(1) ends one byte after the limit."""
    packed, plain = folder / "packed", folder / "plain"
    with packed.open("wb") as file:
        shutil.copyfileobj(part, file)
    argv = ["zstd", "--decompress", "--quiet", "-o", str(plain), str(packed)]
    try:
        run(["prlimit", f"--fsize={limit_bytes + 1}", *argv])
    except KronosError as error:
        if isinstance(error, ProcessError) and error.returncode == -signal.SIGXFSZ:
            raise ValueError(f"it unpacks to more than {limit_bytes} bytes") from error
        raise ValueError(str(error)) from error
    with plain.open("rb") as file:
        yield file

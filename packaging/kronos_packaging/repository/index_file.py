"""Index files written once, in pieces, plain and compressed, each kept under its hash as well.

apt of every target reads gz, xz, lz4 and zst and takes the first it finds of xz, bz2, lzma, gz, lz4, zst
(`apt-config dump Acquire::CompressionTypes`). gz is what other readers know too, and level 4 makes it
about as small as level 6 in half the time.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol, cast

from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

GZIP_LEVEL = 4
XZ_PRESET = 1
BY_HASH = "by-hash/SHA256"


@dataclass(frozen=True)
class IndexFile:
    """A file of the metadata: `name` below its folder."""

    name: str
    size_bytes: int
    sha256: str


class _Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...


class _Hashed:
    """A file that counts and hashes what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.total = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes, /) -> int:
        self._file.write(data)
        self.total.update(data)
        self.size_bytes += len(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()


def write_index(
    folder: Path, name: str, pieces: Iterable[bytes], compressions: tuple[str, ...], published: Path,
    before: Mapping[str, IndexFile],
) -> list[IndexFile]:  # fmt: skip
    """Write the index `name` below `folder`, plain and in `compressions`; return what was written.

    `before` are the indexes of the folder `published`: of one that stays the same, the compressed
    ones are taken from there.
    """
    plain = write_plain(folder, name, pieces)
    wanted = [f"{name}.{kind}" for kind in compressions]
    if before.get(name) == plain and all(more in before for more in wanted):
        made = [before[more] for more in wanted]
        for file in made:
            link(published / file.name, folder / file.name)
    else:
        made = [compressed(folder, name, kind) for kind in compressions]
    for file in (plain, *made):
        link(folder / file.name, by_hash(folder, file))
    return [plain, *made]


def write_plain(folder: Path, name: str, pieces: Iterable[bytes]) -> IndexFile:
    """Write one file, counted and hashed on the way, and bring it to the disk."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        hashed = _Hashed(file)
        for piece in pieces:
            hashed.write(piece)
        durable(file)
    return IndexFile(name, hashed.size_bytes, hashed.total.hexdigest())


def durable(file: IO[bytes]) -> None:
    """Bring a file to the disk before anything names it."""
    file.flush()
    os.fsync(file.fileno())


def compressed(folder: Path, name: str, kind: str) -> IndexFile:
    """Compress a file beside itself. Raises ValueError for a `kind` that nobody here knows."""
    packed = f"{name}.{kind}"
    path = folder / packed
    if kind == "zst":
        argv = ["zstd", "--quiet", "--force", "-3", os.fspath(folder / name), "-o", os.fspath(path)]
        run(argv)
        with path.open("rb") as file:
            os.fsync(file.fileno())
            return IndexFile(packed, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    with (folder / name).open("rb") as plain, path.open("wb") as file:
        hashed = _Hashed(file)
        with _compressor(kind, hashed) as sink:
            while piece := plain.read(1 << 20):
                sink.write(piece)
        durable(file)
    return IndexFile(packed, hashed.size_bytes, hashed.total.hexdigest())


def _compressor(kind: str, hashed: _Hashed) -> gzip.GzipFile | lzma.LZMAFile:
    """Open a compressor whose output depends on its input alone: no name, no time."""
    target = cast("IO[bytes]", hashed)
    match kind:
        case "gz":
            return gzip.GzipFile(filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=target, mtime=0)
        case "xz":
            return lzma.LZMAFile(target, mode="wb", preset=XZ_PRESET)
        case _:
            raise ValueError(f"no compression {kind!r}")


def by_hash(folder: Path, file: IndexFile) -> Path:
    """Return where the file is found by its hash: a host that is promised it finds it there."""
    return (folder / file.name).parent / BY_HASH / file.sha256


def link(source: Path, place: Path) -> None:
    """Give a file one more name, unless it has it already."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        os.link(source, place)

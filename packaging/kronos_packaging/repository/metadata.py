"""The folder of a repository's indexes: written aside, then exchanged with the published one by one rename.

Into the new folder go links to what superseded generations promised, for as long as the
policy says: a host that fetched InRelease or repomd.xml just before the exchange finds every index of it
under its hash afterwards, and all of what it names in the pool. Nothing in a published folder is ever
written to.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.base.atomic_file import fsync_directory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kronos_packaging.repository.model import Policy

SUPERSEDED = "superseded"
NS = 1_000_000_000
# linux/fs.h and fcntl.h: Python has no os.renameat2.
RENAME_EXCHANGE = 2
AT_FDCWD = -100


def superseded(folder: Path, suffix: str) -> list[tuple[int, Path]]:
    """Return the signed files of earlier generations and when, in ns since 1970, they were superseded; newest first."""
    found = [
        (int(path.name.removesuffix(suffix)), path)
        for path in (folder / SUPERSEDED).glob(f"*{suffix}")
        if path.name.removesuffix(suffix).isdigit()
    ]
    return sorted(found, reverse=True)


def still_wanted(stamps_ns: Iterable[int], now_ns: int, policy: Policy) -> list[int]:
    """Return those of the stamps, newest first, whose generation a host may still be fetching: pure."""
    newest_first = sorted(stamps_ns, reverse=True)
    return [
        stamp
        for age, stamp in enumerate(newest_first)
        if age < policy.generations or now_ns - stamp < policy.grace_s * NS
    ]


def link_into(published: Path, staged: Path, names: Iterable[str]) -> None:
    """Link files of the published folder, by name, into the staged one."""
    for name in names:
        place = staged / name
        if not place.exists() and (published / name).exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(published / name, place)


def exchange(staged: Path, published: Path, last: tuple[str, ...]) -> None:
    """Put `staged` where `published` is and remove what was there.

    By one renameat2(2); on a file system without it file by file, those of `last` last, in that order, then
    what is no more is removed: hosts that fetch by hash see either generation whole then, too.
    Raises OSError; with renameat2 nothing has changed then.
    """
    _to_disk(staged)
    published.parent.mkdir(parents=True, exist_ok=True)
    if not published.exists():
        staged.rename(published)
    elif not _exchanged(staged, published):
        _move_one_by_one(staged, published, last)
    fsync_directory(published.parent)
    shutil.rmtree(staged, ignore_errors=True)


def _to_disk(folder: Path) -> None:
    """Bring a folder with all in it to the disk; what lies there under several names, once."""
    known: set[int] = set()
    for path, _, names in os.walk(folder):
        for name in names:
            fd = os.open(Path(path, name), os.O_RDONLY)
            try:
                if (inode := os.fstat(fd).st_ino) not in known:
                    os.fsync(fd)
                    known.add(inode)
            finally:
                os.close(fd)
        fsync_directory(Path(path))


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names; return whether the file system knows how to. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    done: int = libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)
    if done != 0 and (number := ctypes.get_errno()) not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(number, os.strerror(number), os.fspath(one), None, os.fspath(other))
    return done == 0


def _move_one_by_one(staged: Path, published: Path, last: tuple[str, ...]) -> None:
    names = [str(path.relative_to(staged)) for path in staged.rglob("*") if path.is_file()]
    hashed_first = sorted(names, key=lambda name: ("by-hash" not in name, name))
    for name in [*(name for name in hashed_first if name not in last), *last]:
        (published / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged / name, published / name)
    for path in sorted(published.rglob("*"), reverse=True):  # what is in a folder before the folder
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif str(path.relative_to(published)) not in names:
            path.unlink()
    _to_disk(published)

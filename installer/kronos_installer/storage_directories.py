"""Whether the directories that are wished for can be ones, looked at before anything is changed: what their paths do not tell."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from kronos_installer.detect.mounts import mount_of, read_mounts
from kronos_installer.password_file import is_lasting
from kronos_installer.problem import Level, Problem
from kronos_installer.storage import is_plain
from kronos_installer.wishes import IsoType, IsoWish, StorageType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host_files import HostFiles
    from kronos_installer.wishes import StorageWish, Wishes

# File systems that are empty after a boot (the kernel's filesystems/tmpfs.rst, ramfs-rootfs-initramfs.rst).
_IN_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})


def directory_problems(wishes: Wishes, files: HostFiles) -> Iterator[Problem]:
    """Yield the directories that are something else, cannot be written, or do not last. Reads only."""
    for what, wish in (("storage", wishes.storage), ("iso-library", wishes.iso_library)):
        named = wish is not None and wish.type in (StorageType.DIRECTORY, IsoType.DIRECTORY)
        if wish is not None and named and is_plain(wish.location):
            yield from _problems(what, wish, files)


def _problems(what: str, wish: StorageWish | IsoWish, files: HostFiles) -> Iterator[Problem]:
    ground = posixpath.normpath(wish.location)
    is_there = files.exists(ground)
    while not files.exists(ground):
        ground = posixpath.dirname(ground)
    if not files.at(ground).is_dir():
        yield _error(
            f"{what}-location", f"{ground} is no directory", wish.location, "name another, or move that away"
        )
        return
    real = _real(files, ground)
    mount = mount_of(read_mounts(files), real)
    if not is_lasting(f"{real}/") or (mount and mount.filesystem in _IN_MEMORY):
        yield _error(f"{what}-location", f"what is in {wish.location} is gone after a reboot", wish.location,
                     "name a directory on a disk")  # fmt: skip
    # Images that are there already are only read.
    elif mount and mount.read_only and not (is_there and isinstance(wish, IsoWish)):
        yield _error(f"{what}-read-only", f"{wish.location} cannot be written: {mount.point} is mounted read-only",
                     wish.location, f"mount -o remount,rw {mount.point}")  # fmt: skip


def _real(files: HostFiles, path: str) -> str:
    """Return a path without links, as the host knows it; one that leads out of the host's root as it is."""
    found, root = files.at(path).resolve(), files.root.resolve()
    return posixpath.normpath(f"/{found.relative_to(root)}") if found.is_relative_to(root) else path


def _error(id_: str, title: str, at: str, remedy: str) -> Problem:
    return Problem(Level.ERROR, id_, title, "", at, remedy)

"""A signed apt repository: written aside, read back and verified, then swapped in by one rename.

The repository is rebuilt from what each target's build left, so publishing again never
depends on what an interrupted run did. Index files are made by apt-ftparchive(1).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from debian.deb822 import Packages, Release, Sources

from kronos_packaging.sign import verify
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kronos_packaging.declarations import Target
    from kronos_packaging.sign import Signer

KEYRING_PLACE = "/usr/share/keyrings/kronos-archive-keyring.pgp"
ORIGIN = "Kronos"
COMPONENT = "main"
# linux/fs.h and fcntl.h: Python has no os.renameat2.
RENAME_EXCHANGE = 2
AT_FDCWD = -100


class RepositoryError(KronosError):
    """A repository is not what its signature says."""


@dataclass(frozen=True)
class Expected:
    """A file as the one who signed it saw it."""

    path: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class SourcesEntry:
    """A deb822 `.sources` file (sources.list(5))."""

    uri: str
    suite: str

    def render(self) -> str:
        return (
            f"# Kronos: the XAPI toolstack. Put this file into /etc/apt/sources.list.d/ and\n"
            f"# kronos-archive-keyring.pgp into {Path(KEYRING_PLACE).parent}/.\n"
            f"Types: deb\nURIs: {self.uri}\nSuites: {self.suite}\nComponents: {COMPONENT}\n"
            f"Signed-By: {KEYRING_PLACE}\n"
        )


def pool_folder(root: Path, target: Target) -> Path:
    """Return where a repository keeps the packages of `target`."""
    return root / "pool" / target.suite


def publish(builds: Sequence[tuple[Target, Path]], signer: Signer, destination: Path, keyring: Path) -> None:
    """Make `destination` the repository of the packages in `builds`: pairs of a target and its folder of .debs.

    Raises RepositoryError when what was written does not verify; `destination` is then as it was.
    """
    aside = destination.with_name(destination.name + ".new")
    shutil.rmtree(aside, ignore_errors=True)
    for target, folder in builds:
        _write_suite(target, folder, aside, signer)
    for target, _ in builds:
        verify_suite(aside, target.suite, keyring)
    _swap(aside, destination)


def _write_suite(target: Target, folder: Path, root: Path, signer: Signer) -> None:
    pool = pool_folder(root, target)
    pool.mkdir(parents=True)
    for path in sorted(folder.iterdir()):
        if path.suffix in (".deb", ".dsc") or ".tar." in path.name:
            shutil.copy2(path, pool)
    dist = root / "dists" / target.suite
    binary = dist / COMPONENT / f"binary-{target.architecture}"
    source = dist / COMPONENT / "source"
    for place, verb, name in ((binary, "packages", "Packages"), (source, "sources", "Sources")):
        place.mkdir(parents=True)
        index = run(["apt-ftparchive", verb, f"pool/{target.suite}"], cwd=root).stdout
        (place / name).write_text(index)
        run(["gzip", "--no-name", "--keep", "--best", os.fspath(place / name)])
        run(["xz", "--keep", os.fspath(place / name)])
    release = dist / "Release"
    options = {
        "Origin": ORIGIN, "Label": ORIGIN, "Suite": target.suite, "Codename": target.suite,
        "Components": COMPONENT, "Architectures": f"{target.architecture} all",
        "Description": f"Kronos for {target.name}", "Acquire-By-Hash": "yes",
    }  # fmt: skip
    argv = ["apt-ftparchive"]
    for key, value in options.items():
        argv += ["-o", f"APT::FTPArchive::Release::{key}={value}"]
    release.write_text(run([*argv, "release", f"dists/{target.suite}"], cwd=root).stdout)
    _by_hash([*binary.iterdir(), *source.iterdir()])
    signer.sign_inline(release, dist / "InRelease")
    signer.sign_detached(release, dist / "Release.gpg")


def _by_hash(indexes: Iterable[Path]) -> None:
    """Keep each index under its hash as well: a client in the middle of an update finds what it was promised."""
    for path in indexes:
        if path.is_file():
            place = path.parent / "by-hash" / "SHA256"
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place / hashlib.sha256(path.read_bytes()).hexdigest())


def verify_suite(root: Path, suite: str, keyring: Path) -> int:
    """Check signature and checksums of everything a client of `suite` may fetch; return how many files.

    Raises RepositoryError naming the first file that is wrong.
    """
    dist = root / "dists" / suite
    try:
        release = Release(verify(keyring, dist / "InRelease"))
    except KronosError as error:
        raise RepositoryError(f"{dist / 'InRelease'}: bad signature: {error}") from error
    indexes = [Expected(dist / e["name"], e["sha256"], int(e["size"])) for e in release["SHA256"]]
    for index in indexes:
        _check(index)
        _check(replace(index, path=index.path.parent / "by-hash/SHA256" / index.sha256))
    files = [file for index in indexes for file in _promised(root, index.path)]
    for file in files:
        _check(file)
    return 1 + len(indexes) + len(files)


def _promised(root: Path, index: Path) -> Iterator[Expected]:
    """Yield the files of the pool that an uncompressed index names."""
    text = index.read_text() if index.suffix == "" else ""
    if index.name == "Packages":
        for package in Packages.iter_paragraphs(text, use_apt_pkg=False):
            yield Expected(root / package["Filename"], package["SHA256"], int(package["Size"]))
    elif index.name == "Sources":
        for source in Sources.iter_paragraphs(text, use_apt_pkg=False):
            for part in source["Checksums-Sha256"]:
                place = root / source["Directory"] / part["name"]
                yield Expected(place, part["sha256"], int(part["size"]))


def _check(expected: Expected) -> None:
    try:
        content = expected.path.read_bytes()
    except OSError as error:
        raise RepositoryError(f"{expected.path}: {error.strerror}") from error
    if len(content) != expected.size_bytes or hashlib.sha256(content).hexdigest() != expected.sha256:
        raise RepositoryError(f"{expected.path}: its checksum is not the one that is signed")


def _swap(new: Path, place: Path) -> None:
    """Put `new` where `place` is, in one step where the file system can exchange two names (renameat2(2))."""
    if not place.exists():
        new.rename(place)
        return
    if not _exchange(new, place):
        aside = place.with_name(place.name + ".old")
        shutil.rmtree(aside, ignore_errors=True)
        place.rename(aside)
        new.rename(place)
        new = aside
    shutil.rmtree(new)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names; return whether the file system could."""
    libc = ctypes.CDLL(None, use_errno=True)
    done: int = libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)
    return done == 0

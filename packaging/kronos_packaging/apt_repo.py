"""A signed apt repository: written aside, read back and verified, then swapped in by one rename.

The repository is rebuilt from what each target's build left, so publishing again never
depends on what an interrupted run did. Index files are made by apt-ftparchive(1).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from debian.deb822 import Packages, Release

from kronos_packaging.sign import verify
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kronos_packaging.declarations import Target
    from kronos_packaging.sign import Signer

KEYRING_PLACE = "/usr/share/keyrings/kronos-archive-keyring.pgp"
ORIGIN = "Kronos"
COMPONENT = "main"


class RepositoryError(KronosError):
    """A repository is not what its signature says."""


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
    pool = root / "pool" / target.suite
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
        verify(keyring, dist / "InRelease")
    except KronosError as error:
        raise RepositoryError(f"{dist / 'InRelease'}: bad signature: {error}") from error
    release = Release((dist / "InRelease").read_bytes())
    checked = 1
    for entry in release["SHA256"]:
        _check(dist / entry["name"], entry["sha256"], int(entry["size"]))
        checked += 1
    for index in dist.glob(f"{COMPONENT}/binary-*/Packages"):
        with index.open() as lines:
            for package in Packages.iter_paragraphs(lines, use_apt_pkg=False):
                _check(root / package["Filename"], package["SHA256"], int(package["Size"]))
                checked += 1
    return checked


def _check(path: Path, sha256: str, size: int) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RepositoryError(f"{path}: {error.strerror}") from error
    if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
        raise RepositoryError(f"{path}: its checksum is not the one that is signed")


def _swap(new: Path, place: Path) -> None:
    """Put `new` where `place` is."""
    old = place.with_name(place.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)

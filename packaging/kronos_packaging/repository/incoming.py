"""What lies in a publication's folders, read: candidates for a repository, and where each is to lie."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging.repository.errors import DamagedPackageError, RepositoryError
from kronos_packaging.repository.model import ATTESTATIONS, OF_ONE_PACKAGE, PoolFile, is_regular, sha256_of
from kronos_packaging.repository.read_deb import FILE_NAME
from kronos_packaging.repository.read_rpm import sign_packages
from kronos_packaging.repository.yum_repository import YumRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kronos_packaging.repository.apt_suite import AptSuite
    from kronos_packaging.repository.catalogue import Catalogue
    from kronos_packaging.repository.model import Package
    from kronos_packaging.repository.signer import Signer

    Repository = AptSuite | YumRepository


@dataclass(frozen=True)
class Incoming:
    """A package, the file it is copied from, the sha256 of what was built, and where its other files lie."""

    package: Package
    source: Path
    origin: str
    folder: Path

    def copies(self) -> list[tuple[Path, PoolFile]]:
        """Return what is to be copied, from where and as what."""
        rest = (*self.package.parts, *self.package.attestations)
        return [(self.source, self.package.file), *((self.folder / Path(f.path).name, f) for f in rest)]


def find_candidates(
    repository: Repository, folders: Iterable[Path], catalogue: Catalogue
) -> list[tuple[Path, str]]:
    """Return the packages in `folders` that the repository does not hold, with their sha256.

    Raises RepositoryError for a name that no package has, and for a link.
    """
    found: dict[str, tuple[Path, str]] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if not _is_for(repository, path.name):
                continue
            if not FILE_NAME.fullmatch(path.name):
                raise RepositoryError(f"{path}: no package has such a name")
            _refuse_link(path)
            try:
                sha256 = catalogue.sha256(path)
            except OSError as error:
                raise DamagedPackageError(path, error.strerror or str(error)) from error
            if not catalogue.has_origin(repository.key, sha256):
                found.setdefault(sha256, (path, sha256))
    return list(found.values())


def _refuse_link(path: Path) -> None:
    """Publish files only: what a link in a build's folder points to may be this machine's own."""
    if not is_regular(path):
        raise RepositoryError(f"{path}: is no regular file")


def _is_for(repository: Repository, name: str) -> bool:
    if isinstance(repository, YumRepository):
        is_source = name.endswith(".src.rpm")
        return name.endswith(repository.package_suffixes) and is_source == (
            ".src.rpm" in repository.package_suffixes
        )
    return name.endswith(repository.package_suffixes)


def read_candidates(
    repository: Repository,
    candidates: Sequence[tuple[Path, str]],
    catalogue: Catalogue,
    signer: Signer,
    aside: Path,
) -> list[Incoming]:
    """Read the candidates; packages of yum are copied to `aside` and signed first. Raises RepositoryError."""
    if isinstance(repository, YumRepository):
        taken = _sign_copies(candidates, signer, aside)
    else:
        taken = [(path, path, sha256, sha256) for path, sha256 in candidates]
    if not taken:
        return []
    places = Places(repository, catalogue)
    files = [(source, places.of_package(built, source, sha256), sha256) for built, source, sha256, _ in taken]
    packages = repository.read_many(files)
    read = [
        Incoming(package, source, origin, built.parent)
        for package, (built, source, _, origin) in zip(packages, taken, strict=True)
    ]
    return [one for folder in _by_folder(read) for one in _with_attestations(folder, places)]


def _sign_copies(
    candidates: Sequence[tuple[Path, str]], signer: Signer, aside: Path
) -> list[tuple[Path, Path, str, str]]:
    copies = []
    for path, origin in candidates:
        copy = aside / origin[:16] / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copies.append((path, copy, origin))
    sign_packages([copy for _, copy, _ in copies], signer)
    for path, copy, _ in copies:
        times = path.stat()
        os.utime(copy, ns=(times.st_mtime_ns, times.st_mtime_ns))
    return [(path, copy, sha256_of(copy), origin) for path, copy, origin in copies]


class Places:
    """Decides where in the pool a file lies: never where hosts may be fetching other content."""

    def __init__(self, repository: Repository, catalogue: Catalogue) -> None:
        self._root, self._pool = repository.root, repository.pool
        self._named = catalogue.all_files(repository.key) | catalogue.retired(repository.key).keys()
        self._given: dict[str, str] = {}

    def of_package(self, built: Path, source: Path, sha256: str) -> str:
        """Return the place of a package whose file, perhaps a signed copy of what was built, is `source`."""
        files = {f"{self._pool}/{built.name}": source}
        if built.suffix == ".dsc":  # its files lie beside it
            tars = built.parent.glob(f"{built.name.partition('_')[0]}_*.tar.*")
            files.update({f"{self._pool}/{path.name}": path for path in tars})
        free = all(self._is_free(place, path) for place, path in files.items())
        place = f"{self._pool}/{built.name}" if free else f"{self._pool}/{sha256[:16]}/{built.name}"
        self._given[place] = sha256
        return place

    def of_other(self, path: Path, sha256: str) -> str:
        """Return the place of what comes with a package."""
        place = f"{self._pool}/{path.name}"
        if not self._is_free(place, path):
            place = f"{self._pool}/{sha256[:16]}/{path.name}"
        self._given[place] = sha256
        return place

    def _is_free(self, place: str, source: Path) -> bool:
        if place in self._given:
            return self._given[place] == sha256_of(source)
        if place not in self._named:
            return True
        there = self._root / place
        return there.is_file() and sha256_of(there) == sha256_of(source)


def _by_folder(read: Iterable[Incoming]) -> list[list[Incoming]]:
    folders: dict[Path, list[Incoming]] = {}
    for item in read:
        folders.setdefault(item.folder, []).append(item)
    return list(folders.values())


def _with_attestations(mates: Sequence[Incoming], places: Places) -> list[Incoming]:
    """Give the packages of one folder the attestations there: by name, and those of no package to the first."""
    stems = {Path(item.package.file.path).name.rpartition(".")[0]: item for item in mates}
    found: dict[int, list[PoolFile]] = {}
    for path in sorted(mates[0].folder.iterdir()):
        suffix = next((suffix for suffix in ATTESTATIONS if path.name.endswith(suffix)), "")
        owner = stems.get(path.name.removesuffix(suffix)) if suffix else None
        if suffix and not owner and suffix not in OF_ONE_PACKAGE:
            owner = mates[0]
        if owner and FILE_NAME.fullmatch(path.name):
            _refuse_link(path)
            sha256 = sha256_of(path)
            file = PoolFile(places.of_other(path, sha256), path.stat().st_size, sha256)
            found.setdefault(id(owner), []).append(file)
    return [
        replace(item, package=replace(item.package, attestations=tuple(found.get(id(item), ()))))
        for item in mates
    ]

"""One suite of the apt repository: its packages read, its indexes written aside and signed.

pool/<suite>/                    packages, sources, attestations: a place never gets other content
dists/<suite>/InRelease          signs everything below, Release and Release.gpg for old readers
dists/<suite>/main/...           Packages, Contents, Translation-en, Sources, attestations
dists/<suite>/.../by-hash/       the same by hash, and those of superseded generations
dists/<suite>/superseded/        the InRelease of each such generation: <when, ns since 1970>.InRelease
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from debian.debian_support import Version

from kronos_packaging.repository import apt_release
from kronos_packaging.repository.apt_release import (
    ATTESTATIONS,
    COMPONENT,
    Release,
    named_files,
    parse_release,
)
from kronos_packaging.repository.errors import RepositoryError, WrongArchitectureError
from kronos_packaging.repository.index_file import BY_HASH, IndexFile, by_hash, link, write_index
from kronos_packaging.repository.membership import SOURCE
from kronos_packaging.repository.metadata import SUPERSEDED
from kronos_packaging.repository.model import sha256_of
from kronos_packaging.repository.read_deb import read_deb, read_dsc
from kronos_packaging.repository.signer import verify, verify_detached

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_packaging.declarations import Target
    from kronos_packaging.repository.catalogue import Catalogue
    from kronos_packaging.repository.model import Package, Policy, PoolFile
    from kronos_packaging.repository.signer import Signer

ALL = "all"


def pool_folder(root: Path, target: Target) -> Path:
    """Return where an apt repository keeps the packages of `target`."""
    return root / "pool" / target.suite


@dataclass(frozen=True)
class AptSuite:
    """A suite of the apt repository at `root`, for `architectures` and what is there already."""

    root: Path
    suite: str
    architectures: tuple[str, ...]
    description: str

    signed_name = "InRelease"
    signed_suffix = ".InRelease"
    swapped_last = ("Release.gpg", "Release", "InRelease")
    package_suffixes = (".deb", ".dsc")

    @property
    def key(self) -> str:
        return f"apt/{self.suite}"

    @property
    def metadata(self) -> Path:
        return self.root / "dists" / self.suite

    @property
    def pool(self) -> str:
        return f"pool/{self.suite}"

    @staticmethod
    def order(groups: Sequence[set[str]]) -> list[list[str]]:
        return [sorted(group, key=Version) for group in groups]

    def read(self, path: Path, place: str, sha256: str) -> Package:
        """Return what the indexes say of a package. Raises DamagedPackageError, WrongArchitectureError."""
        package = (read_dsc if path.suffix == ".dsc" else read_deb)(path, place, sha256)
        allowed = (ALL, SOURCE, *self.architectures)
        if package.architecture not in allowed:
            raise WrongArchitectureError(path, package.architecture, ", ".join(self.architectures))
        return package

    def read_many(self, files: Sequence[tuple[Path, str, str]]) -> Iterator[Package]:
        """Yield what the indexes say of packages given as path, place and sha256."""
        return (self.read(*file) for file in files)

    def published_architectures(self) -> tuple[str, ...]:
        return self._published().architectures

    def _published(self) -> Release:
        """Return what is published, its signature not looked at: the catalogue stands for it."""
        return parse_release((self.metadata / "Release").read_text())

    def named_by(self, signed: Path, keyring: Path) -> list[PoolFile]:
        """Return the pool's files that an InRelease names through its indexes, all checked. Raises RepositoryError."""
        found: list[PoolFile] = []
        for file in parse_release(verify(keyring, signed).decode()).files.values():
            if Path(file.name).name in ("Packages", "Sources", Path(ATTESTATIONS).name):
                place = by_hash(self.metadata, file)
                if not place.is_file() or sha256_of(place) != file.sha256:
                    raise RepositoryError(f"{place}: its checksum is not the one that is signed")
                found += named_files(file.name, place.read_text())
        return found

    def indexes_of(self, signed: Path, keyring: Path) -> list[str]:
        """Return what hosts fetch by hash after an InRelease, below the metadata's folder. Raises SignatureError."""
        files = parse_release(verify(keyring, signed).decode()).files.values()
        return [f"{Path(file.name).parent}/{BY_HASH}/{file.sha256}" for file in files]

    def write(
        self, staged: Path, catalogue: Catalogue, signer: Signer, policy: Policy, now_s: int
    ) -> bool:  # fmt: skip
        """Write the indexes and sign them; return whether they say anything new."""
        before = self._published() if (self.metadata / "Release").exists() else None
        known = before.files if before else {}
        files: list[IndexFile] = []
        for name, pieces in self._indexes(catalogue):
            files += write_index(staged, name, pieces, policy.compressions, self.metadata, known)
        release = Release(
            suite=self.suite,
            architectures=self.architectures,
            date_s=now_s,
            valid_until_s=now_s + policy.valid_s if policy.valid_s is not None else 0,
            description=self.description,
            files={file.name: file for file in files},
        )
        (staged / "Release").write_text(release.render())
        signer.sign_inline(staged / "Release", staged / "InRelease")
        signer.sign_detached(staged / "Release", staged / "Release.gpg")
        return before is None or not release.says_the_same(before)

    def _indexes(self, catalogue: Catalogue) -> Iterator[tuple[str, Iterator[bytes]]]:
        for architecture in self.architectures:
            both = (architecture, ALL)
            yield f"{COMPONENT}/binary-{architecture}/Packages", self._packages(catalogue, both)
            yield f"{COMPONENT}/Contents-{architecture}", self._contents(catalogue, both)
        binaries = (ALL, *self.architectures)
        yield f"{COMPONENT}/i18n/Translation-en", self._translation(catalogue, binaries)
        yield f"{COMPONENT}/source/Sources", self._sources(catalogue)
        yield ATTESTATIONS, self._attestations(catalogue)

    def _packages(self, catalogue: Catalogue, architectures: tuple[str, ...]) -> Iterator[bytes]:
        for path, entry in catalogue.column(self.key, "entry", architectures):
            yield f"{entry}Filename: {path}\n\n".encode()

    def _contents(self, catalogue: Catalogue, architectures: tuple[str, ...]) -> Iterator[bytes]:
        found: dict[str, list[str]] = defaultdict(list)
        for _, listing in catalogue.column(self.key, "listing", architectures):
            for line in listing.removesuffix("\n").split("\n") if listing else ():
                path, _, name = line.partition("\t")
                if name not in (names := found[path]):
                    names.append(name)
        for path in sorted(found):
            yield f"{path}\t{','.join(sorted(found[path]))}\n".encode()

    def _translation(self, catalogue: Catalogue, architectures: tuple[str, ...]) -> Iterator[bytes]:
        seen: set[str] = set()
        for _, remark in catalogue.column(self.key, "remark", architectures):
            if remark and remark not in seen:
                seen.add(remark)
                yield f"{remark}\n".encode()

    def _sources(self, catalogue: Catalogue) -> Iterator[bytes]:
        for path, entry in catalogue.column(self.key, "entry", (SOURCE,)):
            yield f"{entry}Directory: {path.rsplit('/', 1)[0]}\n\n".encode()

    def _attestations(self, catalogue: Catalogue) -> Iterator[bytes]:
        for file in catalogue.attestations(self.key):
            yield f"{file.sha256}  {file.path}\n".encode()

    def supersede(self, staged: Path, stamp_ns: int) -> None:
        """Keep the published InRelease as that of an earlier generation."""
        link(self.metadata / "InRelease", staged / SUPERSEDED / f"{stamp_ns}.InRelease")

    def check_staged(self, staged: Path, keyring: Path) -> None:
        """Read back what was written: signatures and every index. Raises RepositoryError."""
        release = parse_release(verify(keyring, staged / "InRelease").decode())
        verify_detached(keyring, staged / "Release.gpg", staged / "Release")
        for file in release.files.values():
            for place in (staged / file.name, by_hash(staged, file)):
                if not place.is_file() or sha256_of(place) != file.sha256:
                    raise RepositoryError(f"{place}: its checksum is not the one that is signed")


def suite_of(root: Path, suite: str, targets: Sequence[Target]) -> AptSuite:
    """Return the suite for its targets, with the architectures it is published for already."""
    release = root / "dists" / suite / "Release"
    before = parse_release(release.read_text()) if release.exists() else None
    architectures = {target.architecture for target in targets} | set(before.architectures if before else ())
    if targets:
        description = f"{apt_release.ORIGIN} for {targets[0].distribution} {targets[0].release}"
    else:
        description = before.description if before else ""
    return AptSuite(root, suite, tuple(sorted(architectures - {ALL})), description)

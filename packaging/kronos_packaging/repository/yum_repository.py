"""One yum repository: a Fedora release's packages of one architecture, or its source packages.

    yum/<distribution>/<release>/<architecture>/Packages/   signed packages; a place never gets other content
    yum/<distribution>/<release>/source/Packages/           the .src.rpm
    .../repodata/repomd.xml{,.asc}                          signs the indexes, which are named by their hash
    .../repodata/superseded/                                the same of earlier generations

Of an InRelease the signature is part of the file; of repomd.xml it is a second file, and a host that fetched the
one before the exchange and the other after it sees a bad signature and has to try again. That is yum's protocol;
the exchange keeps the moment as short as one rename.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_packaging.repository import yum_index
from kronos_packaging.repository.errors import RepositoryError, WrongArchitectureError
from kronos_packaging.repository.index_file import IndexFile, compressed, link, write_plain
from kronos_packaging.repository.metadata import SUPERSEDED
from kronos_packaging.repository.model import PoolFile, sha256_of
from kronos_packaging.repository.read_rpm import oldest_first, read_rpms
from kronos_packaging.repository.signer import verify_detached
from kronos_packaging.repository.yum_index import ATTESTATIONS, KINDS, Record, Repomd, parse_repomd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kronos_packaging.declarations import Target
    from kronos_packaging.repository.catalogue import Catalogue
    from kronos_packaging.repository.model import Package, Policy
    from kronos_packaging.repository.signer import Signer

SOURCE = "source"
COMPRESSION = "gz"


@dataclass(frozen=True)
class YumRepository:
    """The repository below `top` (dist/yum) for a release and an architecture, or its source packages."""

    top: Path
    distribution: str
    release: str
    architecture: str

    signed_name = "repomd.xml"
    signed_suffix = ".repomd.xml"
    swapped_last = ("repomd.xml.asc", "repomd.xml")
    pool = "Packages"

    @property
    def key(self) -> str:
        return f"yum/{self.distribution}/{self.release}/{self.architecture}"

    @property
    def root(self) -> Path:
        return self.top / self.distribution / self.release / self.architecture

    @property
    def metadata(self) -> Path:
        return self.root / "repodata"

    @property
    def package_suffixes(self) -> tuple[str, ...]:
        return (".src.rpm",) if self.architecture == SOURCE else (".rpm",)

    @staticmethod
    def order(groups: Sequence[set[str]]) -> list[list[str]]:
        return oldest_first(groups)

    def read_many(self, files: Sequence[tuple[Path, str, str]]) -> Iterator[Package]:
        """Yield what the indexes say of packages given as path, place and sha256. Raises RepositoryError."""
        allowed = ("src", "nosrc") if self.architecture == SOURCE else (self.architecture, "noarch")
        for package, (path, _, _) in zip(read_rpms(files), files, strict=True):
            if package.architecture not in allowed:
                raise WrongArchitectureError(path, package.architecture, " and ".join(allowed))
            yield package

    @property
    def architectures(self) -> tuple[str, ...]:
        return (self.architecture,)

    def published_architectures(self) -> tuple[str, ...]:
        return self.architectures

    @staticmethod
    def _checked(path: Path, keyring: Path) -> Repomd:
        verify_detached(keyring, path.with_name(f"{path.name}.asc"), path)
        return parse_repomd(path.read_bytes())

    def named_by(self, signed: Path, keyring: Path) -> list[PoolFile]:
        """Return the files that a repomd.xml names through its indexes, all checked. Raises RepositoryError."""
        found: list[PoolFile] = []
        for record in self._checked(signed, keyring).records:
            place = self.metadata / record.packed.name
            if record.kind in ("primary", ATTESTATIONS):
                if not place.is_file() or sha256_of(place) != record.packed.sha256:
                    raise RepositoryError(f"{place}: its checksum is not the one that is signed")
                found += yum_index.named_files(record.kind, place)
        return found

    def indexes_of(self, signed: Path, keyring: Path) -> list[str]:
        """Return what hosts fetch after a repomd.xml, below the metadata's folder. Raises SignatureError."""
        return [record.packed.name for record in self._checked(signed, keyring).records]

    def write(
        self, staged: Path, catalogue: Catalogue, signer: Signer, _: Policy, now_s: int
    ) -> bool:  # fmt: skip
        """Write the indexes and sign them; return whether they say anything new."""
        published = self.metadata / "repomd.xml"
        before = parse_repomd(published.read_bytes()) if published.exists() else None
        known = {record.kind: record for record in before.records} if before else {}
        records = tuple(
            self._write_index(staged, kind, pieces, known.get(kind))
            for kind, pieces in self._indexes(catalogue)
        )
        repomd = Repomd(now_s, records)
        staged.mkdir(parents=True, exist_ok=True)
        (staged / "repomd.xml").write_text(repomd.render())
        signer.sign_detached_once(staged / "repomd.xml", staged / "repomd.xml.asc")
        return before is None or before.records != records

    def _indexes(self, catalogue: Catalogue) -> Iterator[tuple[str, Iterator[bytes]]]:
        architectures = tuple(sorted(catalogue.architectures(self.key)))
        count = len(catalogue.paths(self.key))
        columns = {"primary": "entry", "filelists": "listing", "other": "remark"}
        for kind in KINDS:
            rows = catalogue.column(self.key, columns[kind], architectures)
            yield kind, yum_index.joined(kind, (element for _, element in rows), count)
        if attestations := catalogue.attestations(self.key):
            yield ATTESTATIONS, (f"{file.sha256}  {file.path}\n".encode() for file in attestations)

    def _write_index(self, staged: Path, kind: str, pieces: Iterator[bytes], before: Record | None) -> Record:
        aside = staged.with_name(f"{staged.name}.plain")
        suffix = "txt" if kind == ATTESTATIONS else "xml"
        try:
            plain = write_plain(aside, f"{kind}.{suffix}", pieces)
            if (
                before
                and before.plain.sha256 == plain.sha256
                and (self.metadata / before.packed.name).exists()
            ):
                link(self.metadata / before.packed.name, staged / before.packed.name)
                return Record(kind, before.packed, before.plain)
            packed = compressed(aside, plain.name, COMPRESSION)
            name = f"{packed.sha256}-{packed.name}"
            staged.mkdir(parents=True, exist_ok=True)
            (aside / packed.name).rename(staged / name)
            return Record(kind, IndexFile(name, packed.size_bytes, packed.sha256), plain)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def check_staged(self, staged: Path, keyring: Path) -> None:
        """Read back what was written: the signature and every index. Raises RepositoryError."""
        repomd = self._checked(staged / "repomd.xml", keyring)
        for record in repomd.records:
            place = staged / record.packed.name
            if not place.is_file() or sha256_of(place) != record.packed.sha256:
                raise RepositoryError(f"{place}: its checksum is not the one that is signed")

    def supersede(self, staged: Path, stamp_ns: int) -> None:
        """Keep the published signed file and its signature as those of an earlier generation."""
        for name in ("repomd.xml", "repomd.xml.asc"):
            link(self.metadata / name, staged / SUPERSEDED / f"{stamp_ns}.{name}")


def repositories_of(top: Path, target: Target) -> tuple[YumRepository, YumRepository]:
    """Return the repository of a target's packages and that of its source packages."""
    return (
        YumRepository(top, target.distribution, target.release, target.architecture),
        YumRepository(top, target.distribution, target.release, SOURCE),
    )

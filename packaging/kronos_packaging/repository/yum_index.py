"""Yum metadata from the elements that createrepo_c(8) makes of each package: joined, and listed in repomd.xml.

createrepo_c reads every package that is new; what it said of the others is in the catalogue.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from defusedxml import ElementTree

from kronos_packaging.repository.errors import RepositoryError
from kronos_packaging.repository.index_file import IndexFile
from kronos_packaging.repository.model import PoolFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

REPO = "http://linux.duke.edu/metadata/repo"
# Index, its root element and that element's name spaces.
KINDS = {
    "primary": ("metadata", 'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"'),
    "filelists": ("filelists", 'xmlns="http://linux.duke.edu/metadata/filelists"'),
    "other": ("otherdata", 'xmlns="http://linux.duke.edu/metadata/other"'),
}  # fmt: skip
ATTESTATIONS = "attestations"
ELEMENT = re.compile(r"^<package .*?^</package>\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Record:
    """One index as repomd.xml names it: the compressed file, and what is in it."""

    kind: str
    packed: IndexFile
    plain: IndexFile

    def render(self, timestamp: int) -> str:
        """Return its element of repomd.xml."""
        return (
            f"  <data type={quoteattr(self.kind)}>\n"
            f'    <checksum type="sha256">{self.packed.sha256}</checksum>\n'
            f'    <open-checksum type="sha256">{self.plain.sha256}</open-checksum>\n'
            f"    <location href={quoteattr('repodata/' + self.packed.name)}/>\n"
            f"    <timestamp>{timestamp}</timestamp>\n"
            f"    <size>{self.packed.size_bytes}</size>\n"
            f"    <open-size>{self.plain.size_bytes}</open-size>\n"
            "  </data>\n"
        )


@dataclass(frozen=True)
class Repomd:
    """What a repository's one signature covers; `revision` in seconds since 1970."""

    revision: int
    records: tuple[Record, ...]

    def render(self) -> str:
        head = f'<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="{REPO}">\n'
        revision = f"  <revision>{self.revision}</revision>\n"
        return "".join(
            [head, revision, *(record.render(self.revision) for record in self.records), "</repomd>\n"]
        )


def parse_repomd(text: bytes) -> Repomd:
    """Return what repomd.xml says. Raises RepositoryError."""
    space = {"r": REPO}
    try:
        root = ElementTree.fromstring(text)
        records = []
        for data in root.findall("r:data", space):
            values = {
                name: data.findtext(f"r:{name}", "", space)
                for name in ("checksum", "open-checksum", "size", "open-size")
            }
            location = data.find("r:location", space)
            href = location.get("href", "") if location is not None else ""
            name = href.removeprefix("repodata/")
            packed = IndexFile(name, int(values["size"]), values["checksum"])
            plain = IndexFile(name, int(values["open-size"]), values["open-checksum"])
            records.append(Record(data.get("type", ""), packed, plain))
        return Repomd(int(root.findtext("r:revision", "", space)), tuple(records))
    except (ElementTree.ParseError, ValueError) as error:
        raise RepositoryError(f"a repomd.xml cannot be read: {error}") from error


def split(text: str) -> list[str]:
    """Return the packages' elements of one of createrepo_c's indexes, in its order."""
    return [match.group() for match in ELEMENT.finditer(text)]


def joined(kind: str, elements: Iterable[str], count: int) -> Iterator[bytes]:
    """Yield the index of `count` packages in pieces."""
    root, spaces = KINDS[kind]
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {spaces} packages="{count}">\n'.encode()
    for element in elements:
        yield element.encode()
    yield f"</{root}>".encode()


def located(element: str, place: str) -> str:
    """Return an element of primary with the package's place in the repository."""
    href = quoteattr(place)
    return re.sub(r"<location href=\"[^\"]*\"", lambda _: f"<location href={href}", element, count=1)


def named_files(kind: str, path: Path) -> Iterator[PoolFile]:
    """Yield the files that a compressed index names."""
    text = gzip.decompress(path.read_bytes())
    if kind == ATTESTATIONS:
        for line in text.decode().splitlines():
            digest, _, place = line.partition("  ")
            yield PoolFile(place, -1, digest)
        return
    space = {"c": "http://linux.duke.edu/metadata/common"}
    for package in ElementTree.fromstring(text).findall("c:package", space):
        location, size = package.find("c:location", space), package.find("c:size", space)
        if location is None or size is None:
            raise RepositoryError(f"{path}: a package has no place or no size")
        digest = package.findtext("c:checksum", "", space)
        yield PoolFile(location.get("href", ""), int(size.get("package", "-1")), digest)

"""Release files: what a suite's one signature covers (Debian's repository format)."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

from debian.deb822 import Deb822, Packages, Sources

from kronos_packaging.repository.errors import RepositoryError
from kronos_packaging.repository.index_file import IndexFile
from kronos_packaging.repository.model import PoolFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ORIGIN = "Kronos"
COMPONENT = "main"
ATTESTATIONS = f"{COMPONENT}/attestations/SHA256SUMS"


@dataclass(frozen=True)
class Release:
    """A suite's Release; times in seconds since 1970, 0 for a `valid_until_s` that never comes."""

    suite: str
    architectures: tuple[str, ...]
    date_s: int
    valid_until_s: int
    description: str
    files: Mapping[str, IndexFile] = field(default_factory=dict)

    def render(self) -> str:
        """Return the text that is signed."""
        fields = {
            "Origin": ORIGIN, "Label": ORIGIN, "Suite": self.suite, "Codename": self.suite,
            "Date": _date(self.date_s), "Valid-Until": _date(self.valid_until_s) if self.valid_until_s else "",
            "Architectures": " ".join(self.architectures), "Components": COMPONENT,
            "Description": self.description, "Acquire-By-Hash": "yes",
            # Packages for all machines are in the index of each.
            "No-Support-for-Architecture-all": "Packages",
        }  # fmt: skip
        lines = [f"{name}: {value}" for name, value in fields.items() if value]
        listed = sorted(self.files.values(), key=lambda file: file.name)
        lines += ["SHA256:", *(f" {file.sha256} {file.size_bytes} {file.name}" for file in listed)]
        return "\n".join(lines) + "\n"

    def says_the_same(self, other: Release) -> bool:
        """Return whether only the dates differ."""
        mine, its = (
            (r.suite, r.architectures, r.description, dict(r.files), bool(r.valid_until_s))
            for r in (self, other)
        )
        return mine == its


def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True).replace("GMT", "UTC")


def _seconds(date: str) -> int:
    return int(parsedate_to_datetime(date.replace("UTC", "GMT")).timestamp()) if date else 0


def parse_release(text: str) -> Release:
    """Return what a Release file says. Raises RepositoryError."""
    raw = Deb822(text)
    try:
        rows = [line.split() for line in raw["SHA256"].splitlines() if line.strip()]
        files = {name: IndexFile(name, int(size), sha256) for sha256, size, name in rows}
        return Release(
            suite=raw["Suite"],
            architectures=tuple(raw["Architectures"].split()),
            date_s=_seconds(raw["Date"]),
            valid_until_s=_seconds(raw.get("Valid-Until", "")),
            description=raw.get("Description", ""),
            files=files,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise RepositoryError(f"a Release file cannot be read: {error!r}") from error


def named_files(name: str, text: str) -> Iterator[PoolFile]:
    """Yield the pool's files that the plain index `name` names, the packages themselves first in each."""
    if name == ATTESTATIONS:
        for line in text.splitlines():
            digest, _, path = line.partition("  ")
            yield PoolFile(path, -1, digest)
    elif name.endswith("/Packages"):
        for package in Packages.iter_paragraphs(text, use_apt_pkg=False):
            yield PoolFile(package["Filename"], int(package["Size"]), package["SHA256"])
    elif name.endswith("/Sources"):
        for source in Sources.iter_paragraphs(text, use_apt_pkg=False):
            parts = source["Checksums-Sha256"]
            for part in sorted(parts, key=lambda part: not part["name"].endswith(".dsc")):
                yield PoolFile(f"{source['Directory']}/{part['name']}", int(part["size"]), part["sha256"])

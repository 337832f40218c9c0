"""What is published, by which policy, and what an index says of a package."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.declarations import Target

HOUR_S = 3600
DAY_S = 24 * HOUR_S
# What lies beside packages and is published with them.
ATTESTATIONS = (".buildinfo", ".cdx.json", ".spdx.json", ".provenance.json")
# Those named as the package that they are of.
OF_ONE_PACKAGE = (".cdx.json", ".spdx.json")


@dataclass(frozen=True)
class Publication:
    """One release of a distribution and the folders with its built packages, flat."""

    target: Target
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Policy:
    """How long things stay.

    Of each package `keep_versions` are kept. What a host may be in the middle of fetching stays
    for `grace_s` seconds after it was superseded, and the last `generations` of it at least. apt
    refuses an index `valid_s` seconds after it was signed (None: never). With `replace`, other
    content of a version that is published already takes its place; without, it is refused.
    """

    keep_versions: int = 3
    generations: int = 3
    grace_s: int = DAY_S
    valid_s: int | None = 30 * DAY_S
    compressions: tuple[str, ...] = ("gz",)
    replace: bool = False


@dataclass(frozen=True)
class PoolFile:
    """A file that an index names: its place below the repository's root, slashes between."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Package:
    """What a repository says of one package.

    `identity` tells whether two files are one package: of a .deb its sha256, of an .rpm that of
    its header, which signing does not change. `entry`, `listing` and `remark` are its parts of the
    indexes: of a .deb the stanza of Packages without Filename, the paths it installs and its
    paragraph of Translation-en; of an .rpm its elements of primary, filelists and other.
    """

    name: str
    version: str
    architecture: str
    identity: str
    file: PoolFile
    entry: str
    listing: str = ""
    remark: str = ""
    parts: tuple[PoolFile, ...] = ()
    attestations: tuple[PoolFile, ...] = ()

    @property
    def files(self) -> tuple[PoolFile, ...]:
        """All that its presence keeps in the pool."""
        return (self.file, *self.parts, *self.attestations)

    @property
    def label(self) -> str:
        """How people are told of it."""
        return f"{self.name} {self.version} ({self.architecture})"


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_regular(path: Path) -> bool:
    """Return whether `path` itself is a file: a symbolic link would publish what it points to."""
    return stat.S_ISREG(path.lstat().st_mode)

"""What the repositories of one dist folder hold, cached in SQLite outside of it.

The published, signed indexes are the truth. The cache says for which signature it stands
(`signed`); where that is not the published one, `sync` makes it so again, reading only
the packages that it does not know. A change is one transaction: it is committed after the new
index is in its place, and a killed run leaves the cache as it was.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from dataclasses import astuple
from typing import TYPE_CHECKING

from kronos_packaging.repository.model import Package, PoolFile, sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

# Another number here makes a new cache: its tables changed.
SCHEMA = 1
TABLES = """
CREATE TABLE IF NOT EXISTS seen (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, sha256 TEXT);
CREATE TABLE IF NOT EXISTS repository (name TEXT PRIMARY KEY, signed TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS package (
    repository TEXT, path TEXT, name TEXT, version TEXT, architecture TEXT, identity TEXT, origin TEXT,
    size INTEGER, sha256 TEXT, entry TEXT, listing TEXT, remark TEXT, parts TEXT, attestations TEXT,
    PRIMARY KEY (repository, path)
);
CREATE INDEX IF NOT EXISTS by_name ON package (repository, name);
CREATE INDEX IF NOT EXISTS by_origin ON package (repository, origin);
CREATE TABLE IF NOT EXISTS retired (repository TEXT, path TEXT, since_ns INTEGER, PRIMARY KEY (repository, path));
"""
COLUMNS = (
    "name, version, architecture, identity, path, size, sha256, entry, listing, remark, parts, attestations"
)


class Catalogue:
    """One SQLite file; a context manager."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        place = path.with_name(f"{path.name}-{SCHEMA}.sqlite")
        # Committed by hand; a power cut may cost the cache its last changes, never its shape.
        self._db = sqlite3.connect(place, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(TABLES)

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Make all changes within the block, or none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def sha256(self, path: Path) -> str:
        """Return a file's sha256, read from the file only when it is new or was touched."""
        status = path.stat()
        key = (str(path.absolute()), status.st_size, status.st_mtime_ns)
        row = self._db.execute(
            "SELECT sha256 FROM seen WHERE path = ? AND size = ? AND mtime_ns = ?", key
        ).fetchone()
        if row:
            return str(row[0])
        found = sha256_of(path)
        self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", (*key, found))
        return found

    def signed(self, repository: str) -> str:
        """Return the sha256 of the signed file that the cache stands for."""
        row = self._db.execute("SELECT signed FROM repository WHERE name = ?", (repository,)).fetchone()
        return str(row[0]) if row else ""

    def set_signed(self, repository: str, signed: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO repository VALUES (?, ?)", (repository, signed))

    def packages(
        self, repository: str, *, names: Iterable[str] | None = None, architectures: Iterable[str] = ()
    ) -> Iterator[Package]:
        """Yield packages by name, then path: all, those of some names, or of some architectures."""
        query = f"SELECT {COLUMNS} FROM package WHERE repository = ?"  # noqa: S608 -- columns of our own
        tail = " ORDER BY name, path"
        if names is not None:
            for name in sorted(set(names)):
                rows = self._db.execute(f"{query} AND name = ?{tail}", (repository, name))
                yield from map(_package, rows)
            return
        wanted = tuple(architectures)
        chosen = f" AND architecture IN ({', '.join('?' * len(wanted))})" if wanted else ""
        yield from map(_package, self._db.execute(query + chosen + tail, (repository, *wanted)))

    def column(
        self, repository: str, column: str, architectures: tuple[str, ...]
    ) -> Iterator[tuple[str, str]]:
        """Yield place and one column of packages of some architectures, by name and place."""
        assert column in COLUMNS.split(", ")
        marks = ", ".join("?" * len(architectures))
        query = f"SELECT path, {column} FROM package WHERE repository = ? AND architecture IN ({marks})"  # noqa: S608
        yield from self._db.execute(f"{query} ORDER BY name, path", (repository, *architectures))

    def architectures(self, repository: str) -> set[str]:
        query = "SELECT DISTINCT architecture FROM package WHERE repository = ?"
        return {str(row[0]) for row in self._db.execute(query, (repository,))}

    def has_origin(self, repository: str, sha256: str) -> bool:
        """Return whether a built file of this content is published, perhaps signed since."""
        query = "SELECT 1 FROM package WHERE repository = ? AND origin = ?"
        return self._db.execute(query, (repository, sha256)).fetchone() is not None

    def origin(self, repository: str, path: str) -> str:
        """Return the sha256 of the file that was built, of a published package."""
        query = "SELECT origin FROM package WHERE repository = ? AND path = ?"
        return str(self._db.execute(query, (repository, path)).fetchone()[0])

    def paths(self, repository: str) -> dict[str, str]:
        """Return place to sha256 of the packages themselves."""
        query = "SELECT path, sha256 FROM package WHERE repository = ?"
        return dict(self._db.execute(query, (repository,)))

    def all_files(self, repository: str) -> set[str]:
        """Return every place that a package's presence keeps."""
        found: set[str] = set()
        query = "SELECT path, parts, attestations FROM package WHERE repository = ?"
        for path, *more in self._db.execute(query, (repository,)):
            found.add(path)
            found.update(file.path for text in more if text != "[]" for file in _files(text))
        return found

    def attestations(self, repository: str) -> list[PoolFile]:
        query = "SELECT attestations FROM package WHERE repository = ? AND attestations != '[]'"
        found = {file for (text,) in self._db.execute(query, (repository,)) for file in _files(text)}
        return sorted(found, key=lambda file: file.path)

    def add(self, repository: str, package: Package, origin: str) -> None:
        """Add a package; `origin` is the sha256 of the file that was built."""
        file = package.file
        row = (
            repository, file.path, package.name, package.version, package.architecture, package.identity, origin,
            file.size_bytes, file.sha256, package.entry, package.listing, package.remark,
            _text(package.parts), _text(package.attestations),
        )  # fmt: skip
        self._db.execute(f"INSERT OR REPLACE INTO package VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
        for kept in package.files:
            self._db.execute("DELETE FROM retired WHERE repository = ? AND path = ?", (repository, kept.path))

    def drop(self, repository: str, path: str) -> None:
        self._db.execute("DELETE FROM package WHERE repository = ? AND path = ?", (repository, path))

    def retire(self, repository: str, paths: Iterable[str], since_ns: int) -> None:
        """Remember that nothing names `paths` since then, but what was superseded later than that."""
        rows = ((repository, path, since_ns) for path in paths)
        self._db.executemany("INSERT OR IGNORE INTO retired VALUES (?, ?, ?)", rows)

    def retired(self, repository: str) -> dict[str, int]:
        query = "SELECT path, since_ns FROM retired WHERE repository = ?"
        return dict(self._db.execute(query, (repository,)))

    def forget_retired(self, repository: str, paths: Iterable[str]) -> None:
        self._db.executemany(
            "DELETE FROM retired WHERE repository = ? AND path = ?", ((repository, path) for path in paths)
        )

    def sync(
        self, repository: str, published: Mapping[str, str], read: Callable[[str, str], Package]
    ) -> None:
        """Make the cache what is published: place to sha256; `read` reads what is not known yet."""
        known = self.paths(repository)
        for path in known.keys() - published.keys():
            self.drop(repository, path)
        for path, sha256 in published.items():
            if known.get(path) != sha256:
                self.add(repository, read(path, sha256), sha256)


def _text(files: tuple[PoolFile, ...]) -> str:
    return json.dumps([astuple(file) for file in files])


def _files(text: str) -> tuple[PoolFile, ...]:
    return tuple(PoolFile(*row) for row in json.loads(text))


def _package(row: tuple[str, str, str, str, str, int, str, str, str, str, str, str]) -> Package:
    name, version, architecture, identity, path, size, sha256, entry, listing, remark, parts, more = row
    file = PoolFile(path, size, sha256)
    return Package(
        name, version, architecture, identity, file, entry, listing, remark, _files(parts), _files(more)
    )

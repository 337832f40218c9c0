"""Durable rows in SQLite: write-ahead log, an fsync at every commit, one JSON body a row.

An acknowledged commit survives kill -9 and power loss (https://sqlite.org/wal.html,
https://sqlite.org/pragma.html#pragma_synchronous: FULL syncs the log at each commit).
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple, Protocol

from xapi_shim.base.errors import KronosError
from xapi_shim.database.upgrade import STEPS, upgraded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from xapi_shim.database.upgrade import Step


class StoreError(KronosError):
    """The database file cannot be used."""


class Change(NamedTuple):
    """One row to write, or to delete where `body` is None."""

    cls: str
    ref: str
    body: dict[str, object] | None


class Store(Protocol):
    """Where rows are kept. Narrow enough for other engines."""

    def load(self) -> Iterator[tuple[str, str, dict[str, object]]]:
        """Yield (class, ref, body) of every row."""
        ...

    def generation(self) -> int:
        """Return the generation of the last commit."""
        ...

    def commit(self, changes: Iterable[Change], generation: int) -> None:
        """Write all of `changes` or none; durable on return. Raises StoreError."""
        ...

    def close(self) -> None: ...


class SqliteStore:
    """A Store in one SQLite file, mode 0600 (it holds secrets)."""

    def __init__(self, path: Path, steps: Sequence[Step] = STEPS) -> None:
        """Open or make the file; one of a former version is brought up by `steps`, a copy kept beside it.

        Raises StoreError if it is damaged or from a newer version.
        """
        newest = 1 + len(steps)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS object (class TEXT, ref TEXT, body TEXT NOT NULL,"
                " PRIMARY KEY (class, ref)) WITHOUT ROWID"
            )
            self._db.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL)")
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?), ('generation', 0)", (newest,))
            found = self._meta("format")
            if found < newest:
                self._upgrade(path, found, steps)
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{path}: {error}", resolution="restore it from a dump, or move it away to start anew"
            ) from error
        if found > newest:
            raise StoreError(f"{path}: written by a newer version (format {found}, this one knows {newest})")

    def _upgrade(self, path: Path, found: int, steps: Sequence[Step]) -> None:
        """Keep the file as it is in `<name>.format<n>`, then change all rows in one transaction."""
        kept = path.with_name(f"{path.name}.format{found}")
        os.close(os.open(kept, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600))
        with contextlib.closing(sqlite3.connect(kept)) as copy:
            self._db.backup(copy)
        changes = [Change(*row) for row in upgraded(self.load(), steps[found - 1 :])]
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._write(changes)
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'format'", (1 + len(steps),))

    def _meta(self, key: str) -> int:
        (value,) = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return int(value)

    def load(self) -> Iterator[tuple[str, str, dict[str, object]]]:
        for cls, ref, body in self._db.execute("SELECT class, ref, body FROM object"):
            yield cls, ref, json.loads(body)

    def generation(self) -> int:
        return self._meta("generation")

    def commit(self, changes: Iterable[Change], generation: int) -> None:
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._write(changes)
                self._db.execute("UPDATE meta SET value = ? WHERE key = 'generation'", (generation,))
        except sqlite3.Error as error:
            raise StoreError(f"cannot write the database: {error}") from error

    def _write(self, changes: Iterable[Change]) -> None:
        for cls, ref, body in changes:
            if body is None:
                self._db.execute("DELETE FROM object WHERE class = ? AND ref = ?", (cls, ref))
            else:
                text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
                self._db.execute("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", (cls, ref, text))

    def close(self) -> None:
        self._db.close()

"""The database as one XML document, and back: what pool-dump-database and pool-restore-database carry.

The envelope is the reference's (manifest, tables, rows); each row's text is its fields as
JSON in ASCII, so that control characters and line ends come back as they were.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from xapi_shim.base.errors import KronosError
from xapi_shim.database.table import FIXED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xapi_shim.database.database import Database

FORMAT = 1


class DumpError(KronosError):
    """A document that is no dump of ours, or cannot be restored here."""


@dataclass(frozen=True)
class Dump:
    """What a dump holds: rows as (class, ref, fields), and the generation they were read at."""

    generation: int
    rows: tuple[tuple[str, str, dict[str, object]], ...]


def write(db: Database) -> Iterator[str]:
    """Yield the document piece by piece; what is not kept over a restart is left out."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<database><manifest>'
    for key, value in (("format", FORMAT), ("generation_count", db.generation)):
        yield f'<pair key="{key}" value="{value}"/>'
    yield "</manifest>\n"
    for name, table in db.tables.items():
        if table.cls.persist:
            yield f"<table name={quoteattr(name)}>\n"
            for ref, row in table.rows.items():
                if row.created == FIXED:
                    continue
                body = escape(json.dumps(db.stored(name, ref), separators=(",", ":")))
                yield f"<row ref={quoteattr(ref)}>{body}</row>\n"
            yield "</table>\n"
    yield "</database>\n"


def parse(document: bytes) -> Dump:
    """Read a document. Raises DumpError."""
    try:
        root = fromstring(document, forbid_dtd=True)
        pairs = {p.get("key"): int(p.get("value", "")) for p in root.iterfind("manifest/pair")}
        rows = tuple(
            (table.get("name", ""), row.get("ref", ""), _fields(row.text or ""))
            for table in root.iterfind("table")
            for row in table.iterfind("row")
        )
        generation, found = pairs["generation_count"], pairs["format"]
    except (ParseError, DefusedXmlException, ValueError, KeyError, LookupError, RecursionError) as error:
        raise DumpError(f"not a dump of the database: {error}") from error
    if found != FORMAT:
        raise DumpError(f"a dump of format {found}; this version knows {FORMAT}")
    return Dump(generation, rows)


def _fields(text: str) -> dict[str, object]:
    body = json.loads(text)
    if not isinstance(body, dict):
        raise ValueError("a row is a JSON object")  # noqa: TRY004 -- caught with json's own
    return body


def problems(db: Database, dump: Dump) -> list[str]:
    """Return why `dump` cannot be restored into `db`, nothing when it can. Changes nothing."""
    wrong: list[str] = []
    seen: set[str] = set()
    for cls, ref, body in dump.rows:
        table = db.tables.get(cls)
        if table is None or not table.cls.persist:
            wrong.append(f"{ref}: of a class {cls} that is not kept here")
        elif not body.keys() <= table.cls.by_name.keys():
            wrong.append(f"{cls} {ref}: has fields that are not known here")
        if not ref or ref in seen:
            wrong.append(f"{cls} {ref}: there twice, or without a ref")
        seen.add(ref)
    if not any(cls == "pool" for cls, _, _ in dump.rows):
        wrong.append("no pool in it")
    return wrong

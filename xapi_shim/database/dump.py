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
from xapi_shim.database.fitting import fits, is_ref
from xapi_shim.database.table import FIXED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xapi_shim.database.database import Database

FORMAT = 1
# Far from what the store's integers hold, further from what a daemon reaches.
MAX_GENERATION = 1 << 62
# By class the field, and its class, that a daemon follows when it starts.
FOLLOWED = {
    "host": ("metrics", "host_metrics"),
    "PIF": ("network", "network"),
    "VM": ("metrics", "VM_metrics"),
}


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
        else:
            wrong += _wrong_fields(db, cls, ref, body)
        if not is_ref(ref) or ref in seen:
            wrong.append(f"{cls} {ref}: there twice, or without a ref")
        uuid = f"{cls} {body.get('uuid') or ref}"
        if uuid in seen:
            wrong.append(f"{cls} {ref}: has the uuid of another")
        seen |= {ref, uuid}
    wrong += _wrong_whole(dump)
    return wrong or _dangling(dump)


def _wrong_fields(db: Database, cls: str, ref: str, body: dict[str, object]) -> list[str]:
    known = db.tables[cls].cls.by_name
    if not body.keys() <= known.keys():
        return [f"{cls} {ref}: has fields that are not known here"]
    bad = [name for name, value in body.items() if not fits(known[name].type, value, db.model.enums)]
    return [f"{cls} {ref}: {', '.join(bad)} of another type"] if bad else []


def _wrong_whole(dump: Dump) -> list[str]:
    """Return what is wrong with a dump although each row may be well."""
    wrong = []
    pools = [body for cls, _, body in dump.rows if cls == "pool"]
    if len(pools) != 1:
        wrong.append("no pool in it" if not pools else "several pools in it")
    if not 0 <= dump.generation < MAX_GENERATION:
        wrong.append(f"a generation of {dump.generation}")
    return wrong


def _dangling(dump: Dump) -> list[str]:
    """Return which refs lead nowhere that a daemon follows when it starts."""
    wrong: list[str] = []
    there = {(cls, ref) for cls, ref, _ in dump.rows}
    for cls, ref, body in dump.rows:
        name, of = FOLLOWED.get(cls, ("", ""))
        # A guest that is off may have no metrics yet.
        needed = name in body and (cls != "VM" or body.get("power_state") != "Halted")
        if needed and (of, body[name]) not in there:
            wrong.append(f"{cls} {ref}: its {name} is not there")
    return wrong

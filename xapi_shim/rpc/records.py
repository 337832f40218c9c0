"""Records as text: each is encoded once for every change of its row, however often it is read.

A row's content is told by its ref and the generation of its last change: the database gives
no generation twice, and a transaction that is taken back puts the old one back with the old
content. So a text stays true as long as that pair does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from xapi_shim.database.table import Row
    from xapi_shim.datamodel.model import Value

    # From a class's name to what writes its records.
    RecordEncoder = Callable[[str], Callable[[Mapping[str, Value]], str]]

# Texts of objects that are gone are dropped when they are more than those that are there, and than this.
SPARE = 512


@dataclass(frozen=True)
class Records:
    """An answer of get_all_records or get_all_records_where: rows of one class by ref."""

    cls: str
    rows: Mapping[str, Row]


class RecordTexts:
    """Keeps the texts of records in one wire format, as UTF-8; `rows` gives a class's refs that are there."""

    def __init__(self, encoder: RecordEncoder, rows: Callable[[str], Collection[str]]) -> None:
        self._encoder, self._rows = encoder, rows
        self._kept: dict[str, dict[str, tuple[int, bytes]]] = {}

    def one(self, cls: str, ref: str, modified: int, values: Mapping[str, Value]) -> bytes:
        """Return the text of the row that had `values` at generation `modified`."""
        kept = self._kept.setdefault(cls, {})
        have = kept.get(ref)
        if have is not None and have[0] == modified:
            return have[1]
        text = self._encoder(cls)(values).encode(errors="replace")
        if have is None or have[0] < modified:
            kept[ref] = (modified, text)
            if have is None:
                self._let_go(cls)
        return text

    def _let_go(self, cls: str) -> None:
        """Drop the texts of what is gone, when they are many."""
        kept, rows = self._kept[cls], self._rows(cls)
        if len(kept) > 2 * len(rows) + SPARE:
            for ref in [ref for ref in kept if ref not in rows]:
                del kept[ref]

    def all(self, records: Records) -> list[tuple[str, bytes]]:
        """Return the refs and texts of `records`, in their order."""
        return [
            (ref, self.one(records.cls, ref, row.modified, row.values)) for ref, row in records.rows.items()
        ]

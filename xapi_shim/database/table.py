"""One class's rows in memory, with indexes for uuid and name_label, and a memory of the deleted."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from xapi_shim.datamodel.model import ApiClass, Value

# The generation of a row that is the same for good.
FIXED = -1
# How many deleted rows event.from still knows; the reference keeps 256 to 512 per table.
DELETED_ROWS_KEPT = 512


@dataclass(slots=True)
class Row:
    """One object: its field values and the generations at which it was made and last changed."""

    values: dict[str, Value]
    created: int
    modified: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """A row that is gone."""

    ref: str
    created: int
    deleted: int


class Table:
    """The rows of `cls` by ref. Knows nothing of transactions or other tables."""

    def __init__(self, cls: ApiClass) -> None:
        self.cls = cls
        self.rows: dict[str, Row] = {}
        self._fixed = 0
        self.deleted: deque[Deleted] = deque(maxlen=DELETED_ROWS_KEPT)
        # The newest generation of a deletion that is no longer remembered.
        self.forgotten = 0
        # The generation of the last change.
        self.newest = 0
        self._by_uuid: dict[str, str] = {}
        self._by_label: defaultdict[str, dict[str, None]] = defaultdict(dict)

    @property
    def changing(self) -> int:
        """How many rows there are that events tell of."""
        return len(self.rows) - self._fixed

    def insert(self, ref: str, row: Row) -> None:
        self._fixed += row.created == FIXED and ref not in self.rows
        self.rows[ref] = row
        self._index(ref, row.values)

    def remove(self, ref: str) -> Row:
        row = self.rows.pop(ref)
        self._unindex(ref, row.values)
        return row

    def remember(self, gone: Deleted) -> None:
        """Note a deletion; the oldest is forgotten when there are too many."""
        if len(self.deleted) == DELETED_ROWS_KEPT:
            self.forgotten = self.deleted[0].deleted
        self.deleted.append(gone)

    def put(self, ref: str, name: str, value: Value) -> None:
        """Set one field of an existing row, keeping the indexes."""
        row = self.rows[ref]
        if name in ("uuid", "name_label"):
            self._unindex(ref, row.values)
            row.values[name] = value
            self._index(ref, row.values)
        else:
            row.values[name] = value

    def with_uuid(self, uuid: str) -> str | None:
        return self._by_uuid.get(uuid)

    def with_label(self, label: str) -> list[str]:
        return list(self._by_label.get(label, ()))

    def _index(self, ref: str, values: dict[str, Value]) -> None:
        if uuid := values.get("uuid"):
            self._by_uuid[cast("str", uuid)] = ref
        if "name_label" in values:
            self._by_label[cast("str", values["name_label"])][ref] = None

    def _unindex(self, ref: str, values: dict[str, Value]) -> None:
        if (uuid := values.get("uuid")) and self._by_uuid.get(cast("str", uuid)) == ref:
            del self._by_uuid[cast("str", uuid)]
        if "name_label" in values:
            label = cast("str", values["name_label"])
            self._by_label[label].pop(ref, None)
            if not self._by_label[label]:
                del self._by_label[label]

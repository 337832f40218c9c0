"""The typed object store: rows in memory, relations kept both ways, one durable commit a transaction.

Rules of this module:
- a write is visible at once and acknowledged when the outermost `transaction` has committed;
- an exception inside a transaction puts every row back as it was;
- the derived end of a relation (a VM's VBDs) is never written by callers and never stored;
- generations only grow: each changed row carries the generation of its last change;
- fixed rows follow from the declarations: made at each start, never stored, no events;
- with an `upstream` it is a replica: a transaction is kept when the master has kept it.
All calls come from one thread (the daemon's event loop); nothing here awaits.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from xapi_shim.database.replication import MERGED, Create, Destroy, Put
from xapi_shim.database.sqlite_store import Change, Store, StoreError
from xapi_shim.database.table import FIXED, Deleted, Row, Table
from xapi_shim.datamodel.errors import HandleInvalidError, MapDuplicateKeyError, UuidInvalidError
from xapi_shim.datamodel.types import NULL_REF, REF_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from xapi_shim.database.replication import Batch, Operation, Upstream
    from xapi_shim.datamodel.model import DataModel, Relation, Value


# A generation is stored with rows that are kept, at least every half minute; those of other rows are ahead of
# it by less than this. So what event.from told before a restart is older than all that it tells afterwards.
RESTART_GAP = 1 << 20


def new_ref() -> str:
    """Return a ref nobody has used."""
    return f"{REF_PREFIX}{uuid.uuid4()}"


@dataclass(frozen=True)
class Changes:
    """What happened in one table after a generation: refs created, modified (not created), deleted."""

    created: tuple[str, ...]
    modified: tuple[str, ...]
    deleted: tuple[str, ...]


class Database:
    """See the module's rules. `store` None keeps everything in memory only."""

    def __init__(self, model: DataModel, store: Store | None = None) -> None:
        self.model = model
        self.tables = {name: Table(cls) for name, cls in model.classes.items() if cls.in_database}
        self.generation = store.generation() + RESTART_GAP if store else 0
        self._store = store
        self._listeners: list[Callable[[], None]] = []
        self._replaced = False
        # Names this life of the daemon's, or the master's of which this is a replica.
        self.epoch = str(uuid.uuid4())
        # The generation of the master's that a replica is at.
        self.replicated = -1
        self.upstream: Upstream | None = None
        self._operations: list[Operation] = []
        self._answer: Batch | None = None
        self._depth = 0
        self._undo: list[Callable[[], None]] = []
        self._dirty: dict[tuple[str, str], None] = {}
        self._relations: defaultdict[tuple[str, str], list[Relation]] = defaultdict(list)
        self._derived: set[tuple[str, str]] = set()
        for rel in model.relations:
            # A field that is its own other end (a role's subroles) is plain data.
            if rel.one in self.tables and rel.many in self.tables and not rel.is_loop:
                self._relations[rel.one, rel.field_one].append(rel)
                self._derived.add((rel.many, rel.field_many))
        self._stored_fields = {
            name: tuple(f.name for f in cls.fields if f.persist and (name, f.name) not in self._derived)
            for name, cls in model.classes.items()
        }
        if store:
            self._load(store)
            # Also the next start without a change in between is ahead of this one.
            store.commit([], self.generation)

    # -- reading ---------------------------------------------------------------------------

    def _row(self, cls: str, ref: str) -> Row:
        try:
            return self.tables[cls].rows[ref]
        except KeyError:
            raise HandleInvalidError(cls, ref) from None

    def get(self, cls: str, ref: str, name: str) -> Value:
        """Return one field; lists and dicts are the store's own: do not change them.

        Raises HandleInvalidError.
        """
        return self._row(cls, ref).values[name]

    def text(self, cls: str, ref: str, name: str) -> str:
        """`get` of a field that holds text (string, enum, ref, date)."""
        return cast("str", self.get(cls, ref, name))

    def number(self, cls: str, ref: str, name: str) -> int:
        """`get` of an int field."""
        return cast("int", self.get(cls, ref, name))

    def flag(self, cls: str, ref: str, name: str) -> bool:
        """`get` of a bool field."""
        return cast("bool", self.get(cls, ref, name))

    def items(self, cls: str, ref: str, name: str) -> list[str]:
        """`get` of a set of texts, as a fresh list."""
        return list(cast("list[str]", self.get(cls, ref, name)))

    def mapping(self, cls: str, ref: str, name: str) -> dict[str, str]:
        """`get` of a map from text to text, as a fresh dict."""
        return dict(cast("dict[str, str]", self.get(cls, ref, name)))

    def values(self, cls: str, ref: str) -> Mapping[str, Value]:
        """Return all fields of a row, internal ones too. Raises HandleInvalidError."""
        return self._row(cls, ref).values

    def stored(self, cls: str, ref: str) -> dict[str, object]:
        """Return the fields of a row that are kept over a restart. Raises HandleInvalidError."""
        values = self._row(cls, ref).values
        return {name: values[name] for name in self._stored_fields[cls]}

    def exists(self, cls: str, ref: str) -> bool:
        return cls in self.tables and ref in self.tables[cls].rows

    def assert_exists(self, cls: str, ref: str) -> None:
        """Raise HandleInvalidError for a ref that is dead, null, or another class's."""
        self._row(cls, ref)

    def assert_key_free(self, cls: str, ref: str, name: str, key: str) -> None:
        """Raise MapDuplicateKeyError for a key that a map has already; HandleInvalidError."""
        if key in cast("dict[str, Value]", self.get(cls, ref, name)):
            raise MapDuplicateKeyError(cls, name, ref, key)

    def refs(self, cls: str) -> list[str]:
        return list(self.tables[cls].rows)

    def with_uuid(self, cls: str, uuid_text: str) -> str:
        """Return the ref. Raises UuidInvalidError."""
        ref = self.tables[cls].with_uuid(uuid_text)
        if ref is None:
            raise UuidInvalidError(cls, uuid_text)
        return ref

    def find_uuid(self, cls: str, uuid_text: str) -> str | None:
        return self.tables[cls].with_uuid(uuid_text)

    def with_label(self, cls: str, label: str) -> list[str]:
        return self.tables[cls].with_label(label)

    def changes_since(self, cls: str, generation: int) -> Changes:
        """Return what happened in `cls` after `generation`; a row made and deleted since is not told."""
        table = self.tables[cls]
        created, modified = [], []
        for ref, row in table.rows.items():
            if row.created > generation:
                created.append(ref)
            elif row.modified > generation:
                modified.append(ref)
        gone = [d.ref for d in table.deleted if d.deleted > generation >= d.created]
        return Changes(tuple(created), tuple(modified), tuple(gone))

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every commit that changed something."""
        self._listeners.append(listener)

    def remove_listener(self, listener: Callable[[], None]) -> None:
        """Undo `on_change`."""
        self._listeners.remove(listener)

    # -- writing ---------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group writes: all are kept and durable at the end of the outermost block, or none.

        Never await inside.
        """
        self._depth += 1
        try:
            yield
            if self._depth == 1:
                self._commit()
        except BaseException:
            if self._depth == 1:
                self._roll_back()
            raise
        finally:
            self._depth -= 1
        if self._depth == 0 and self._dirty:
            self._dirty.clear()
            self._undo.clear()
            if self._answer is not None:
                answer, self._answer = self._answer, None
                self._take(answer)
            self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def create(self, cls: str, values: Mapping[str, Value], *, ref: str | None = None) -> str:
        """Make a row from `values` over the fields' defaults; a uuid is made where none is given."""
        table = self.tables[cls]
        ref = ref or new_ref()
        full: dict[str, Value] = {f.name: f.initial() for f in table.cls.fields}
        unknown = values.keys() - full.keys()
        if unknown:
            raise KeyError(f"{cls} has no field {sorted(unknown)}")
        full.update(values)
        if "uuid" in full and not full["uuid"]:
            full["uuid"] = str(uuid.uuid4())
        with self.transaction():
            if self.upstream is not None:
                given = {name: value for name, value in full.items() if (cls, name) not in self._derived}
                self._operations.append(Create(cls, ref, given))
            generation = self._touch(cls, ref)
            table.insert(ref, Row(full, generation, generation))
            self._undo.append(lambda: _discard(table, ref))
            for (one, name), relations in self._relations.items():
                if one == cls:
                    for rel in relations:
                        self._relate(rel, ref, None, full[name])
        return ref

    def add_fixed(self, cls: str, ref: str, values: Mapping[str, Value]) -> None:
        """Add a row that is the same for good; `values` names every field. It relates to nothing."""
        self.tables[cls].insert(ref, Row(dict(values), FIXED, FIXED))

    def set(self, cls: str, ref: str, name: str, value: Value) -> None:
        """Set one field; nothing happens when it has that value already. Raises HandleInvalidError."""
        row = self._row(cls, ref)
        old = row.values[name]
        if old == value and type(old) is type(value):
            return
        with self.transaction():
            if self.upstream is not None:
                was = cast("dict[str, Value]", old) if name == MERGED else None
                self._operations.append(Put(cls, ref, name, value, was))
            self._put(cls, ref, name, value)
            for rel in self._relations.get((cls, name), ()):
                self._relate(rel, ref, old, value)

    def update(self, cls: str, ref: str, **values: Value) -> None:
        """Set several fields at once. Raises HandleInvalidError."""
        with self.transaction():
            for name, value in values.items():
                self.set(cls, ref, name, value)

    def destroy(self, cls: str, ref: str) -> None:
        """Remove a row; refs to it elsewhere stay as they are. Raises HandleInvalidError."""
        table = self.tables[cls]
        row = self._row(cls, ref)
        with self.transaction():
            if self.upstream is not None:
                self._operations.append(Destroy(cls, ref))
            for (one, name), relations in self._relations.items():
                if one == cls:
                    for rel in relations:
                        self._relate(rel, ref, row.values[name], None)
            generation = self._touch(cls, ref)
            table.remove(ref)
            kept = tuple(table.deleted)
            table.remember(Deleted(ref, row.created, generation))

            def put_back() -> None:
                table.insert(ref, row)
                table.deleted.clear()
                table.deleted.extend(kept)

            self._undo.append(put_back)

    def touch(self, cls: str, ref: str) -> int:
        """Mark a row as changed without changing it (event.inject); return the generation.

        Raises HandleInvalidError.
        """
        row = self._row(cls, ref)
        if row.created == FIXED:
            return self.generation
        before = row.modified

        def put_back() -> None:
            row.modified = before

        with self.transaction():
            row.modified = self._touch(cls, ref)
            self._undo.append(put_back)
        return self.generation

    def advance(self) -> int:
        """Return a new generation for what changed beside the database (messages), and tell the listeners."""
        self.generation += 1
        self._tell()
        return self.generation

    def absorb(self, batch: Batch) -> bool:
        """Make a replica what its master was at `batch.generation`, and tell the listeners.

        False, and nothing done, for a batch that does not follow on what there is. Never inside a transaction.
        """
        if batch.since != self.replicated or (not batch.whole and batch.epoch != self.epoch):
            return False
        before = (self.epoch, self.replicated)
        self._take(batch)
        if (self.epoch, self.replicated) != before:
            self._tell()
        return True

    def replace_stored(self, rows: Iterable[tuple[str, str, dict[str, object]]], generation: int) -> None:
        """Put `rows` in place of everything stored, durably; they are read at the next start.

        Memory stays as it is, and every later write raises StoreError: the caller ends the daemon.
        Raises StoreError; then nothing changed.
        """
        if self._store:
            new = [Change(*row) for row in rows]
            kept = {(cls, ref) for cls, ref, _ in new}
            gone = [Change(cls, ref, None) for cls, ref, _ in self._store.load() if (cls, ref) not in kept]
            self._store.commit([*gone, *new], max(generation, self.generation) + 1)
            self._replaced = True

    def close(self) -> None:
        if self._store:
            self._store.close()

    # -- inside ----------------------------------------------------------------------------

    def _take(self, batch: Batch) -> None:
        """Put a batch's rows in place; their derived fields come with them."""
        if batch.whole:
            for table in self.tables.values():
                for ref in [one for one, row in table.rows.items() if row.created != FIXED]:
                    table.remove(ref)
        for state in batch.rows:
            table = self.tables[state.cls]
            _discard(table, state.ref)
            table.insert(state.ref, Row(dict(state.values), state.created, state.modified))
        for cls, ref in batch.gone:
            _discard(self.tables[cls], ref)
        self.epoch, self.replicated, self.generation = batch.epoch, batch.generation, batch.generation

    def _touch(self, cls: str, ref: str) -> int:
        self.generation += 1
        self.tables[cls].newest = self.generation
        self._dirty[cls, ref] = None
        return self.generation

    def _put(self, cls: str, ref: str, name: str, value: Value) -> None:
        table = self.tables[cls]
        row = table.rows[ref]
        old, modified = row.values[name], row.modified
        row.modified = self._touch(cls, ref)
        table.put(ref, name, value)

        def put_back() -> None:
            table.put(ref, name, old)
            row.modified = modified

        self._undo.append(put_back)

    def _relate(self, rel: Relation, ref: str, old: Value, new: Value) -> None:
        before, after = tuple(_ends(old)), tuple(_ends(new))
        for other in before:
            if other not in after and self.exists(rel.many, other):
                have = self.items(rel.many, other, rel.field_many)
                if ref in have:
                    self._put(rel.many, other, rel.field_many, [r for r in have if r != ref])
        for other in after:
            if self.exists(rel.many, other):
                have = self.items(rel.many, other, rel.field_many)
                if ref not in have:
                    self._put(rel.many, other, rel.field_many, [*have, ref])

    def _commit(self) -> None:
        if self.upstream is not None:
            operations, self._operations = tuple(self._operations), []
            if operations:
                self._answer = self.upstream.commit(operations)
            return
        changes = [
            Change(cls, ref, self._body(cls, ref)) for cls, ref in self._dirty if self.tables[cls].cls.persist
        ]
        if self._replaced and changes:
            raise StoreError("the database was replaced by a dump; the daemon is about to end")
        if self._store and changes:
            self._store.commit(changes, self.generation)

    def _body(self, cls: str, ref: str) -> dict[str, object] | None:
        return self.stored(cls, ref) if ref in self.tables[cls].rows else None

    def _roll_back(self) -> None:
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self._dirty.clear()
        self._operations.clear()

    def _load(self, store: Store) -> None:
        # Defaults cost as much as reading: they are made for what is not stored only.
        fields = {
            name: [(f, f.name in self._stored_fields[name]) for f in table.cls.fields]
            for name, table in self.tables.items()
        }
        for cls, ref, body in store.load():
            table = self.tables.get(cls)
            if table is None or not table.cls.persist:
                continue  # written by a version that knew a class we do not: left in the file
            values = {
                f.name: cast("Value", body[f.name]) if kept and f.name in body else f.initial()
                for f, kept in fields[cls]
            }
            table.insert(ref, Row(values, self.generation, self.generation))
            table.newest = self.generation
        for (one, name), relations in self._relations.items():
            for rel in relations:
                self._derive(rel, one, name)

    def _derive(self, rel: Relation, one: str, name: str) -> None:
        many = self.tables[rel.many].rows
        for ref, row in self.tables[one].rows.items():
            for other in _ends(row.values[name]):
                if other in many:
                    cast("list[str]", many[other].values[rel.field_many]).append(ref)


def _ends(value: Value) -> Iterable[str]:
    if value is None or value == NULL_REF:
        return ()
    return (value,) if isinstance(value, str) else cast("list[str]", value)


def _discard(table: Table, ref: str) -> None:
    if ref in table.rows:
        table.remove(ref)

"""A database that others keep copies of: what one transaction does, and what has changed since a generation.

The master of a pool has the database; its other hosts have replicas. A replica's transaction is sent to
the master as operations, and the answer is a Batch: everything that has changed since the replica's last
one. So a replica is at each moment exactly what the master's database was at `generation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from xapi_shim.base.errors import KronosError
from xapi_shim.database.fitting import fits, is_ref
from xapi_shim.database.table import FIXED
from xapi_shim.datamodel.errors import OtherOperationInProgressError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import DataModel, Value
    from xapi_shim.datamodel.types import Type


class ReplicationError(KronosError):
    """What another host sent is no operations, or no batch."""


@dataclass(frozen=True)
class Create:
    """A row with this ref; where there is one, it is given these values."""

    cls: str
    ref: str
    values: dict[str, Value]


@dataclass(frozen=True)
class Put:
    """One field of a row.

    `was` is what the replica had, of the maps in which hosts write beside each other (MERGED).
    """

    cls: str
    ref: str
    name: str
    value: Value
    was: dict[str, Value] | None = None


@dataclass(frozen=True)
class Destroy:
    """A row is gone."""

    cls: str
    ref: str


Operation = Create | Put | Destroy
# Who does something to an object says so here first, and nobody else begins then.
MERGED = "current_operations"


@dataclass(frozen=True)
class RowState:
    """A row as it is, with the generations at which it was made and last changed."""

    cls: str
    ref: str
    created: int
    modified: int
    values: dict[str, Value]


@dataclass(frozen=True)
class Batch:
    """What changed after `since`; `whole` where it is all there is, whatever was before.

    `epoch` names the life of the master's daemon: generations of another one mean nothing.
    """

    epoch: str
    since: int
    generation: int
    whole: bool
    rows: tuple[RowState, ...]
    gone: tuple[tuple[str, str], ...]


class Upstream(Protocol):
    """Where a replica's transactions go."""

    def commit(self, operations: Sequence[Operation]) -> Batch:
        """Have the master do all of `operations` or none, durably. Blocks. Raises XenAPIError, KronosError."""
        ...


def perform(db: Database, operations: Iterable[Operation]) -> None:
    """Do all of `operations` in one transaction.

    Raises HandleInvalidError, OtherOperationInProgressError; then nothing is done.
    """
    with db.transaction():
        for one in operations:
            match one:
                case Create() if db.exists(one.cls, one.ref):
                    db.update(one.cls, one.ref, **one.values)
                case Create():
                    db.create(one.cls, one.values, ref=one.ref)
                case Put():
                    value = one.value if one.was is None else _merged(db, one, one.was)
                    db.set(one.cls, one.ref, one.name, value)
                case Destroy():
                    db.destroy(one.cls, one.ref)


def _merged(db: Database, put: Put, was: dict[str, Value]) -> dict[str, Value]:
    """Return a map with the keys that the replica has added and without those that it took away.

    Raises OtherOperationInProgressError where it added one, and another has come that it had not heard of.
    """
    now = cast("dict[str, Value]", db.get(put.cls, put.ref, put.name))
    new = cast("dict[str, Value]", put.value)
    added = {key: value for key, value in new.items() if key not in was}
    unheard = [key for key in now if key not in was]
    if added and unheard:
        raise OtherOperationInProgressError(put.cls, put.ref, str(now[unheard[0]]), unheard[0])
    return {key: value for key, value in now.items() if key in new or key not in was} | added


def batch_since(db: Database, epoch: str, since: int) -> Batch:
    """Return what a replica that is at `since` of `epoch` lacks."""
    whole = epoch != db.epoch or any(table.forgotten > since for table in db.tables.values())
    after = -1 if whole else since
    rows: list[RowState] = []
    gone: list[tuple[str, str]] = []
    for name, table in db.tables.items():
        if table.newest <= after:
            continue
        rows += [
            RowState(name, ref, row.created, row.modified, row.values)
            for ref, row in table.rows.items()
            if row.modified > after and row.created != FIXED
        ]
        if not whole:
            gone += [(name, one.ref) for one in table.deleted if one.deleted > after >= one.created]
    return Batch(db.epoch, since, db.generation, whole, tuple(rows), tuple(gone))


# -- as JSON -----------------------------------------------------------------------------------


def operations_document(operations: Iterable[Operation]) -> list[object]:
    """Return operations as JSON can say them."""
    return [list(_operation(one)) for one in operations]


def _operation(one: Operation) -> tuple[object, ...]:
    match one:
        case Create():
            return ("create", one.cls, one.ref, one.values)
        case Put():
            return ("put", one.cls, one.ref, one.name, one.value, *([one.was] if one.was is not None else []))
        case Destroy():
            return ("destroy", one.cls, one.ref)


def parse_operations(model: DataModel, document: object) -> list[Operation]:
    """Read operations: classes, fields and values are as declared. Raises ReplicationError."""
    try:
        return [_parse_operation(model, one) for one in _list(document)]
    except (KeyError, ValueError, TypeError) as error:
        raise ReplicationError(f"no operations on the database: {error!r}") from error


def _parse_operation(model: DataModel, document: object) -> Operation:
    match document:
        case ["create", str(cls), str(ref), dict(values)] if is_ref(ref):
            return Create(cls, ref, _values(model, cls, values))
        case ["put", str(cls), str(ref), str(name), value]:
            return Put(cls, ref, name, _values(model, cls, {name: value})[name])
        case ["put", str(cls), str(ref), str(name), dict(value), dict(was)] if name == MERGED:
            both = [_values(model, cls, {name: one})[name] for one in (value, was)]
            return Put(cls, ref, name, both[0], cast("dict[str, Value]", both[1]))
        case ["destroy", str(cls), str(ref)] if cls in model.classes:
            return Destroy(cls, ref)
    raise ValueError(str(document)[:64])


def batch_document(batch: Batch) -> dict[str, object]:
    """Return a batch as JSON can say it."""
    return {
        "epoch": batch.epoch,
        "since": batch.since,
        "generation": batch.generation,
        "whole": batch.whole,
        "rows": [[row.cls, row.ref, row.created, row.modified, row.values] for row in batch.rows],
        "gone": [list(one) for one in batch.gone],
    }


def parse_batch(model: DataModel, document: object) -> Batch:
    """Read a batch. Raises ReplicationError."""
    try:
        if not isinstance(document, dict):
            raise TypeError(str(document)[:64])
        return Batch(
            epoch=str(document["epoch"]),
            since=int(document["since"]),
            generation=int(document["generation"]),
            whole=document["whole"] is True,
            rows=tuple(_parse_rows(model, document["rows"])),
            gone=tuple((str(cls), str(ref)) for cls, ref in _list(document["gone"])),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ReplicationError(f"no batch of the database: {error!r}") from error


def _parse_rows(model: DataModel, document: object) -> Iterator[RowState]:
    for cls, ref, created, modified, values in _list(document):
        # Unlike operations these are of the one place that keeps rows.
        if not model.classes[cls].by_name.keys() >= values.keys():
            raise ValueError(f"fields of another {cls}")
        yield RowState(cls, str(ref), int(created), int(modified), values)


def _list(document: object) -> list[Any]:
    if not isinstance(document, list):
        raise TypeError(str(document)[:64])
    return document


def _values(model: DataModel, cls: str, values: Mapping[str, object]) -> dict[str, Value]:
    fields = model.classes[cls].by_name
    return {str(name): _value(model, fields[name].type, value) for name, value in values.items()}


def _value(model: DataModel, of: Type, value: object) -> Value:
    if not fits(of, value, model.enums):
        raise ValueError(f"not a value of {of}: {str(value)[:64]!r}")
    return cast("Value", value)

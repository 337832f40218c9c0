"""A change of a database as data: what a member asks of its master, and a host that joins brings along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value


@dataclass(frozen=True)
class Create:
    """A row with this ref; where there is one, the values given take the place of its own."""

    cls: str
    ref: str
    values: dict[str, Value]


@dataclass(frozen=True)
class Put:
    """One field's value."""

    cls: str
    ref: str
    name: str
    value: Value


@dataclass(frozen=True)
class Destroy:
    """A row is gone."""

    cls: str
    ref: str


Operation = Create | Put | Destroy


def perform(db: Database, operations: Iterable[Operation]) -> None:
    """Do all of it, or nothing, in one transaction. Raises HANDLE_INVALID [class; ref], StoreError."""
    with db.transaction():
        for operation in operations:
            match operation:
                case Create(cls, ref, values) if db.exists(cls, ref):
                    for name, value in values.items():
                        db.set(cls, ref, name, value)
                case Create(cls, ref, values):
                    db.create(cls, values, ref=ref)
                case Put(cls, ref, name, value):
                    db.set(cls, ref, name, value)
                case Destroy(cls, ref):
                    db.destroy(cls, ref)

"""Sessions that read a saved database instead of this host's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from xapi_shim.database.database import Database
from xapi_shim.datamodel.errors import OperationNotAllowedError
from xapi_shim.datamodel.model import Kin
from xapi_shim.rpc.generic import GenericMessages
from xapi_shim.rpc.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xapi_shim.database.dump import Dump
    from xapi_shim.database.sqlite_store import Change
    from xapi_shim.datamodel.model import ApiClass, DataModel, Message, Value
    from xapi_shim.rpc.call import CallInfo, Handler

READS = frozenset(
    {
        Kin.GET_RECORD,
        Kin.GET_BY_UUID,
        Kin.GET_BY_NAME_LABEL,
        Kin.GET_ALL,
        Kin.GET_ALL_WHERE,
        Kin.GET_ALL_RECORDS,
        Kin.GET_ALL_RECORDS_WHERE,
        Kin.FIELD_GETTER,
    }
)


@dataclass(frozen=True)
class _DumpStore:
    """A Store that is read once."""

    dump: Dump

    def load(self) -> Iterator[tuple[str, str, dict[str, object]]]:
        yield from self.dump.rows

    def generation(self) -> int:
        return self.dump.generation

    def commit(self, changes: Iterable[Change], generation: int) -> None:
        """Keep nothing: nobody writes to a saved database."""

    def close(self) -> None:
        """Nothing is open."""


def open_dump(model: DataModel, dump: Dump) -> Database:
    """Return the database that `dump` holds, in memory."""
    return Database(model, _DumpStore(dump))


@dataclass
class SavedDatabases:
    """Which sessions read which saved database."""

    _by_session: dict[str, Database] = field(default_factory=dict)

    def put(self, session: str, db: Database) -> None:
        self._by_session[session] = db

    def get(self, session: str) -> Database | None:
        return self._by_session.get(session)

    def drop(self, session: str) -> None:
        self._by_session.pop(session, None)


def saved_handler(db: Database, cls: ApiClass, message: Message, own: Handler | None) -> Handler | None:
    """Return what serves a message to a session on the saved `db`; `own` serves the session itself.

    Raises OPERATION_NOT_ALLOWED [why] for what does more than read.
    """
    if cls.name == "session":
        return own
    if message.kin not in READS:
        raise OperationNotAllowedError("this session reads a saved database")
    handler = GenericMessages(db).handler(cls, message)
    if handler is None:
        return None
    read = handler

    async def handle(info: CallInfo, args: list[Value]) -> Value:
        value: object = await read(info, args)
        if isinstance(value, Records):
            # Not as Records: texts of records are kept by ref and generation, which both databases may share.
            return {ref: dict(row.values) for ref, row in value.rows.items()}
        return cast("Value", value)

    return handle

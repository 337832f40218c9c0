"""The derived messages, all served from the database by their declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.model import Kin
from xapi_shim.datamodel.types import Kind
from xapi_shim.rpc.filter import matching, parse_filter
from xapi_shim.rpc.records import Records
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import ApiClass, Message, Value
    from xapi_shim.rpc.call import CallInfo

    Plain = Callable[..., Value]
    Handler = Callable[[CallInfo, list[Value]], Awaitable[Value]]


class GenericMessages:
    """Makes a handler for every message that is about rows and fields only."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._coercion = Coercion(db.model)

    def handler(self, cls: ApiClass, message: Message) -> Handler | None:
        """Return the handler, or None where the message needs an implementation of its own."""
        if message.kin in (Kin.GET_ALL_WHERE, Kin.GET_ALL_RECORDS_WHERE):
            return self._where(cls, records=message.kin is Kin.GET_ALL_RECORDS_WHERE)
        plain = self._plain(cls, message)
        if plain is None:
            return None

        async def handle(_info: CallInfo, args: list[Value]) -> Value:
            return plain(*args)

        return handle

    def _plain(self, cls: ApiClass, message: Message) -> Plain | None:
        db, name = self._db, cls.name
        match message.kin:
            case Kin.GET_RECORD:
                return lambda ref: dict(db.values(name, ref))
            case Kin.GET_BY_UUID:
                return lambda text: db.with_uuid(name, text)
            case Kin.GET_BY_NAME_LABEL:
                return lambda text: cast("Value", db.with_label(name, text))
            case Kin.GET_ALL:
                return lambda: cast("Value", db.refs(name))
            case Kin.GET_ALL_RECORDS:
                return lambda: cast("Value", Records(name, db.tables[name].rows))
            case Kin.CREATE if cls.plain_constructor:
                return lambda args: db.create(name, self._coercion.constructor(cls, args))
            case Kin.DESTROY if cls.plain_constructor:
                return lambda ref: db.destroy(name, ref)
            case _:
                return self._field(cls, message)

    def _where(self, cls: ApiClass, *, records: bool) -> Handler:
        rows = self._db.tables[cls.name].rows

        async def handle(_info: CallInfo, args: list[Value]) -> Value:
            test = parse_filter(cast("str", args[0]), cls)
            found = await matching(((ref, row.values) for ref, row in rows.items()), test)
            if not records:
                return cast("Value", found)
            # What went meanwhile is left out.
            return cast("Value", Records(cls.name, {ref: rows[ref] for ref in found if ref in rows}))

        return handle

    def _field(self, cls: ApiClass, message: Message) -> Plain | None:
        """Serve getters, setters, add and remove, derived ones and custom ones that do only that."""
        db, name, field = self._db, cls.name, message.field
        if not field or field not in cls.by_name:
            return None
        is_map = cls.by_name[field].type.kind is Kind.MAP
        if message.name.startswith("get_"):
            return lambda ref: db.get(name, ref, field)
        if message.name.startswith("set_"):
            return lambda ref, value: db.set(name, ref, field, value)
        if message.name.startswith("add_"):
            return self._add_key(name, field) if is_map else self._add_element(name, field)
        if message.name.startswith("remove_"):
            return self._remove(name, field)
        return None

    def _add_key(self, cls: str, field: str) -> Plain:
        def add(ref: str, key: str, value: Value) -> None:
            self._db.assert_key_free(cls, ref, field, key)
            have = cast("dict[str, Value]", self._db.get(cls, ref, field))
            self._db.set(cls, ref, field, {**have, key: value})

        return add

    def _add_element(self, cls: str, field: str) -> Plain:
        def add(ref: str, value: Value) -> None:
            have = cast("list[Value]", self._db.get(cls, ref, field))
            if value not in have:
                self._db.set(cls, ref, field, [*have, value])

        return add

    def _remove(self, cls: str, field: str) -> Plain:
        def remove(ref: str, key: Value) -> None:
            have = self._db.get(cls, ref, field)
            if isinstance(have, dict):
                left: Value = {k: v for k, v in have.items() if k != key}
            else:
                left = [one for one in cast("list[Value]", have) if one != key]
            self._db.set(cls, ref, field, left)

        return remove

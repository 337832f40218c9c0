"""message.*: alerts and other news for people, about an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import InvalidValueError
from xapi_shim.rpc.dates import from_text, to_text
from xapi_shim.rpc.filter import matching, parse_filter

if TYPE_CHECKING:
    from xapi_shim.api.message_store import Record
    from xapi_shim.api.toolstack import Call

# The tables of the classes that messages name by other words; the rest are called alike.
TABLES = {"Host": "host", "Pool": "pool"}


async def create(call: Call, name: str, priority: int, cls: str, obj_uuid: str, body: str) -> str:
    """Send a message about an object. Raises UUID_INVALID [class; uuid]."""
    call.db.with_uuid(TABLES.get(cls, cls), obj_uuid)
    return call.tools.messages.add(name, priority, cls, obj_uuid, body)


async def destroy(call: Call, self: str) -> None:
    call.tools.messages.remove([self])


async def destroy_many(call: Call, messages: list[str]) -> None:
    """Forget several messages, or none if one of them is not there."""
    call.tools.messages.remove(messages)


async def destroy_all(call: Call, filters: dict[str, str]) -> None:
    """Forget the messages that are older than `before`, younger than `after` and of the `priority`; or all.

    Raises INVALID_VALUE [filters; key or value].
    """
    if unknown := filters.keys() - {"before", "after", "priority"}:
        raise InvalidValueError("filters", min(unknown))
    bounds = {key: _date(filters[key]) for key in ("before", "after") if key in filters}
    priority = filters.get("priority")
    if priority is not None and not (priority.isascii() and priority.isdigit()):
        raise InvalidValueError("filters", priority)
    call.tools.messages.remove(
        ref
        for ref, one in call.tools.messages.all().items()
        if ("before" not in bounds or str(one["timestamp"]) < bounds["before"])
        and ("after" not in bounds or str(one["timestamp"]) > bounds["after"])
        and (priority is None or one["priority"] == int(priority))
    )


def _date(text: str) -> str:
    try:
        return to_text(from_text(text))
    except ValueError as error:
        raise InvalidValueError("filters", text) from error


async def get(call: Call, cls: str, obj_uuid: str, since: str) -> dict[str, Record]:
    """Return the messages about an object that were sent after `since`."""
    return {
        ref: record
        for ref, record in _since(call, since).items()
        if (record["cls"], record["obj_uuid"]) == (cls, obj_uuid)
    }


async def get_since(call: Call, since: str) -> dict[str, Record]:
    return _since(call, since)


async def get_all(call: Call) -> list[str]:
    return list(call.tools.messages.all())


async def get_all_records(call: Call) -> dict[str, Record]:
    return call.tools.messages.all()


async def get_all_records_where(call: Call, expr: str) -> dict[str, Record]:
    """Return the messages that match. Raises INVALID_VALUE [expr; why]."""
    test, records = parse_filter(expr, call.db.model.classes["message"]), call.tools.messages.all()
    return {ref: records[ref] for ref in await matching(records.items(), test)}


async def get_record(call: Call, self: str) -> Record:
    return call.tools.messages.get(self)


async def get_by_uuid(call: Call, uuid: str) -> str:
    return call.tools.messages.with_uuid(uuid)


def _since(call: Call, since: str) -> dict[str, Record]:
    """Dates are text of one form, all in UTC: later is greater."""
    return {ref: r for ref, r in call.tools.messages.all().items() if str(r["timestamp"]) > since}


MESSAGES = {
    "message.create": create,
    "message.destroy": destroy,
    "message.destroy_many": destroy_many,
    "message.destroy_all": destroy_all,
    "message.get": get,
    "message.get_since": get_since,
    "message.get_all": get_all,
    "message.get_all_records": get_all_records,
    "message.get_all_records_where": get_all_records_where,
    "message.get_record": get_record,
    "message.get_by_uuid": get_by_uuid,
}

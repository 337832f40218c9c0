"""event.*: telling callers what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.rpc.events import EventBatch


async def from_(call: Call, classes: list[str], token: str, timeout: float) -> EventBatch:
    """Return what changed since `token`, waiting up to `timeout` seconds."""
    return await call.tools.events.wait_from(call.info.session, classes, token, timeout)


async def inject(call: Call, class_: str, ref: str) -> str:
    """Tell every listener of `ref` that it changed; return a token from before."""
    return call.tools.events.inject(class_, ref)


async def get_current_id(call: Call) -> int:
    return call.db.generation


async def register(call: Call, classes: list[str]) -> None:
    call.tools.events.register(call.info.session, classes)


async def unregister(call: Call, classes: list[str]) -> None:
    call.tools.events.unregister(call.info.session, classes)


async def next_(call: Call) -> EventBatch:
    """Return what was queued for this session; wait for it."""
    return await call.tools.events.wait_next(call.info.session)


MESSAGES = {
    "event.register": register,
    "event.unregister": unregister,
    "event.next": next_,
    "event.from": from_,
    "event.inject": inject,
    "event.get_current_id": get_current_id,
}

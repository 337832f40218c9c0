"""Calls that another host of the pool must do: the master passes them on, the member does them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from xapi_shim.api.other_hosts import is_live
from xapi_shim.api.own_host import drop_task
from xapi_shim.api.sr import pbds_to_plug
from xapi_shim.api.work_place import work_host
from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.errors import (
    CannotContactHostError,
    HostIsSlaveError,
    HostOfflineError,
    InternalErrorError,
    NotImplementedError_,
    TaskCancelledError,
    XenAPIError,
)
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.types import Kind
from xapi_shim.pool.link import LinkError
from xapi_shim.rpc.call import CallInfo
from xapi_shim.rpc.sessions import Door, Origin
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Message, Value


log = logging.getLogger(__name__)

MAKES_SR = "SR.create"


def place_of(tools: Toolstack, key: str, args: Sequence[Value]) -> str | None:
    """Return the host that must do a call, None where this one does it.

    Raises HOST_OFFLINE [host] for one that does not live, and what keeps a VM from every host.
    """
    if tools.members is None:
        return None
    place = work_host(tools.db, key, args, here=tools.host)
    if place in (None, tools.host):
        return None
    if not is_live(tools.db, place):
        raise HostOfflineError(place)
    return place


async def pass_on(
    tools: Toolstack, place: str, key: str, message: Message, args: Sequence[Value], info: CallInfo
) -> Value:
    """Have host `place` do a call. Raises CANNOT_CONTACT_HOST [host], and what the host says."""
    assert tools.members is not None
    # Who works on it, for who cancels it and for what a start of that host puts in order.
    _note_worker(tools.db, info.task, place)
    try:
        result = await tools.members.perform(place, key, args, info)
    except CannotContactHostError:
        # Nobody is at work on it any more: what became of it the host tells when it lives again.
        if info.task:
            drop_task(tools.db, info.task)
        raise
    finally:
        # A message that does several others goes on here.
        _note_worker(tools.db, info.task, tools.host)
    if message.result.kind is Kind.VOID:
        return None
    return Coercion(tools.db.model).value(message.result, result, key)


def _note_worker(db: Database, task: str, host: str) -> None:
    """Note which host is at work on a task, unless its owner has destroyed it meanwhile."""
    if task and db.exists("task", task):
        db.set("task", task, "resident_on", host)


class PassedOn:
    """Does, on a member, what the master passes on."""

    def __init__(self, tools: Toolstack) -> None:
        self._tools = tools
        self._declared = all_messages(tools.db.model)

    async def perform(self, document: object) -> object:
        """Do the call of Members.perform; return its result as JSON can say it. Raises what the call raises."""
        if self._tools.replica is None:
            raise InternalErrorError("this host is the master of its pool")
        match document:
            case {
                "message": str(name),
                "args": list(args),
                "session": str(session),
                "role": str(role),
                "task": str(task),
                "address": str(address),
                "user_agent": str(agent),
            } if role in set(Role):
                origin = Origin(Door.TLS, address, user_agent=agent)
                info = CallInfo(name, session, Role(role), origin, task)
            case _:
                raise InternalErrorError("not a call that was passed on")
        handler = self._tools.handlers.get(name)
        if handler is None:
            raise NotImplementedError_(name)
        # What the master knew when it passed the call on is known here now.
        try:
            await self._tools.replica.catch_up()
        except LinkError as error:
            raise CannotContactHostError(self._tools.replica.address) from error
        message, coercion = self._declared[name][1], Coercion(self._tools.db.model)
        values = [coercion.value(p.type, one, p.name) for p, one in zip(message.params, args, strict=True)]
        return {"value": cast("object", await self._cancellable(handler(info, values), task))}

    async def _cancellable(self, work: Awaitable[Value], task: str) -> Value:
        """Do what task.cancel on this host can end. Raises TASK_CANCELLED [task]."""
        if not task:
            return await work

        async def do() -> Value:
            return await work

        running = asyncio.create_task(do())
        self._tools.tasks.attach(task, running)
        try:
            return await running
        except asyncio.CancelledError:
            if running.cancelled():
                raise TaskCancelledError(task) from None
            raise


async def plug_elsewhere(call: Call, sr: str) -> None:
    """Have the pool's other hosts plug a shared SR that was just made; what cannot be plugged there is logged."""
    if call.tools.members is None:
        return
    for pbd in pbds_to_plug(call.db, sr):
        try:
            await call.perform("PBD.plug", pbd)
        except XenAPIError as error:
            log.error("PBD %s cannot be plugged: %s", call.db.text("PBD", pbd, "uuid"), error)


def check_master(tools: Toolstack) -> None:
    """Raise HOST_IS_SLAVE [address] on a host that is not the pool's master."""
    if tools.master_address:
        raise HostIsSlaveError(tools.master_address)

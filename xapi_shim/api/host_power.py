"""host.* and pool.*: shutting down and starting anew, the host or its daemon; and forgetting hosts."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from xapi_shim.api.allowed import update_all, update_host
from xapi_shim.api.host_errors import host_errors
from xapi_shim.api.operations import update_vm
from xapi_shim.api.other_hosts import is_live
from xapi_shim.api.own_host import drop_operations
from xapi_shim.api.pbd import unplug
from xapi_shim.api.vm_power import shutdown as vm_shutdown
from xapi_shim.api.vm_start import record_halted
from xapi_shim.datamodel.errors import (
    HostCannotDestroySelfError,
    HostHasResidentVmsError,
    HostInUseError,
    HostIsLiveError,
    HostNotDisabledError,
    XenAPIError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from xapi_shim.api.toolstack import Call, Toolstack

log = logging.getLogger(__name__)

# How long the daemon lives on, so that who asked for its end is answered, in seconds.
FUSE_S = 1.0


def _guests(tools: Toolstack, host: str) -> list[str]:
    db = tools.db
    return [vm for vm in db.items("host", host, "resident_VMs") if not db.flag("VM", vm, "is_control_domain")]


def _assert_can_go_down(tools: Toolstack, host: str) -> None:
    """Raise HOST_NOT_DISABLED [], or HOST_IN_USE [host; VM; the first guest]."""
    if tools.db.flag("host", host, "enabled"):
        raise HostNotDisabledError
    if guests := _guests(tools, host):
        raise HostInUseError(host, "VM", guests[0])


async def _go_down(call: Call, host: str, operation: str, act: Callable[[], Awaitable[None]]) -> None:
    tools, db = call.tools, call.db
    _assert_can_go_down(tools, host)
    with db.transaction():
        db.set("host", host, "current_operations", {call.info.task: operation})
        update_host(db, host)
    try:
        with host_errors():
            await act()
    except BaseException:
        with db.transaction():
            db.set("host", host, "current_operations", {})
            update_host(db, host)
        raise


async def shutdown(call: Call, host: str) -> None:
    """Shut the host down. Raises HOST_NOT_DISABLED [], HOST_IN_USE [host; VM; ref]."""
    await _go_down(call, host, "shutdown", call.tools.system.machine.power_off)


async def reboot(call: Call, host: str) -> None:
    """Start the host anew. Raises HOST_NOT_DISABLED [], HOST_IN_USE [host; VM; ref]."""
    await _go_down(call, host, "reboot", call.tools.system.machine.reboot)


async def prepare_for_poweroff(call: Call, host: str) -> None:
    """Shut down the guests, the hard way those that do not by themselves, and detach the storage.

    What cannot be done is logged: the host is going down all the same.
    """
    tools, db = call.tools, call.db
    with db.transaction():
        db.set("host", host, "enabled", value=False)
        update_host(db, host)
    guests = _guests(tools, host)
    for vm, ended in zip(
        guests,
        await asyncio.gather(*(vm_shutdown(call, vm) for vm in guests), return_exceptions=True),
        strict=True,
    ):
        if isinstance(ended, Exception):
            log.error("VM %s cannot be shut down: %s", db.text("VM", vm, "uuid"), ended)
    for pbd in db.items("host", host, "PBDs"):
        try:
            await unplug(call, pbd)
        except XenAPIError as error:
            log.error("PBD %s cannot be unplugged: %s", db.text("PBD", pbd, "uuid"), error)


def _light_fuse(tools: Toolstack, end: Callable[[], None]) -> None:
    tools.timers["end"] = asyncio.get_running_loop().call_later(FUSE_S, end)


async def restart_agent(call: Call, host: str) -> None:  # noqa: ARG001
    """Have the daemon end in a moment and be started anew; guests run on."""
    _light_fuse(call.tools, call.tools.restart)


async def shutdown_agent(call: Call) -> None:
    """Have the daemon end in a moment; guests run on."""
    _light_fuse(call.tools, call.tools.shut_down)


async def destroy(call: Call, self: str) -> None:
    """Forget a host that is gone for good.

    Raises HOST_CANNOT_DESTROY_SELF [host], HOST_IS_LIVE [host], HOST_HAS_RESIDENT_VMS [host].
    """
    tools, db = call.tools, call.db
    if self == tools.host:
        raise HostCannotDestroySelfError(self)
    if is_live(db, self):
        raise HostIsLiveError(self)
    if _guests(tools, self):
        raise HostHasResidentVmsError(self)
    with db.transaction():
        for cls, field in (
            ("PIF", "PIFs"),
            ("PBD", "PBDs"),
            ("host_cpu", "host_CPUs"),
            ("Certificate", "certificates"),
        ):
            for ref in db.items("host", self, field):
                db.destroy(cls, ref)
        for cls, ref in (
            ("VM", db.text("host", self, "control_domain")), ("host_metrics", db.text("host", self, "metrics")),
        ):  # fmt: skip
            if db.exists(cls, ref):
                db.destroy(cls, ref)
        db.destroy("host", self)


async def declare_dead(call: Call, host: str) -> None:
    """Take it as known that a host does not run, so that its guests may run elsewhere.

    Raises HOST_IS_LIVE [host] for this host, which says by the answer that it runs, and for one that follows this one:
    a guest of it that is started elsewhere runs twice.
    """
    tools, db, members = call.tools, call.db, call.tools.members
    if host == tools.host or (members is not None and members.hears(host)):
        raise HostIsLiveError(host)
    if members is not None:
        members.cut(host)
    guests = _guests(tools, host)
    with db.transaction():
        metrics = db.text("host", host, "metrics")
        if db.exists("host_metrics", metrics):
            db.set("host_metrics", metrics, "live", value=False)
        db.set("host", host, "enabled", value=False)
        drop_operations(db, host, orphans=False)
        for pbd in db.items("host", host, "PBDs"):
            db.set("PBD", pbd, "currently_attached", value=False)
        for vm in guests:
            db.set("VM", vm, "current_operations", {})
            record_halted(tools, vm)
            for vbd in db.items("VM", vm, "VBDs"):
                db.set("VBD", vbd, "reserved", value=False)
        for vm in db.refs("VM"):
            update_vm(db, vm)
        update_all(db)


MESSAGES = {
    "host.shutdown": shutdown,
    "host.reboot": reboot,
    "host.prepare_for_poweroff": prepare_for_poweroff,
    "host.restart_agent": restart_agent,
    "host.shutdown_agent": shutdown_agent,
    "host.destroy": destroy,
    "host.declare_dead": declare_dead,
}

"""host.*: Xen's console and settings, the host's log, and what Xen keeps of the memory for itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xapi_shim.api.host_errors import host_errors
from xapi_shim.datamodel.errors import InvalidValueError
from xapi_shim.xen.host_tools import check_debug_keys
from xapi_shim.xen.interface import XenError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack

LOG_LINES = 5_000
SCHED_GRAN = "sched-gran"
# How Xen puts vCPUs together where its command line does not say (sched-gran, xen-command-line(5)).
DEFAULT_SCHED_GRAN = "cpu"
_SCHED_GRAN = re.compile(r"(?:^|\s)sched-gran=(cpu|core|socket)(?=\s|$)")
_CSTATE = re.compile(r"([0-9]{1,2})(?:,([0-9]{1,2}))?")


async def dmesg(call: Call, host: str) -> str:  # noqa: ARG001
    """Return what Xen wrote on its console."""
    with host_errors():
        return await call.tools.xen_host.console(clear=False)


async def dmesg_clear(call: Call, host: str) -> str:  # noqa: ARG001
    """Return what Xen wrote on its console, and have it forget that."""
    with host_errors():
        return await call.tools.xen_host.console(clear=True)


async def get_log(call: Call, host: str) -> str:  # noqa: ARG001
    """Return the end of what the daemon logged since the host was started."""
    with host_errors():
        return await call.tools.system.machine.log(LOG_LINES)


async def send_debug_keys(call: Call, host: str, keys: str) -> None:  # noqa: ARG001
    """Press keys on Xen's console; what they tell is then in host.dmesg. Raises INVALID_VALUE."""
    try:
        check_debug_keys(keys)
    except XenError as error:
        raise InvalidValueError("keys", keys) from error
    with host_errors():
        await call.tools.xen_host.send_debug_keys(keys)


async def set_max_cstate(call: Call, self: str, value: str) -> None:
    """Let processors idle no deeper than "C" or "C,SUB"; "" or "unlimited" for no limit.

    It holds at every boot. Raises INVALID_VALUE [max_cstate; value].
    """
    limit = _cstate(value)
    with host_errors():
        await call.tools.xen_host.set_max_cstate(limit)
    text = "" if limit is None else ",".join(str(part) for part in limit if part is not None)
    call.db.set("host", self, "max_cstate", text)


def _cstate(value: str) -> tuple[int, int | None] | None:
    if value in ("", "unlimited"):
        return None
    found = _CSTATE.fullmatch(value)
    if not found:
        raise InvalidValueError("max_cstate", value)
    return int(found[1]), None if found[2] is None else int(found[2])


async def get_sched_gran(call: Call, self: str) -> str:  # noqa: ARG001
    """Return how Xen puts vCPUs together for scheduling: as was chosen for the next boot, or as it does now."""
    with host_errors():
        if chosen := await call.tools.system.boot.xen_option(SCHED_GRAN):
            return chosen
        found = _SCHED_GRAN.findall((await call.tools.hypervisor.info()).commandline)
    return found[-1] if found else DEFAULT_SCHED_GRAN


async def set_sched_gran(call: Call, self: str, value: str) -> None:  # noqa: ARG001
    """Choose how Xen puts vCPUs together for scheduling, from the next boot on.

    Raises OPERATION_NOT_ALLOWED [why] where the boot loader is none that can be told.
    """
    with host_errors():
        await call.tools.system.boot.set_xen_option(SCHED_GRAN, value)


async def set_numa_affinity_policy(call: Call, self: str, value: str) -> None:
    """Choose whether guests that are started from now on are put on the NUMA nodes that they fit on best.

    With `any` they run anywhere; with `best_effort` and `default_policy` xl chooses nodes, as it does by itself.
    """
    call.db.set("host", self, "numa_affinity_policy", value)


async def compute_memory_overhead(call: Call, host: str) -> int:
    """Return the bytes of memory that Xen keeps for itself."""
    return call.db.number("host", host, "memory_overhead")


async def settle_xen(tools: Toolstack) -> None:
    """At start-up: what Xen keeps for itself, and the limit of idle states that it forgot at boot. Raises XenError."""
    info, domains = await tools.hypervisor.info(), await tools.hypervisor.domains()
    kept = info.total_memory_bytes - info.free_memory_bytes - sum(domain.memory_bytes for domain in domains)
    tools.db.set("host", tools.host, "memory_overhead", max(0, kept))
    if limit := tools.db.text("host", tools.host, "max_cstate"):
        await tools.xen_host.set_max_cstate(_cstate(limit))


MESSAGES = {
    "host.dmesg": dmesg,
    "host.dmesg_clear": dmesg_clear,
    "host.get_log": get_log,
    "host.send_debug_keys": send_debug_keys,
    "host.set_max_cstate": set_max_cstate,
    "host.set_sched_gran": set_sched_gran,
    "host.get_sched_gran": get_sched_gran,
    "host.set_numa_affinity_policy": set_numa_affinity_policy,
    "host.compute_memory_overhead": compute_memory_overhead,
}

"""Caller.* and Rate_limit.*: clients that are known apart, what they asked of late, and how much they may ask."""

from __future__ import annotations

import ipaddress
import math
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import InvalidValueError
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value

MAX_USER_AGENT = 256


async def create(call: Call, args: dict[str, Value]) -> str:
    """Record a client by what it calls itself, by its address, or by both.

    Raises INVALID_VALUE for neither, or for what is no address.
    """
    args = Coercion(call.db.model).constructor(call.db.model.classes["Caller"], args)
    user_agent, address = str(args["user_agent"]), str(args["client_ip"])
    if not (user_agent or address) or len(user_agent) > MAX_USER_AGENT:
        raise InvalidValueError("user_agent", user_agent[:MAX_USER_AGENT])
    if address:
        try:
            address = str(ipaddress.ip_address(address))
        except ValueError as error:
            raise InvalidValueError("client_ip", address) from error
    ref = call.db.create(
        "Caller",
        {
            "name_label": args["name_label"],
            "name_description": args["name_description"],
            "user_agent": user_agent,
            "client_ip": address,
        },
    )
    call.tools.callers.forget()
    return ref


async def destroy(call: Call, self: str) -> None:
    """Forget a client; it is recorded again when it logs in again."""
    call.db.destroy("Caller", self)
    call.tools.callers.forget()


async def add_group(call: Call, self: str, group: str) -> None:
    """Count a client with a group. Raises INVALID_VALUE."""
    if not group:
        raise InvalidValueError("group", group)
    groups = call.db.items("Caller", self, "groups")
    if group not in groups:
        call.db.set("Caller", self, "groups", [*groups, group])


async def remove_group(call: Call, self: str, group: str) -> None:
    groups = call.db.items("Caller", self, "groups")
    call.db.set("Caller", self, "groups", [one for one in groups if one != group])


def _members(call: Call, group: str) -> list[str]:
    return [ref for ref in call.db.refs("Caller") if group in call.db.items("Caller", ref, "groups")]


async def query_token_usage(call: Call, self: str) -> float:
    """Return what it used of its allowance in the last minute."""
    return call.tools.callers.usage([self])[1]


async def query_call_count(call: Call, self: str) -> int:
    """Return how often it called in the last minute."""
    return call.tools.callers.usage([self])[0]


async def query_group_token_usage(call: Call, group: str) -> float:
    return call.tools.callers.usage(_members(call, group))[1]


async def query_group_call_count(call: Call, group: str) -> int:
    return call.tools.callers.usage(_members(call, group))[0]


async def query_all_usage(call: Call) -> list[list[str]]:
    """Return uuid, name, own name, address, calls and tokens of each client."""
    db, found = call.db, []
    for ref in db.refs("Caller"):
        calls, tokens = call.tools.callers.usage([ref])
        names = [db.text("Caller", ref, name) for name in ("uuid", "name_label", "user_agent", "client_ip")]
        found.append([*names, str(calls), f"{tokens:g}"])
    return found


def _positive(name: str, value: Value) -> float:
    """Return a number above 0. Raises INVALID_VALUE [name; value]."""
    assert isinstance(value, float)
    if not (value > 0 and math.isfinite(value)):
        raise InvalidValueError(name, str(value))
    return value


async def create_limit(call: Call, args: dict[str, Value]) -> str:
    """Make a limit: so many tokens at once, and so many more each second. Raises INVALID_VALUE."""
    args = Coercion(call.db.model).constructor(call.db.model.classes["Rate_limit"], args)
    return call.db.create(
        "Rate_limit",
        {
            "name_label": args["name_label"],
            "name_description": args["name_description"],
            "burst_size": _positive("burst_size", args["burst_size"]),
            "fill_rate": _positive("fill_rate", args["fill_rate"]),
        },
    )


async def destroy_limit(call: Call, self: str) -> None:
    """Forget a limit; who was held to it may ask what he likes."""
    with call.db.transaction():
        for caller in call.db.items("Rate_limit", self, "callers"):
            call.db.set("Caller", caller, "rate_limit", NULL_REF)
        call.db.destroy("Rate_limit", self)
    call.tools.callers.changed(self)


async def add_caller(call: Call, self: str, caller: str) -> None:
    """Hold a client to a limit, and to no other; several share it."""
    call.db.set("Caller", caller, "rate_limit", self)


async def remove_caller(call: Call, self: str, caller: str) -> None:
    """Hold a client to a limit no more. Raises INVALID_VALUE for one that is not held to it."""
    if call.db.text("Caller", caller, "rate_limit") != self:
        raise InvalidValueError("caller", caller)
    call.db.set("Caller", caller, "rate_limit", NULL_REF)


async def set_burst_size(call: Call, self: str, value: float) -> None:
    """Choose how many tokens there are at once. Raises INVALID_VALUE."""
    call.db.set("Rate_limit", self, "burst_size", _positive("burst_size", value))
    call.tools.callers.changed(self)


async def set_fill_rate(call: Call, self: str, value: float) -> None:
    """Choose how many tokens come each second. Raises INVALID_VALUE."""
    call.db.set("Rate_limit", self, "fill_rate", _positive("fill_rate", value))
    call.tools.callers.changed(self)


async def get_tracked_user_agents(call: Call, self: str) -> dict[str, str]:  # noqa: ARG001
    """Return the version of each client by its name, as they call themselves: NAME/VERSION."""
    agents = (call.db.text("Caller", ref, "user_agent") for ref in call.db.refs("Caller"))
    pairs = (agent.split(maxsplit=1)[0].partition("/") for agent in agents if agent.strip())
    return {name: version for name, _, version in pairs}


MESSAGES = {
    "Caller.create": create,
    "Caller.destroy": destroy,
    "Caller.add_group": add_group,
    "Caller.remove_group": remove_group,
    "Caller.query_token_usage": query_token_usage,
    "Caller.query_call_count": query_call_count,
    "Caller.query_group_token_usage": query_group_token_usage,
    "Caller.query_group_call_count": query_group_call_count,
    "Caller.query_all_usage": query_all_usage,
    "Rate_limit.create": create_limit,
    "Rate_limit.destroy": destroy_limit,
    "Rate_limit.add_caller": add_caller,
    "Rate_limit.remove_caller": remove_caller,
    "Rate_limit.set_burst_size": set_burst_size,
    "Rate_limit.set_fill_rate": set_fill_rate,
    "host.get_tracked_user_agents": get_tracked_user_agents,
}

"""VM.call_plugin, and the pool's settings for guests' agents: all by keys of xenstore that the agents watch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from xapi_shim.api.host_errors import host_errors
from xapi_shim.api.other_hosts import is_live
from xapi_shim.api.vm_live import live
from xapi_shim.datamodel.errors import (
    InvalidValueError,
    NotImplementedError_,
    VmCallPluginRateLimitError,
    XenapiMissingPluginError,
    XenapiPluginFailureError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.datamodel.model import Value

# The reference's only plugin of guests, and how long a guest is left alone after a call, in seconds.
PLUGIN = "guest-agent-operation"
CALL_INTERVAL_S = 10.0
REMOTE_DESKTOP = {"request-rdp-on": "1", "request-rdp-off": "0"}
# Where agents look for the pool's settings, and what those are called there.
FEATURES = "/guest_agent_features"
UPDATE = "Guest_agent_auto_update"
_SETTINGS = {"auto_update_enabled": "enabled", "auto_update_url": "update_url"}


def _check_rate(call: Call, vm: str) -> None:
    """Raise VM_CALL_PLUGIN_RATE_LIMIT [vm; interval; wait] for a second call within the interval."""
    calls, now = call.tools.guest_calls, time.monotonic()
    for old in [one for one, at in calls.items() if now - at > CALL_INTERVAL_S]:
        del calls[old]
    if vm in calls:
        wait = calls[vm] + CALL_INTERVAL_S - now
        raise VmCallPluginRateLimitError(vm, f"{CALL_INTERVAL_S:g}", f"{wait:.6g}")
    calls[vm] = now


async def call_plugin(call: Call, vm: str, plugin: str, fn: str, args: dict[str, str]) -> str:  # noqa: ARG001
    """Ask a guest's agent to switch remote desktop on or off (request-rdp-on, request-rdp-off); it may not.

    Raises XENAPI_MISSING_PLUGIN [name], VM_CALL_PLUGIN_RATE_LIMIT [vm; interval; wait], VM_BAD_POWER_STATE,
    XENAPI_PLUGIN_FAILURE [what; why; why] for a function or an agent that is not there.
    """
    if plugin != PLUGIN:
        raise XenapiMissingPluginError(plugin)
    _check_rate(call, vm)
    if fn == "run-script":
        raise NotImplementedError_(f"VM.call_plugin {fn}")
    if fn not in REMOTE_DESKTOP:
        _fail("failed to find fn", f'The plugin "{plugin}" has no function "{fn}".')
    async with live(call, vm, "call_plugin") as domid:
        xen = call.tools.hypervisor
        if await xen.read_key(domid, "control/feature-ts2") != "1":
            _fail("failed to execute fn", "The guest has no agent that switches remote desktop.")
        await xen.write_keys(domid, "control/ts", {"": REMOTE_DESKTOP[fn]})
    return ""


def _fail(what: str, why: str) -> None:
    raise XenapiPluginFailureError(what, why, why)


def agent_keys(config: Mapping[str, str]) -> dict[str, str]:
    """Return what agents are told of the pool's settings."""
    keys = {UPDATE: "", f"{UPDATE}/licensed": "1", f"{UPDATE}/parameters": ""}
    for name, key in _SETTINGS.items():
        if name in config:
            value = {"true": "1", "false": "0"}[config[name]] if key == "enabled" else config[name]
            keys[f"{UPDATE}/parameters/{key}"] = value
    return keys


def check_setting(key: str, value: str) -> None:
    """Raise INVALID_VALUE [key; value] for what is no setting of agents."""
    url = urlsplit(value) if key == "auto_update_url" else None
    right = (key == "auto_update_enabled" and value in ("true", "false")) or (
        url is not None and url.scheme in ("http", "https") and bool(url.hostname) and value.isprintable()
    )
    if not right:
        raise InvalidValueError(key, value)


async def publish_settings(tools: Toolstack) -> None:
    """Tell all guests' agents the pool's settings. Raises XenError."""
    config = tools.db.mapping("pool", tools.pool, "guest_agent_config")
    await tools.xen_host.publish(FEATURES, agent_keys(config))


async def apply_guest_agent_config(call: Call, host: str) -> None:  # noqa: ARG001
    """Tell the guests of this host the pool's settings for their agents."""
    with host_errors():
        await publish_settings(call.tools)


async def _set(call: Call, pool: str, config: dict[str, str]) -> None:
    call.db.set("pool", pool, "guest_agent_config", cast("Value", config))
    for host in call.db.refs("host"):
        if is_live(call.db, host):
            await call.perform("host.apply_guest_agent_config", host)


async def add_to_guest_agent_config(call: Call, self: str, key: str, value: str) -> None:
    """Choose whether agents update themselves (auto_update_enabled), or from where (auto_update_url).

    Raises INVALID_VALUE [key; value], MAP_DUPLICATE_KEY [class; field; pool; key].
    """
    check_setting(key, value)
    call.db.assert_key_free("pool", self, "guest_agent_config", key)
    config = call.db.mapping("pool", self, "guest_agent_config")
    await _set(call, self, {**config, key: value})


async def remove_from_guest_agent_config(call: Call, self: str, key: str) -> None:
    config = call.db.mapping("pool", self, "guest_agent_config")
    config.pop(key, None)
    await _set(call, self, config)


MESSAGES = {
    "VM.call_plugin": call_plugin,
    "host.apply_guest_agent_config": apply_guest_agent_config,
    "pool.add_to_guest_agent_config": add_to_guest_agent_config,
    "pool.remove_from_guest_agent_config": remove_from_guest_agent_config,
}

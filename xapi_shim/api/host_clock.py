"""host.*: the host's time, its zone, and the servers that it takes the time from."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from typing import TYPE_CHECKING

from xapi_shim.api.host_errors import host_errors
from xapi_shim.datamodel.errors import (
    InvalidNtpConfigError,
    InvalidValueError,
    NotAllowedWhenNtpIsEnabledError,
)
from xapi_shim.host.interface import NtpMode
from xapi_shim.rpc.dates import from_text

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack

# RFC 1123; a name that is not one would become another word of a configuration file.
_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


def is_host_or_address(text: str) -> bool:
    """Say whether `text` names a host or is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_NAME.fullmatch(text))
    return "%" not in text


async def set_servertime(call: Call, self: str, value: str) -> None:
    """Set the clock. Raises NOT_ALLOWED_WHEN_NTP_IS_ENABLED [host], INVALID_VALUE."""
    clock = call.tools.system.clock
    try:
        moment = from_text(value)
    except ValueError as error:
        raise InvalidValueError("value", value) from error
    with host_errors():
        if (await clock.read()).ntp_enabled:
            raise NotAllowedWhenNtpIsEnabledError(self)
        await clock.set_time(moment)


async def set_timezone(call: Call, self: str, value: str) -> None:
    """Choose the zone by its IANA name. Raises INVALID_VALUE [timezone; value]."""
    if value not in zoneinfo.available_timezones():
        raise InvalidValueError("timezone", value)
    with host_errors():
        await call.tools.system.clock.set_timezone(value)
    call.db.set("host", self, "timezone", value)


async def set_ntp_mode(call: Call, self: str, value: str) -> None:
    """Choose where the time comes from. Raises INVALID_NTP_CONFIG [why] for Custom without servers."""
    mode, servers = NtpMode(value), tuple(call.db.items("host", self, "ntp_custom_servers"))
    if mode is NtpMode.CUSTOM and not servers:
        raise InvalidNtpConfigError("no custom time servers are set")
    with host_errors():
        await call.tools.system.clock.set_ntp(mode, servers)
    call.db.set("host", self, "ntp_mode", str(mode))


async def set_ntp_custom_servers(call: Call, self: str, value: list[str]) -> None:
    """Name the time servers of mode Custom, used at once in that mode. Raises INVALID_NTP_CONFIG [why]."""
    servers = tuple(dict.fromkeys(value))
    for server in servers:
        if not is_host_or_address(server):
            raise InvalidNtpConfigError(f"not a name or address of a server: {server[:64]}")
    if call.db.text("host", self, "ntp_mode") == NtpMode.CUSTOM:
        if not servers:
            raise InvalidNtpConfigError("in mode Custom at least one time server is needed")
        with host_errors():
            await call.tools.system.clock.set_ntp(NtpMode.CUSTOM, servers)
    call.db.set("host", self, "ntp_custom_servers", list(servers))


async def get_ntp_servers_status(call: Call, self: str) -> dict[str, str]:  # noqa: ARG001
    """Return what is thought of each time server in use, by its name."""
    with host_errors():
        return dict(await call.tools.system.clock.ntp_servers())


async def get_ntp_synchronized(call: Call, self: str) -> bool:  # noqa: ARG001
    with host_errors():
        return (await call.tools.system.clock.read()).synchronized


async def settle_clock(tools: Toolstack) -> None:
    """At start-up: make the host's record true to its clock. Raises HostError."""
    db, state = tools.db, await tools.system.clock.read()
    mode = db.text("host", tools.host, "ntp_mode")
    if not state.ntp_enabled:
        mode = NtpMode.DISABLED
    elif mode == NtpMode.DISABLED:
        mode = NtpMode.FACTORY
    db.update("host", tools.host, timezone=state.timezone, ntp_mode=str(mode))


MESSAGES = {
    "host.set_servertime": set_servertime,
    "host.set_timezone": set_timezone,
    "host.set_ntp_mode": set_ntp_mode,
    "host.set_ntp_custom_servers": set_ntp_custom_servers,
    "host.get_ntp_servers_status": get_ntp_servers_status,
    "host.get_ntp_synchronized": get_ntp_synchronized,
}

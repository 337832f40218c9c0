"""host.* and pool.*: who may log in to the host itself: ssh, for a time or while the daemon is down; idle consoles."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from xapi_shim.api.host_errors import host_errors
from xapi_shim.datamodel.errors import (
    DisableSshFailedError,
    DisableSshPartiallyFailedError,
    EnableSshFailedError,
    EnableSshPartiallyFailedError,
    InvalidValueError,
    SetConsoleTimeoutPartiallyFailedError,
    SetSshAutoModePartiallyFailedError,
    SetSshTimeoutPartiallyFailedError,
    XenAPIError,
)
from xapi_shim.host.config_files import replace_files
from xapi_shim.host.interface import HostError, ServiceMissingError
from xapi_shim.rpc.dates import NEVER, from_text, to_text

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack

log = logging.getLogger(__name__)

# Debian's and Fedora's names; the socket is what Ubuntu starts ssh by.
UNITS = ("ssh.service", "sshd.service", "ssh.socket", "sshd.socket")
MAX_TIMEOUT_S = 2 * 24 * 3600
TIMER = "ssh"


async def _units(tools: Toolstack) -> tuple[str, ...]:
    """Return the units of ssh, the service first. Raises ServiceMissingError."""
    if not (units := await tools.system.services.present(*UNITS)):
        raise ServiceMissingError(UNITS)
    return units


async def _switch_off(tools: Toolstack) -> None:
    """Stop ssh for new connections, and at boot too. Raises HostError."""
    _forget_timer(tools)
    for unit in await _units(tools):
        await tools.system.services.disable(unit)
    tools.db.update("host", tools.host, ssh_enabled=False, ssh_expiry=NEVER)


def _forget_timer(tools: Toolstack) -> None:
    if timer := tools.timers.pop(TIMER, None):
        timer.cancel()


def _arm_timer(tools: Toolstack, seconds: float) -> None:
    _forget_timer(tools)
    loop = asyncio.get_running_loop()

    async def end() -> None:
        try:
            await _switch_off(tools)
        except HostError as error:
            log.error("ssh cannot be stopped although its time is over: %s", error)

    def start() -> None:
        ending = loop.create_task(end())
        tools.background.add(ending)
        ending.add_done_callback(tools.background.discard)

    tools.timers[TIMER] = loop.call_later(seconds, start)


def _limit(tools: Toolstack) -> None:
    """Have ssh end when its time is over, counted from now; 0 is for ever."""
    timeout = tools.db.number("host", tools.host, "ssh_enabled_timeout")
    _forget_timer(tools)
    expiry = NEVER
    if timeout:
        _arm_timer(tools, timeout)
        expiry = to_text(datetime.now(UTC) + timedelta(seconds=timeout))
    tools.db.set("host", tools.host, "ssh_expiry", expiry)


async def enable_ssh(call: Call, self: str) -> None:
    """Start ssh, now and at boot, for the time that is set. Raises ENABLE_SSH_FAILED [host]."""
    tools = call.tools
    try:
        await tools.system.services.enable((await _units(tools))[0])
    except HostError as error:
        log.error("ssh cannot be started: %s", error)
        raise EnableSshFailedError(self) from error
    call.db.set("host", self, "ssh_enabled", value=True)
    _limit(tools)


async def disable_ssh(call: Call, self: str) -> None:
    """Stop ssh for new connections, and at boot. Raises DISABLE_SSH_FAILED [host]."""
    try:
        await _switch_off(call.tools)
    except HostError as error:
        log.error("ssh cannot be stopped: %s", error)
        raise DisableSshFailedError(self) from error


async def set_ssh_enabled_timeout(call: Call, self: str, value: int) -> None:
    """Choose after how many seconds ssh is to end; 0 is for ever. Raises INVALID_VALUE."""
    if not 0 <= value <= MAX_TIMEOUT_S:
        raise InvalidValueError("ssh_enabled_timeout", str(value))
    call.db.set("host", self, "ssh_enabled_timeout", value)
    if call.db.flag("host", self, "ssh_enabled"):
        _limit(call.tools)


def _drop_in(unit: str) -> bytes:
    """Return systemd.service(5) text: whenever the daemon ends, however, ssh is started."""
    return f"[Service]\nExecStopPost=-systemctl --no-block start {unit}\n".encode()


async def set_ssh_auto_mode(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    """Have ssh run exactly while the daemon does not, or end that. Raises as the host's system does.

    It stays enabled at boot: on a kernel without Xen there is no daemon to start it.
    """
    tools, services = call.tools, call.tools.system.services
    with host_errors():
        unit = (await _units(tools))[0]
        if value:
            await services.enable(unit)
        text = _drop_in(unit) if value else None
        await replace_files({tools.paths.ssh_auto_mode: text}, services.reload_units)
        if value:
            await services.stop(unit)
            _forget_timer(tools)
            call.db.update("host", self, ssh_enabled=False, ssh_expiry=NEVER)
    call.db.set("host", self, "ssh_auto_mode", value)


async def set_console_idle_timeout(call: Call, self: str, value: int) -> None:
    """Choose after how many idle seconds login shells end; 0 is never. Raises INVALID_VALUE.

    It holds for shells that log in from now on: bash(1), TMOUT.
    """
    if not 0 <= value < 1 << 31:
        raise InvalidValueError("console_idle_timeout", str(value))
    text = f"# host.set_console_idle_timeout\nTMOUT={value}\nreadonly TMOUT\nexport TMOUT\n".encode()

    async def nobody() -> None:
        """Do nothing: shells read the file themselves."""

    with host_errors():
        await replace_files({call.tools.paths.console_timeout: text if value else None}, nobody)
    call.db.set("host", self, "console_idle_timeout", value)


async def settle_ssh(tools: Toolstack) -> None:
    """At start-up: stop ssh in auto mode, or when its time is over; and make the record true. Raises HostError."""
    db, services = tools.db, tools.system.services
    if not (units := await services.present(*UNITS)):
        db.set("host", tools.host, "ssh_enabled", value=False)
        return
    if db.flag("host", tools.host, "ssh_auto_mode") and tools.paths.ssh_auto_mode.exists():
        for unit in units:
            if await services.is_running(unit):
                await services.stop(unit)
    running = any([await services.is_running(unit) for unit in units])
    db.set("host", tools.host, "ssh_enabled", running)
    expiry = db.text("host", tools.host, "ssh_expiry")
    if running and expiry != NEVER:
        left = (from_text(expiry) - datetime.now(UTC)).total_seconds()
        if left <= 0:
            await _switch_off(tools)
        else:
            _arm_timer(tools, left)


async def _everywhere(call: Call, key: str, failed: type[XenAPIError], *value: int) -> None:
    """Do a host's message on every host; raise `failed` [hosts] for those where it was refused."""
    refused = []
    for host in call.db.refs("host"):
        try:
            await call.perform(key, host, *value)
        except XenAPIError as error:
            if error.description()[0] == InvalidValueError.code:
                raise
            log.error("%s: %s", host, error)
            refused.append(host)
    if refused:
        raise failed("; ".join(refused))


async def pool_enable_ssh(call: Call, self: str) -> None:  # noqa: ARG001
    """Start ssh on all hosts. Raises ENABLE_SSH_PARTIALLY_FAILED [hosts]."""
    await _everywhere(call, "host.enable_ssh", EnableSshPartiallyFailedError)


async def pool_disable_ssh(call: Call, self: str) -> None:  # noqa: ARG001
    """Stop ssh on all hosts. Raises DISABLE_SSH_PARTIALLY_FAILED [hosts]."""
    await _everywhere(call, "host.disable_ssh", DisableSshPartiallyFailedError)


async def pool_set_ssh_enabled_timeout(call: Call, self: str, value: int) -> None:  # noqa: ARG001
    """Raise SET_SSH_TIMEOUT_PARTIALLY_FAILED [hosts], INVALID_VALUE."""
    await _everywhere(call, "host.set_ssh_enabled_timeout", SetSshTimeoutPartiallyFailedError, value)


async def pool_set_ssh_auto_mode(call: Call, self: str, value: bool) -> None:  # noqa: ARG001, FBT001
    """Raise SET_SSH_AUTO_MODE_PARTIALLY_FAILED [hosts]."""
    await _everywhere(call, "host.set_ssh_auto_mode", SetSshAutoModePartiallyFailedError, value)


async def pool_set_console_idle_timeout(call: Call, self: str, value: int) -> None:  # noqa: ARG001
    """Raise SET_CONSOLE_TIMEOUT_PARTIALLY_FAILED [hosts], INVALID_VALUE."""
    await _everywhere(call, "host.set_console_idle_timeout", SetConsoleTimeoutPartiallyFailedError, value)


MESSAGES = {
    "host.enable_ssh": enable_ssh,
    "host.disable_ssh": disable_ssh,
    "host.set_ssh_enabled_timeout": set_ssh_enabled_timeout,
    "host.set_ssh_auto_mode": set_ssh_auto_mode,
    "host.set_console_idle_timeout": set_console_idle_timeout,
    "pool.enable_ssh": pool_enable_ssh,
    "pool.disable_ssh": pool_disable_ssh,
    "pool.set_ssh_enabled_timeout": pool_set_ssh_enabled_timeout,
    "pool.set_ssh_auto_mode": pool_set_ssh_auto_mode,
    "pool.set_console_idle_timeout": pool_set_console_idle_timeout,
}

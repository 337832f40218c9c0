"""A host's system in memory, for the simulator and for tests of what stands above it."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from xapi_shim.host.interface import ClockState, HostError, HostSystem, NtpMode, ServiceMissingError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class SimulatedClock:
    """A Clock; the real one's time is `offset` away from this machine's."""

    timezone: str = "UTC"
    mode: NtpMode = NtpMode.FACTORY
    servers: tuple[str, ...] = ()
    offset: timedelta = timedelta()

    async def read(self) -> ClockState:
        enabled = self.mode is not NtpMode.DISABLED
        return ClockState(self.timezone, ntp_enabled=enabled, synchronized=enabled)

    async def set_time(self, moment: datetime) -> None:
        if self.mode is not NtpMode.DISABLED:
            raise HostError("Failed to set time: Automatic time synchronization is enabled")
        self.offset = moment - datetime.now(UTC)

    async def set_timezone(self, name: str) -> None:
        if name not in zoneinfo.available_timezones():
            raise HostError(f"Failed to set time zone: Invalid or not installed time zone '{name}'")
        self.timezone = name

    async def set_ntp(self, mode: NtpMode, servers: tuple[str, ...]) -> None:
        self.mode, self.servers = mode, servers if mode is NtpMode.CUSTOM else ()

    async def ntp_servers(self) -> Mapping[str, str]:
        return dict.fromkeys(self.servers, "not combined")


@dataclass
class SimulatedServices:
    """A Services: which are there, and which of them run."""

    running: dict[str, bool] = field(
        default_factory=lambda: {
            "ssh.service": True,
            "rsyslog.service": True,
            "multipathd.service": False,
            "iscsid.service": False,
        }
    )
    at_boot: set[str] = field(default_factory=lambda: {"ssh.service", "rsyslog.service"})
    restarted: list[str] = field(default_factory=list)
    units_read: int = 0

    async def present(self, *names: str) -> tuple[str, ...]:
        return tuple(name for name in names if name in self.running)

    async def is_running(self, name: str) -> bool:
        return self.running.get(name, False)

    async def enable(self, name: str) -> None:
        self._set(name, running=True)
        self.at_boot.add(name)

    async def disable(self, name: str) -> None:
        self._set(name, running=False)
        self.at_boot.discard(name)

    async def start(self, name: str) -> None:
        self._set(name, running=True)

    async def stop(self, name: str) -> None:
        self._set(name, running=False)

    def _set(self, name: str, *, running: bool) -> None:
        if name not in self.running:
            raise ServiceMissingError((name,))
        self.running[name] = running

    async def restart_if_running(self, name: str) -> None:
        if self.running.get(name):
            self.restarted.append(name)

    async def reload_units(self) -> None:
        self.units_read += 1


@dataclass
class SimulatedMachine:
    """A Machine; `done` tells what was asked of it."""

    hostname: str = ""
    lines: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    async def set_hostname(self, name: str) -> None:
        self.hostname = name
        self.lines.append(f"hostname set to {name}")

    async def power_off(self) -> None:
        self.done.append("power off")

    async def reboot(self) -> None:
        self.done.append("reboot")

    async def log(self, lines: int) -> str:
        return "".join(f"{line}\n" for line in self.lines[-lines:])


@dataclass
class SimulatedBoot:
    """A BootLoader in memory."""

    options: dict[str, str] = field(default_factory=dict)

    async def xen_option(self, name: str) -> str | None:
        return self.options.get(name)

    async def set_xen_option(self, name: str, value: str) -> None:
        if not name or not value or " " in name + value:
            raise HostError(f"not an option of Xen's command line: {name}={value}")
        self.options[name] = value


def simulated_system() -> HostSystem:
    return HostSystem(SimulatedClock(), SimulatedServices(), SimulatedMachine(), SimulatedBoot())

"""What the toolstack asks of the host's own system; implemented for Linux with systemd, and by the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class HostError(KronosError):
    """The host's system refused, or has not what is asked for."""


class NotHereError(HostError):
    """The host has no means to do it."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} cannot be changed on this host: {why}")


class ServiceMissingError(NotHereError):
    """The host has none of these services."""

    def __init__(self, names: tuple[str, ...]) -> None:
        HostError.__init__(
            self,
            f"no such service: {', '.join(names)}",
            resolution="install the package that provides it",
        )
        self.names = names


class NtpMode(StrEnum):
    """Where the host takes the time from (host.ntp_mode)."""

    DHCP = "DHCP"
    CUSTOM = "Custom"
    FACTORY = "Factory"
    DISABLED = "Disabled"


@dataclass(frozen=True)
class ClockState:
    """The host's clock: the zone's IANA name, whether it is to follow time servers, and whether it does."""

    timezone: str
    ntp_enabled: bool
    synchronized: bool


class Clock(Protocol):
    """The host's clock. Every method may raise HostError."""

    async def read(self) -> ClockState: ...

    async def set_time(self, moment: datetime) -> None:
        """Set the clock to an aware `moment`; the system refuses while the clock follows time servers."""
        ...

    async def set_timezone(self, name: str) -> None:
        """Set the zone by its IANA name."""
        ...

    async def set_ntp(self, mode: NtpMode, servers: tuple[str, ...]) -> None:
        """Choose where the time comes from; `servers` count in mode CUSTOM. FACTORY is as the distro has it.

        When it fails the configuration is as before.
        """
        ...

    async def ntp_servers(self) -> Mapping[str, str]:
        """Return what is thought of each time server in use, in words, by its name."""
        ...


class Services(Protocol):
    """The system's services, by their units' names. Every method may raise HostError."""

    async def present(self, *names: str) -> tuple[str, ...]:
        """Return those of `names` that the host has, other names for the same left out."""
        ...

    async def is_running(self, name: str) -> bool: ...

    async def enable(self, name: str) -> None:
        """Start it, now and at every boot."""
        ...

    async def disable(self, name: str) -> None:
        """Stop it, now and at every boot. Connections that it has handed on stay."""
        ...

    async def start(self, name: str) -> None:
        """Start it now; what happens at boot stays as it is."""
        ...

    async def stop(self, name: str) -> None:
        """Stop it now; what happens at boot stays as it is."""
        ...

    async def restart_if_running(self, name: str) -> None: ...

    async def reload_units(self) -> None:
        """Have the system read the units' files anew."""
        ...


class Machine(Protocol):
    """The machine as a whole. Every method may raise HostError."""

    async def set_hostname(self, name: str) -> None:
        """Name the host, now and after a boot."""
        ...

    async def power_off(self) -> None:
        """Shut the host down; it returns before that is done."""
        ...

    async def reboot(self) -> None:
        """Start the host anew; it returns before that is done."""
        ...

    async def log(self, lines: int) -> str:
        """Return the last lines that the daemon logged since the host was started."""
        ...


class BootLoader(Protocol):
    """How Xen is started at the next boot. Every method may raise HostError."""

    async def xen_option(self, name: str) -> str | None:
        """Return an option of Xen's that was set here, None for one that was not."""
        ...

    async def set_xen_option(self, name: str, value: str) -> None:
        """Give Xen NAME=VALUE from the next boot on. Raises NotHereError; when it fails all is as before."""
        ...


@dataclass(frozen=True)
class HostSystem:
    """The host's system, put together."""

    clock: Clock
    services: Services
    machine: Machine
    boot: BootLoader

"""The clock of a Linux host with systemd: timedatectl(1), and chrony or systemd-timesyncd for time servers."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.host.config_files import replace_files
from xapi_shim.host.interface import ClockState, HostError, NtpMode, ServiceMissingError
from xapi_shim.host.linux_tools import run_tool
from xapi_shim.host.ntp_config import (
    TIMESYNCD_FILES,
    chrony_config,
    parse_chrony_sources,
    parse_timesync,
    timesyncd_files,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from xapi_shim.host.interface import Services

# Debian's place and Fedora's, with the unit's name there.
_CHRONY = (("etc/chrony/chrony.conf", "chrony.service"), ("etc/chrony.conf", "chronyd.service"))
_TIMESYNCD = "systemd-timesyncd.service"


class LinuxClock:
    """A Clock; files are below `root`, programs act on this host."""

    def __init__(self, services: Services, root: Path = Path("/")) -> None:
        self._services, self._root = services, root

    async def read(self) -> ClockState:
        text = await run_tool("timedatectl", "show")
        told = dict(line.partition("=")[::2] for line in text.splitlines())
        return ClockState(
            timezone=told.get("Timezone", "UTC"),
            ntp_enabled=told.get("NTP") == "yes",
            synchronized=told.get("NTPSynchronized") == "yes",
        )

    async def set_time(self, moment: datetime) -> None:
        await run_tool("timedatectl", "set-time", f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")

    async def set_timezone(self, name: str) -> None:
        await run_tool("timedatectl", "set-timezone", name)

    async def set_ntp(self, mode: NtpMode, servers: tuple[str, ...]) -> None:
        unit, wanted = self._wanted(mode, servers, await self._chrony())
        if unit == _TIMESYNCD and mode is not NtpMode.DISABLED and not await self._services.present(unit):
            raise ServiceMissingError((*(chrony for _, chrony in _CHRONY), unit))

        async def take() -> None:
            await run_tool("timedatectl", "set-ntp", str(mode is not NtpMode.DISABLED).lower())
            if mode is not NtpMode.DISABLED:
                await self._services.restart_if_running(unit)

        await replace_files(wanted, take)

    async def _chrony(self) -> tuple[Path, str] | None:
        """Return chrony's file and unit where it is installed; a removed one may have left its file."""
        for name, unit in _CHRONY:
            if (self._root / name).is_file() and await self._services.present(unit):
                return self._root / name, unit
        return None

    def _wanted(
        self, mode: NtpMode, servers: tuple[str, ...], chrony: tuple[Path, str] | None
    ) -> tuple[str, dict[Path, bytes | None]]:
        """Return the time service's unit, and what its files are to be; None for no file."""
        if chrony is not None:
            path, unit = chrony
            try:
                text = path.read_text(errors="surrogateescape")
            except OSError as error:
                raise HostError(f"cannot read {path}: {error.strerror}") from error
            return unit, {path: chrony_config(text, mode, servers).encode(errors="surrogateescape")}
        folder = self._root / "etc/systemd/timesyncd.conf.d"
        texts = timesyncd_files(mode, servers)
        files = {folder / name: texts[name].encode() if name in texts else None for name in TIMESYNCD_FILES}
        return _TIMESYNCD, files

    async def ntp_servers(self) -> Mapping[str, str]:
        if await self._chrony():
            return parse_chrony_sources(await run_tool("chronyc", "-c", "-N", "sources"))
        state = await self.read()
        if not state.ntp_enabled:
            return {}
        return parse_timesync(await run_tool("timedatectl", "show-timesync"), synchronized=state.synchronized)

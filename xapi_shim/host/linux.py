"""A Linux host with systemd: services and power by systemctl(1), the name by hostnamectl(1), logs by journalctl(1).

All of these ask systemd over its socket to act, so that the daemon itself needs no right to.
"""

from __future__ import annotations

from pathlib import Path

from xapi_shim.host.interface import HostError, HostSystem
from xapi_shim.host.linux_boot import GrubBoot
from xapi_shim.host.linux_clock import LinuxClock
from xapi_shim.host.linux_tools import ask_tool, run_tool

MAX_LOG_LINES = 20_000
# The daemon's own log, not the whole host's: clients with the least of roles may read it.
UNIT = "xapi.service"


class SystemdServices:
    """A Services over systemctl(1)."""

    async def present(self, *names: str) -> tuple[str, ...]:
        # Status 1 where none is known: no trouble.
        done = await ask_tool("systemctl", "list-unit-files", "--no-legend", "--plain", "--full", *names)
        rows = [line.split() for line in done.stdout.splitlines()]
        found = {row[0]: row[1] for row in rows if len(row) > 1}
        return tuple(name for name in names if found.get(name, "alias") not in ("alias", "masked"))

    async def is_running(self, name: str) -> bool:
        told = await run_tool("systemctl", "show", "--property=ActiveState", "--value", name)
        return told.strip() in ("active", "activating", "reloading")

    async def enable(self, name: str) -> None:
        await run_tool("systemctl", "enable", "--now", "--quiet", name)

    async def disable(self, name: str) -> None:
        await run_tool("systemctl", "disable", "--now", "--quiet", name)

    async def start(self, name: str) -> None:
        await run_tool("systemctl", "start", name)

    async def stop(self, name: str) -> None:
        await run_tool("systemctl", "stop", name)

    async def restart_if_running(self, name: str) -> None:
        await run_tool("systemctl", "try-restart", name)

    async def reload_units(self) -> None:
        await run_tool("systemctl", "daemon-reload")


class LinuxMachine:
    """A Machine over systemd's tools."""

    async def set_hostname(self, name: str) -> None:
        await run_tool("hostnamectl", "set-hostname", name)

    async def power_off(self) -> None:
        await _go_down("poweroff")

    async def reboot(self) -> None:
        await _go_down("reboot")

    async def log(self, lines: int) -> str:
        count = min(lines, MAX_LOG_LINES)
        return await run_tool(
            "journalctl",
            "--boot",
            "--no-pager",
            "--quiet",
            "--output=short-iso",
            f"--unit={UNIT}",
            f"--lines={count}",
        )


async def _go_down(verb: str) -> None:
    """Have systemd begin to go down.

    A host that goes down takes along the bus on which logind would have answered, and the
    daemon's own programs: its manager, on a socket of its own, is the one to say whether it
    is (systemctl(1), is-system-running).
    """
    try:
        await run_tool("systemctl", "--no-block", verb)
    except HostError:
        state = await ask_tool("systemctl", "is-system-running")
        if state.stdout.strip() != "stopping":
            raise


def linux_system(root: Path = Path("/")) -> HostSystem:
    """Return the system of the host this runs on."""
    services = SystemdServices()
    return HostSystem(LinuxClock(services, root), services, LinuxMachine(), GrubBoot(root))

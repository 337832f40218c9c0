"""The network of the host this runs on, through ip(8), sysfs and ovs-vsctl(8); bridges that it makes are Linux's."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run_async
from xapi_shim.network.host_interfaces import IpTexts, find_link, kind, parse_host, ports_of, switch_names
from xapi_shim.network.interface import BridgeInUseError, BridgeNameError, NetworkError
from xapi_shim.network.nic_hardware import read_hardware
from xapi_shim.network.wake import broadcast_address, send_magic_packet

if TYPE_CHECKING:
    from xapi_shim.network.interface import HostInterfaces

TIMEOUT_S = 30.0
# It waits for ovs-vswitchd for ever otherwise (ovs-vsctl(8)).
_VSCTL = ("ovs-vsctl", "--timeout=10")
# IFNAMSIZ less the closing NUL; a name is also a folder of sysfs.
_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}")
# Told apart by this from bridges that the administrator made.
ALIAS = "xapi internal network"
# systemd-resolved's own list: the other file then names only its stub.
_RESOLV_CONFS = ("run/systemd/resolve/resolv.conf", "etc/resolv.conf")


class LinuxNetwork:
    """The host's network; files are read below `root`, programs act on this host."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    async def read(self) -> HostInterfaces:
        links, addresses, routes, routes6 = await asyncio.gather(
            _links(),
            _ip("-json", "address", "show"),
            _ip("-json", "-4", "route", "show", "default"),
            _ip("-json", "-6", "route", "show", "default"),
        )
        hardware = await asyncio.to_thread(read_hardware, self._root)
        switches = await _switches(links)
        return parse_host(IpTexts(links, addresses, routes, routes6, switches), hardware, self._resolv_conf())

    def _resolv_conf(self) -> str:
        for name in _RESOLV_CONFS:
            try:
                return (self._root / name).read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
        return ""

    async def create_bridge(self, name: str) -> None:
        check_bridge_name(name)
        link = find_link(await _links(), name)
        if link is None:
            # Without a spanning tree a port can be used at once.
            await _ip("link", "add", "name", name, "type", "bridge", "stp_state", "0", "forward_delay", "0")
            # dom0 takes no part in guests' internal networks: no address of its own, not even a local one.
            await _ip("link", "set", "dev", name, "addrgenmode", "none", "alias", ALIAS)
        elif kind(link) != "bridge":
            raise BridgeNameError(name, "another interface has this name")
        await _ip("link", "set", "dev", name, "up")

    async def destroy_bridge(self, name: str) -> None:
        check_bridge_name(name)
        links = await _links()
        link = find_link(links, name)
        if link is None or kind(link) != "bridge" or link.get("ifalias") != ALIAS:
            return
        if ports := ports_of(links, name):
            raise BridgeInUseError(name, ports)
        await _ip("link", "delete", "dev", name, "type", "bridge")

    async def wake(self, mac: str) -> None:
        await send_magic_packet(mac, broadcast_address((await self.read()).management))


def check_bridge_name(name: str) -> None:
    """Raise BridgeNameError for a name that no interface can have, or that ip(8) would misread."""
    if not _NAME.fullmatch(name):
        raise BridgeNameError(name, "1 to 15 letters, digits, dots, underscores or hyphens are a name")


async def _links() -> str:
    return await _ip("-json", "-details", "link", "show")


async def _switches(links: str) -> dict[str, tuple[str, ...]]:
    """Return the ports of Open vSwitch's bridges, by name. Raises NetworkError."""
    names = switch_names(links)
    if not names:
        return {}
    bridges = set((await _run(*_VSCTL, "list-br")).split())
    return {
        name: tuple((await _run(*_VSCTL, "list-ports", name)).split()) for name in names if name in bridges
    }


async def _ip(*args: str) -> str:
    """Run ip(8) and return what it prints. Raises NetworkError."""
    return await _run("ip", *args)


async def _run(*argv: str) -> str:
    try:
        return (await run_async([*argv], timeout_s=TIMEOUT_S)).stdout
    except KronosError as error:
        raise NetworkError(error.message, resolution=error.resolution) from error

"""The management bridge: there, with its port, its addresses, a default route; and names can be looked up."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kronos_installer.doctor.answer import Answer, ask, error, warning
from kronos_installer.network.stack import BRIDGE
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.detect.system import SystemFacts
    from kronos_installer.host import Runner
    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem

INVENTORY = str(Paths().inventory)
ADDRESSES = ("ip", "-json", "address", "show", "dev", BRIDGE)
ROUTES = (
    ("ip", "-json", "-4", "route", "show", "default"),
    ("ip", "-json", "-6", "route", "show", "default"),
)


@dataclass(frozen=True)
class BridgeReading:
    """`master` is what the port belongs to: the bridge, or Open vSwitch's `ovs-system`. `recorded` is the inventory's."""

    there: bool
    port: str
    port_there: bool
    master: str
    carrier: bool
    recorded: str
    addresses: Answer
    routes: tuple[Answer, ...]


def read_bridge(files: HostFiles, query: Runner, port: str) -> BridgeReading:
    """Read it; `port` is the interface that the set-up put into the bridge."""
    link = files.at(f"/sys/class/net/{port}/master")
    found = re.search(r"^MANAGEMENT_INTERFACE=['\"]?([^'\"\n]*)", files.read(INVENTORY), re.MULTILINE)
    return BridgeReading(
        there=files.exists(f"/sys/class/net/{BRIDGE}"),
        port=port,
        port_there=files.exists(f"/sys/class/net/{port}"),
        master=link.readlink().name if link.is_symlink() else "",
        carrier=_carrier(files, port),
        recorded=found[1] if found else "",
        addresses=ask(query, ADDRESSES),
        routes=tuple(ask(query, argv) for argv in ROUTES),
    )


def _carrier(files: HostFiles, port: str) -> bool:
    try:
        return files.read(f"/sys/class/net/{port}/carrier").strip() == "1"
    except OSError:
        # The kernel answers EINVAL for an interface that is down.
        return False


def bridge_findings(reading: BridgeReading, system: SystemFacts) -> Iterator[Problem]:
    """Yield what is wrong with the management network."""
    if not reading.there:
        yield error("bridge-missing", f"there is no {BRIDGE}", f"/sys/class/net/{BRIDGE}",
                    "reboot if the set-up waits for it; else see why the network's unit did not make it")  # fmt: skip
    else:
        yield from _port(reading)
        yield from _addresses(reading)
    if reading.recorded != BRIDGE:
        yield error("inventory-interface", f"the inventory names {reading.recorded or 'no interface'}, not {BRIDGE}",
                    f"{INVENTORY}: MANAGEMENT_INTERFACE", f"set MANAGEMENT_INTERFACE='{BRIDGE}'")  # fmt: skip
    if not system.resolver.servers:
        yield error("dns-missing", "no name server is known", "/etc/resolv.conf:1", "add a nameserver line")
    if not system.hostname.resolvable:
        yield warning("hostname-not-resolvable", f"{system.hostname.name} has no address without a network",
                      "/etc/hosts:1", f"add '127.0.1.1 {system.hostname.name}' to /etc/hosts")  # fmt: skip


def _port(reading: BridgeReading) -> Iterator[Problem]:
    if not reading.port_there:
        yield error("bridge-port-missing", f"the interface {reading.port} is not there any more",
                    f"/sys/class/net/{reading.port}", "see whether the NIC was renamed or taken out: 'ip link'")  # fmt: skip
    elif reading.master not in (BRIDGE, "ovs-system"):
        yield error("bridge-port", f"{reading.port} is no port of {BRIDGE}", f"/sys/class/net/{reading.port}/master",
                    f"ip link set {reading.port} master {BRIDGE}, and see who took it out")  # fmt: skip
    elif not reading.carrier:
        yield error("bridge-no-carrier", f"{reading.port} has no link", f"/sys/class/net/{reading.port}/carrier",
                    "see to the cable and the switch")  # fmt: skip


def _addresses(reading: BridgeReading) -> Iterator[Problem]:
    if reading.addresses.error:
        yield warning("addresses-unknown", f"the addresses of {BRIDGE} are not known", reading.addresses.error,
                      f"see why 'ip address show dev {BRIDGE}' fails")  # fmt: skip
    elif not addresses_of(reading.addresses.text):
        yield error("bridge-no-address", f"{BRIDGE} has no address", f"ip address show dev {BRIDGE}",
                    "see the DHCP client's messages, or the configuration's address")  # fmt: skip
    routes = [route for answer in reading.routes for route in rows_of(answer.text)]
    if not routes:
        yield error("default-route-missing", "there is no default route", "ip route show default",
                    "see why the gateway was not set: the configuration, or DHCP")  # fmt: skip
    elif not any(route.get("dev") == BRIDGE for route in routes):
        yield warning("default-route", f"the default route does not leave by {BRIDGE}", f"ip route show default: "
                      f"{routes[0].get('dev')}", "see which configuration sets it")  # fmt: skip


def rows_of(text: str) -> list[dict[str, Any]]:
    """Return the objects of ip(8)'s JSON, none for what is no such list."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def addresses_of(text: str) -> list[str]:
    """Return the addresses that others can reach, from `ip -json address`."""
    infos = [i for row in rows_of(text) for i in (row.get("addr_info") or []) if isinstance(i, dict)]
    return [str(info.get("local", "")) for info in infos if info.get("scope") == "global"]

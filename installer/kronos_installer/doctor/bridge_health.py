"""The management bridge: there, with its port, its addresses, a default route; and names can be looked up."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kronos_installer.doctor.answer import Answer, ask, error, info, warning
from kronos_installer.host_files import UnreadableFileError
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


_IFF_UP = 1
# What Linux shows as the master of every port of every bridge of Open vSwitch.
_SWITCH = "ovs-system"


@dataclass(frozen=True)
class BridgeReading:
    """`master` is what the port belongs to: the bridge, or Open vSwitch's `ovs-system`. `recorded` is the inventory's.

    `down` are those of bridge and port that are switched off (ip-link(8)), `is_bridge` whether the bridge is one;
    `switch` is Open vSwitch's answer which of its bridges has the port, None where it was not asked; `had_gateway` whether
    a gateway answered when the set-up was planned.
    """

    there: bool
    port: str
    port_there: bool
    master: str
    carrier: bool
    recorded: str
    addresses: Answer
    routes: tuple[Answer, ...]
    down: frozenset[str] = frozenset()
    is_bridge: bool = True
    switch: Answer | None = None
    had_gateway: bool = True


def read_bridge(files: HostFiles, query: Runner, port: str, *, had_gateway: bool = True) -> BridgeReading:
    """Read it; `port` is the interface that the set-up put into the bridge."""
    found = re.search(r"^MANAGEMENT_INTERFACE=['\"]?([^'\"\n]*)", files.read(INVENTORY), re.MULTILINE)
    master = _master(files, port)
    kinds = [
        line
        for line in files.read(f"/sys/class/net/{BRIDGE}/uevent").splitlines()
        if line.startswith("DEVTYPE=")
    ]
    return BridgeReading(
        there=files.exists(f"/sys/class/net/{BRIDGE}"),
        port=port,
        port_there=files.exists(f"/sys/class/net/{port}"),
        master=master,
        carrier=_carrier(files, port),
        recorded=found[1] if found else "",
        addresses=ask(query, ADDRESSES),
        routes=tuple(ask(query, argv) for argv in ROUTES),
        down=frozenset(name for name in (BRIDGE, port) if _is_down(files, name)),
        # To the kernel Open vSwitch's is none.
        is_bridge=master == _SWITCH or kinds in ([], ["DEVTYPE=bridge"]),
        switch=ask(query, ("ovs-vsctl", "--timeout=10", "port-to-br", port)) if master == _SWITCH else None,
        had_gateway=had_gateway,
    )


def _master(files: HostFiles, port: str) -> str:
    link = files.at(f"/sys/class/net/{port}/master")
    try:
        return link.readlink().name
    except OSError:
        return ""


def _is_down(files: HostFiles, name: str) -> bool:
    """Tell whether an interface's flags (netdevice(7)) say that it is switched off."""
    flags = files.read(f"/sys/class/net/{name}/flags").strip()
    return bool(re.fullmatch("0x[0-9a-f]+", flags)) and not int(flags, 16) & _IFF_UP


def _carrier(files: HostFiles, port: str) -> bool:
    try:
        return files.read(f"/sys/class/net/{port}/carrier").strip() == "1"
    except UnreadableFileError:
        # The kernel answers EINVAL for an interface that is down.
        return False


def bridge_findings(reading: BridgeReading) -> Iterator[Problem]:
    """Yield what is wrong with the management network."""
    if not reading.there:
        yield error("bridge-missing", f"there is no {BRIDGE}", f"/sys/class/net/{BRIDGE}",
                    "reboot if the set-up waits for it; else see why the network's unit did not make it")  # fmt: skip
    else:
        if not reading.is_bridge:
            yield error("bridge-kind", f"{BRIDGE} is an interface of another kind, no bridge",
                        f"/sys/class/net/{BRIDGE}/uevent: DEVTYPE", f"see what else makes {BRIDGE}: 'ip -details link show "
                        f"{BRIDGE}'; without it, reboot")  # fmt: skip
        if BRIDGE in reading.down:
            yield error("bridge-down", f"{BRIDGE} is switched off", f"/sys/class/net/{BRIDGE}/flags",
                        f"ip link set {BRIDGE} up; its routes come back with the network's unit or a reboot")  # fmt: skip
        yield from _port(reading)
        yield from _addresses(reading)
    if reading.recorded != BRIDGE:
        yield error("inventory-interface", f"the inventory names {reading.recorded or 'no interface'}, not {BRIDGE}",
                    f"{INVENTORY}: MANAGEMENT_INTERFACE", f"set MANAGEMENT_INTERFACE='{BRIDGE}'")  # fmt: skip


def name_findings(system: SystemFacts) -> Iterator[Problem]:
    """Yield whether names can be looked up, the host's own among them."""
    if not system.resolver.asked:
        yield error("dns-missing", "no name server is known", "/etc/resolv.conf:1", "add a nameserver line")
    if not system.hostname.resolvable:
        name = system.hostname.name or system.hostname.running or "the host's name"
        yield warning("hostname-not-resolvable", f"{name} has no address without a network",
                      "/etc/hosts:1", f"add '127.0.1.1 {name}' to /etc/hosts")  # fmt: skip


def _port(reading: BridgeReading) -> Iterator[Problem]:
    if not reading.port_there:
        yield error("bridge-port-missing", f"the interface {reading.port} is not there any more",
                    f"/sys/class/net/{reading.port}", "see whether the NIC was renamed or taken out: 'ip link'")  # fmt: skip
    elif reading.master not in (BRIDGE, _SWITCH):
        instead = f", but of {reading.master}" if reading.master else ""
        yield error("bridge-port", f"{reading.port} is no port of {BRIDGE}{instead}",
                    f"/sys/class/net/{reading.port}/master",
                    f"ip link set {reading.port} master {BRIDGE}, and see who took it out")  # fmt: skip
    elif reading.switch is not None and reading.switch.error:
        yield error("bridge-switch-silent", "Open vSwitch does not say which bridge has the port", reading.switch.error,
                    "systemctl status openvswitch-switch.service, or openvswitch.service")  # fmt: skip
    elif reading.switch is not None and reading.switch.text.strip() != BRIDGE:
        yield error("bridge-port", f"{reading.port} is no port of {BRIDGE}, but of {reading.switch.text.strip() or 'none'}",
                    f"ovs-vsctl port-to-br {reading.port}", f"ovs-vsctl del-port {reading.port} -- add-port {BRIDGE} "
                    f"{reading.port}, and see who took it out")  # fmt: skip
    elif reading.port in reading.down:
        yield error("bridge-port-down", f"{reading.port} is switched off", f"/sys/class/net/{reading.port}/flags",
                    f"ip link set {reading.port} up, and see who switched it off")  # fmt: skip
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
    if all(answer.error for answer in reading.routes):
        yield warning("routes-unknown", "the routes are not known", "; ".join(a.error for a in reading.routes),
                      "see why 'ip route show default' fails")  # fmt: skip
    elif not routes:
        # A network of its own has none. A gateway that was there and answered nobody is not on record.
        tell = error if reading.had_gateway else info
        yield tell("default-route-missing", "there is no default route", "ip route show default",
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

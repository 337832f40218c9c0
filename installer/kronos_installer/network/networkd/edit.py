"""The units that put the management addresses on the bridge. Pure.

The operator's units stay to the byte: new ones that sort before them win over them, for this interface alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.network.networkd import cloud_init
from kronos_installer.network.networkd.carried import Place, place_of
from kronos_installer.network.networkd.identity import GENERATED
from kronos_installer.network.networkd.management import identity, may_match
from kronos_installer.network.networkd.match import units_for
from kronos_installer.network.networkd.unit_text import (
    Section,
    Setting,
    parse_boolean,
    parse_unit,
    render_unit,
)
from kronos_installer.network.networkd.units import Unit
from kronos_installer.network.stack import (
    BRIDGE,
    GUESTS_INTERFACES,
    QEMUS_INTERFACES,
    BridgeKind,
    Management,
    NetworkEdit,
)
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kronos_installer.network.networkd.config import NetworkdConfig

_FOLDER = "/etc/systemd/network"
_PREFIXES = ("05", "00")
# In the order in which networkd tries them: `-` sorts before `.`, `b` before `g`.
_PORT, _BRIDGE_NETWORK, _GUESTS, _NETDEV = (
    f"{BRIDGE}-port.network", f"{BRIDGE}.network", "xenguests.network", f"{BRIDGE}.netdev",
)  # fmt: skip
_COMMENT = "# Made by xapi-host-setup; `xapi-host-setup rollback` takes it away.\n"
# The toolstack's bridges but the management bridge, whose unit sorts after this one where netplan makes it.
_BRIDGES = ("xapi*", f"{BRIDGE[:-1]}[!{BRIDGE[-1]}]*", f"{BRIDGE}?*")
_NOT_OURS = " ".join((*GUESTS_INTERFACES, *_BRIDGES, QEMUS_INTERFACES))
GUESTS_UNIT = f"{_FOLDER}/{_PREFIXES[0]}-{_GUESTS}"
# One of each kind that units of the host's must not take.
NOT_FOR_UNITS = (
    Nic("vif1.0", "fe:ff:ff:ff:ff:ff", NicKind.VIRTUAL),
    Nic("enX0", "fe:ff:ff:ff:ff:fe", NicKind.ETHERNET),
)


def file_names() -> tuple[str, ...]:
    """Return every path that an edit may write."""
    names = (_PORT, _BRIDGE_NETWORK, _GUESTS, _NETDEV)
    return tuple(f"{_FOLDER}/{prefix}-{name}" for prefix in _PREFIXES for name in names)


def move_to_bridge(config: NetworkdConfig, management: Management, bridge: BridgeKind) -> NetworkEdit:
    """Return the edit. Raises ProblemError for Open vSwitch, and where other units would win over the new ones."""
    if bridge is BridgeKind.OPENVSWITCH:
        raise refusal("openvswitch-unsupported", "systemd-networkd cannot make Open vSwitch bridges", at=management.at,
                      remedy="choose the network backend 'bridge', or let netplan or ifupdown configure the network")  # fmt: skip
    nic = next(n for n in config.nics if n.name == management.interface)
    unit, _ = units_for(config.networks, nic)
    if unit is None:
        raise refusal(
            "management-unknown", f"no unit is for {nic.name}", at=management.at, remedy="look again"
        )
    new = _new_units(config, management, unit)
    guests = [unit for other in NOT_FOR_UNITS for unit in may_match(config.networks, other)]
    if guests:
        new[_GUESTS] = guests_unit()
    others = [*guests, *may_match(config.networks, nic), *may_match(config.networks, _bridge_nic(management))]
    prefix = _prefix([other.name for other in others], management.at)
    files: dict[str, bytes | None] = {
        f"{_FOLDER}/{prefix}-{name}": render_unit(sections, _COMMENT).encode("latin-1")
        for name, sections in new.items()
    }
    _verify(config, management, files)
    if config.tell_cloud_init:
        files[cloud_init.DISABLE_PATH] = cloud_init.DISABLE_CONTENT
    follow = (("networkctl", "reload"), ("networkctl", "reconfigure", nic.name))
    return NetworkEdit(files, follow, (("ip", "link", "delete", "dev", BRIDGE), *follow),
                       dict.fromkeys(files, 0o644))  # fmt: skip


def guests_unit() -> tuple[Section, ...]:
    """Return the unit that keeps networkd's hands off what is not the host's."""
    return (_section("Match", Name=_NOT_OURS), _section("Link", Unmanaged="yes"))


def _bridge_nic(management: Management) -> Nic:
    return Nic(BRIDGE, management.mac, NicKind.BRIDGE)


def _prefix(names: list[str], at: str) -> str:
    for prefix in _PREFIXES:
        if all(f"{prefix}-{_GUESTS}".encode() < name.encode() for name in names):
            return prefix
    raise refusal("networkd-order", f"{min(names)} comes before any unit that could be put before it", at=at,
                  remedy="let its name begin with 10- or more")  # fmt: skip


def _section(name: str, **settings: str) -> Section:
    return Section(name, GENERATED, tuple(Setting(key, value, GENERATED) for key, value in settings.items()))


def _new_units(config: NetworkdConfig, management: Management, unit: Unit) -> dict[str, tuple[Section, ...]]:
    carried = tuple(_carried(unit, {Place.BRIDGE, Place.BOTH}))
    kept = tuple(_carried(unit, {Place.PORT, Place.BOTH}))
    if parse_boolean(unit.last("Link", "RequiredForOnline")) is False:
        # The wait for the network (systemd-networkd-wait-online(8)) waits for neither.
        kept = (_section("Link", RequiredForOnline="no"), *kept)
    mtu = unit.last("Link", "MTUBytes")
    netdev = {"Name": BRIDGE, "Kind": "bridge", "MACAddress": management.mac} | (
        {"MTUBytes": mtu} if mtu else {}
    )
    port = (_section("Match", Name=management.interface), *kept, _section("Network", Bridge=BRIDGE))
    identities, _ = identity(config, management.interface, unit)
    return {
        _PORT: port,
        _BRIDGE_NETWORK: (_section("Match", Name=BRIDGE), *carried, *identities),
        _NETDEV: (_section("NetDev", **netdev), _section("Bridge", STP="no", ForwardDelaySec="0")),
    }


def _carried(unit: Unit, places: set[Place]) -> Iterator[Section]:
    for section in unit.sections:
        settings = tuple(s for s in section.settings if place_of(section, s) in places)
        if settings:
            yield Section(section.name, section.at, settings)


def _verify(config: NetworkdConfig, management: Management, files: Mapping[str, bytes | None]) -> None:
    """Read the result back as networkd will. Raises ProblemError unless the bridge has all that the interface had."""
    units = {
        path.rpartition("/")[2]: Unit(
            path.rpartition("/")[2], path, parse_unit(path, content.decode("latin-1")), (path,)
        )
        for path, content in files.items()
        if content is not None and path.endswith(".network")
    }
    networks = sorted([*units.values(), *(u for u in config.networks if u.name not in units)],
                      key=lambda u: u.name.encode())  # fmt: skip
    nic = next(n for n in config.nics if n.name == management.interface)
    old, _ = units_for(config.networks, nic)
    port, unclear_port = units_for(networks, nic)
    bridge, unclear_bridge = units_for(networks, _bridge_nic(management))
    if old and port and bridge and not unclear_port and not unclear_bridge:
        missing = _moved(old) - {(s.name, x.key, x.value) for s in bridge.sections for x in s.settings}
        changed = [
            n.name
            for n in config.nics
            if n != nic and units_for(networks, n)[0] != units_for(config.networks, n)[0]
        ]
        if not missing and not changed and port.last("Network", "Bridge") == BRIDGE:
            return
    raise refusal("networkd-edit", "the units cannot be written so that networkd takes them as meant",
                  at=management.at, remedy="simplify the unit: one .network file that names the interface")  # fmt: skip


def _moved(unit: Unit) -> set[tuple[str, str, str]]:
    carried = _carried(unit, {Place.BRIDGE, Place.BOTH})
    return {(s.name, x.key, x.value) for s in carried for x in s.settings}

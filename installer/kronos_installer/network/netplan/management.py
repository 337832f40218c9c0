"""Which interface carries the host's addresses under netplan, and all that forbids moving them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.detect.owners import names_interface
from kronos_installer.network.findings import error
from kronos_installer.network.netplan.carried import COPIED, MOVED, refused_keys, uses_mtu_of_dhcp
from kronos_installer.network.netplan.definitions import (
    PHYSICAL,
    Definition,
    definitions_for,
    unit_name,
)
from kronos_installer.network.netplan.document import entries, is_true, plain, scalar, scalars, words
from kronos_installer.network.networkd.identity import identity_sections
from kronos_installer.network.networkd.link_files import links_by_address
from kronos_installer.network.networkd.match import Answer, matches
from kronos_installer.network.stack import BRIDGE, AddressType, Management, StackName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.network.netplan.config import NetplanConfig
    from kronos_installer.network.networkd.unit_text import Section
    from kronos_installer.problem import Problem

_GROUPS = ("bonds", "bridges", "vrfs")
_GUEST = Nic("vif1.0", "fe:ff:ff:ff:ff:ff", NicKind.VIRTUAL)
_STANDARD_MTU = 1500
# These rewrite the Ethernet addresses of what leaves or is answered, the guests' too (bonding.rst of the kernel).
_REWRITING = {"mode": ("balance-tlb", "balance-alb"), "fail-over-mac-policy": ("active", "follow")}


def find_management(
    config: NetplanConfig, nics: Sequence[Nic], wished: str
) -> tuple[Management | None, tuple[Problem, ...]]:
    """Return the management interface, None when it is not to be told, and all that forbids moving it."""
    nic, definition, unclear = _choose(config, nics, wished)
    if nic is None or definition is None:
        return None, unclear
    found = _management(config, nics, nic, definition)
    problems = [*_hardware(definition, nic), *_renderer(definition)]
    if problems:
        return found, tuple(problems)
    problems += [
        *_keys(config, definition, nic.name),
        *_others(config, definition, nic),
        *_networkd(config, definition, nic),
    ]
    problems += [*_bridge_exists(config, nics), *identity(config, nic.name, definition)[1]]
    problems += _bond(_below(config, definition))
    return found, tuple(dict.fromkeys(problems))


def _management(config: NetplanConfig, nics: Sequence[Nic], nic: Nic, definition: Definition) -> Management:
    below, vlan = _below(config, definition), 0
    if definition.type == "vlans":
        vlan = int(number) if (number := scalar(definition.keys.get("id"))).isdigit() else 0
    is_bond = below.type == "bonds"
    members = words(below.keys.get("interfaces")) if is_bond else (below.id,)
    ports = [n.name for n in nics if (d := definitions_for(config.definitions, n)[0]) and d.id in members]
    addresses = (
        [value.value for value in scalars(definition.keys["addresses"])]
        if "addresses" in definition.keys
        else []
    )
    keys = plain(definition.keys["addresses"]) if "addresses" in definition.keys else []
    texts = [*addresses, *(name for item in keys if isinstance(item, dict) for name in item)]
    has_ipv4 = is_true(definition.keys.get("dhcp4")) or any("/" in t and ":" not in t for t in texts)
    return Management(
        stack=StackName.NETPLAN,
        interface=nic.name,
        kind=nic.kind,
        mac=nic.mac,
        ports=tuple(ports) if below is not definition or is_bond else (nic.name,),
        address_type=AddressType.IPV4 if has_ipv4 else AddressType.IPV6,
        uses_dhcp=is_true(definition.keys.get("dhcp4")) or is_true(definition.keys.get("dhcp6")),
        at=definition.at,
        bond=below.id if is_bond else "",
        vlan=vlan,
    )


def _below(config: NetplanConfig, definition: Definition) -> Definition:
    """Return what a VLAN is of, else the definition itself."""
    link = scalar(definition.keys.get("link")) if definition.type == "vlans" else ""
    return next((d for d in config.definitions if link and d.id == link), definition)


def _bond(definition: Definition) -> Iterator[Problem]:
    """Yield what of a bond guests' Ethernet addresses would not survive."""
    for key, value in entries(definition.keys.get("parameters")) if definition.type == "bonds" else ():
        if scalar(value) in _REWRITING.get(key.value, ()):
            yield error("netplan-bond", f"{key.value}: {scalar(value)}: the bond {definition.id} changes Ethernet "
                        "addresses, guests' too", definition.at_key("parameters"),
                        "choose active-backup, balance-xor or 802.3ad, and one address")  # fmt: skip


def identity(
    config: NetplanConfig, name: str, definition: Definition
) -> tuple[tuple[Section, ...], tuple[Problem, ...]]:
    """Return what keeps the DHCP leases and netplan has no words for: a drop-in's sections."""
    by_mac = scalar(definition.keys.get("dhcp-identifier")) == "mac"
    return identity_sections(
        config.links.get(name),
        dhcp4=is_true(definition.keys.get("dhcp4")) and not by_mac,
        dhcp6=is_true(definition.keys.get("dhcp6")),
        at=definition.at,
    )


def _members(config: NetplanConfig) -> frozenset[str]:
    """Return the IDs that are in a bond, a bridge or a VRF."""
    return frozenset(
        word for d in config.definitions if d.type in _GROUPS for word in words(d.keys.get("interfaces"))
    )


def _choose(
    config: NetplanConfig, nics: Sequence[Nic], wished: str
) -> tuple[Nic | None, Definition | None, tuple[Problem, ...]]:
    """Return the interface with addresses of its own and its definition, or why it is not clear which."""
    unclear = [
        error("netplan-match", f"cannot tell whether this definition is for {nic.name}", other.at_key("match"),
                 "match by name or macaddress")
        for nic in nics if nic.kind is NicKind.ETHERNET and nic.name in (wished or nic.name)
        for other in definitions_for(config.definitions, nic)[1]
    ]  # fmt: skip
    if unclear:
        return None, None, tuple(unclear)
    members = _members(config)
    configured = {
        nic.name: (nic, definition)
        for nic in nics
        if nic.kind is not NicKind.LOOPBACK
        and (definition := definitions_for(config.definitions, nic)[0]) is not None
        and definition.id not in members
    }
    addressed = sorted(name for name, (_, definition) in configured.items() if definition.is_addressed)
    names = addressed if not wished else [wished] if wished in configured else []
    if len(names) == 1:
        return *configured[names[0]], ()
    where = ", ".join(dict.fromkeys(configured[name][1].at for name in names))
    if names:
        problem = error("management-ambiguous", f"several interfaces have addresses: {', '.join(names)}", where,
                           "say which is the management interface: --management-interface NAME")  # fmt: skip
    else:
        first = next((d for d in config.definitions if d.is_addressed), config.definitions[0])
        problem = error("management-unknown", f"netplan gives addresses to no interface {wished}".rstrip(), first.at,
                           "define the interface by its name, plugged in")  # fmt: skip
    return None, None, (problem,)


def _hardware(definition: Definition, nic: Nic) -> Iterator[Problem]:
    if nic.kind not in (NicKind.ETHERNET, NicKind.BOND, NicKind.VLAN):
        yield error("nic-kind", f"{nic.name} is a {nic.kind} interface", definition.at,
                       "only Ethernet interfaces, bonds and VLANs can be put below the bridge")  # fmt: skip
    if nic.master:
        yield error("nic-enslaved", f"{nic.name} is a member of a {nic.master} already", definition.at,
                       "take it out first")  # fmt: skip


def _renderer(definition: Definition) -> Iterator[Problem]:
    if definition.renderer != "networkd":
        yield error("netplan-renderer", f"{definition.id} is rendered by {definition.renderer}, not by networkd",
                       definition.at_key("renderer"),
                       "write 'renderer: networkd', or configure it in NetworkManager alone")  # fmt: skip


def _keys(config: NetplanConfig, definition: Definition, name: str) -> Iterator[Problem]:
    for key, reason in refused_keys(definition):
        yield error("netplan-key", reason, definition.at_key(key), "remove it, or set it in another way")
    for key, value in definition.keys.items():
        if key in MOVED and any(names_interface(found.value, name) for found in scalars(value)):
            yield error("netplan-key", f"{key!r} names {name}", definition.at_key(key), "leave the name out")
    if uses_mtu_of_dhcp(definition) and config.mtus.get(name, _STANDARD_MTU) > _STANDARD_MTU:
        yield error("netplan-mtu", f"the MTU of {name} comes by DHCP, the bridge's port would not get it",
                       definition.at, f"write 'mtu: {config.mtus[name]}' there")  # fmt: skip
    for place in definition.places:
        foreign = not place.document.path.startswith("/etc/")
        if foreign and not definition.by_match and any(key in MOVED for key in definition.keys):
            yield error("netplan-foreign", f"{definition.id} is defined in a file that is not this host's own",
                           place.document.at(place.name), "move the definition to /etc/netplan")  # fmt: skip


def _others(config: NetplanConfig, own: Definition, nic: Nic) -> Iterator[Problem]:
    """Yield what else stands on the interface; VLANs may, but not on one of several that a definition is for."""
    names = {own.id, nic.name}
    for other in config.definitions:
        for key, value in other.keys.items() if other is not own else ():
            vlan = other.type == "vlans" and key == "link" and not own.by_match
            found = [node.value for node in scalars(value) if node.value in names]
            if found and not vlan and key not in ("match", "set-name"):
                yield error("netplan-stacked", f"{key!r} of {other.id} names {found[0]}", other.at_key(key),
                               f"{found[0]} must be used by nothing else")  # fmt: skip
        if other.type != PHYSICAL or not other.by_match:
            continue
        bridge = Nic(BRIDGE, nic.mac, NicKind.BRIDGE)
        by_name = "macaddress" not in [name.value for name, _ in entries(other.keys["match"])]
        for taken in (bridge, _GUEST) if by_name else ():
            if other.matches(taken) is not Answer.NO:
                yield error("netplan-match", f"{other.id} would be for {BRIDGE} or guests' interfaces too",
                               other.at_key("match"), "let it match the names of NICs only, like en*")  # fmt: skip
                break


def _networkd(config: NetplanConfig, own: Definition, nic: Nic) -> Iterator[Problem]:
    """Yield what makes networkd see another configuration than netplan's."""
    for unit in config.networkd_units:
        for taken, id_ in ((nic, own.id), (Nic(BRIDGE, nic.mac, NicKind.BRIDGE), BRIDGE)):
            if matches(unit, taken) is not Answer.NO and unit.name.encode() < unit_name(id_).encode():
                yield error("netplan-networkd", f"this unit comes before netplan's of {taken.name}", f"{unit.path}:1",
                               "remove it, or configure the interface in one place")  # fmt: skip
    for path in config.drop_ins:
        if path.split("/")[-2] in (f"{unit_name(own.id)}.d", f"{unit_name(BRIDGE)}.d"):
            yield error("netplan-networkd", f"this file changes what netplan says of {nic.name}", f"{path}:1",
                           "say it in netplan's files, or remove it")  # fmt: skip
    yield from links_by_address(config.link_files, nic)
    link = config.links.get(nic.name)
    in_use = link.network_file.rpartition("/")[2] if link is not None else ""
    if in_use and in_use != unit_name(own.id):
        yield error("netplan-match", f"{nic.name} runs with {in_use}, not with {unit_name(own.id)}", own.at,
                       "run 'netplan apply', then look again")  # fmt: skip


def _bridge_exists(config: NetplanConfig, nics: Sequence[Nic]) -> Iterator[Problem]:
    remedy = "rename or remove it"
    if any(nic.name == BRIDGE for nic in nics):
        yield error(
            "bridge-exists", f"there is an interface {BRIDGE} already", f"/sys/class/net/{BRIDGE}", remedy
        )
    for definition in config.definitions:
        if definition.id == BRIDGE:
            yield error("bridge-exists", f"there is a definition of {BRIDGE} already", definition.at, remedy)


def moved_keys(definition: Definition) -> tuple[str, ...]:
    """Return the keys that go to the bridge, in their order."""
    return tuple(key for key in definition.keys if key in MOVED)


def copied_keys(definition: Definition) -> tuple[str, ...]:
    """Return the keys that go to the bridge and stay with its port."""
    return tuple(key for key in definition.keys if key in COPIED)

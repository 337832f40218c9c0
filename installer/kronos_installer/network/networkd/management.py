"""Which interface carries the host's addresses under systemd-networkd, and all that forbids moving them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.detect.owners import names_interface
from kronos_installer.network.findings import error
from kronos_installer.network.networkd.carried import Place, is_known, place_of
from kronos_installer.network.networkd.identity import identity_sections
from kronos_installer.network.networkd.link_files import links_by_address
from kronos_installer.network.networkd.match import Answer, matches, units_for
from kronos_installer.network.networkd.unit_text import Section, Setting, parse_boolean
from kronos_installer.network.stack import BRIDGE, AddressType, Management, StackName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.network.networkd.config import NetworkdConfig
    from kronos_installer.network.networkd.units import Unit
    from kronos_installer.problem import Problem

_MASTERS = ("Bond", "Bridge", "VRF", "BatmanAdvanced")
_NETDEV_KINDS = {NicKind.BOND: "bond", NicKind.VLAN: "vlan"}
# These rewrite the Ethernet addresses of what leaves or is answered, the guests' too (bonding.rst of the kernel).
_REWRITING = {"Mode": ("balance-tlb", "balance-alb"), "FailOverMACPolicy": ("active", "follow")}


def find_management(
    config: NetworkdConfig, nics: Sequence[Nic], wished: str
) -> tuple[Management | None, tuple[Problem, ...]]:
    """Return the management interface, None when it is not to be told, and all that forbids moving it."""
    nic, unit, unclear = _choose(config, nics, wished)
    if nic is None or unit is None:
        return None, unclear
    found = management_of(config, nics, nic, unit)
    problems = list(_hardware(config, nic, unit))
    if problems:
        return found, tuple(problems)
    problems += [*_matching(config, nic, unit), *_settings(unit, nic.name)]
    problems += [
        *_others(config, unit, nic),
        *_bridge_exists(config, nics),
        *_bond(config, found),
        *identity(config, nic.name, unit)[1],
    ]
    return found, tuple(dict.fromkeys(problems))


def management_of(config: NetworkdConfig, nics: Sequence[Nic], nic: Nic, unit: Unit) -> Management:
    """Return what is known of `nic`, whose addresses `unit` gives."""
    below, vlan = nic.name, 0
    netdev = _netdev(config, nic)
    if nic.kind is NicKind.VLAN and netdev is not None:
        vlan = int(number) if (number := netdev.last("VLAN", "Id")).isdigit() else 0
        parents = (n for n in nics if nic.name in _unit_words(config, n, "VLAN"))
        below = next((n.name for n in parents), nic.name)
    bond = next((n.name for n in nics if n.name == below and n.kind is NicKind.BOND), "")
    ports = tuple(n.name for n in nics if bond and _unit_words(config, n, "Bond")[-1:] == (bond,)) or (below,)
    dhcp4, dhcp6 = dhcp_families(unit)
    return Management(
        stack=StackName.NETWORKD,
        interface=nic.name,
        kind=nic.kind,
        mac=nic.mac,
        ports=ports,
        address_type=AddressType.IPV4 if dhcp4 or _has_ipv4(unit) else AddressType.IPV6,
        uses_dhcp=dhcp4 or dhcp6,
        at=f"{unit.path}:1",
        bond=bond,
        vlan=vlan,
    )


def dhcp_families(unit: Unit) -> tuple[bool, bool]:
    """Return whether DHCPv4 and DHCPv6 are asked for by DHCP=."""
    value = unit.last("Network", "DHCP").lower()
    both = parse_boolean(value) is True or value == "both"
    return both or value in ("ipv4", "v4"), both or value in ("ipv6", "v6")


def identity(
    config: NetworkdConfig, name: str, unit: Unit
) -> tuple[tuple[Section, ...], tuple[Problem, ...]]:
    """Return what keeps the leases, of the clients that the unit does not give an identity itself."""
    dhcp4, dhcp6 = dhcp_families(unit)
    v4 = {
        key: unit.last("DHCPv4", key) or unit.last("DHCP", key)
        for key in ("ClientIdentifier", "IAID", "Anonymize")
    }
    needs4 = (
        v4["ClientIdentifier"] in ("", "duid")
        and not v4["IAID"]
        and parse_boolean(v4["Anonymize"]) is not True
    )
    has6 = bool(unit.last("DHCPv6", "IAID"))
    sections, problems = identity_sections(
        config.links.get(name), dhcp4=dhcp4 and needs4, dhcp6=dhcp6 and not has6, at=f"{unit.path}:1"
    )
    return tuple(s for s in sections if s.name != "DHCPv6" or not has6), problems


def _addresses(unit: Unit) -> tuple[str, ...]:
    return (*unit.words("Network", "Address"), *unit.all("Address", "Address"))


def _has_ipv4(unit: Unit) -> bool:
    return any(":" not in address for address in _addresses(unit))


def _unit_words(config: NetworkdConfig, nic: Nic, key: str) -> tuple[str, ...]:
    unit, _ = units_for(config.networks, nic)
    return unit.words("Network", key) if unit else ()


def _netdev(config: NetworkdConfig, nic: Nic) -> Unit | None:
    return next((u for u in config.netdevs if u.last("NetDev", "Name") == nic.name), None)


def _choose(
    config: NetworkdConfig, nics: Sequence[Nic], wished: str
) -> tuple[Nic | None, Unit | None, tuple[Problem, ...]]:
    """Return the interface with addresses of its own and its unit, or why it is not clear which."""
    configured = {
        nic.name: (nic, unit)
        for nic in nics
        if nic.kind is not NicKind.LOOPBACK and (unit := units_for(config.networks, nic)[0]) is not None
        and parse_boolean(unit.last("Link", "Unmanaged")) is not True
        and not any(unit.last("Network", key) for key in _MASTERS)
    }  # fmt: skip
    given = {name for name, (_, unit) in configured.items() if any(dhcp_families(unit)) or _addresses(unit)}
    # Router advertisements are listened to by default: they are the addresses where nothing else gives any.
    names = sorted(given or configured) if not wished else [wished] if wished in configured else []
    if not names:
        own = next((u.path for u in config.networks if not u.from_package), "/etc/systemd/network")
        return None, None, (
            error("management-unknown", f"systemd-networkd configures no interface {wished}".rstrip(), f"{own}:1",
                     "give the interface a .network unit in /etc/systemd/network"),)  # fmt: skip
    if len(names) > 1:
        where = ", ".join(dict.fromkeys(f"{configured[name][1].path}:1" for name in names))
        return None, None, (
            error("management-ambiguous", f"several interfaces have addresses: {', '.join(names)}", where,
                     "say which is the management interface: --management-interface NAME"),)  # fmt: skip
    return *configured[names[0]], ()


def _hardware(config: NetworkdConfig, nic: Nic, unit: Unit) -> Iterator[Problem]:
    at = f"{unit.path}:1"
    if nic.kind in _NETDEV_KINDS:
        netdev = _netdev(config, nic)
        if netdev is None or netdev.last("NetDev", "Kind") != _NETDEV_KINDS[nic.kind]:
            yield error("networkd-netdev", f"no .netdev unit makes the {nic.kind} {nic.name}", at,
                           "let systemd-networkd make it, or another stack configure it")  # fmt: skip
    elif nic.kind is not NicKind.ETHERNET:
        yield error("nic-kind", f"{nic.name} is a {nic.kind} interface", at,
                       "only Ethernet interfaces, bonds and VLANs can be put below the bridge")  # fmt: skip
    if nic.master:
        yield error(
            "nic-enslaved", f"{nic.name} is a member of a {nic.master} already", at, "take it out first"
        )


def _matching(config: NetworkdConfig, nic: Nic, unit: Unit) -> Iterator[Problem]:
    """Yield where networkd may see another unit as the interface's than the files say."""
    for other in units_for(config.networks, nic)[1]:
        yield error("networkd-match", f"cannot tell whether this unit is for {nic.name}", other.at_match,
                       "match by Name= or MACAddress=")  # fmt: skip
    link = config.links.get(nic.name)
    # netplan's units are not looked at here, so one in use says that netplan owns the interface.
    if link is not None and link.network_file and not _same_file(link.network_file, unit.path):
        yield error("networkd-match", f"{nic.name} runs with {link.network_file}, its unit is {unit.path}",
                       unit.at_match, f"networkctl reload; networkctl reconfigure {nic.name}; then look again")  # fmt: skip
    yield from links_by_address(config.link_files, nic)


def _same_file(one: str, other: str) -> bool:
    return one.removeprefix("/usr") == other.removeprefix("/usr")


def _settings(unit: Unit, name: str) -> Iterator[Problem]:
    for section in unit.sections:
        if not is_known(section.name) and not section.settings:
            yield error("networkd-option", f"[{section.name}] is not known to mean the same on a bridge", section.at,
                           "remove it, or set it in another way")  # fmt: skip
        for setting in section.settings:
            place = place_of(section, setting)
            if isinstance(place, str):
                yield error("networkd-option", f"[{section.name}] {setting.key}= {place}", setting.at,
                               "remove it, or set it in another way")  # fmt: skip
            elif (
                place is not Place.NOWHERE
                and not _is_for_people(setting)
                and names_interface(setting.value, name)
            ):
                yield error("networkd-option", f"[{section.name}] {setting.key}= names {name}", setting.at,
                               "leave the name out")  # fmt: skip


def _is_for_people(setting: Setting) -> bool:
    return setting.key == "Description"


def _others(config: NetworkdConfig, own: Unit, nic: Nic) -> Iterator[Problem]:
    """Yield what else stands on the interface; a bond's members and a VLAN's parent have to name it."""
    for unit in (*config.networks, *config.netdevs):
        for section in unit.sections if unit is not own else ():
            for setting in section.settings:
                made_of = setting.key in ("Bond", "VLAN") or (section.name, setting.key) == ("NetDev", "Name")
                speaks = section.name != "Match" and not made_of and not _is_for_people(setting)
                if speaks and names_interface(setting.value, nic.name):
                    yield error("networkd-stacked", f"[{section.name}] {setting.key}= names {nic.name}", setting.at,
                                   f"{nic.name} must be used by nothing else")  # fmt: skip


def _bond(config: NetworkdConfig, found: Management) -> Iterator[Problem]:
    """Yield what of the bond in or below the interface guests' Ethernet addresses would not survive."""
    netdev = next((u for u in config.netdevs if found.bond and u.last("NetDev", "Name") == found.bond), None)
    if found.bond and netdev is None:
        yield error("networkd-netdev", f"no .netdev unit makes the bond {found.bond}", found.at,
                    "let systemd-networkd make it, or another stack configure it")  # fmt: skip
    settings = [x for s in netdev.sections if s.name == "Bond" for x in s.settings] if netdev else []
    for key, rewriting in _REWRITING.items():
        counts = [setting for setting in settings if setting.key == key][-1:]
        for setting in counts:
            if setting.value in rewriting:
                yield error("networkd-bond", f"{key}={setting.value}: the bond changes Ethernet addresses, guests' too",
                            setting.at, "choose active-backup, balance-xor or 802.3ad, and one address")  # fmt: skip


def _bridge_exists(config: NetworkdConfig, nics: Sequence[Nic]) -> Iterator[Problem]:
    remedy = "rename or remove it"
    if any(nic.name == BRIDGE for nic in nics):
        yield error(
            "bridge-exists", f"there is an interface {BRIDGE} already", f"/sys/class/net/{BRIDGE}", remedy
        )
    for netdev in config.netdevs:
        if netdev.last("NetDev", "Name") == BRIDGE:
            yield error("bridge-exists", f"there is a unit for {BRIDGE} already", f"{netdev.path}:1", remedy)
    for unit in config.networks:
        if BRIDGE in unit.words("Match", "Name"):
            yield error("bridge-exists", f"there is a unit for {BRIDGE} already", f"{unit.path}:1", remedy)


def may_match(units: Sequence[Unit], nic: Nic) -> tuple[Unit, ...]:
    """Return the units that are for `nic`, or of which one cannot tell."""
    return tuple(unit for unit in units if matches(unit, nic) is not Answer.NO)

"""ifcfg files as a network stack: who carries the addresses, and may it go below a bridge? Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.detect.owners import Mention, names_interface
from kronos_installer.network.findings import error, warning
from kronos_installer.network.ifcfg.carried import bond_problems, unsupported
from kronos_installer.network.ifcfg.edit import make_edit
from kronos_installer.network.ifcfg.interfaces import FOLDER, Interface
from kronos_installer.network.network_manager.daemon import daemon_problems
from kronos_installer.network.network_manager.identity import Identity, InetAddress, keep_identity
from kronos_installer.network.network_manager.keyfile import Entry, KeyFile
from kronos_installer.network.network_manager.specs import Device
from kronos_installer.network.stack import (
    BRIDGE,
    AddressType,
    BridgeKind,
    Management,
    NetworkEdit,
    StackConfig,
    StackName,
)
from kronos_installer.override import override
from kronos_installer.problem import Problem, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kronos_installer.host_files import FileState
    from kronos_installer.network.ifcfg.shell_file import ShellFile
    from kronos_installer.network.network_manager.settings import Settings

# NetworkManager's properties behind what may be written out to keep the host's identity (nm-settings-ifcfg-rh(5)).
_PROPERTIES = {
    ("connection", "stable-id"): "STABLE_ID",
    ("ipv4", "dhcp-client-id"): "DHCP_CLIENT_ID",
    ("ipv4", "dhcp-iaid"): "DHCP_IAID",
    ("ipv4", "route-metric"): "IPV4_ROUTE_METRIC",
    ("ipv6", "dhcp-iaid"): "DHCPV6_IAID",
    ("ipv6", "dhcp-duid"): "DHCPV6_DUID",
    ("ipv6", "addr-gen-mode"): "IPV6_ADDR_GEN_MODE",
    ("ipv6", "token"): "IPV6_TOKEN",
    ("ipv6", "route-metric"): "IPV6_ROUTE_METRIC",
}
_VLAN_NAME = re.compile(r"(?:vlan|(?P<below>.+)\.)(?P<id>\d{1,4})\Z")
_BRCTL = ("/usr/sbin/brctl", "/sbin/brctl")


@dataclass(frozen=True)
class IfcfgConfig(StackConfig):
    """All that was read. `settings` are NetworkManager's, `global_file` is /etc/sysconfig/network."""

    stack: ClassVar[StackName] = StackName.IFCFG
    programs: ClassVar[tuple[str, ...]] = _BRCTL
    interfaces: tuple[Interface, ...]
    settings: Settings
    global_file: ShellFile
    addresses: tuple[InetAddress, ...]
    mentions: tuple[Mention, ...]
    own_files: tuple[str, ...]
    scripts_use_brctl: bool
    originals: Mapping[str, FileState | None] = field(default_factory=dict)
    unreadable: tuple[Problem, ...] = ()

    @override
    def configured(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(i.name for i in self.interfaces if i.on_boot and ":" not in i.name))

    @override
    def find_management(
        self, nics: Sequence[Nic], wished: str = ""
    ) -> tuple[Management | None, tuple[Problem, ...]]:
        carriers = [i for i in self.interfaces if i.has_addresses and ":" not in i.name]
        addressed = [i for i in carriers if wished in ("", i.name)]
        if not addressed and self.unreadable:
            return None, self.unreadable  # what cannot be read may be what is missing
        if len(addressed) != 1 or not addressed[0].on_boot:
            return None, (*self.unreadable, self._unclear(addressed, wished))
        interface = addressed[0]
        nic = next((nic for nic in nics if nic.name == interface.name), None)
        if nic is None or interface.kind is None or nic.kind is not interface.kind:
            what = f"no {interface.kind}" if interface.kind else f"TYPE={interface.file.value('TYPE')}, no"
            missing = error("nic-missing" if interface.kind else "nic-kind", f"{interface.name} is {what} interface "
                            "that can carry a bridge on this host", interface.file.at("TYPE"),
                            "correct DEVICE and TYPE, or plug it in")  # fmt: skip
            return None, (*self.unreadable, missing)
        ports = self._ports(interface, nics)
        management = Management(
            stack=self.stack,
            interface=nic.name,
            kind=nic.kind,
            mac=nic.mac,
            ports=ports,
            address_type=AddressType.IPV4 if interface.has_ipv4 else AddressType.IPV6,
            uses_dhcp=interface.uses_dhcp,
            at=interface.file.at("DEVICE"),
            bond=self._bond_of(interface),
            vlan=_vlan_id(interface),
        )
        return management, (*self.unreadable, *self._problems(interface, nic, ports))

    @override
    def move_to_bridge(self, management: Management, bridge: BridgeKind) -> NetworkEdit:
        interface = next((i for i in self.interfaces if i.name == management.interface), None)
        if interface is None:
            raise refusal("management-unknown", f"no ifcfg file configures {management.interface}", at=management.at,
                          remedy="make a new plan")  # fmt: skip
        if bridge is not BridgeKind.LINUX:
            raise refusal("openvswitch-unsupported", "Open vSwitch is not supported with ifcfg files",
                          at=interface.file.at("DEVICE"), remedy="choose the Linux bridge")  # fmt: skip
        nic = Nic(management.interface, management.mac, management.kind)
        identity = self._identity(interface, nic)
        variables = {_PROPERTIES["ipv4", key]: value for key, value in identity.ipv4.items()}
        variables |= {_PROPERTIES["ipv6", key]: value for key, value in identity.ipv6.items()}
        needs_brctl = self.scripts_use_brctl and not interface.by_network_manager
        return make_edit(
            interface, management, variables, needs=(("bridge-utils", *_BRCTL),) if needs_brctl else ()
        )

    def _unclear(self, addressed: Sequence[Interface], wished: str) -> Problem:
        where = ", ".join(interface.file.at("DEVICE") for interface in addressed)
        if len(addressed) > 1:
            names = ", ".join(interface.name for interface in addressed)
            return error("management-ambiguous", f"several interfaces have addresses: {names}", where,
                         "say which is the management interface: --management-interface NAME")  # fmt: skip
        if addressed:
            return error("management-not-started", f"{addressed[0].name} is not brought up at boot",
                         addressed[0].file.at("ONBOOT"), "set ONBOOT=yes")  # fmt: skip
        return error("management-unknown", f"no ifcfg file configures an interface {wished}".rstrip(),
                     f"{FOLDER}:1", "give the management interface an ifcfg file with its addresses")  # fmt: skip

    def _identity(self, interface: Interface, nic: Nic) -> Identity:
        """Return what NetworkManager would make from the interface's name; the scripts' clients go by its address."""
        if not interface.by_network_manager:
            return Identity({}, {}, ())
        device = Device(nic.name, nic.mac, nic.kind.value)
        return keep_identity(_as_keyfile(interface), device, self.settings, self.addresses)

    def _problems(self, interface: Interface, nic: Nic, ports: tuple[str, ...]) -> Iterator[Problem]:
        yield from unsupported(interface)
        for lower in self.interfaces:
            yield from bond_problems(lower.file) if lower.name == _below(interface) else ()
        yield from self._identity(interface, nic).problems
        yield from self._neighbours(interface)
        yield from self._by_name(interface)
        if not ports:
            yield error("nic-missing", f"the interfaces below {nic.name} are not to be told", interface.file.at("DEVICE"),
                        "see whether MASTER= or PHYSDEV= name them right")  # fmt: skip
        if nic.master:
            yield error("nic-enslaved", f"{nic.name} is a member of a {nic.master} already",
                        interface.file.at("DEVICE"), "take it out first")  # fmt: skip
        if interface.by_network_manager:
            yield from daemon_problems(self.settings, Device(nic.name, nic.mac, nic.kind.value))
        elif interface.file.is_on("DHCPV6C"):
            yield error("ifcfg-dhcpv6", "the DHCPv6 client is known to servers by the interface's name",
                        interface.file.at("DHCPV6C"), "have NetworkManager configure the interface")  # fmt: skip

    def _neighbours(self, interface: Interface) -> Iterator[Problem]:
        """Yield other files that configure the interface, stand on it, or have the bridge's name."""
        for other in self.interfaces:
            below = _below(other)
            of_range = other.path.startswith(f"{interface.path}-range")
            if other.name == BRIDGE:
                yield error("bridge-exists", f"there is an interface {BRIDGE} already", other.file.at("DEVICE"),
                            "rename or remove it")  # fmt: skip
            elif other is not interface and other.name == interface.name:
                yield error("ifcfg-twice", f"{other.name} is configured by two files", other.file.at("DEVICE"),
                            "remove one of them")  # fmt: skip
            elif other.name.startswith(f"{interface.name}:") or of_range or below == interface.name:
                yield error("ifcfg-stacked", f"{other.name} stands on {interface.name}", other.file.at("DEVICE"),
                            "VLANs, aliases and ranges on the management interface are not supported")  # fmt: skip

    def _by_name(self, interface: Interface) -> Iterator[Problem]:
        """Yield what is for the interface by its name alone."""
        name = interface.name
        for assignment in self.global_file.assignments:
            if names_interface(assignment.value, name):
                yield error("ifcfg-variable", f"{assignment.name} names {name}, which will have no addresses",
                            assignment.at, f"leave it out, or name {BRIDGE} after the reboot")  # fmt: skip
        for path in self.own_files:
            if path.rpartition("/")[2] in (f"keys-{name}", f"dhclient-{name}.conf", f"dhclient6-{name}.conf"):
                yield error("ifcfg-own-file", f"the file is for {name} alone", f"{path}:1",
                            "make it general, or remove it")  # fmt: skip
        for mention in self.mentions:
            if names_interface(mention.text, name):
                yield warning("names-interface", f"names {name}; traffic of the host will be {BRIDGE}'s", mention.at,
                              f"see whether it should say {BRIDGE} after the reboot")  # fmt: skip

    def _ports(self, interface: Interface, nics: Sequence[Nic]) -> tuple[str, ...]:
        """Return the NICs below an interface, () where they are not to be told."""
        if interface.kind is NicKind.ETHERNET:
            return (interface.name,)
        known = {nic.name for nic in nics}
        if interface.kind is NicKind.VLAN:
            below = _below(interface)
            lower = next((i for i in self.interfaces if i.name == below), None)
            return self._ports(lower, nics) if lower else (below,) if below in known else ()
        names = {interface.name, interface.file.value("UUID") or interface.name}
        return tuple(i.name for i in self.interfaces if i.controller in names and i.name in known)

    def _bond_of(self, interface: Interface) -> str:
        if interface.kind is NicKind.BOND:
            return interface.name
        lower = next((i for i in self.interfaces if i.name == _below(interface)), None)
        return lower.name if lower and lower.kind is NicKind.BOND else ""


def _below(interface: Interface) -> str:
    """Return what a VLAN stands on: PHYSDEV, or what its name says; "" for what is no VLAN."""
    if interface.kind is not NicKind.VLAN:
        return ""
    name = _VLAN_NAME.match(interface.name)
    return interface.file.value("PHYSDEV") or (name["below"] or "" if name else "")


def _vlan_id(interface: Interface) -> int:
    if interface.kind is not NicKind.VLAN:
        return 0
    name = _VLAN_NAME.match(interface.name)
    written = interface.file.value("VLAN_ID") or (name["id"] if name else "")
    return int(written) if re.fullmatch(r"[0-9]{1,4}", written) else 0


def _as_keyfile(interface: Interface) -> KeyFile:
    """Return the variables under the names that NetworkManager's plug-in gives them."""
    file = interface.file
    dhcp = file.value("BOOTPROTO").lower() == "dhcp"
    methods = {"ipv4": "auto" if dhcp else "manual" if interface.has_ipv4 else "disabled",
               "ipv6": interface.ipv6_method}  # fmt: skip
    entries = [Entry(group, "method", method, file.at("BOOTPROTO")) for group, method in methods.items()]
    for (group, key), variable in _PROPERTIES.items():
        if found := file.get(variable):
            entries.append(Entry(group, key, found.value, found.at))
    return KeyFile(file.path, (), (), tuple(entries))

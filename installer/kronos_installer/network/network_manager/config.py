"""NetworkManager's keyfile profiles as a network stack: who carries the addresses, and may it go below a bridge? Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.detect.owners import Mention, names_interface
from kronos_installer.network.findings import error, warning
from kronos_installer.network.network_manager.carried import bond_problems, unsupported
from kronos_installer.network.network_manager.daemon import daemon_problems
from kronos_installer.network.network_manager.edit import make_edit, profiles_of
from kronos_installer.network.network_manager.identity import InetAddress, keep_identity
from kronos_installer.network.network_manager.profiles import KINDS, RUN, Profile, Profiles, nics_of
from kronos_installer.network.network_manager.specs import Device, matches
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
from kronos_installer.problem import Level, Problem, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kronos_installer.host_files import FileState
    from kronos_installer.network.network_manager.settings import Settings

_UNIT = "/etc/systemd/system/multi-user.target.wants/NetworkManager.service:1"
_MADE_ANEW = re.compile(r"cloud-init|netplan", re.IGNORECASE)


@dataclass(frozen=True)
class NetworkManagerConfig(StackConfig):
    """All that was read. `ifupdown` are the interfaces of interfaces(5), which NetworkManager leaves to ifupdown.

    `nics` are the host's: profiles need not name theirs. `left_alone` are devices that got no connection made up for them
    since somebody removed it, in NetworkManager's words.
    """

    stack: ClassVar[StackName] = StackName.NETWORK_MANAGER
    settings: Settings
    profiles: Profiles
    ifupdown: frozenset[str]
    addresses: tuple[InetAddress, ...]
    mentions: tuple[Mention, ...]
    originals: Mapping[str, FileState | None] = field(default_factory=dict)
    unreadable: tuple[Problem, ...] = ()
    nics: tuple[Nic, ...] = ()
    left_alone: tuple[str, ...] = ()

    @override
    def configured(self) -> tuple[str, ...]:
        """Return the interfaces that profiles are bound to by name, ports of bonds too, or are activated on."""
        bound = [p for p in self.profiles.profiles if p.autoconnect and p.type in KINDS and p.interface]
        named = [
            p.interface
            for p in bound
            if p.interface not in self.ifupdown
            and self.settings.unmanaged(Device(p.interface, "", p.type))[0] is not True
        ]
        activated = [nic.name for nic in self.owned(self.nics) if self.profiles.best_for(nic)[0] is not None]
        return tuple(dict.fromkeys([*named, *activated]))

    @override
    def automatic(self) -> tuple[str, ...]:
        """Return the NICs of "Wired connection 1" and the like: managed, without any profile, not in no-auto-default."""
        entries = self.settings.entries("main", "no-auto-default")
        specs = [*(spec for entry in entries for spec in entry.items), *self.left_alone]
        return tuple(
            nic.name
            for nic in self.owned(self.nics)
            if nic.kind is NicKind.ETHERNET
            and self.settings.unmanaged(_device(nic))[0] is False
            and matches(specs, _device(nic)) is False
            and not any(profile.matches(nic) for profile in self.profiles.profiles)
        )

    @override
    def owned(self, nics: Sequence[Nic]) -> tuple[Nic, ...]:
        """Return the interfaces that NetworkManager manages, those that it cannot be told of among them."""
        kinds = {NicKind.ETHERNET, NicKind.BOND, NicKind.VLAN}
        return tuple(
            nic
            for nic in nics
            if nic.kind in kinds
            and nic.name not in self.ifupdown
            and self.settings.unmanaged(_device(nic))[0] is not True
        )

    @override
    def find_management(
        self, nics: Sequence[Nic], wished: str = ""
    ) -> tuple[Management | None, tuple[Problem, ...]]:
        problems = [*self.unreadable, *self.profiles.problems]
        carriers = {nic.name: (nic, profile) for nic, profile in self._carriers(nics)}
        if wished:
            carriers = {name: found for name, found in carriers.items() if name == wished}
        if len(carriers) != 1:
            if not carriers and any(problem.level is Level.ERROR for problem in problems):
                return None, tuple(problems)  # what cannot be read may be what is missing
            unclear = list(self._unclear(nics, carriers, wished))
            return None, (*problems, *(unclear[:-1] or unclear))
        nic, profile = next(iter(carriers.values()))
        ports, missing = self._ports(profile, nic, nics)
        problems += missing
        problems += self._problems(nic, profile, nics)
        ipv4 = profile.file.value("ipv4", "method")
        methods = (ipv4, profile.file.value("ipv6", "method"))
        management = Management(
            stack=self.stack,
            interface=nic.name,
            kind=nic.kind,
            mac=nic.mac,
            ports=ports,
            address_type=AddressType.IPV4 if ipv4 in ("auto", "manual") else AddressType.IPV6,
            uses_dhcp=methods[0] == "auto" or methods[1] in ("auto", "dhcp"),
            at=profile.at,
            bond=self._bond_of(profile),
            vlan=int(profile.file.value("vlan", "id")) if _has_vlan_id(profile) else 0,
        )
        return management, tuple(problems)

    @override
    def move_to_bridge(self, management: Management, bridge: BridgeKind) -> NetworkEdit:
        nic = Nic(management.interface, management.mac, management.kind)
        profile = self._best(nic)
        if bridge is not BridgeKind.LINUX:
            raise refusal(
                "openvswitch-unsupported",
                "Open vSwitch is not supported where NetworkManager configures the network",
                at=profile.at, remedy="choose the Linux bridge",
                description="NetworkManager needs a plug-in for it and takes Open vSwitch's ports for its own, "
                "which the toolstack's are not.")  # fmt: skip
        identity = keep_identity(profile.file, _device(nic), self.settings, self.addresses)
        return make_edit(profile, management, identity)

    def _best(self, nic: Nic) -> Profile:
        profile, _ = self.profiles.best_for(nic)
        if profile is None:
            raise refusal("management-unknown", f"NetworkManager has no connection for {nic.name}", at=_UNIT,
                          remedy="make a new plan")  # fmt: skip
        return profile

    def _carriers(self, nics: Sequence[Nic]) -> Iterator[tuple[Nic, Profile]]:
        for nic in self.owned(nics):
            profile, _ = self.profiles.best_for(nic)
            if profile is not None and profile.has_addresses:
                yield nic, profile

    def _unclear(
        self, nics: Sequence[Nic], carriers: Mapping[str, tuple[Nic, Profile]], wished: str
    ) -> Iterator[Problem]:
        """Yield why there is no one interface with addresses: the last is the most general."""
        if carriers:
            where = ", ".join(profile.at for _, profile in carriers.values())
            yield error("management-ambiguous", f"several interfaces have addresses: {', '.join(carriers)}", where,
                        "say which is the management interface: --management-interface NAME")  # fmt: skip
            return
        idle = [
            p for p in self.profiles.profiles if not p.autoconnect and (not wished or p.interface == wished)
        ]
        for profile in idle:
            if profile.has_addresses and profile.type in KINDS:
                yield error("management-not-started", f"the connection of {profile.interface or 'any interface'} "
                             "is not activated at boot", profile.at,
                             f"nmcli connection modify {profile.uuid} connection.autoconnect yes")  # fmt: skip
                return
        for nic in nics:
            if not wished or nic.name == wished:
                yield from self._no_carrier(nic)
        yield error("management-unknown", f"NetworkManager configures no interface {wished}".rstrip(), _UNIT,
                    "give the management interface a connection: nmcli connection add")  # fmt: skip

    def _no_carrier(self, nic: Nic) -> Iterator[Problem]:
        """Yield why NetworkManager gives an interface no addresses, if that is to be told."""
        profile, _ = self.profiles.best_for(nic)
        unmanaged, at = self.settings.unmanaged(_device(nic))
        if nic.kind not in KINDS.values() or nic.name in self.ifupdown:
            return
        if profile is None and unmanaged is False:
            yield error("nm-no-profile", f"NetworkManager keeps no connection of {nic.name} in a file", f"{RUN}:1",
                        f"write one: nmcli connection add type {nic.kind} ifname {nic.name}")  # fmt: skip
        elif profile is not None and unmanaged:
            yield error("nm-unmanaged", f"NetworkManager is told to leave {nic.name} alone", at,
                        f"add except:interface-name:{nic.name}")  # fmt: skip
        elif profile is not None and profile.controller:
            yield error("nic-enslaved", f"{nic.name} is a port of {profile.controller} already", profile.at,
                        "take it out first")  # fmt: skip

    def _problems(self, nic: Nic, profile: Profile, nics: Sequence[Nic]) -> Iterator[Problem]:
        yield from unsupported(profile, nic.name)
        below = self.profiles.of_reference(profile.file.value("vlan", "parent"))
        yield from bond_problems(below) if below else ()
        yield from self._ownership(nic, profile, nics)
        yield from self._others(nic, profile)
        yield from keep_identity(profile.file, _device(nic), self.settings, self.addresses).problems
        yield from daemon_problems(self.settings, _device(nic))
        if nic.master:
            yield error("nic-enslaved", f"{nic.name} is a member of a {nic.master} already", profile.at,
                        "take it out first")  # fmt: skip

    def _ownership(self, nic: Nic, profile: Profile, nics: Sequence[Nic]) -> Iterator[Problem]:
        """Yield what makes it unsure that this profile is the one that NetworkManager activates on the interface."""
        _, same = self.profiles.best_for(nic)
        if same:
            yield error("nm-ambiguous", f"several connections are as good for {nic.name}",
                        ", ".join(p.at for p in (profile, *same)),
                        "give one a higher connection.autoconnect-priority, or remove the others")  # fmt: skip
        others = [other.name for other in nics_of(profile, nics) if other.name != nic.name]
        if others:
            yield error("nm-unbound", f"the connection may be activated on {', '.join(others)} as well", profile.at,
                        f"nmcli connection modify {profile.uuid} connection.interface-name {nic.name}")  # fmt: skip
        made_anew = [n for n, line in enumerate(profile.file.lines, 1) if _MADE_ANEW.search(line)]
        if made_anew or "/netplan-" in profile.path:
            yield error("cloud-init-network", "netplan or cloud-init writes this connection anew at every boot",
                        f"{profile.path}:{made_anew[0] if made_anew else 1}", "tell cloud-init to leave the network "
                        "alone (/etc/cloud/cloud.cfg.d), and remove what names it from the connection")  # fmt: skip
        if profile.path.startswith(f"{RUN}/") and not profile.generated:
            yield error("nm-volatile", "the connection is not kept over a reboot", profile.at,
                        f"nmcli connection modify {profile.uuid} connection.autoconnect yes")  # fmt: skip

    def _others(self, nic: Nic, profile: Profile) -> Iterator[Problem]:
        """Yield what else stands on the interface or names it."""
        for other in self.profiles.profiles:
            if other.interface == BRIDGE or other.path in profiles_of(profile):
                yield error("bridge-exists", f"there is a connection of {BRIDGE} already", other.at,
                            "rename or remove it")  # fmt: skip
            for group in other.file.group_names:
                parent = other.file.get(group, "parent")
                if other is not profile and parent and parent.text in (nic.name, profile.uuid, nic.mac):
                    yield error("nm-stacked", f"{other.interface or other.type} stands on {nic.name}", parent.at,
                                f"{nic.name} must be used by nothing else")  # fmt: skip
        for mention in self.mentions:
            if names_interface(mention.text, nic.name):
                yield warning("names-interface", f"names {nic.name}; traffic of the host will be {BRIDGE}'s",
                              mention.at, f"see whether it should say {BRIDGE} after the reboot")  # fmt: skip

    def _ports(
        self, profile: Profile, nic: Nic, nics: Sequence[Nic]
    ) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
        """Return the NICs below an interface, and what is missing of them."""
        if profile.type == "ethernet":
            return (nic.name,), ()
        if profile.type == "vlan":
            parent = profile.file.get("vlan", "parent")
            below = self.profiles.of_reference(parent.text if parent else "")
            lower = [n for n in nics if parent and parent.text in (n.name, n.mac)]
            if below is not None and below.interface:
                lower = [n for n in nics if n.name == below.interface]
            if not _has_vlan_id(profile) or len(lower) != 1:
                return (), (error("nic-missing", f"the interface below {nic.name} is not to be told", profile.at,
                                  "write id= and parent= with an interface's name into [vlan]"),)  # fmt: skip
            return self._ports(below, lower[0], nics) if below else ((lower[0].name,), ())
        ports = tuple(n.name for port in self.profiles.ports_of(profile) for n in nics_of(port, nics))
        if ports:
            return tuple(dict.fromkeys(ports)), ()
        return (), (error("nic-missing", f"{nic.name} has no ports on this host", profile.at,
                          "see whether its ports' connections name them right"),)  # fmt: skip

    def _bond_of(self, profile: Profile) -> str:
        if profile.type == "bond":
            return profile.interface
        below = self.profiles.of_reference(profile.file.value("vlan", "parent"))
        return below.interface if below and below.type == "bond" else ""


def _has_vlan_id(profile: Profile) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,4}", profile.file.value("vlan", "id")))


def _device(nic: Nic) -> Device:
    return Device(nic.name, nic.mac, nic.kind.value)

"""The ifcfg files of a host, and what each configures (sysconfig.txt of initscripts, nm-settings-ifcfg-rh(5))."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.nics import NicKind
from kronos_installer.host_files import UnsuitableFileError
from kronos_installer.network.findings import error
from kronos_installer.network.ifcfg.shell_file import ShellFile, parse_shell_file
from kronos_installer.problem import Problem, ProblemError

if TYPE_CHECKING:
    from kronos_installer.host_files import FileState, HostFiles

FOLDER = "/etc/sysconfig/network-scripts"
# Beside an interface's ifcfg file, by its name: routes and rules move with the addresses.
SIDE_FILES = ("route", "route6", "rule", "rule6")
# Both readers pass these over.
_IGNORED = (".bak", ".orig", ".rej", ".old", ".rpmnew", ".rpmsave", ".rpmorig", "~")
_NUMBERED_ADDRESS = re.compile(r"IPADDR\d*\Z")


@dataclass(frozen=True)
class Interface:
    """One ifcfg file and those beside it. `by_network_manager` says who reads it."""

    file: ShellFile
    state: FileState
    sides: dict[str, FileState]
    by_network_manager: bool

    @property
    def path(self) -> str:
        """Its ifcfg file."""
        return self.file.path

    @property
    def name(self) -> str:
        """The interface: DEVICE, or what the file is named after."""
        return self.file.value("DEVICE") or posixpath.basename(self.path).removeprefix("ifcfg-")

    @property
    def kind(self) -> NicKind | None:
        """What it is, None for what cannot carry the addresses of a host."""
        type_ = self.file.value("TYPE").lower()
        if self.file.is_on("VLAN") or type_ == "vlan":
            return NicKind.VLAN
        if type_ == "bond" or self.file.is_on("BONDING_MASTER") or self.file.get("BONDING_OPTS"):
            return NicKind.BOND
        return NicKind.ETHERNET if type_ in ("", "ethernet") else None

    @property
    def controller(self) -> str:
        """Name or uuid of the bond or bridge that it is a port of, "" for none."""
        names = ("MASTER", "MASTER_UUID", "BRIDGE", "BRIDGE_UUID", "TEAM_MASTER", "OVS_BRIDGE")
        return next((value for name in names if (value := self.file.value(name))), "")

    @property
    def on_boot(self) -> bool:
        """Whether it is brought up at boot."""
        return self.file.is_on("ONBOOT", default=True)

    @property
    def uses_dhcp(self) -> bool:
        """Whether any address comes by DHCP, or may."""
        return self.file.value("BOOTPROTO").lower() in ("dhcp", "bootp") or self.ipv6_method in (
            "auto",
            "dhcp",
        )

    @property
    def has_ipv4(self) -> bool:
        """Whether it has IPv4 addresses."""
        has_address = any(_NUMBERED_ADDRESS.match(a.name) and a.value for a in self.file.assignments)
        return has_address or self.file.value("BOOTPROTO").lower() in ("dhcp", "bootp")

    @property
    def ipv6_method(self) -> str:
        """Return NetworkManager's word for how it gets IPv6 addresses: auto, dhcp, manual or disabled."""
        file = self.file
        if not file.is_on("IPV6INIT") or file.is_on("IPV6_DISABLED"):
            return "disabled"
        if file.is_on("DHCPV6C") and not file.is_on("IPV6_AUTOCONF"):
            return "dhcp"
        return "auto" if file.is_on("IPV6_AUTOCONF", default=not file.get("IPV6ADDR")) else "manual"

    @property
    def has_addresses(self) -> bool:
        """Whether it configures IP at all, and is no port."""
        return not self.controller and (self.has_ipv4 or self.file.is_on("IPV6INIT"))


def read_interfaces_of(
    files: HostFiles, *, network_manager: bool, network_service: bool
) -> tuple[tuple[Interface, ...], tuple[Problem, ...]]:
    """Read all ifcfg files that somebody reads at boot. What cannot be parsed becomes a Problem."""
    found: list[Interface] = []
    problems: list[Problem] = []
    for path in files.glob(f"{FOLDER}/ifcfg-*"):
        name = posixpath.basename(path).removeprefix("ifcfg-")
        if name == "lo" or path.endswith(_IGNORED):
            continue
        try:
            interface = _read(files, path, name, network_manager=network_manager)
        except ProblemError as refused:
            problems.append(refused.problem)
        except UnsuitableFileError as unsuitable:
            problems.append(error("file-unsuitable", str(unsuitable), f"{path}:1", unsuitable.resolution))
        else:
            if interface.by_network_manager or network_service:
                found.append(interface)
    return tuple(found), tuple(problems)


def _read(files: HostFiles, path: str, name: str, *, network_manager: bool) -> Interface:
    state = files.state(path)
    content = state.content if state else b""
    file = parse_shell_file(path, content.decode("latin-1"))
    by_network_manager = network_manager and file.is_on("NM_CONTROLLED", default=True)
    # The scripts read those of the interface's name beside those of the file's (ifup-routes of initscripts).
    names = dict.fromkeys([name, *([] if by_network_manager else [file.value("DEVICE") or name])])
    sides = {
        side: found
        for kind in SIDE_FILES
        for of in names
        if (found := files.state(side := f"{FOLDER}/{kind}-{of}")) is not None
    }
    if state is None:
        raise ProblemError(error("ifcfg-syntax", "the file went away", f"{path}:1", "try again"))
    return Interface(file, state, sides, by_network_manager)

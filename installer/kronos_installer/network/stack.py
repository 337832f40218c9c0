"""What every network stack answers: who carries the management addresses, and which files put them on a bridge.

A stack's module reads its files once into a StackConfig; all else is a pure function of that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kronos_installer.detect.nics import Nic, NicKind
    from kronos_installer.host_files import FileState
    from kronos_installer.problem import Problem

BRIDGE = "xenbr0"
# What the toolstack adds for guests, and what dom0's own qemu (8.2 and later) adds to dom0, below Xen only: an
# interface behind qemu's user network, which would be given an address, routes and name servers from there.
GUESTS_INTERFACES = ("vif*", "tap*")
QEMUS_INTERFACES = "enX*"


class StackName(StrEnum):
    """The software that configures interfaces on the host."""

    IFUPDOWN = "ifupdown"
    NETPLAN = "netplan"
    NETWORKD = "systemd-networkd"
    NETWORK_MANAGER = "NetworkManager"
    IFCFG = "ifcfg"


class BridgeKind(StrEnum):
    """What the management bridge is made of."""

    LINUX = "bridge"
    OPENVSWITCH = "openvswitch"


class AddressType(StrEnum):
    """The words of MANAGEMENT_ADDRESS_TYPE in /etc/xensource-inventory."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"


@dataclass(frozen=True)
class Management:
    """The interface that carries the host's addresses, as its stack configures it.

    `interface` is a NIC, a bond or a VLAN; `ports` are the NICs below it, itself for a NIC. `at` is the file and line
    of its configuration. `bond` and `vlan` are the bond's name and the VLAN's number where there is one below or in it.
    """

    stack: StackName
    interface: str
    kind: NicKind
    mac: str
    ports: tuple[str, ...]
    address_type: AddressType
    uses_dhcp: bool
    at: str
    bond: str = ""
    vlan: int = 0


@dataclass(frozen=True)
class NetworkEdit:
    """The files that put the addresses on the bridge: new bytes by path, None for a file that goes away.

    `modes` are the permission bits of files that are new. `switch` makes the running network follow the files
    without a reboot, in this order; `switch_back` makes it follow the old files once they are back.
    `needs` is what the files do not work without: a package's name and then absolute paths, any one of which will do.
    """

    files: Mapping[str, bytes | None]
    switch: tuple[tuple[str, ...], ...]
    switch_back: tuple[tuple[str, ...], ...]
    modes: Mapping[str, int] = field(default_factory=dict)
    needs: tuple[tuple[str, ...], ...] = ()


class StackConfig(ABC):
    """One stack's configuration on the host: a frozen dataclass of all that was read from its files.

    `originals` holds every file that was read and every one that an edit may write, None where there is none.
    """

    stack: ClassVar[StackName]
    # Every path that NetworkEdit.needs may name: which of them are there is a fact.
    programs: ClassVar[tuple[str, ...]] = ()
    originals: Mapping[str, FileState | None]

    @abstractmethod
    def configured(self) -> tuple[str, ...]:
        """Return the interfaces that this stack gives addresses to or brings up, without lo."""

    def owned(self, nics: Sequence[Nic]) -> tuple[Nic, ...]:
        """Return those of the interfaces that this stack takes care of, also where nothing names them."""
        names = self.configured()
        return tuple(nic for nic in nics if nic.name in names)

    def automatic(self) -> tuple[str, ...]:
        """Return the interfaces that this stack gives addresses to by itself, though nothing tells it to."""
        return ()

    @abstractmethod
    def find_management(
        self, nics: Sequence[Nic], wished: str = ""
    ) -> tuple[Management | None, tuple[Problem, ...]]:
        """Return the management interface, None when it is not clear, and all that forbids moving it.

        Everything that is not known to mean the same on a bridge is an ERROR with its file and line.
        """

    @abstractmethod
    def move_to_bridge(self, management: Management, bridge: BridgeKind) -> NetworkEdit:
        """Return the edit that makes `management.interface` a port of BRIDGE, which takes over addresses, routes, DNS.

        The result has been read back and compared. Raises ProblemError for what cannot be written.
        """

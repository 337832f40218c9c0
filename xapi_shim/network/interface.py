"""What the toolstack asks of the host's network, and what it is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from xapi_shim.base.errors import KronosError


class IpMode(StrEnum):
    """How an interface has its address (PIF.ip_configuration_mode)."""

    NONE = "None"
    DHCP = "DHCP"
    STATIC = "Static"


@dataclass(frozen=True)
class Nic:
    """A physical network interface; `bridge` is the one it is a port of, if any."""

    device: str
    mac: str
    mtu: int
    carrier: bool
    speed_mbit: int  # 0 where the link is down or the driver does not tell
    full_duplex: bool
    vendor_name: str = ""
    device_name: str = ""
    vendor_id: str = ""  # four hex digits
    device_id: str = ""
    pci_bus_path: str = ""  # such as 0000:00:03.0; empty for interfaces on other buses
    driver: str = ""
    bridge: str | None = None


@dataclass(frozen=True)
class Bond:
    """NICs that act as one; `mode` is the kernel's name for how (active-backup, 802.3ad, ...)."""

    device: str
    mac: str
    mtu: int
    carrier: bool
    mode: str
    members: tuple[str, ...]
    bridge: str | None = None


@dataclass(frozen=True)
class Vlan:
    """What carries the tag `tag` on the NIC or bond `below`."""

    device: str
    mac: str
    mtu: int
    carrier: bool
    below: str
    tag: int
    bridge: str | None = None


@dataclass(frozen=True)
class Bridge:
    """A bridge of Linux or Open vSwitch; `ports` holds what leads out of the host and guests' interfaces."""

    name: str
    mac: str
    mtu: int
    ports: tuple[str, ...] = ()
    is_openvswitch: bool = False


@dataclass(frozen=True)
class ManagementAddress:
    """The address by which the host is reached: `interface` is the bridge or NIC that holds it.

    Empty strings where there is none.
    """

    interface: str
    mode: IpMode
    ip: str
    netmask: str
    gateway: str
    dns: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()  # with prefix lengths, link-local ones left out
    ipv6_gateway: str = ""


@dataclass(frozen=True)
class HostInterfaces:
    """All of the host's network as of one moment; `management` is None on a host without an address."""

    nics: tuple[Nic, ...]
    bridges: tuple[Bridge, ...]
    management: ManagementAddress | None
    bonds: tuple[Bond, ...] = ()
    vlans: tuple[Vlan, ...] = ()

    @property
    def backend(self) -> str:
        """What the management bridge is made of, as host.software_version names it."""
        own = self.management.interface if self.management else ""
        is_ours = any(bridge.is_openvswitch and bridge.name == own for bridge in self.bridges)
        return "openvswitch" if is_ours else "bridge"


class NetworkError(KronosError):
    """The host's network cannot be read or changed as asked."""


class BridgeNameError(NetworkError):
    """A name that no bridge can have, or that is another interface's."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"bridge {name!r}: {reason}")
        self.name, self.reason = name, reason


class BridgeInUseError(NetworkError):
    """A bridge with ports is not removed."""

    def __init__(self, name: str, ports: tuple[str, ...]) -> None:
        super().__init__(f"bridge {name} has ports: {', '.join(ports)}", resolution="unplug them first")
        self.name, self.ports = name, ports


class HostNetwork(Protocol):
    """The host's network. Every message may raise NetworkError."""

    async def read(self) -> HostInterfaces:
        """Return the network as it is now."""
        ...

    async def create_bridge(self, name: str) -> None:
        """Make a bridge without an uplink, up; one that is there already is left as it is.

        Raises BridgeNameError.
        """
        ...

    async def destroy_bridge(self, name: str) -> None:
        """Remove a bridge that `create_bridge` made; any other is left as it is, and a missing one no error.

        Raises BridgeInUseError.
        """
        ...

    async def wake(self, mac: str) -> None:
        """Wake the machine whose card has this address, on the network of the management address."""
        ...

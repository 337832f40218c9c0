"""A host's network in memory, for the simulator and for tests of what stands above it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xapi_shim.network.interface import (
    Bridge,
    BridgeInUseError,
    BridgeNameError,
    HostInterfaces,
    IpMode,
    ManagementAddress,
    Nic,
)
from xapi_shim.network.linux import check_bridge_name
from xapi_shim.network.wake import broadcast_address, magic_packet

_MAC = "52:54:00:00:00:01"


def _one_nic_behind_a_bridge() -> HostInterfaces:
    """Return a host as host set-up leaves it."""
    nic = Nic("eth0", _MAC, 1500, carrier=True, speed_mbit=1000, full_duplex=True, bridge="xenbr0")
    management = ManagementAddress(
        "xenbr0", IpMode.STATIC, "192.0.2.10", "255.255.255.0", "192.0.2.1", ("192.0.2.1",)
    )
    return HostInterfaces((nic,), (Bridge("xenbr0", _MAC, 1500, ("eth0",)),), management)


@dataclass
class SimulatedNetwork:
    """A HostNetwork; `interfaces` may be set to any host's."""

    interfaces: HostInterfaces = field(default_factory=_one_nic_behind_a_bridge)
    # The packets that were sent to wake others, with their network's address.
    woken: list[tuple[bytes, str]] = field(default_factory=list)
    _ours: set[str] = field(default_factory=set)

    async def read(self) -> HostInterfaces:
        return self.interfaces

    async def create_bridge(self, name: str) -> None:
        check_bridge_name(name)
        if any(nic.device == name for nic in self.interfaces.nics):
            raise BridgeNameError(name, "another interface has this name")
        if self._find(name) is None:
            made = Bridge(name, "fe:ff:ff:ff:ff:ff", 1500)
            self.interfaces = replace(self.interfaces, bridges=(*self.interfaces.bridges, made))
            self._ours.add(name)

    async def destroy_bridge(self, name: str) -> None:
        check_bridge_name(name)
        bridge = self._find(name)
        if bridge is None or name not in self._ours:
            return
        if bridge.ports:
            raise BridgeInUseError(name, bridge.ports)
        rest = tuple(other for other in self.interfaces.bridges if other.name != name)
        self.interfaces = replace(self.interfaces, bridges=rest)
        self._ours.discard(name)

    async def wake(self, mac: str) -> None:
        self.woken.append((magic_packet(mac), broadcast_address(self.interfaces.management)))

    def _find(self, name: str) -> Bridge | None:
        return next((bridge for bridge in self.interfaces.bridges if bridge.name == name), None)

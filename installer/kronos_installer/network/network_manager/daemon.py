"""What NetworkManager's own configuration says against an interface, however its connection is written. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.network.findings import error
from kronos_installer.network.network_manager.specs import Device
from kronos_installer.network.stack import BRIDGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.network.network_manager.settings import Settings
    from kronos_installer.problem import Problem

_OWN_DHCP = ("internal", "systemd", "nettools")


def daemon_problems(settings: Settings, device: Device) -> Iterator[Problem]:
    """Yield what keeps NetworkManager from doing on the bridge what it does on `device`."""
    for name, found in ((device.name, device), (BRIDGE, Device(BRIDGE, device.mac, "bridge"))):
        unmanaged, at = settings.unmanaged(found)
        if unmanaged is not False:
            yield error("nm-unmanaged", f"NetworkManager is told to leave {name} alone, or may be", at,
                        f"add except:interface-name:{name}")  # fmt: skip
    dhcp = settings.last("main", "dhcp")
    if dhcp and dhcp.text not in _OWN_DHCP:
        yield error("nm-dhcp-client", f"NetworkManager uses {dhcp.text}, which is known to servers by the "
                    "interface's name", dhcp.at, "use NetworkManager's own: dhcp=internal")  # fmt: skip
    cloned, certain = settings.default("ethernet.cloned-mac-address", device)
    if cloned and not (certain and cloned.text in ("permanent", "preserve")):
        yield error("nm-default", "the interface's Ethernet address may be another at each activation", cloned.at,
                    "write ethernet.cloned-mac-address=permanent into the connection")  # fmt: skip

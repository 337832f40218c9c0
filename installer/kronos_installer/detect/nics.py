"""Network interfaces as the kernel shows them below /sys/class/net."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kronos_installer.detect.alternative_names import read_alternative_names

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

_ETHERNET = "1"  # ARPHRD_ETHER, linux/if_arp.h
_ADDRESS = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


class NicKind(StrEnum):
    """What an interface is."""

    ETHERNET = "ethernet"
    WIRELESS = "wireless"
    LOOPBACK = "loopback"
    BRIDGE = "bridge"
    BOND = "bond"
    VLAN = "vlan"
    VIRTUAL = "virtual"


@dataclass(frozen=True)
class Nic:
    """One interface. `mac` is its Ethernet address, "" where it shows none.

    `master` is "bridge" or "bond" when it is already a member of one, else "". `alternatives` are its other names.
    """

    name: str
    mac: str
    kind: NicKind
    master: str = ""
    alternatives: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, which systemd takes for the same."""
        return (self.name, *self.alternatives)


def read_nics(files: HostFiles) -> tuple[Nic, ...]:
    """Return the host's interfaces by name."""
    return tuple(
        _nic(files, path) for path in files.glob("/sys/class/net/*") if files.at(f"{path}/address").exists()
    )


def _is_qemus(files: HostFiles, path: str) -> bool:
    """Tell whether it is what dom0's own qemu adds below Xen: a Xen front end, of which dom0 has no other."""
    in_control = "control_d" in files.read("/proc/xen/capabilities")
    return in_control and "DRIVER=vif" in files.read(f"{path}/device/uevent").splitlines()


def _nic(files: HostFiles, path: str) -> Nic:
    mac = files.read(f"{path}/address").strip().lower()
    in_bridge = files.exists(f"{path}/brport")
    in_bond = files.exists(f"{path}/bonding_slave")
    master = "bridge" if in_bridge else "bond" if in_bond else ""
    name = path.rpartition("/")[2]
    mac = mac if _ADDRESS.fullmatch(mac) else ""
    return Nic(name, mac, _kind(files, path), master, read_alternative_names(files, name))


def _kind(files: HostFiles, path: str) -> NicKind:
    by_devtype = {
        "wlan": NicKind.WIRELESS,
        "bridge": NicKind.BRIDGE,
        "bond": NicKind.BOND,
        "vlan": NicKind.VLAN,
    }
    kind = by_devtype.get(devtype(files.read(f"{path}/uevent")))
    if kind is not None:
        return kind
    if path.endswith("/lo"):
        return NicKind.LOOPBACK
    if files.exists(f"{path}/wireless"):
        return NicKind.WIRELESS
    if _is_qemus(files, path):
        return NicKind.VIRTUAL
    is_ethernet = files.read(f"{path}/type").strip() == _ETHERNET
    return NicKind.ETHERNET if is_ethernet and files.exists(f"{path}/device") else NicKind.VIRTUAL


def devtype(uevent: str) -> str:
    """Return DEVTYPE of a sysfs uevent file, "" where it has none, as plain Ethernet does."""
    for line in uevent.splitlines():
        if line.startswith("DEVTYPE="):
            return line.removeprefix("DEVTYPE=")
    return ""

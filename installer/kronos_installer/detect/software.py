"""Software that shares the processor's virtualisation, the bridges or the toolstack's place with a XenAPI host."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

_WANTS = "/etc/systemd/system/*.wants/"
_KVM = ("/sys/module/kvm_intel/refcnt", "/sys/module/kvm_amd/refcnt")
_LIBVIRT_UNITS = ("libvirtd.service", "virtqemud.service", "libvirtd.socket", "virtqemud.socket")
_DOCKER_CONFIG = "/etc/docker/daemon.json"
_BRIDGE_NETFILTER = "/proc/sys/net/bridge/bridge-nf-call-iptables"
# Daemons of the other toolstacks for Xen: their units, and where the appliance keeps its programs.
_TOOLSTACKS = (
    f"{_WANTS}xenopsd*.service", f"{_WANTS}xcp-*.service", f"{_WANTS}squeezed.service", f"{_WANTS}xend.service",
    "/etc/init.d/xend", "/opt/xensource/bin/xapi", "/usr/sbin/xenopsd-xc",
)  # fmt: skip
_BRAND = "PRODUCT_BRAND"
_OURS = "Kronos"
_INVENTORY = "/etc/xensource-inventory"


@dataclass(frozen=True)
class Software:
    """Each field but `kvm_users` is where it was seen, a path or file and line, "" or empty for nowhere.

    `kvm_users` counts what holds /dev/kvm open or runs on it. `other_inventory` is the line that names another product.
    `xen_guests` are those that Xen's own scripts start at boot (/etc/xen/auto).
    """

    kvm_users: int
    kvm_at: str
    libvirt: str
    libvirt_networks: tuple[str, ...]
    docker: str
    docker_keeps_iptables: bool
    podman: str
    bridge_netfilter: str
    toolstacks: tuple[str, ...]
    other_inventory: str
    xen_guests: tuple[str, ...]


def read_software(files: HostFiles) -> Software:
    """Read all of it from files; a module's count of users is the kernel's own (sysfs-module ABI)."""
    counts = {path: parse_refcount(files.read(path)) for path in _KVM}
    busy = next((path for path, users in counts.items() if users), "")
    return Software(
        kvm_users=sum(counts.values()),
        kvm_at=busy,
        libvirt=_first(files, *(f"{_WANTS}{unit}" for unit in _LIBVIRT_UNITS)),
        libvirt_networks=files.glob("/etc/libvirt/qemu/networks/autostart/*.xml"),
        docker=_first(files, f"{_WANTS}docker.service", f"{_WANTS}docker.socket"),
        docker_keeps_iptables=parse_docker_iptables(files.read(_DOCKER_CONFIG)),
        podman=_first(files, "/usr/bin/podman"),
        bridge_netfilter=f"{_BRIDGE_NETFILTER}:1" if files.read(_BRIDGE_NETFILTER).strip() == "1" else "",
        toolstacks=tuple(path for pattern in _TOOLSTACKS for path in files.glob(pattern)),
        other_inventory=_other_brand(files.read(_INVENTORY)),
        xen_guests=files.glob("/etc/xen/auto/*"),
    )


def parse_refcount(text: str) -> int:
    """Return a module's count of users; -1 is said of one that cannot be unloaded, and means nobody."""
    stripped = text.strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() else 0


def parse_docker_iptables(text: str) -> bool:
    """Tell whether docker sets iptables rules, as it does unless daemon.json's `iptables` is false."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return True
    return not (isinstance(found, dict) and found.get("iptables") is False)


def _other_brand(text: str) -> str:
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(rf"{_BRAND}=['\"]?([^'\"]*)", line)
        if found and found[1] != _OURS:
            return f"{_INVENTORY}:{number}"
    return ""


def _first(files: HostFiles, *patterns: str) -> str:
    return next((path for pattern in patterns for path in files.glob(pattern)), "")

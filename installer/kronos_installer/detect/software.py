"""Software that shares the processor's virtualisation, the bridges or the toolstack's place with a XenAPI host."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.readings import number_of
from kronos_installer.detect.units import enabled

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

_KVM = ("/sys/module/kvm_intel/refcnt", "/sys/module/kvm_amd/refcnt")
_LIBVIRT_UNITS = ("libvirtd.service", "virtqemud.service", "libvirtd.socket", "virtqemud.socket")
_DOCKER_CONFIG = "/etc/docker/daemon.json"
_BRIDGE_NETFILTER = "/proc/sys/net/bridge/bridge-nf-call-iptables"
# Daemons of the other toolstacks for Xen: their units, and where the appliance keeps its programs.
_TOOLSTACK_UNITS = ("xenopsd*.service", "xcp-*.service", "squeezed.service", "xend.service")
_TOOLSTACKS = (
    "/etc/init.d/xend", "/opt/xensource/bin/xapi", "/usr/sbin/xenopsd-xc",
)  # fmt: skip
_DOCKER_UNITS = ("docker.service", "docker.socket", "snap.docker.dockerd.service")
# What makes a host an appliance for KVM guests that is set up by itself: Proxmox VE (a Debian by its os-release), oVirt.
_APPLIANCE_UNITS = ("pvedaemon.service", "pve-cluster.service", "vdsmd.service")
_BRAND = "PRODUCT_BRAND"
_OURS = "Kronos"
_INVENTORY = "/etc/xensource-inventory"


@dataclass(frozen=True)
class Software:
    """Each field but `kvm_users` is where it was seen, a path or file and line, "" or empty for nowhere.

    `kvm_users` counts what holds /dev/kvm open or runs on it. `other_inventory` is the line that names another product.
    `libvirt_networks` are started at boot, `libvirt_active` run now. `libvirt_guests` are those that libvirt starts at boot, `appliances` are managers of KVM guests that own a host.
    `xen_guests` are those that Xen's own scripts start at boot (/etc/xen/auto).
    """

    kvm_users: int
    kvm_at: str
    libvirt: str
    libvirt_networks: tuple[str, ...]
    libvirt_active: tuple[str, ...]
    libvirt_guests: tuple[str, ...]
    appliances: tuple[str, ...]
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
        libvirt=_first(enabled(files, *_LIBVIRT_UNITS)),
        libvirt_networks=files.glob("/etc/libvirt/qemu/networks/autostart/*.xml"),
        libvirt_active=files.glob("/run/libvirt/network/*.xml"),
        libvirt_guests=files.glob("/etc/libvirt/qemu/autostart/*.xml"),
        appliances=enabled(files, *_APPLIANCE_UNITS),
        docker=_first(enabled(files, *_DOCKER_UNITS)),
        docker_keeps_iptables=parse_docker_iptables(files.read(_DOCKER_CONFIG)),
        podman=_first(files.glob("/usr/bin/podman")),
        bridge_netfilter=f"{_BRIDGE_NETFILTER}:1" if files.read(_BRIDGE_NETFILTER).strip() == "1" else "",
        toolstacks=(
            *enabled(files, *_TOOLSTACK_UNITS),
            *(path for pattern in _TOOLSTACKS for path in files.glob(pattern)),
        ),
        other_inventory=_other_brand(files.read(_INVENTORY)),
        xen_guests=files.glob("/etc/xen/auto/*"),
    )


def parse_refcount(text: str) -> int:
    """Return a module's count of users; -1 is said of one that cannot be unloaded, and means nobody."""
    return number_of(text)


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


def _first(paths: tuple[str, ...]) -> str:
    return next(iter(paths), "")

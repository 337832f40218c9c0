"""The rows of the lab matrix: a release, how its network is configured, and what the set-up is told.

A machine gets its row's network by a script that is run while QEMU's user network still reaches it; it is then
booted with the row's wiring. What the far side of a cable is, is in far_side.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from xapi_shim.base.errors import KronosError

FAR4, NEAR4 = "192.0.2.1", "192.0.2.10"
FAR6, NEAR6 = "2001:db8:5::1", "2001:db8:5::10"
VLAN = 5


class Wiring(StrEnum):
    """How the machine's NICs are connected."""

    USER = "QEMU's user network: DHCP, IPv4 and router advertisements"
    CABLE4 = "two cables that carry VLAN 5 to a namespace with an IPv4 gateway"
    CABLE6 = "one cable to a namespace with an IPv6 gateway, no IPv4"


class Disk(StrEnum):
    """What the base disk's lay-out is."""

    PLAIN = "GRUB for BIOS, one ext4 root"
    UEFI = "GRUB for UEFI on an EFI system partition, one ext4 root"
    LVM = "GRUB for BIOS, root on LVM"
    BLS = "GRUB for BIOS in /boot/grub2, /boot of its own, kernels in files of their own (BLS)"


@dataclass(frozen=True)
class Row:
    """One row. `prepare` is a shell script run on the machine before its first boot with the row's network."""

    name: str
    release: str
    summary: str
    prepare: str = ""
    packages: tuple[str, ...] = ()
    wiring: Wiring = Wiring.USER
    disk: Disk = Disk.PLAIN
    setup: tuple[str, ...] = ()
    # An empty second disk, /dev/vdb.
    spare_disk: bool = False
    # What the file system of the set-up's repository for disks is on.
    storage_device: str = ""
    # A second host joins the pool while it runs (see second_host.py).
    joins: bool = True

    @property
    def make_menu(self) -> str:
        """The shell command that makes GRUB's menu anew."""
        if self.disk is Disk.BLS:
            return "grub2-mkconfig -o /boot/grub2/grub.cfg 2>/dev/null"
        return "update-grub 2>/dev/null"

    @property
    def address(self) -> str:
        """The machine's address behind a cable."""
        return {Wiring.USER: "", Wiring.CABLE4: NEAR4, Wiring.CABLE6: NEAR6}[self.wiring]


def _interfaces(text: str) -> str:
    return f"cat > /etc/network/interfaces <<'END'\nauto lo\niface lo inet loopback\n\n{text}END\n"


def _sysctl(setting: str) -> str:
    """A line of sysctl.d(5) about the management interface."""
    return f"echo 'net.ipv6.conf.enp0s3.{setting}' > /etc/sysctl.d/70-enp0s3.conf\n"


_STATIC = """\
# The management network
auto enp0s3
iface enp0s3 inet static
\taddress 10.0.2.15/24
\tgateway 10.0.2.2
\tup ip route add 198.51.100.0/24 via 10.0.2.2 dev $IFACE
\tdown ip route del 198.51.100.0/24 || true

iface enp0s3 inet6 auto
"""
_VLAN_ON_BOND = f"""\
auto enp0s3
iface enp0s3 inet manual
\tbond-master bond0

auto enp0s8
iface enp0s8 inet manual
\tbond-master bond0

auto bond0
iface bond0 inet manual
\tbond-slaves enp0s3 enp0s8
\tbond-mode active-backup
\tbond-miimon 100

auto bond0.{VLAN}
iface bond0.{VLAN} inet static
\taddress {NEAR4}/24
\tgateway {FAR4}
\tvlan-raw-device bond0
"""
_IPV6_ONLY = f"""\
auto enp0s3
iface enp0s3 inet6 static
\taddress {NEAR6}/64
\tgateway {FAR6}
\taccept_ra 0
"""
_NO_IFUPDOWN = """\
systemctl disable -q networking.service
printf 'auto lo\\niface lo inet loopback\\n' > /etc/network/interfaces
"""
_NETWORKD = f"""{_NO_IFUPDOWN}
cat > /etc/systemd/network/20-wired.network <<'END'
[Match]
Name=en*

[Network]
DHCP=ipv4
IPv6AcceptRA=yes

[Route]
Destination=198.51.100.0/24
Gateway=10.0.2.2
END
systemctl enable -q systemd-networkd.service
"""
_KEYFILE = """\
cat > /etc/NetworkManager/system-connections/wired.nmconnection <<'END'
[connection]
id=wired
uuid=7d1f1c3a-3f25-4a6e-9c55-0d2b64f0a001
type=ethernet
interface-name=enp0s3

[ethernet]

[ipv4]
method=auto
route1=198.51.100.0/24,10.0.2.2

[ipv6]
method=auto
addr-gen-mode=eui64
END
chmod 600 /etc/NetworkManager/system-connections/wired.nmconnection
"""
_NETWORK_MANAGER = f"""{_NO_IFUPDOWN}
{_KEYFILE}
systemctl enable -q NetworkManager.service
"""
_NETPLAN = f"""{_NO_IFUPDOWN}
cat > /etc/netplan/01-netcfg.yaml <<'END'
# The installer's network configuration.
network:
  version: 2
  renderer: networkd
  ethernets:
    enp0s3:
      dhcp4: true
      accept-ra: true
      routes:
        - to: 198.51.100.0/24
          via: 10.0.2.2
END
chmod 600 /etc/netplan/01-netcfg.yaml
systemctl enable -q systemd-networkd.service
"""

ROWS = {
    row.name: row
    for row in (
        Row("debian-12-dhcp", "debian-12", "ifupdown, auto, DHCP; router advertisements turned off by sysctl.d",
            _interfaces("auto enp0s3\niface enp0s3 inet dhcp\n") + _sysctl("accept_ra = 0")),
        Row("debian-12-static", "debian-12", "ifupdown, static with CIDR, a route by a hook, IPv6 by RA",
            _interfaces(_STATIC)),
        Row("debian-12-hotplug", "debian-12", "ifupdown, allow-hotplug, DHCP, as the installer leaves it"),
        Row("debian-12-vlan-on-bond", "debian-12", "ifupdown, VLAN on an active-backup bond",
            _interfaces(_VLAN_ON_BOND), ("ifenslave", "vlan"), Wiring.CABLE4),
        Row("debian-12-ipv6-only", "debian-12", "ifupdown, static IPv6, no IPv4 at all", _interfaces(_IPV6_ONLY),
            (), Wiring.CABLE6),
        Row("debian-12-openvswitch", "debian-12",
            "ifupdown, DHCP, Open vSwitch below; SR on a disk of its own, ISO library in a directory",
            packages=("openvswitch-switch",), spare_disk=True, storage_device="/dev/vdb",
            setup=("--network-backend openvswitch", "--storage device:/dev/vdb,name=Disks",
                   "--iso-library directory:/srv/isos,name=ISOs")),
        Row("debian-12-uefi", "debian-12", "UEFI (OVMF), ifupdown, DHCP", disk=Disk.UEFI),
        Row("debian-12-lvm", "debian-12", "root on LVM, ifupdown, DHCP", disk=Disk.LVM),
        Row("debian-12-lvm-storage", "debian-12", "ifupdown, DHCP, root on LVM; SR in the rest of the volume group",
            disk=Disk.LVM, setup=("--storage lvm:lab,name=Disks",), storage_device="/dev/mapper/lab-xapi--storage",
            joins=False),
        Row("debian-13-networkd", "debian-13", "systemd-networkd, DHCP, RA, a static route", _NETWORKD),
        # GRUB 2.12 tells the firmware's variables that it started the host; 2.06 does not.
        Row("debian-13-uefi", "debian-13", "UEFI (OVMF), GRUB 2.12, systemd-networkd, DHCP, RA", _NETWORKD,
            disk=Disk.UEFI),
        Row("debian-13-networkmanager", "debian-13", "NetworkManager keyfile, DHCP, RA, a static route",
            _NETWORK_MANAGER, ("network-manager",)),
        Row("ubuntu-like-netplan", "debian-13", "netplan.io as the only network configuration", _NETPLAN,
            ("netplan.io",)),
        Row("fedora-like", "fedora-44", "our rpms by dnf, NetworkManager keyfile, DHCP, RA, a static route; Debian's "
            "programs in Fedora's lay-out", _KEYFILE, disk=Disk.BLS),
    )
}  # fmt: skip


def find_row(name: str) -> Row:
    """Return a row. Raises KronosError naming those there are."""
    try:
        return ROWS[name]
    except KeyError:
        raise KronosError(
            f"the lab matrix has no row {name}", resolution=f"it has: {', '.join(ROWS)}"
        ) from None

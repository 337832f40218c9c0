"""NetworkManager itself on what the host set-up writes: real interfaces in namespaces of our own.

What the host's interface has under its own connection the bridge must have under the new profiles, after a live switch
and after a boot, and the interface again after the switch back: DHCP's and DHCPv6's leases, the SLAAC address that
`stable-privacy` made, routes and their metrics.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.host_files import HostFiles
from kronos_installer.network.network_manager import read_network_manager
from kronos_installer.network.network_manager.edit import GUESTS_FILE, GUESTS_SNIPPET
from kronos_installer.network.stack import BRIDGE, BridgeKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NEEDED = {"NetworkManager": "network-manager", "nmcli": "network-manager", "nm-online": "network-manager",
          "dbus-daemon": "dbus-daemon", "ip": "iproute2", "dnsmasq": "dnsmasq-base"}  # fmt: skip
MISSING = sorted({package for program, package in NEEDED.items() if not shutil.which(program)})
MAC = "52:54:00:12:34:56"
NIC = "enp0s3"
WAIT_S = "90"
FOLDER = "/etc/NetworkManager"
# NetworkManager takes devices without udev's word where it may not write to sysfs, as in a container.
OWN_FOLDERS = (
    "mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/dbus && "
    "mkdir -p /etc/NetworkManager /var/lib/NetworkManager && mount -t tmpfs none /var/lib/NetworkManager && "
    'mount --bind "$0" /etc/NetworkManager && mount -t sysfs -o ro none /sys && ip link set lo up && '
    "echo ready && exec cat"
)
BUS = (
    '<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>'
    '<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>'
    '<allow send_type="signal"/><allow eavesdrop="true"/></policy></busconfig>'
)  # fmt: skip
DHCP = (
    "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--port=0",
    "--interface=lan0", "--enable-ra", "--dhcp-range=192.0.2.100,192.0.2.200,1h",
    "--dhcp-range=2001:db8:1::100,2001:db8:1::1ff,slaac,64,1h",
)  # fmt: skip
# Metrics of what the kernel makes of an announcement before NetworkManager has told it not to.
KERNELS = (256, 1024)
BOTH_AWAITED = "may-fail=false\n"
CONNECTION = f"[connection]\nid=wired\nuuid=3d1f2c4e-0b5a-4c6d-8e7f-000000000001\ntype=ethernet\ninterface-name={NIC}\n"
CONNECTIONS = {
    "dhcp": f"{CONNECTION}\n[ipv4]\nmethod=auto\n{BOTH_AWAITED}\n[ipv6]\naddr-gen-mode=stable-privacy\nmethod=auto\n",
    "static": f"{CONNECTION}\n[ethernet]\nmtu=1400\n\n[ipv4]\naddress1=192.0.2.10/24,192.0.2.1\n"
    "address2=198.51.100.7/25\nmethod=manual\nroute1=203.0.113.0/24,192.0.2.254,50\n\n"
    "[ipv6]\naddress1=2001:db8:1::10/64,2001:db8:1::1\nmethod=manual\n",
}
# How many public addresses each has.
ADDRESSES = {"dhcp": 3, "static": 3}

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces"),
    pytest.mark.skipif(bool(MISSING), reason=f"needs Debian's {', '.join(MISSING)}"),
]


@dataclass(frozen=True)
class Side:
    """Namespaces that a process holds open."""

    holder: subprocess.Popen[str]

    def argv(self, argv: Sequence[str]) -> list[str]:
        return ["nsenter", "--target", str(self.holder.pid), "--net", "--mount", *argv]

    def run(self, argv: Sequence[str]) -> str:
        done = subprocess.run(self.argv(argv), capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{' '.join(argv)}: {done.stdout}{done.stderr}"
        return done.stdout

    def addresses(self, interface: str) -> set[tuple[str, int]]:
        (link,) = json.loads(self.run(["ip", "-json", "address", "show", "dev", interface]))
        # An address that is still looked for by others is there, not usable yet.
        found = [a for a in link["addr_info"] if a["scope"] == "global" and not a.get("tentative")]
        return {(a["local"], a["prefixlen"]) for a in found}

    def routes(self, interface: str) -> set[tuple[str, str, int]]:
        listed = [
            json.loads(self.run(["ip", "-json", family, "route", "show", "dev", interface]))
            for family in ("-4", "-6")
        ]
        return {
            (route["dst"], route.get("gateway", ""), route.get("metric", 0))
            for route in (r for found in listed for r in found)
            if not route["dst"].startswith("fe80:") and route.get("metric") not in KERNELS
        }

    def has(self, interface: str, count: int) -> tuple[set[tuple[str, int]], set[tuple[str, str, int]]]:
        """Return addresses and routes once there are `count` addresses; every change of any is an event."""
        events = ["timeout", WAIT_S, "ip", "-oneline", "monitor", "address", "link", "route"]
        with subprocess.Popen(self.argv(events), stdout=subprocess.PIPE, text=True) as monitor:
            assert monitor.stdout is not None
            while True:
                names = {link["ifname"] for link in json.loads(self.run(["ip", "-json", "link"]))}
                if interface in names and len(self.addresses(interface)) == count:
                    break
                assert monitor.stdout.readline(), f"{interface} did not get {count} addresses: {names}"
            monitor.terminate()
        return self.addresses(interface), self.routes(interface)


@contextmanager
def started(argv: Sequence[str], log: Path) -> Iterator[None]:
    with log.open("a") as file, subprocess.Popen(argv, stdout=file, stderr=subprocess.STDOUT) as process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def namespaces(script: str, folder: Path) -> Iterator[Side]:
    argv = ["unshare", "--net", "--mount", "sh", "-ec", script, os.fspath(folder)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "ready\n"
        try:
            yield Side(holder)
        finally:
            holder.stdin.close()


@contextmanager
def cabled(folder: Path, etc: Path) -> Iterator[Side]:
    """Give a host with an unconfigured NIC, whose cable's other end announces a prefix and answers DHCP."""
    with ExitStack() as stack:
        far = stack.enter_context(namespaces("echo ready && exec cat", folder))
        near = stack.enter_context(namespaces(OWN_FOLDERS, etc))
        far.run(["ip", "link", "add", "lan0", "type", "veth", "peer", "name", NIC, "address", MAC, "netns",
                 str(near.holder.pid)])  # fmt: skip
        for address in ("192.0.2.1/24", "2001:db8:1::1/64"):
            far.run(["ip", "address", "add", address, "dev", "lan0", "nodad"])
        far.run(["ip", "link", "set", "lan0", "up"])
        leases = [f"--dhcp-leasefile={folder / 'leases'}", "--pid-file="]
        stack.enter_context(started(far.argv([*DHCP, *leases]), folder / "dnsmasq.log"))
        config = folder / "bus.conf"
        config.write_text(BUS)
        bus = near.argv(
            ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"]
        )
        with subprocess.Popen(bus, stdout=subprocess.PIPE, text=True) as daemon:
            assert daemon.stdout is not None
            assert daemon.stdout.readline()
            try:
                yield near
            finally:
                daemon.terminate()


@contextmanager
def network_manager(near: Side, folder: Path) -> Iterator[None]:
    with started(near.argv(["NetworkManager", "--no-daemon"]), folder / "NetworkManager.log"):
        near.run(["nm-online", "--wait-for-startup", f"--timeout={WAIT_S}", "--quiet"])
        yield


def write(etc: Path, files: Mapping[str, bytes | None], modes: Mapping[str, int]) -> None:
    for path, content in files.items():
        where = etc / Path(path).relative_to(FOLDER)
        if content is None:
            where.unlink()
        else:
            where.write_bytes(content)
            where.chmod(modes.get(path, 0o600))


def captured(etc: Path, near: Side, folder: Path) -> HostFiles:
    """Return the host as the set-up would find it."""
    root = folder / "root"
    shutil.copytree(etc, root / "etc/NetworkManager")
    wants = root / "etc/systemd/system/multi-user.target.wants/NetworkManager.service"
    wants.parent.mkdir(parents=True)
    wants.write_text("[Unit]\n")
    (root / "proc/net").mkdir(parents=True)
    (root / "proc/net/if_inet6").write_text(near.run(["cat", "/proc/self/net/if_inet6"]))
    return HostFiles(root)


@pytest.mark.parametrize("name", CONNECTIONS)
def test_the_bridge_has_what_the_nic_had(name: str, tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    (etc / "conf.d").mkdir(parents=True)
    (etc / "system-connections").mkdir()
    (etc / "NetworkManager.conf").write_text("[main]\nplugins=keyfile\nno-auto-default=*\ndns=none\n")
    profile = f"{FOLDER}/system-connections/wired.nmconnection"
    write(etc, {profile: CONNECTIONS[name].encode()}, {})
    with cabled(tmp_path, etc) as near:
        with network_manager(near, tmp_path):
            before = near.has(NIC, ADDRESSES[name])
            config = read_network_manager(captured(etc, near, tmp_path))
            assert config is not None
            management, problems = config.find_management([Nic(NIC, MAC, NicKind.ETHERNET)])
            assert management is not None
            assert problems == ()
            edit = config.move_to_bridge(management, BridgeKind.LINUX)
            write(etc, edit.files, edit.modes)
            for argv in edit.switch:
                near.run(argv)
            assert near.has(BRIDGE, ADDRESSES[name]) == before
            originals = {path: config.originals[path] for path in edit.files}
            write(etc, {path: state.content if state else None for path, state in originals.items()}, {})
            for argv in edit.switch_back:
                near.run(argv)
            assert near.has(NIC, ADDRESSES[name]) == before
            write(etc, edit.files, edit.modes)
        for argv in (["ip", "link", "set", NIC, "down"], ["ip", "address", "flush", "dev", NIC]):
            near.run(argv)
        near.run(["find", "/run/NetworkManager", "/var/lib/NetworkManager", "-type", "f", "-delete"])
        with network_manager(near, tmp_path):
            assert near.has(BRIDGE, ADDRESSES[name]) == before


LISTS = {
    "none": "",
    "exceptions alone": f"unmanaged-devices=except:interface-name:{NIC};except:interface-name:{BRIDGE}\n",
    "all Ethernet excepted": "unmanaged-devices=*,except:type:ethernet,except:type:bridge\n",
}


@pytest.mark.parametrize("list_", LISTS)
def test_guests_interfaces_are_left_alone_and_no_other_is_taken(list_: str, tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    (etc / "conf.d").mkdir(parents=True)
    (etc / "NetworkManager.conf").write_text("[main]\nplugins=keyfile\nno-auto-default=*\ndns=none\n")
    (etc / "conf.d/50-host.conf").write_text(f"[keyfile]\n{LISTS[list_]}")
    with cabled(tmp_path, etc) as near:
        for name in ("vif1.0", "other0"):
            near.run(["ip", "link", "add", name, "type", "veth", "peer", "name", f"of-{name}"])
        managed = []
        for files in ({}, {GUESTS_SNIPPET: GUESTS_FILE}):
            write(etc, files, {})
            with network_manager(near, tmp_path):
                listed = near.run(["nmcli", "--terse", "--fields", "DEVICE,STATE", "device"]).splitlines()
            near.run(["find", "/run/NetworkManager", "-type", "f", "-delete"])
            managed.append({line.partition(":")[0] for line in listed if not line.endswith(":unmanaged")})
    before, after = managed
    assert NIC in after
    assert after == before - {"vif1.0"}

"""Debian's own ifupdown on what the host set-up writes: real interfaces in network namespaces of our own.

A host and the other side of its cable are two namespaces joined by a veth pair. What the host's interface has
under the old files the bridge must have under the new ones: after a boot and after a live switch; and the
interface again after the switch back.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.host_files import HostFiles
from kronos_installer.network.ifupdown.config import read_ifupdown
from kronos_installer.network.stack import BRIDGE, BridgeKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kronos_installer.network.stack import NetworkEdit

NEEDED = {"ifup": "ifupdown", "brctl": "bridge-utils", "ip": "iproute2", "dhclient": "isc-dhcp-client",
          "dnsmasq": "dnsmasq-base"}  # fmt: skip
MISSING = [package for program, package in NEEDED.items() if not shutil.which(program)]
MAC = "52:54:00:12:34:56"
STOP_DHCP = ("start-stop-daemon", "--stop", "--oknodo", "--retry", "5", "--pidfile")
FAR_ADDRESSES = ("192.0.2.1/24", "2001:db8::1/64")

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
    pytest.mark.skipif(bool(MISSING), reason=f"needs Debian's {', '.join(MISSING)}"),
]


def run(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout


# What ifupdown and DHCP clients keep, and dhclient-script writes, lies in folders of the side's own.
OWN = {"run": "/run", "dhcp": "/var/lib/dhcp"}
IN_OWN_FOLDERS = "".join(f'mount --bind "$0/{name}" {place} && ' for name, place in OWN.items()) + (
    'if test -e /etc/resolv.conf; then mount --bind "$0/resolv.conf" /etc/resolv.conf; fi && exec "$@"'
)


@dataclass(frozen=True)
class Side:
    """One namespace; `folder` holds what lies in OWN there."""

    name: str
    folder: Path

    def argv(self, *argv: str) -> list[str]:
        inside = ["unshare", "--mount", "sh", "-ec", IN_OWN_FOLDERS, os.fspath(self.folder)]
        return ["ip", "netns", "exec", self.name, *inside, *argv]

    def run(self, *argv: str) -> str:
        return run(self.argv(*argv))

    def ifup(self, interfaces: Path, *argv: str) -> str:
        return self.run("ifup", f"--interfaces={interfaces}", *argv)

    def addresses(self, interface: str) -> set[tuple[str, int]]:
        (link,) = json.loads(self.run("ip", "-json", "address", "show", "dev", interface))
        return {(a["local"], a["prefixlen"]) for a in link["addr_info"]}

    def routes(self, interface: str) -> set[tuple[str, str]]:
        both = [
            json.loads(self.run("ip", "-json", family, "route", "show", "dev", interface))
            for family in ("-4", "-6")
        ]
        return {
            (route["dst"], route.get("gateway", "")) for found in both for route in found if route["dst"] != "fe80::/64"
        }  # fmt: skip

    def has(self, interface: str) -> tuple[set[tuple[str, int]], set[tuple[str, str]]]:
        return self.addresses(interface), self.routes(interface)


@contextmanager
def namespace(name: str, folder: Path) -> Iterator[Side]:
    run(["ip", "netns", "add", name])
    try:
        side = Side(name, folder)
        for own in (*OWN, "run/network"):
            (folder / own).mkdir(parents=True)
        (folder / "resolv.conf").touch()
        yield side
    finally:
        run(["ip", "netns", "delete", name])


@contextmanager
def cabled(folder: Path) -> Iterator[tuple[Side, Side]]:
    """Give a host with an unconfigured eth0 and the far side of its cable, which answers HTTP and DHCP."""
    with ExitStack() as stack:
        near, far = (
            stack.enter_context(namespace(f"kronos-{side}-{os.getpid()}", folder / side))
            for side in ("near", "far")
        )
        run(["ip", "link", "add", "eth0", "netns", near.name, "address", MAC, "type", "veth", "peer", "name", "eth0",
             "netns", far.name])  # fmt: skip
        for address in FAR_ADDRESSES:
            far.run("ip", "address", "add", address, "dev", "eth0", "nodad")
        far.run("ip", "link", "set", "dev", "eth0", "up")
        web = (
            sys.executable,
            "-u",
            "-m",
            "http.server",
            "--bind",
            "::",
            "8000",
            "--directory",
            str(far.folder),
        )
        stack.enter_context(serving(far, "Serving HTTP", *web))
        dhcp = ("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--log-facility=-", "--user=root",
                "--interface=eth0", "--dhcp-range=192.0.2.50,192.0.2.99,1h", "--dhcp-authoritative",
                "--pid-file", f"--dhcp-leasefile={far.folder}/leases")  # fmt: skip
        stack.enter_context(serving(far, "DHCP, IP range", *dhcp))
        yield near, far


@contextmanager
def serving(side: Side, ready: str, *argv: str) -> Iterator[None]:
    with subprocess.Popen(
        side.argv(*argv), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if ready in line:
                    break
            assert ready in said[-1], said
            yield
        finally:
            process.terminate()


def reach(near: Side, *urls: str) -> None:
    """Fetch from the far side, as any program of the host would."""
    fetch = "import sys, urllib.request as u; [u.urlopen(url, timeout=20).read() for url in sys.argv[1:]]"
    near.run(sys.executable, "-c", fetch, *urls)


def edit_of(folder: Path, text: str) -> NetworkEdit:
    for place in ("etc/network", "usr/sbin/ifup"):
        (folder / "root" / place).mkdir(parents=True)
    (folder / "root/etc/network/interfaces").write_text(text)
    config = read_ifupdown(HostFiles(folder / "root"))
    assert config is not None
    management, problems = config.find_management([Nic("eth0", MAC, NicKind.ETHERNET)])
    assert problems == ()
    assert management is not None
    return config.move_to_bridge(management, BridgeKind.LINUX)


def carry_out(near: Side, commands: Sequence[tuple[str, ...]], interfaces: Path) -> None:
    """Run the commands of a switch, ifup with the files that would lie in /etc."""
    for program, *arguments in commands:
        near.ifup(interfaces, *arguments) if program == "ifup" else near.run(program, *arguments)


STATIC = """auto eth0
iface eth0 inet static
    address 192.0.2.10/24
    gateway 192.0.2.1
    mtu 1400
    up ip route add 198.51.100.0/24 via 192.0.2.254 dev $IFACE

iface eth0 inet static
    address 192.0.2.11
    netmask 255.255.255.0

iface eth0 inet6 static
    address 2001:db8::10/64
    gateway 2001:db8::1
"""
WITH_PORT_OPTIONS = STATIC.replace("mtu 1400", "hwaddress 52:54:00:aa:bb:cc")
IPV6_ONLY = "allow-hotplug eth0\niface eth0 inet6 static\n  address 2001:db8::10/64\n  gateway 2001:db8::1\n"
LATER_MTU = IPV6_ONLY + "iface eth0 inet static\n  address 192.0.2.10/24\n  mtu 1400\n"
WEB4, WEB6 = "http://192.0.2.1:8000/", "http://[2001:db8::1]:8000/"


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        (STATIC, (WEB4, WEB6)),
        (WITH_PORT_OPTIONS, (WEB4, WEB6)),
        (IPV6_ONLY, (WEB6,)),
        (LATER_MTU, (WEB4, WEB6)),
    ],
    ids=["static", "options of the port", "IPv6 only", "MTU of a later stanza"],
)
def test_bridge_has_what_the_interface_had(tmp_path: Path, text: str, urls: tuple[str, ...]) -> None:
    edit = edit_of(tmp_path, text)
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text(text)
    (content,) = edit.files.values()
    assert content is not None
    new.write_bytes(content)

    with cabled(tmp_path / "before") as (near, _far):
        near.ifup(old, "eth0")
        before = near.has("eth0")
        assert before[0]
        mac = near.run("cat", "/sys/class/net/eth0/address")

        carry_out(near, edit.switch, new)
        assert near.has(BRIDGE) == before
        assert near.has("eth0") == (set(), set())
        assert near.run("cat", f"/sys/class/net/{BRIDGE}/address") == mac
        reach(near, *urls)

        carry_out(near, edit.switch_back, old)
        assert near.has("eth0") == before
        reach(near, *urls)

    with cabled(tmp_path / "after-a-boot") as (booted, _far):
        booted.ifup(new, "--all")
        assert booted.has(BRIDGE) == before
        assert booted.run("cat", f"/sys/class/net/{BRIDGE}/address") == mac
        mtus = {booted.run("cat", f"/sys/class/net/{name}/mtu") for name in ("eth0", BRIDGE)}
        assert mtus == {"1400\n" if "mtu" in text else "1500\n"}
        reach(booted, *urls)


def test_bridge_asks_for_the_address_as_the_same_dhcp_client(tmp_path: Path) -> None:
    """The DHCP client is stopped without giving its lease back, and goes on with it on the bridge."""
    text = "allow-hotplug eth0\niface eth0 inet dhcp\n"
    edit = edit_of(tmp_path, text)
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text(text)
    (content,) = edit.files.values()
    assert content is not None
    new.write_bytes(content)
    with cabled(tmp_path / "before") as (near, far), ExitStack() as clients:
        for interface in ("eth0", BRIDGE):
            clients.callback(near.run, *STOP_DHCP, f"/run/dhclient.{interface}.pid")
        near.ifup(old, "eth0")
        before = near.addresses("eth0")
        assert before
        leases = (near.folder / "dhcp/dhclient.eth0.leases").read_text()
        (near.folder / f"dhcp/dhclient.{BRIDGE}.leases").write_text(leases.replace('"eth0"', f'"{BRIDGE}"'))

        carry_out(near, edit.switch, new)
        assert near.addresses(BRIDGE) == before
        assert near.addresses("eth0") == set()
        reach(near, WEB4)

        carry_out(near, edit.switch_back, old)
        assert near.addresses("eth0") == before
        reach(near, WEB4)
        assert len((far.folder / "leases").read_text().splitlines()) == 1

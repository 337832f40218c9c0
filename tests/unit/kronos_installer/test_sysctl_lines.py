"""sysctl.d(5)'s lines for the management interface, said of the bridge: read, and carried, as systemd-sysctl takes them."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from installer_kit import HERE, make_host, put, snapshot

from kronos_installer.detect.earlier import read_earlier
from kronos_installer.detect.nics import NicKind
from kronos_installer.detect.sysctl import normal_key, read_sysctl
from kronos_installer.facts import read_facts
from kronos_installer.main import main
from kronos_installer.network.stack import AddressType, Management, StackName
from kronos_installer.network.sysctl_carry import SYSCTL_PATH, carry, carry_problems
from kronos_installer.plan import make_plan
from kronos_installer.problem import Level
from kronos_installer.wishes import Wishes

if TYPE_CHECKING:
    from kronos_installer.host import Host

SYSTEMD_SYSCTL = Path("/lib/systemd/systemd-sysctl")
NIC = Management(
    stack=StackName.NETWORKD, interface="enp0s3", kind=NicKind.ETHERNET, mac="52:54:00:12:34:56", ports=("enp0s3",),
    address_type=AddressType.IPV4, uses_dhcp=True, at="/etc/systemd/network/nic.network:1",
)  # fmt: skip
FILE = "/etc/sysctl.d/host.conf"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


def settings(host: Host, text: str = "", management: Management = NIC) -> tuple[str, ...]:
    if text:
        put(host, FILE, text)
    return carry(read_sysctl(host), management).settings


def problems(host: Host, management: Management = NIC) -> list[tuple[Level, str, str]]:
    return [(p.level, p.id, p.diagnosis) for p in carry_problems(read_sysctl(host), management)]


@pytest.mark.parametrize(
    ("key", "normal"),
    [
        ("net.ipv4.conf.eth0/5.rp_filter", "net/ipv4/conf/eth0.5/rp_filter"),
        ("net/ipv4/conf/eth0.5/rp_filter", "net/ipv4/conf/eth0.5/rp_filter"),
        ("/net//ipv4/conf/eth0/rp_filter/", "net/ipv4/conf/eth0/rp_filter"),
        ("kernel", "kernel"),
    ],
)
def test_a_key_is_written_with_dots_or_slashes(key: str, normal: str) -> None:
    assert normal_key(key) == normal


@pytest.mark.parametrize(
    ("text", "carried"),
    [
        ("net.ipv4.conf.enp0s3.rp_filter=2\n", ("net.ipv4.conf.xenbr0.rp_filter = 2",)),
        ("-net.ipv4.conf.enp0s3.rp_filter = 2\n", ("-net.ipv4.conf.xenbr0.rp_filter = 2",)),
        ("net.ipv4.conf.enp0s31.rp_filter=2\nnet.ipv4.conf.all.rp_filter=2\n", ()),
        ("net.ipv4.conf.enp0s3.rp_filter=2\nnet/ipv4/conf/enp0s3/rp_filter=1\n", ("net.ipv4.conf.xenbr0.rp_filter = 1",)),
        ("net.ipv4.conf.en*.rp_filter=2\n", ("net.ipv4.conf.xenbr0.rp_filter = 2",)),
        # A pattern that is for the bridge too does it itself, until a line for the interface alone says otherwise.
        ("net.ipv4.conf.*.rp_filter=2\n", ()),
        ("net.ipv4.conf.*.rp_filter=2\nnet.ipv4.conf.enp0s3.rp_filter=0\n", ("net.ipv4.conf.xenbr0.rp_filter = 0",)),
        ("net.ipv4.conf.*.rp_filter=2\n-net.ipv4.conf.enp0s3.rp_filter\n", ("-net.ipv4.conf.xenbr0.rp_filter",)),
        ("-net.ipv4.conf.en*.rp_filter\nnet.ipv4.conf.e*.rp_filter=2\n", ("net.ipv4.conf.xenbr0.rp_filter = 2",)),
        ("net.ipv4.conf.x*.rp_filter=2\n", ("-net.ipv4.conf.xenbr0.rp_filter",)),
        # The third line repeats the first, which keeps its place.
        ("net.ipv4.conf.en*.rp_filter=1\nnet.ipv4.conf.e*.rp_filter=2\nnet.ipv4.conf.en*.rp_filter=1\n",
         ("net.ipv4.conf.xenbr0.rp_filter = 2",)),
        ("net.ipv4.conf.xenbr0.rp_filter=1\nnet.ipv4.conf.enp0s3.rp_filter=2\n", ()),
        ("net.ipv4.conf.enp0s3.rp_filter 2\n; net.ipv4.conf.enp0s3.rp_filter=2\n", ()),
        ("net.ipv4.conf.enp0s3.rp_filter=\N{SUPERSCRIPT TWO}\n", ()),
    ],
)  # fmt: skip
def test_what_is_carried(host: Host, text: str, carried: tuple[str, ...]) -> None:
    assert settings(host, text) == carried


def test_the_dots_of_a_vlan(host: Host) -> None:
    vlan = replace(NIC, interface="eth0.5", kind=NicKind.VLAN)
    text = "net.ipv4.conf.eth0/5.rp_filter=2\nnet.ipv4.conf.eth0.5.rp_filter=1\n"
    assert settings(host, text, vlan) == ("net.ipv4.conf.xenbr0.rp_filter = 2",)


def test_a_pattern_of_settings_takes_what_the_kernel_has(host: Host) -> None:
    for name in ("arp_ignore", "arp_filter", "rp_filter"):
        put(host, f"/proc/sys/net/ipv4/conf/default/{name}", "0\n")
    assert settings(host, "net.ipv4.conf.enp0s3.arp_*=1\n") == (
        "net.ipv4.conf.xenbr0.arp_filter = 1",
        "net.ipv4.conf.xenbr0.arp_ignore = 1",
    )


def test_the_old_file_counts_where_a_link_leads_to_it(host: Host) -> None:
    put(host, "/etc/sysctl.conf", "net.ipv4.conf.enp0s3.rp_filter=2\n")
    assert settings(host) == ()
    assert problems(host) == [(Level.WARNING, "names-interface", "/etc/sysctl.conf:1")]
    host.at("/etc/sysctl.d").mkdir(exist_ok=True)
    host.at("/etc/sysctl.d/99-sysctl.conf").symlink_to("../sysctl.conf")
    assert settings(host) == ("net.ipv4.conf.xenbr0.rp_filter = 2",)
    assert problems(host) == []


def test_a_file_masked_by_name(host: Host) -> None:
    put(host, "/usr/lib/sysctl.d/a.conf", "net.ipv4.conf.enp0s3.rp_filter=2\n")
    assert settings(host) == ("net.ipv4.conf.xenbr0.rp_filter = 2",)
    host.at("/etc/sysctl.d").mkdir(exist_ok=True)
    host.at("/etc/sysctl.d/a.conf").symlink_to("/dev/null")
    assert settings(host) == ()


def test_without_udevs_rule_nothing_is_carried(host: Host) -> None:
    text = (
        "net.ipv4.conf.enp0s3.rp_filter=2\nnet.ipv4.conf.x*.forwarding=1\n-net.ipv4.conf.enp0s3.arp_filter\n"
    )
    put(host, FILE, text)
    put(host, "/etc/udev/rules.d/99-systemd.rules", '# ours\nACTION=="add", TAG+="systemd"\n')
    assert settings(host) == ()
    assert problems(host) == [(Level.WARNING, "names-interface", f"{FILE}:1")]


def test_what_is_the_ports_or_not_known_stays_a_warning(host: Host) -> None:
    text = "net.ipv6.conf.en*.mtu=1400\nnet.mpls.conf.enp0s3.input=1\nnet.ipv4.conf.enp0s3.rp_filter=2\n"
    assert settings(host, text) == ("net.ipv4.conf.xenbr0.rp_filter = 2",)
    assert problems(host) == [
        (Level.WARNING, "names-interface", f"{FILE}:2"),
        (Level.WARNING, "names-interface", f"{FILE}:1"),
    ]


def test_another_value_of_the_bridges_own_that_takes_its_addresses(host: Host) -> None:
    put(host, FILE, "net.ipv6.conf.xenbr0.disable_ipv6=1\nnet.ipv6.conf.xenbr0.hop_limit=3\n")
    assert problems(host) == [(Level.ERROR, "sysctl-bridge", f"{FILE}:1")]
    put(host, FILE, "net.ipv6.conf.xenbr0.disable_ipv6=1\nnet.ipv6.conf.enp0s3.disable_ipv6=1\n")
    assert problems(host) == []


@pytest.mark.parametrize(
    ("stack", "kind", "levels"),
    [
        (StackName.IFUPDOWN, AddressType.IPV6, [Level.ERROR, Level.ERROR]),
        (StackName.IFUPDOWN, AddressType.IPV4, [Level.WARNING, Level.WARNING]),
        (StackName.NETWORK_MANAGER, AddressType.IPV6, [Level.WARNING]),
    ],
)
def test_addresses_made_of_what_a_bridge_has_not(
    host: Host, stack: StackName, kind: AddressType, levels: list[Level]
) -> None:
    text = "net.ipv6.conf.enp0s3.stable_secret=2001:db8::1\nnet.ipv6.conf.default.addr_gen_mode=3\n"
    management = replace(NIC, stack=stack, address_type=kind)
    assert settings(host, text, management) == ()
    assert [level for level, id_, _ in problems(host, management) if id_ == "sysctl-address"] == levels
    assert len(problems(host, management)) == len(levels)


def test_what_an_interface_had_before_the_defaults(host: Host) -> None:
    ifupdown = replace(NIC, stack=StackName.IFUPDOWN)
    for interface, value in (("default", "1"), ("enp0s3", "0")):
        put(host, f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6", f"{value}\n")
    text = "net.ipv6.conf.default.disable_ipv6=1\n"
    assert settings(host, text, ifupdown) == ("net.ipv6.conf.xenbr0.disable_ipv6 = 0",)
    assert settings(host, text) == ()
    put(host, "/proc/sys/net/ipv6/conf/enp0s3/disable_ipv6", "1\n")
    assert settings(host, text, ifupdown) == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
@pytest.mark.skipif(
    not SYSTEMD_SYSCTL.exists() or not shutil.which("ip"), reason="no systemd-sysctl or no ip"
)
@pytest.mark.parametrize("seed", range(12))
def test_the_bridge_is_set_as_the_interface_is(tmp_path: Path, seed: int) -> None:
    """systemd-sysctl itself sets both, in a namespace of their own, from files by chance."""
    host = make_host(tmp_path)
    for tree in ("ipv4/conf", "ipv4/neigh", "ipv6/conf", "ipv6/neigh"):
        for name in Path(f"/proc/sys/net/{tree}/default").iterdir():
            put(host, f"/proc/sys/net/{tree}/default/{name.name}", "")
    for folder in ("/etc", "/run", "/usr/lib"):
        host.at(f"{folder}/sysctl.d").mkdir(parents=True, exist_ok=True)
    for path, text in files_by_chance(random.Random(seed)):
        put(host, path, text)
    before = set_both(host, tmp_path)
    assert before["enp0s3"] != before["xenbr0"]
    carried = carry(read_sysctl(host), NIC)
    put(host, SYSCTL_PATH, carried.content("enp0s3"))
    after = set_both(host, tmp_path)
    assert after["enp0s3"] == before["enp0s3"]
    assert after["xenbr0"] == after["enp0s3"]


def files_by_chance(chance: random.Random) -> list[tuple[str, str]]:
    names = ("rp_filter", "arp_ignore", "forwarding", "proxy_arp", "send_redirects", "arp_*")
    interfaces = ("enp0s3", "enp0s3", "en*", "*", "x*", "[ex]*", "xen?r0", "lo")
    lines = []
    for _ in range(chance.randrange(12, 20)):
        key = f"net.ipv4.conf.{chance.choice(interfaces)}.{chance.choice(names)}"
        if chance.random() < 0.3:
            key = key.replace(".", "/")
        value = "" if chance.random() < 0.15 else f" = {chance.randrange(2)}"
        lines.append(f"{'-' if not value or chance.random() < 0.2 else ''}{key}{value}\n")
    # Some of one name: the first folder's counts.
    places = ("etc a", "etc c", "run a", "run Z", "run b", "usr/lib Z", "usr/lib d")
    paths = ["/{}/sysctl.d/{}.conf".format(*place.split()) for place in places]
    certain = "net.ipv4.conf.enp0s3.medium_id = 7\nnet.ipv6.conf.en*.hop_limit = 33\n"
    return [("/etc/sysctl.d/m.conf", certain)] + [
        (path, "".join(lines[at :: len(paths)])) for at, path in enumerate(paths)
    ]


def set_both(host: Host, folder: Path) -> dict[str, dict[str, str]]:
    """Return the values of both interfaces once systemd-sysctl has set them by the host's files."""
    out = subprocess.run(
        ["unshare", "--net", "--mount", "sh", str(HERE / "sysctl_in_a_namespace.sh"), str(host.root)],
        check=True, capture_output=True, text=True, cwd=folder,
    ).stdout  # fmt: skip
    found: dict[str, dict[str, str]] = {"enp0s3": {}, "xenbr0": {}}
    for line in out.splitlines():
        path, _, value = line.partition(":")
        family, tree, interface, name = path.removeprefix("/proc/sys/net/").split("/")
        found[interface][f"{family}/{tree}/{name}"] = value
    assert all(found.values()), json.dumps(found)
    return found


def test_the_file_comes_before_the_network_and_goes_with_it(host: Host) -> None:
    put(host, FILE, "net.ipv4.conf.enp0s3.rp_filter=2\n")
    steps = make_plan(read_facts(host, host.runner), Wishes("", "")).steps
    network = next(place for place, step in enumerate(steps) if step.kind == "network")
    assert SYSCTL_PATH in [step.target for step in steps[:network]]
    before = snapshot(host)
    assert main(["apply", "--yes", "--root", str(host.root)], runner=host.runner) == 0
    assert host.read(SYSCTL_PATH).splitlines()[1:] == ["net.ipv4.conf.xenbr0.rp_filter = 2"]
    assert main(["rollback", "--yes", "--root", str(host.root)], runner=host.runner) == 0
    assert {p: s for p, s in snapshot(host).items() if "sysctl" in p} == {
        p: s for p, s in before.items() if "sysctl" in p
    }
    assert not host.exists(SYSCTL_PATH)


def test_a_leftover_is_told_of(host: Host) -> None:
    put(host, SYSCTL_PATH, "net.ipv4.conf.xenbr0.rp_filter = 2\n")
    assert read_earlier(host).leftovers == (SYSCTL_PATH,)


def test_what_cannot_be_put_back_is_refused(host: Host) -> None:
    host.at("/etc/sysctl.d").mkdir(exist_ok=True)
    host.at(SYSCTL_PATH).symlink_to("host.conf")
    assert f"{SYSCTL_PATH}:1" in [problem.diagnosis for problem in read_facts(host, host.runner).unreadable]

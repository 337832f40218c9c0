"""Names, time, name servers, firewalls, disks and other software as distributions and operators have them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from installer_kit import make_host, put

from kronos_installer.checks import check
from kronos_installer.detect.confinement import read_confinement
from kronos_installer.detect.earlier import read_earlier
from kronos_installer.detect.firewall import FirewallKind, read_firewalls
from kronos_installer.detect.hostname import read_hostname
from kronos_installer.detect.owners import read_owners
from kronos_installer.detect.resolver import read_resolver
from kronos_installer.detect.software import read_software
from kronos_installer.detect.system import read_system
from kronos_installer.detect.time_sync import TimeService, TimeSync, read_time_sync
from kronos_installer.detect.units import enabled
from kronos_installer.facts import facts_record, read_facts
from kronos_installer.grub_config import add_sourcing
from kronos_installer.system_checks import hostname_problems, system_problems
from kronos_installer.wishes import Wishes
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import ProcessError, ProgramMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kronos_installer.host import Host

UNITS = "/etc/systemd/system"
WANTS = f"{UNITS}/multi-user.target.wants"
WISHES = Wishes("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


def enable(host: Host, *units: str) -> None:
    for unit in units:
        put(host, f"{WANTS}/{unit}", "[Unit]\n")


def mask(host: Host, unit: str) -> None:
    host.at(f"{UNITS}/{unit}").symlink_to("/dev/null")


def problems(host: Host) -> dict[str, str]:
    system = read_system(host, host.runner)
    return {problem.id: problem.diagnosis for problem in system_problems(system, WISHES, "enp0s3")}


# --- units ------------------------------------------------------------------------------------------------------------


def test_a_masked_unit_is_not_started_whoever_wants_it(host: Host) -> None:
    """`systemctl mask` leaves what `systemctl enable` made."""
    enable(
        host,
        "firewalld.service",
        "docker.service",
        "chrony.service",
        "NetworkManager.service",
        "libvirtd.service",
    )
    put(host, "/etc/NetworkManager/NetworkManager.conf", "[ifupdown]\nmanaged=true\n")
    assert [wall.kind for wall in read_firewalls(host)[0]] == [FirewallKind.FIREWALLD]
    assert read_owners(host).manages_all
    for unit in ("firewalld", "docker", "chrony", "NetworkManager", "libvirtd"):
        mask(host, f"{unit}.service")
    software = read_software(host)
    assert (read_firewalls(host)[0], software.docker, software.libvirt) == ((), "", "")
    assert read_time_sync(host, host.runner).service is TimeService.TIMESYNCD
    assert not read_owners(host).manages_all


def test_a_unit_may_be_required_and_masked_by_an_empty_file(host: Host) -> None:
    put(host, f"{UNITS}/network-online.target.requires/nftables.service", "[Unit]\n")
    assert enabled(host, "nft*.service") == (f"{UNITS}/network-online.target.requires/nftables.service",)
    put(host, f"{UNITS}/nftables.service", "")
    assert enabled(host, "nftables.service") == ()


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "at"), [
    ("hosts:      files myhostname resolve [!UNAVAIL=return] dns", "/etc/nsswitch.conf:2"),
    ("hosts: files dns myhostname", "/etc/nsswitch.conf:2"), ("hosts: files dns", ""), ("#hosts: myhostname", ""),
])  # fmt: skip
def test_the_hosts_own_name_may_be_known_without_the_hosts_file(host: Host, line: str, at: str) -> None:
    """Fedora's hosts(5) has localhost alone."""
    put(host, "/etc/hosts", "127.0.0.1 localhost localhost.localdomain\n::1 localhost\n")
    put(host, "/etc/nsswitch.conf", f"passwd: files\n{line}\n")
    assert read_hostname(host).at == at
    assert ("hostname-not-resolvable" in problems(host)) is not at


@pytest.mark.parametrize(
    "unit", ["cloud-init.service", "cloud-init-network.service", "cloud-init-main.service"]
)
def test_cloud_init_is_known_by_its_old_and_new_names(host: Host, unit: str) -> None:
    put(host, f"{UNITS}/cloud-init.target.wants/{unit}", "[Unit]\n")
    put(host, "/etc/cloud/cloud.cfg", 'preserve_hostname: "false"\nmanage_etc_hosts: "localhost"\n')
    found = read_hostname(host)
    assert (found.cloud_init, found.cloud_init_sets) == ("/etc/cloud/cloud.cfg:2", True)
    put(host, "/etc/cloud/cloud.cfg.d/99-own.cfg", "preserve_hostname: 'true'\n")
    assert not read_hostname(host).cloud_init_sets


@pytest.mark.parametrize(("path", "text"), [
    ("/etc/cloud/cloud-init.disabled", ""), ("/proc/cmdline", "root=/dev/sda1 ro cloud-init=disabled\n"),
])  # fmt: skip
def test_a_cloud_init_that_is_off_writes_nothing(host: Host, path: str, text: str) -> None:
    enable(host, "cloud-init.service")
    put(host, "/etc/cloud/cloud.cfg", "manage_etc_hosts: true\n")
    put(host, path, text)
    found = read_hostname(host)
    assert (found.cloud_init, found.cloud_init_sets) == ("", False)
    assert not list(hostname_problems(read_system(host, host.runner), Wishes("a", "b", hostname="xen1")))


# --- name servers -----------------------------------------------------------------------------------------------------


def test_the_servers_behind_systemd_resolved_are_told(host: Host) -> None:
    host.at("/etc/resolv.conf").unlink()
    host.at("/etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    put(
        host,
        "/run/systemd/resolve/stub-resolv.conf",
        "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n",
    )
    assert problems(host)["dns-missing"] == "/run/systemd/resolve/resolv.conf:1"
    put(host, "/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.53\nnameserver 2001:db8::53\n")
    found = read_resolver(host)
    assert (found.servers, found.upstream) == (("127.0.0.53",), ("192.0.2.53", "2001:db8::53"))
    assert found.asked == found.upstream
    assert "dns-missing" not in problems(host)


def test_a_link_to_nowhere_names_no_server(host: Host) -> None:
    host.at("/etc/resolv.conf").unlink()
    host.at("/etc/resolv.conf").symlink_to("/run/NetworkManager/resolv.conf")
    assert (read_resolver(host).writer, read_resolver(host).asked) == ("NetworkManager", ())
    assert problems(host)["dns-missing"] == "/etc/resolv.conf:1"


# --- time -------------------------------------------------------------------------------------------------------------


def time_of(host: Host, *units: str) -> TimeSync:
    host.at(f"{UNITS}/sysinit.target.wants/systemd-timesyncd.service").unlink(missing_ok=True)
    enable(host, *units)
    return read_time_sync(host, lambda _argv: "yes\n")


def test_chrony_reads_folders_beside_its_file(host: Host) -> None:
    put(host, "/etc/chrony/chrony.conf", "confdir /etc/chrony/conf.d\nsourcedir /run/chrony-dhcp /etc/chrony/sources.d\n"
        "include /etc/chrony/more.conf\n! server no\nsourcedir\n")  # fmt: skip
    put(host, "/etc/chrony/conf.d/a.conf", "server conf.example\nconfdir /etc/chrony/conf.d\n")
    put(host, "/etc/chrony/conf.d/a.conf.bak", "server bak.example\n")
    put(host, "/run/chrony-dhcp/enp0s3.sources", "server dhcp.example iburst\n")
    put(host, "/etc/chrony/sources.d/own.sources", "pool own.example\n")
    put(host, "/etc/chrony/more.conf", "peer more.example\n")
    found = time_of(host, "chrony.service")
    assert (found.service, found.sources) == (TimeService.CHRONY, "/etc/chrony/sources.d")
    assert found.servers == ("conf.example", "dhcp.example", "own.example", "more.example")


def test_the_operators_drop_in_hides_the_packages(host: Host) -> None:
    put(host, "/usr/lib/systemd/timesyncd.conf", "[Time]\nNTP=unused\n")
    put(host, "/etc/systemd/timesyncd.conf", "[Time]\nNTP=main\n")
    put(host, "/usr/lib/systemd/timesyncd.conf.d/10-a.conf", "[Time]\nNTP=hidden\n")
    put(host, "/etc/systemd/timesyncd.conf.d/10-a.conf", "[Time]\nNTP=ten\n")
    put(host, "/run/systemd/timesyncd.conf.d/05-b.conf", "[Time]\nNTP=\nNTP=five\n")
    assert time_of(host, "systemd-timesyncd.service").servers == ("five", "ten")


def test_each_daemon_has_its_own_file(host: Host) -> None:
    put(host, "/etc/ntp.conf", "server stale.example\n")
    put(host, "/etc/ntpsec/ntp.conf", "# x\npool -4 sec.example iburst\nserver -6\n")
    put(host, "/etc/openntpd/ntpd.conf", "servers pool.example\nserver own.example\nsensor *\n")
    assert time_of(host).servers == ()
    assert time_of(host, "openntpd.service").servers == ("pool.example", "own.example")
    found = time_of(host, "ntpsec.service")
    assert (found.service, found.servers, found.others) == (
        TimeService.NTPD,
        ("sec.example",),
        (TimeService.OPENNTPD,),
    )


def test_two_programs_that_keep_the_clock_are_warned_of(host: Host) -> None:
    assert "time-several" not in problems(host)
    enable(host, "chrony.service", "chronyd.service")
    assert read_time_sync(host, host.runner).others == (TimeService.TIMESYNCD,)
    assert "time-several" in problems(host)


# --- firewalls --------------------------------------------------------------------------------------------------------


def test_nftables_includes_by_names_that_are_not_absolute_too(host: Host) -> None:
    enable(host, "nftables.service")
    put(
        host,
        "/etc/nftables.conf",
        "#!/usr/sbin/nft -f\ninclude 'nftables.d/*.nft'\n  include \"./own/a.nft\"\n",
    )
    put(host, "/etc/nftables.d/a.nft", "table inet a {}\n")
    put(host, "/etc/own/a.nft", "table inet b {}\n")
    ((firewall,), _) = read_firewalls(host)
    assert list(firewall.files) == ["/etc/nftables.conf", "/etc/nftables.d/a.nft", "/etc/own/a.nft"]


@pytest.mark.parametrize("unit", ["shorewall.service", "ferm.service", "csf.service"])
def test_a_firewall_that_is_not_understood_refuses(host: Host, unit: str) -> None:
    assert "firewall-not-understood" not in problems(host)
    enable(host, unit)
    assert problems(host)["firewall-not-understood"] == f"{WANTS}/{unit}:1"
    walls = facts_record(read_facts(host, host.runner))["system"]["firewalls"]
    assert walls == [{"kind": "other", "at": f"{WANTS}/{unit}", "files": [], "policy": ""}]


@pytest.mark.parametrize(("path", "line", "seen"), [
    ("/etc/rc.local", "iptables-restore < /etc/iptables.rules", True),
    ("/etc/network/if-pre-up.d/rules", "/sbin/ip6tables-legacy-restore /etc/rules", True),
    ("/etc/network/interfaces", "    post-up iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE", True),
    ("/etc/network/interfaces.d/own", "    pre-up nft -f /etc/own.nft", True),
    ("/etc/NetworkManager/dispatcher.d/50-rules", "exec /usr/sbin/nft add rule inet a b accept", True),
    ("/etc/networkd-dispatcher/routable.d/50-rules", "iptables -w -I INPUT -j ACCEPT", True),
    ("/etc/rc.local", "# iptables-restore < x", False), ("/etc/rc.local", "iptables-save > /root/rules", False),
    ("/etc/rc.local", "nft list ruleset", False), ("/etc/rc.local", "my-nft -f x", False),
])  # fmt: skip
def test_scripts_that_load_rules_are_warned_of(host: Host, path: str, line: str, seen: bool) -> None:
    text = f"{host.read(path)}#!/bin/sh\n{line}\n"
    put(host, path, text)
    at = f"{path}:{text.count(chr(10))}"
    assert read_owners(host).firewall_lines == ((at,) if seen else ())


def test_a_script_that_loads_rules_is_a_warning(host: Host) -> None:
    put(host, "/etc/rc.local", "iptables-restore < /etc/iptables.rules\n")
    _, found = check(read_facts(host, host.runner), WISHES)
    assert [p.diagnosis for p in found if p.id == "firewall-by-script"] == ["/etc/rc.local:1"]


TABLES = {"nftables": [{"metainfo": {"version": "1.1.3"}}, {"table": {"family": "ip", "name": "nat", "handle": 1}},
                      {"table": {"family": "inet", "name": "firewalld", "handle": 2}}]}  # fmt: skip


@pytest.mark.parametrize(("told", "tables", "ids"), [
    (json.dumps(TABLES), ("ip nat", "inet firewalld"), []), ("", (), []), ("{}", None, ["rules-unknown"]),
    ("Error: ...", None, ["rules-unknown"]), (ProgramMissingError("nft"), None, []),
    (ProcessError(["nft"], 1, "", "Operation not permitted"), None, ["rules-unknown"]),
])  # fmt: skip
def test_the_rules_in_force_are_told_whoever_made_them(
    host: Host, told: str | KronosError, tables: tuple[str, ...] | None, ids: list[str]
) -> None:
    runner = host.runner

    def answering(argv: Sequence[str]) -> str:
        if argv[0] != "nft":
            return runner(argv)
        if isinstance(told, KronosError):
            raise told
        return told

    system = read_system(host, answering)
    assert (system.rule_tables, [problem.id for problem in system.unreadable]) == (tables, ids)


# --- confinement ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("config", "enforce", "expected"), [
    ("# SELINUX= can take one of these\nSELINUX=enforcing\nSELINUXTYPE=targeted\n", "1", ("enforcing", "enforcing")),
    ("SELINUX = Permissive\n", "0", ("permissive", "permissive")), ("SELINUX=disabled\n", "", ("", "disabled")),
    ("SELINUXTYPE=targeted\n", "", ("", "")),
])  # fmt: skip
def test_confinement_now_and_after_a_boot(
    host: Host, config: str, enforce: str, expected: tuple[str, str]
) -> None:
    put(host, "/etc/selinux/config", config)
    put(host, "/sys/fs/selinux/enforce", enforce)
    put(host, "/sys/module/apparmor/parameters/enabled", "Y\n")
    found = read_confinement(host)
    assert (found.selinux, found.selinux_configured, found.apparmor) == (*expected, True)
    assert ("selinux-enforcing" in problems(host)) is (expected[1] == "enforcing")


# --- disks ------------------------------------------------------------------------------------------------------------

IDS = "LVM-" + "Z5dj0mB4ynVnYvyYhIGbFpYvDWGkeJ4f" + "d8OkAbG3hf4GZbmZbWwFQVWJYlPhbD2h"


def disk(path: str, kind: str = "disk", **more: object) -> dict[str, object]:
    return {"path": path, "kname": path.rpartition("/")[2], "type": kind, "size": 1 << 40, "ro": False, "rm": False,
            "mountpoints": [None]} | more  # fmt: skip


def not_free(host: Host, *entries: dict[str, object], signatures: str = "") -> dict[str, str]:
    runner, listed = host.runner, json.dumps({"blockdevices": entries})
    answers = {"lsblk": listed, "wipefs": signatures}
    system = read_system(host, lambda argv: answers[argv[0]] if argv[0] in answers else runner(argv))
    return {device.path: device.why_not_free for device in system.disks.devices}


def test_what_lvm_keeps_for_itself_is_not_free(host: Host) -> None:
    layers = [
        disk(f"/dev/mapper/vg0-{name}", "lvm", kname=f"dm-{place}")
        for place, name in enumerate(("pool", "data"))
    ]
    put(host, "/sys/class/block/dm-0/dm/uuid", f"{IDS}-pool\n")
    put(host, "/sys/class/block/dm-1/dm/uuid", f"{IDS}\n")
    assert not_free(host, *layers) == {
        "/dev/mapper/vg0-pool": "is a part of a volume that LVM itself uses", "/dev/mapper/vg0-data": "",
    }  # fmt: skip


def test_disks_of_all_kinds(host: Host) -> None:
    paths = ("/dev/sda", "/dev/sdb")
    multipath = disk("/dev/mapper/mpatha", "mpath", kname="dm-0")
    found = not_free(
        host,
        *(disk(path, children=[multipath]) for path in paths),
        disk("/dev/sdc", fstype="zfs_member"),
        disk("/dev/sdd", children=[disk("/dev/mapper/luks", "crypt", kname="dm-1", mountpoints=["/srv", "/home"])]),
        disk("/dev/sde", ro=True),
        disk("/dev/nvme0n1", mountpoints=["[SWAP]"]),
        disk("/dev/sdf", fstype="btrfs"),
        disk("/dev/sdg", rm="1"),
        disk("/dev/loop0", "loop"), disk("/dev/sr0", "rom"), disk("/dev/sdh", size=0), disk("/dev/zram0"),
        signatures='{"signatures": [{"device": "sdg", "type": "iso9660"}]}',
    )  # fmt: skip
    assert found == {
        "/dev/sda": "holds /dev/mapper/mpatha", "/dev/mapper/mpatha": "", "/dev/sdb": "holds /dev/mapper/mpatha",
        "/dev/sdc": "holds zfs_member", "/dev/sdd": "holds /dev/mapper/luks", "/dev/mapper/luks": "is mounted at /srv, /home",
        "/dev/sde": "is read-only", "/dev/nvme0n1": "is used as swap", "/dev/sdf": "holds btrfs", "/dev/sdg": "holds iso9660",
    }  # fmt: skip


def test_what_a_disk_is_and_holds_is_told(host: Host) -> None:
    first = facts_record(read_facts(host, host.runner))["system"]["disks"][0]
    assert (first["model"], first["serial"], first["read_only"]) == ("QEMU HARDDISK", "QM00001", False)
    assert first["children"] == ["/dev/sda1", "/dev/sda5"]


# --- other software ---------------------------------------------------------------------------------------------------


def test_guests_and_managers_of_kvm_are_seen(host: Host) -> None:
    enable(host, "pvedaemon.service", "snap.docker.dockerd.service")
    put(host, "/etc/libvirt/qemu/autostart/web.xml", "<domain/>")
    put(host, "/run/libvirt/network/default.xml", "<networkstatus/>")
    assert read_software(host).libvirt_active == ("/run/libvirt/network/default.xml",)
    assert read_software(host).docker == f"{WANTS}/snap.docker.dockerd.service"
    found = problems(host)
    assert found["kvm-guest-at-boot"] == "/etc/libvirt/qemu/autostart/web.xml"
    assert found["appliance-exists"] == f"{WANTS}/pvedaemon.service"


def test_all_that_an_earlier_set_up_may_have_left_is_seen(host: Host) -> None:
    left = ("/etc/NetworkManager/conf.d/zz-xapi.conf", "/etc/default/grub.d/zz-xapi.cfg",
            "/etc/default/grub.d/zzz-xapi-default.cfg", "/etc/netplan/99-xapi.yaml")  # fmt: skip
    for path in left:
        put(host, path, "# ours\n")
    put(host, "/etc/default/grub", add_sourcing("GRUB_DEFAULT=0\n"))
    assert set(read_earlier(host).leftovers) == {*left, "/etc/default/grub:3"}

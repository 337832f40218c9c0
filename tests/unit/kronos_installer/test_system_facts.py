"""Disks, volume groups, names, time, firewalls and other software, from captured outputs and files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import OUTPUTS, FakeCommands, make_host, put

from kronos_installer.checks import check
from kronos_installer.detect.disks import parse_lsblk, parse_wipefs, read_disks
from kronos_installer.detect.firewall import FirewallKind, read_firewalls
from kronos_installer.detect.hostname import is_hostname, read_hostname
from kronos_installer.detect.nics import NicKind, read_nics
from kronos_installer.detect.readings import UnreadableError
from kronos_installer.detect.resolver import parse_resolv_conf, read_resolver
from kronos_installer.detect.software import parse_docker_iptables, parse_refcount, read_software
from kronos_installer.detect.system import SystemFacts, read_system, system_record
from kronos_installer.detect.time_sync import (
    TimeService,
    parse_chrony,
    parse_sourcedir,
    parse_timesyncd,
    read_time_sync,
)
from kronos_installer.detect.volume_groups import parse_volume_groups
from kronos_installer.facts import read_facts
from kronos_installer.wishes import Wishes
from xapi_shim.base.process import ProcessError, ProgramMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kronos_installer.host import Host

WANTS = "/etc/systemd/system/multi-user.target.wants"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


def facts(host: Host) -> SystemFacts:
    return read_system(host, host.runner)


def test_a_logical_volume_is_found_by_its_groups_name(host: Host) -> None:
    volume = {"name": "vg-lv", "kname": "dm-0", "path": "/dev/mapper/vg-lv", "type": "lvm", "size": 1 << 33}
    host.at("/dev/vg").mkdir(parents=True)
    host.at("/dev/vg/lv").symlink_to("../dm-0")
    disks, _ = read_disks(
        host, lambda argv: json.dumps({"blockdevices": [volume]}) if argv[0] == "lsblk" else ""
    )
    found = disks.find("/dev/vg/lv")
    assert found is not None
    assert found.path == "/dev/mapper/vg-lv"


CLOUD = "/etc/cloud/cloud.cfg"
USER_DATA = "/var/lib/cloud/instance/cloud-config.txt"


@pytest.mark.parametrize(
    ("files", "writes_hosts", "sets_name"),
    [
        ({CLOUD: "manage_etc_hosts: true\n"}, f"{CLOUD}:1", True),
        ({CLOUD: "manage_etc_hosts: true\npreserve_hostname: false\n",
          f"{CLOUD}.d/99.cfg": "manage_etc_hosts: false\npreserve_hostname: true\n"}, "", False),
        ({CLOUD: "preserve_hostname: true\n", f"{CLOUD}.d/99.cfg": "preserve_hostname: no\n"}, "", True),
        ({f"{CLOUD}.d/99.cfg": "manage_etc_hosts: false\n", USER_DATA: "#cloud-config\nmanage_etc_hosts: localhost\n"},
         f"{USER_DATA}:2", True),
        ({CLOUD: "preserve_hostname: false\n", USER_DATA: "preserve_hostname: true\n"}, "", False),
    ],
)  # fmt: skip
def test_cloud_inits_last_word_counts(
    tmp_path: Path, files: dict[str, str], writes_hosts: str, sets_name: bool
) -> None:
    host = make_host(tmp_path)
    put(host, "/etc/systemd/system/cloud-init.target.wants/cloud-init.service", "")
    for path, text in files.items():
        put(host, path, text)
    found = read_hostname(host)
    assert (found.cloud_init, found.cloud_init_sets) == (writes_hosts, sets_name)


def test_disks_say_what_is_on_them(host: Host) -> None:
    host.at("/dev/disk/by-id").mkdir(parents=True)
    host.at("/dev/disk/by-id/ata-QEMU_HARDDISK_QM00002").symlink_to("../../sdb")
    disks = facts(host).disks
    assert {d.path: d.why_not_free for d in disks.devices} == {
        "/dev/sda": "holds /dev/sda1, /dev/sda5",
        "/dev/sda1": "is mounted at /",
        "/dev/sda5": "is used as swap",
        "/dev/sdb": "",
        "/dev/sdc": "holds LVM2_member",
    }
    assert [d.path for d in disks.free] == ["/dev/sdb"]
    found = disks.find("/dev/disk/by-id/ata-QEMU_HARDDISK_QM00002")
    assert found is not None
    assert (found.path, found.size, found.serial) == ("/dev/sdb", 107374182400, "QM00002")


@pytest.mark.parametrize(("parttype", "free"), [
    ("0x83", True), ("0FC63DAF-8483-4772-8E79-3D69D8477DE4", True), ("0x5", False), (None, False),
    ("21686148-6449-6e6f-744e-656564454649", False),
])  # fmt: skip
def test_a_partition_is_free_when_its_table_gives_it_to_data(
    host: Host, parttype: str | None, free: bool
) -> None:
    runner = host.runner
    part = {
        "path": "/dev/sdb1",
        "kname": "sdb1",
        "type": "part",
        "size": 9,
        "ro": False,
        "parttype": parttype,
    }
    others = [{"path": f"/dev/{name}", "type": "disk", "size": 4096} for name in ("fd0", "ram0", "zram0")]
    text = json.dumps({"blockdevices": [part, *others]})
    disks = read_system(host, lambda argv: text if argv[0] == "lsblk" else runner(argv)).disks
    assert [device.path for device in disks.devices] == ["/dev/sdb1"]
    assert bool(disks.free) is free


def test_a_mirror_is_listed_once_and_its_members_are_not_free() -> None:
    member = {"type": "disk", "size": 5, "ro": False, "rm": False, "mountpoints": [None]}
    array = {"path": "/dev/md0", "kname": "md0", "type": "raid1", "size": 4, "mountpoints": ["/srv"]}
    tree = [member | {"path": p, "kname": p[5:], "children": [array]} for p in ("/dev/sdb", "/dev/sdc")]
    entries = parse_lsblk(json.dumps({"blockdevices": tree}))
    assert [(e["path"], e["children"]) for e in entries] == [
        ("/dev/sdb", ["/dev/md0"]), ("/dev/md0", []), ("/dev/sdc", ["/dev/md0"]),
    ]  # fmt: skip


def test_older_lsblk_prints_texts_for_numbers_and_flags() -> None:
    text = '{"blockdevices": [{"path": "/dev/vda", "kname": "vda", "type": "disk", "size": "7", "ro": "0", "rm": "1"}]}'
    (entry,) = parse_lsblk(text)
    assert entry["size"] == "7"


def test_one_disk_that_cannot_be_read_does_not_hide_the_others(host: Host) -> None:
    runner = host.runner

    def failing(argv: Sequence[str]) -> str:
        if argv[0] == "wipefs" and "/dev/sdb" in argv:
            raise ProcessError(
                argv, 1, "", "wipefs: error: /dev/sdb: probing initialization failed: Input/output error"
            )
        return runner(argv)

    system = read_system(host, failing)
    assert [(d.path, d.why_not_free) for d in system.disks.devices if d.path in ("/dev/sdb", "/dev/sdc")] == [
        ("/dev/sdb", "could not be read"),
        ("/dev/sdc", "holds LVM2_member"),
    ]
    assert [p.id for p in system.unreadable] == ["disk-unreadable"]
    assert "Input/output error" in system.unreadable[0].diagnosis


def test_devices_of_the_mapper_are_known_by_their_last_name() -> None:
    assert parse_wipefs('{"signatures": [{"device": "vg0-root", "type": "ext4"}]}') == {"vg0-root": ("ext4",)}


HOSTILE = ["", "[]", "null", "\x00", '{"blockdevices": 7}', '{"blockdevices": [7]}', '{"signatures": {}}', "[" * 5000,
           '{"blockdevices": [{"path": "/dev/x", "size": 1, "children": [1]}]}', '{"report": [3]}']  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("program", ["lsblk", "wipefs", "vgs", "pvs"])
def test_outputs_that_are_not_understood_are_problems(host: Host, program: str, text: str) -> None:
    runner = host.runner
    system = read_system(host, lambda argv: text if argv[0] == program else runner(argv))
    assert [p.id for p in system.unreadable] or (program == "wipefs" and not text)
    for problem in system.unreadable:
        assert problem.diagnosis
        assert problem.remediation
    json.dumps(system_record(system))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(
    st.sampled_from(["blockdevices", "signatures", "report", "vg", "pv", "path", "children", "size", "vg_attr", "device"]),
    c)))  # fmt: skip
def test_no_json_makes_a_parser_fail_otherwise(found: object) -> None:
    text = json.dumps(found)
    for parse in (parse_lsblk, parse_wipefs, lambda t: parse_volume_groups(t, t)):
        try:
            parse(text)
        except UnreadableError:
            pass


def test_programs_that_are_not_installed_are_no_problem(host: Host) -> None:
    runner = host.runner

    def without_lvm(argv: Sequence[str]) -> str:
        if argv[0] in ("vgs", "pvs", "timedatectl"):
            raise ProgramMissingError(argv[0])
        return runner(argv)

    system = read_system(host, without_lvm)
    assert system.volume_groups == ()
    assert system.unreadable == ()
    assert system.time_sync.synchronized is None


def test_volume_groups_have_their_free_space(host: Host) -> None:
    (group,) = facts(host).volume_groups
    assert (group.name, group.free, group.usable, group.physical_volumes) == (
        "vg0", 214744170496, True, ("/dev/sdc",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "usable"),
    [("wz--n-", True), ("r---n-", False), ("wzx-n-", False), ("wz-pn-", False), ("", False)],
)
def test_exported_partial_and_read_only_groups_cannot_be_used(attributes: str, usable: bool) -> None:
    groups = (OUTPUTS / "vgs.txt").read_text().replace("wz--n-", attributes)
    assert parse_volume_groups(groups, '{"report": []}')[0].usable is usable


def test_the_hostname_resolves_by_the_hosts_file(host: Host) -> None:
    assert facts(host).hostname.at == "/etc/hosts:2"
    put(host, "/etc/hosts", "127.0.0.1 localhost # lab\n")
    assert not facts(host).hostname.resolvable


def test_cloud_init_may_keep_the_name_and_the_hosts_file(host: Host) -> None:
    put(host, f"{WANTS}/cloud-init.service", "")
    put(
        host,
        "/etc/cloud/cloud.cfg",
        "users:\n  - default\nmanage_etc_hosts: true\npreserve_hostname: false\n",
    )
    found = read_hostname(host)
    assert (found.cloud_init, found.cloud_init_sets) == ("/etc/cloud/cloud.cfg:3", True)
    put(host, "/etc/cloud/cloud.cfg", "manage_etc_hosts: false\npreserve_hostname: true\n")
    assert (read_hostname(host).cloud_init, read_hostname(host).cloud_init_sets) == ("", False)


@pytest.mark.parametrize(("name", "good"), [("lab", True), ("lab-1.example.net", True), ("-a", False), ("a..b", False),
                                            ("a_b", False), ("1.2.3.4", False), ("a" * 64, False), ("", False), ("a\n", False)])  # fmt: skip
def test_names_of_hosts(name: str, good: bool) -> None:
    assert is_hostname(name) is good


def test_resolv_conf_says_who_writes_it(host: Host) -> None:
    assert facts(host).resolver.servers == ("10.0.2.3",)
    host.at("/etc/resolv.conf").unlink()
    host.at("/etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    put(host, "/run/systemd/resolve/stub-resolv.conf", "nameserver 127.0.0.53\n")
    assert (read_resolver(host).writer, read_resolver(host).servers) == ("systemd-resolved", ("127.0.0.53",))
    assert parse_resolv_conf("# Generated by NetworkManager\nsearch a\ndomain b\nnameserver\n").search == (
        "b",
    )
    assert parse_resolv_conf("# Generated by NetworkManager\n").writer == "NetworkManager"


def test_time_is_kept_by_timesyncd(host: Host) -> None:
    put(host, "/etc/systemd/timesyncd.conf", "[Time]\n#NTP=\nNTP=a b\n")
    put(host, "/etc/systemd/timesyncd.conf.d/x.conf", "[Time]\nNTP=\nNTP=c\n")
    found = facts(host).time_sync
    assert (found.service, found.servers, found.synchronized) == (TimeService.TIMESYNCD, ("c",), True)
    assert parse_timesyncd("NTP=a\nNTP=b") == ("a", "b")


CHRONY = """\
confdir /etc/chrony/conf.d
pool 2.debian.pool.ntp.org iburst
sourcedir /run/chrony-dhcp
sourcedir /etc/chrony/sources.d
"""


def test_time_is_kept_by_chrony(host: Host) -> None:
    put(host, f"{WANTS}/chrony.service", "")
    put(host, "/etc/chrony/chrony.conf", CHRONY)
    put(host, "/etc/chrony/sources.d/own.sources", "server ntp.example.net iburst\n")
    found = read_time_sync(host, lambda _argv: "no\n")
    assert found.service is TimeService.CHRONY
    assert found.servers == ("2.debian.pool.ntp.org", "ntp.example.net")
    assert (found.synchronized, found.sources) == (False, "/etc/chrony/sources.d")
    assert parse_sourcedir("sourcedir /run/chrony-dhcp\n") == ""
    assert parse_chrony("# server a\n! pool b\nserver\nPool c iburst\n") == ("c",)


def test_firewalls_count_when_a_boot_loads_them(host: Host) -> None:
    put(host, "/etc/nftables.conf", 'include "/etc/nftables.d/*.nft"\n')
    put(host, "/etc/nftables.d/own.nft", "table inet a {}\n")
    put(host, "/etc/ufw/ufw.conf", "ENABLED=no\n")
    assert read_firewalls(host) == ((), ())
    put(host, f"{WANTS}/nftables.service", "")
    put(host, "/etc/ufw/ufw.conf", "# one\nENABLED=yes\n")
    put(host, "/etc/default/ufw", 'DEFAULT_INPUT_POLICY="DROP"\n')
    put(host, "/etc/ufw/user.rules", "*filter\n")
    (nftables, ufw), problems = read_firewalls(host)
    assert list(nftables.files) == ["/etc/nftables.conf", "/etc/nftables.d/own.nft"]
    assert (ufw.kind, ufw.at, ufw.policy) == (FirewallKind.UFW, "/etc/ufw/ufw.conf:2", "drop")
    assert problems == ()


def test_firewalld_has_its_zones(host: Host) -> None:
    put(host, f"{WANTS}/firewalld.service", "")
    put(host, "/etc/firewalld/firewalld.conf", "DefaultZone=work\n")
    put(host, "/usr/lib/firewalld/zones/work.xml", "<zone/>")
    put(host, "/usr/lib/firewalld/zones/home.xml", "<zone/>")
    put(host, "/etc/firewalld/zones/work.xml", "<zone/>")
    put(
        host,
        "/etc/NetworkManager/system-connections/a.nmconnection",
        "[connection]\ninterface-name=eth0\nzone=home\n",
    )
    ((firewall,), _) = read_firewalls(host)
    assert firewall.zones == {"": "work", "eth0": "home"}
    assert list(firewall.files) == ["/etc/firewalld/zones/work.xml", "/usr/lib/firewalld/zones/home.xml"]


def test_files_that_include_themselves_come_to_an_end(host: Host) -> None:
    put(host, f"{WANTS}/nftables.service", "")
    put(host, "/etc/nftables.conf", 'include "/etc/nftables.conf"\n')
    ((firewall,), problems) = read_firewalls(host)
    assert (list(firewall.files), problems) == (["/etc/nftables.conf"], ())


def test_a_link_in_place_of_rules_is_an_error(host: Host) -> None:
    put(host, f"{WANTS}/nftables.service", "")
    host.at("/etc/nftables.conf").symlink_to("/srv/rules")
    ((firewall,), (problem,)) = read_firewalls(host)
    assert (problem.id, problem.level, firewall.files) == ("file-unsuitable", "error", {})


def test_other_software_is_seen(host: Host) -> None:
    put(host, "/sys/module/kvm_amd/refcnt", "3\n")
    put(host, f"{WANTS}/docker.service", "")
    put(host, f"{WANTS}/libvirtd.service", "")
    put(host, "/etc/libvirt/qemu/networks/autostart/default.xml", "<network/>")
    put(host, "/proc/sys/net/bridge/bridge-nf-call-iptables", "1\n")
    put(host, "/etc/xensource-inventory", "INSTALLATION_UUID='x'\nPRODUCT_BRAND='Appliance'\n")
    put(host, "/etc/xen/auto/guest.cfg", "")
    found = read_software(host)
    assert (found.kvm_users, found.kvm_at) == (3, "/sys/module/kvm_amd/refcnt")
    assert (found.docker, found.docker_keeps_iptables) == (f"{WANTS}/docker.service", True)
    assert found.libvirt_networks == ("/etc/libvirt/qemu/networks/autostart/default.xml",)
    assert found.other_inventory == "/etc/xensource-inventory:2"
    assert found.bridge_netfilter
    assert found.xen_guests == ("/etc/xen/auto/guest.cfg",)


@pytest.mark.parametrize(
    ("text", "sets"), [("", True), ('{"iptables": false}', False), ("{", True), ("[]", True)]
)
def test_docker_sets_rules_unless_told_not_to(text: str, sets: bool) -> None:
    assert parse_docker_iptables(text) is sets


@pytest.mark.parametrize(("text", "users"), [("0\n", 0), ("-1\n", 0), ("7\n", 7), ("", 0), ("x", 0)])
def test_users_of_a_module(text: str, users: int) -> None:
    assert parse_refcount(text) == users


def test_check_tells_it_all_as_json(host: Host, capsys) -> None:
    from kronos_installer.main import main

    assert isinstance(host.runner, FakeCommands)
    assert main(["check", "--json", "--root", str(host.root)], runner=host.runner) == 0
    system = json.loads(capsys.readouterr().out)["facts"]["system"]
    assert system["disks"][3]["not_free"] == ""
    assert system["hostname"]["name"] == "lab"
    assert system["time"]["synchronized"] is True


def test_what_dom0s_own_qemu_adds_to_dom0_is_no_nic_of_the_hosts(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    put(host, "/sys/class/net/enX1/address", "52:54:00:12:34:56\n")
    put(host, "/sys/class/net/enX1/type", "1\n")
    put(host, "/sys/class/net/enX1/device/uevent", "DRIVER=vif\nMODALIAS=xen:vif\n")
    kinds = {nic.name: nic.kind for nic in read_nics(host)}
    assert kinds["enX1"] is NicKind.ETHERNET  # a guest's own NIC, on a plain kernel
    put(host, "/proc/xen/capabilities", "control_d\n")
    kinds = {nic.name: nic.kind for nic in read_nics(host)}
    assert (kinds["enX1"], kinds["enp0s3"]) == (NicKind.VIRTUAL, NicKind.ETHERNET)


@pytest.mark.parametrize(
    "address", ["52:54:00:12:34:5\xff", "", "00:00", "52:54:00:12:34:56\n52:54:00:12:34:57"]
)
def test_what_is_no_ethernet_address_is_refused(tmp_path: Path, address: str) -> None:
    host = make_host(tmp_path)
    host.at("/sys/class/net/enp0s3/address").write_bytes(f"{address}\n".encode("latin-1"))
    facts = read_facts(host, host.runner)
    assert {nic.name: nic.mac for nic in facts.nics}["enp0s3"] == ""
    management, problems = check(facts, Wishes("", ""))
    assert management is not None
    assert ("nic-address", "/sys/class/net/enp0s3/address:1") in [(p.id, p.diagnosis) for p in problems]

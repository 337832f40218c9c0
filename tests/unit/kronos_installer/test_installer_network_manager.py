"""NetworkManager's keyfiles: what is on the host comes out on the bridge, or is refused with file and line."""

from __future__ import annotations

import io
import shutil
import subprocess
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import HERE, make_fedora, make_host, put, seal_profiles, snapshot
from profile_stack_kit import cases_of, check_case, check_refusal, host_of

from kronos_installer import executor
from kronos_installer.detect.nics import read_nics
from kronos_installer.facts import read_facts
from kronos_installer.network.iaid import siphash24
from kronos_installer.network.network_manager import read_network_manager
from kronos_installer.network.network_manager.edit import BRIDGE_PROFILE, GUESTS_FILE, GUESTS_SNIPPET
from kronos_installer.network.network_manager.identity import eui64, parse_if_inet6
from kronos_installer.network.network_manager.keyfile import parse_keyfile
from kronos_installer.network.network_manager.settings import Settings
from kronos_installer.network.network_manager.specs import Device, covers_name, matches
from kronos_installer.network.stack import BridgeKind, StackName
from kronos_installer.plan import make_plan
from kronos_installer.problem import Level, ProblemError
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kronos_installer.host import Host
    from kronos_installer.network.network_manager.keyfile import KeyFile
    from kronos_installer.network.stack import NetworkEdit

QUIET = Reporter(io.StringIO())
CASES = cases_of("network_manager")
MOVED = [case for case in CASES if (case / "moved.txt").exists()]
BY_NAME = {case.name: case for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_captured_host(case: Path, tmp_path: Path) -> None:
    check_case(case, tmp_path, read_network_manager)


@pytest.mark.parametrize(
    "case", [c for c in CASES if (c / "refused.txt").exists()], ids=lambda case: case.name
)
def test_every_refusal_names_file_and_line_and_a_remedy(case: Path) -> None:
    assert (case / "refused.txt").read_text() != "not in use\n"
    check_refusal(case)


def edit_of(case: Path, folder: Path) -> tuple[dict[str, bytes], NetworkEdit]:
    """Return the profiles before, by path, and the edit."""
    config = read_network_manager(host_of(case, folder))
    assert config is not None
    management, _ = config.find_management(read_nics(host_of(case, folder)))
    assert management is not None
    before = {path: state.content for path, state in config.originals.items() if state}
    return before, config.move_to_bridge(management, BridgeKind.LINUX)


def test_profiles_that_others_may_read_are_ignored_as_networkmanager_does(tmp_path: Path) -> None:
    host = host_of(BY_NAME["dhcp_as_an_installer_writes_it"], tmp_path)
    host.at("/etc/NetworkManager/system-connections/enp0s3.nmconnection").chmod(0o644)
    config = read_network_manager(host)
    assert config is not None
    management, problems = config.find_management(read_nics(host))
    assert management is None
    assert [(p.level, p.id) for p in problems] == [
        (Level.WARNING, "nm-insecure"),
        (Level.ERROR, "nm-no-profile"),
    ]


def test_a_host_without_networkmanager_has_no_such_stack(tmp_path: Path) -> None:
    host = host_of(BY_NAME["dhcp_as_an_installer_writes_it"], tmp_path)
    wanted = host.at("/etc/systemd/system/multi-user.target.wants/NetworkManager.service")
    service = host.at("/etc/systemd/system/NetworkManager.service")
    service.symlink_to("/dev/null")
    assert read_network_manager(host) is None
    service.unlink()
    assert read_network_manager(host) is not None
    wanted.unlink()
    assert read_network_manager(host) is None


def test_configured_are_the_interfaces_that_it_manages(tmp_path: Path) -> None:
    names = {}
    cases = (
        "bond",
        "ifupdown_has_it",
        "unmanaged",
        "made_up_by_networkmanager",
        "bound_by_mac",
        "any_interface",
    )
    for name in cases:
        config = read_network_manager(host_of(BY_NAME[name], tmp_path / name))
        assert config is not None
        assert config.stack is StackName.NETWORK_MANAGER
        names[name] = sorted(config.configured())
    assert names == {
        "bond": ["bond0", "enp0s3", "enp0s4"],
        "ifupdown_has_it": [],
        "unmanaged": [],
        "made_up_by_networkmanager": ["enp0s3"],
        "bound_by_mac": ["enp0s3"],
        "any_interface": ["enp0s3"],
    }


def test_the_wish_decides_between_two(tmp_path: Path) -> None:
    host = host_of(BY_NAME["two_interfaces"], tmp_path)
    config = read_network_manager(host)
    assert config is not None
    management, problems = config.find_management(read_nics(host), "enp0s4")
    assert management is not None
    assert management.interface == "enp0s4"
    assert [p for p in problems if p.level is Level.ERROR] == []
    _, problems = config.find_management(read_nics(host), "enp9s9")
    assert [p.id for p in problems] == ["management-unknown"]


def test_openvswitch_is_refused_clearly(tmp_path: Path) -> None:
    host = host_of(BY_NAME["dhcp_as_an_installer_writes_it"], tmp_path)
    config = read_network_manager(host)
    assert config is not None
    management, _ = config.find_management(read_nics(host))
    assert management is not None
    with pytest.raises(ProblemError) as refused:
        config.move_to_bridge(management, BridgeKind.OPENVSWITCH)
    assert refused.value.problem.id == "openvswitch-unsupported"


def test_a_link_in_a_profiles_place_is_refused(tmp_path: Path) -> None:
    host = host_of(BY_NAME["dhcp_as_an_installer_writes_it"], tmp_path)
    host.at("/etc/NetworkManager/system-connections/x.nmconnection").symlink_to("/srv/x")
    host.at(BRIDGE_PROFILE).symlink_to("/srv/y")
    config = read_network_manager(host)
    assert config is not None
    _, problems = config.find_management(read_nics(host))
    assert {p.id for p in problems} == {"file-unsuitable"}


def fedora_host(folder: Path) -> Host:
    """Return a Fedora host with a NIC that NetworkManager configures."""
    host = make_fedora(folder)
    case = BY_NAME["fedora_static_with_routes_dns_and_zone"]
    for layer in (case.parent / "common", case / "host"):
        shutil.copytree(layer, host.root, dirs_exist_ok=True)
    shutil.copytree(HERE / "hosts/base/sys/class/net", host.at("/sys/class/net"))
    put(host, "/usr/lib/systemd/system/xapi.service", "[Service]\n")
    seal_profiles(host.root)
    return host


def debian_host(folder: Path) -> Host:
    return make_host(folder, HERE / "cases/network_manager_dhcp/host")


@pytest.mark.parametrize("make", [debian_host, fedora_host])
def test_set_up_and_taken_back_to_the_byte_and_the_mode(make: Callable[[Path], Host], tmp_path: Path) -> None:
    host = make(tmp_path)
    before = snapshot(host)
    wishes = Wishes(installation_uuid=str(uuid.uuid4()), control_domain_uuid=str(uuid.uuid4()))
    plan = make_plan(read_facts(host, host.runner), wishes)
    executor.apply(plan, host, QUIET)
    profiles = list(host.at(BRIDGE_PROFILE).parent.iterdir())
    assert len(profiles) == 2
    assert {path.stat().st_mode & 0o777 for path in profiles} == {0o600}
    assert host.at(GUESTS_SNIPPET).stat().st_mode & 0o777 == 0o644
    executor.rollback(host, QUIET)
    assert snapshot(host) == before


@pytest.mark.parametrize("case", MOVED, ids=lambda case: case.name)
def test_networkmanager_takes_what_is_written_and_reads_the_same_addresses(
    case: Path, tmp_path: Path
) -> None:
    """nmcli(1) --offline checks a keyfile as the daemon does, and prints what it understood."""
    if shutil.which("nmcli") is None:
        pytest.skip("no nmcli: apt-get download network-manager libnm0, dpkg -x, put its usr/bin into PATH")
    before, edit = edit_of(case, tmp_path)
    # A profile in /run stays as it is, another takes its place.
    old_path = next((path for path in edit.files if path in before), next(iter(before)))
    understood = {
        path: parse_keyfile(path, _offline(content).decode())
        for path, content in edit.files.items()
        if content is not None and path != GUESTS_SNIPPET
    }
    old = parse_keyfile(old_path, _offline(before[old_path]).decode())
    bridge = understood.pop(BRIDGE_PROFILE)
    written = parse_keyfile(BRIDGE_PROFILE, (edit.files[BRIDGE_PROFILE] or b"").decode())
    for group in ("ipv4", "ipv6"):
        wanted = _pairs(old, group)
        # What was written out although it was NetworkManager's own default.
        added = ("dhcp-client-id", "dhcp-iaid", "route-metric", "addr-gen-mode", "token")
        wanted |= {key: value for key, value in _pairs(written, group).items() if key in added}
        assert _pairs(bridge, group) == wanted
    (port,) = understood.values()
    assert "ipv4" not in port.group_names
    assert "ipv6" not in port.group_names
    assert port.value("connection", "slave-type") == "bridge"
    assert port.value("connection", "master") == bridge.value("connection", "uuid")
    for group in ("bond", "vlan", "ethtool", "ethernet"):
        assert _pairs(port, group) == _pairs(old, group)


def _pairs(file: KeyFile, group: str) -> dict[str, str]:
    return {entry.key: entry.value for entry in file.of_group(group)}


def _offline(profile: bytes) -> bytes:
    argv = ["nmcli", "--offline", "connection", "modify", "connection.auth-retries", "-1"]
    found = subprocess.run(argv, input=profile, capture_output=True, check=False)
    assert found.returncode == 0, found.stderr.decode()
    return found.stdout


NAMES = st.text("abcdefghij-", min_size=1, max_size=8).filter(lambda t: t.strip("-"))
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\\\n\r\0", categories=("L", "N", "P", "S")))
KEYS = st.dictionaries(NAMES, VALUES, max_size=4)


@given(st.dictionaries(NAMES, KEYS, min_size=1, max_size=4), st.booleans())
def test_a_keyfile_is_read_as_written(groups: dict[str, dict[str, str]], comments: bool) -> None:
    text = "".join(
        f"[{group}]\n" + "".join(f"{key}={value}\n" for key, value in keys.items())
        for group, keys in groups.items()
    )
    text = text.replace("\n[", "\n# a comment\n\n[") if comments else text
    file = parse_keyfile("/k", text)
    assert "".join(file.lines) == text
    assert {group: {e.key: e.value for e in file.of_group(group)} for group in file.group_names} == groups
    for entry in file.entries:
        line = text.split("\n")[int(entry.at.rpartition(":")[2]) - 1]
        assert line == f"{entry.key}={entry.value}"


@given(st.text("[]=#a b\\n\n\t\r\0;", max_size=60))
def test_any_text_is_parsed_to_the_byte_or_refused_by_line(text: str) -> None:
    try:
        file = parse_keyfile("/k", text)
    except ProblemError as error:
        assert 1 <= int(error.problem.diagnosis.removeprefix("/k:")) <= text.count("\n") + 1  # noqa: PT017 -- or not
    else:
        assert "".join(file.lines) == text
        assert len(file.groups) == len(file.lines)


NIC = Device("eth0", "52:54:00:12:34:56", "ethernet")


@pytest.mark.parametrize(
    ("specs", "covered"),
    [
        ("", False),
        ("*", True),
        ("eth0", True),
        ("52:54:00:12:34:56", True),
        ("mac:52:54:00:12:34:5A", False),
        ("interface-name:eth*", True),
        ("interface-name:=eth*", False),
        ("interface-name:e?h0", True),
        ("type:ethernet", True),
        ("type:wifi", False),
        ("* except:type:ethernet", False),
        ("except:type:wifi", True),
        ("except:eth0", False),
        ("driver:e1000", None),
        ("driver:e1000 eth0", True),
        ("* except:driver:e1000", None),
        ("type:wifi except:driver:e1000", False),
    ],
)
def test_device_lists(specs: str, covered: bool | None) -> None:
    assert matches(specs.split(), NIC) is covered


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[keyfile]\nunmanaged-devices=except:interface-name:eth0\n",
        "[keyfile]\nunmanaged-devices=*,except:type:ethernet\n",
    ],
)
def test_guests_interfaces_are_unmanaged_and_no_other_becomes_managed(said: str) -> None:
    host = parse_keyfile("/50-host.conf", said)
    before, after = Settings((host,)), Settings((host, parse_keyfile(GUESTS_SNIPPET, GUESTS_FILE.decode())))
    for name in ("vif1.0", "tap1.0", "enX0"):
        assert after.unmanaged(Device(name, "fe:ff:ff:ff:ff:ff", "ethernet"))[0] is True
    for device in (NIC, Device("eth1", "52:54:00:12:34:57", "ethernet")):
        assert after.unmanaged(device)[0] is before.unmanaged(device)[0]


@pytest.mark.parametrize(
    ("patterns", "covered"),
    [
        ("eth0", True),
        ("en* eth*", True),
        ("en* wl*", False),
        ("!wl*", True),
        ("!eth*", False),
        ("eth* !eth0", False),
        ("|!wl* en*", True),
        ("&eth* &*1", False),
        ("&eth* en*", False),
        ("\\eth0", True),
        ("&\\!wl*", False),
    ],
)
def test_names_that_a_profile_matches(patterns: str, covered: bool) -> None:
    assert covers_name(patterns.split(), "eth0") is covered


def test_siphash_is_the_papers() -> None:
    # The test vector of the paper's appendix A.
    assert siphash24(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5


def test_interface_identifier_of_an_ethernet_address() -> None:
    (found,) = parse_if_inet6("20010db800010000505400fffe123456 02 40 00 00 eth0\n")
    assert found.interface_identifier == eui64("52:54:00:12:34:56")
    assert found.autoconfigured


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/NetworkManager/conf.d/a.conf", "[main]\nno-auto-default=*\n"),
        ("/etc/NetworkManager/conf.d/a.conf", "[main]\nno-auto-default=other\nno-auto-default+=enp0s3\n"),
        ("/etc/NetworkManager/conf.d/a.conf", "[keyfile]\nunmanaged-devices=interface-name:enp*\n"),
        ("/var/lib/NetworkManager/no-auto-default.state", "52:54:00:12:34:56\n"),
    ],
)
def test_what_networkmanager_connects_by_itself(tmp_path: Path, path: str, text: str) -> None:
    host = host_of(BY_NAME["no_profile"], tmp_path)
    config = read_network_manager(host)
    assert config is not None
    assert config.automatic() == ("enp0s3",)
    put(host, path, text)
    config = read_network_manager(host)
    assert config is not None
    assert config.automatic() == ()


def test_a_profile_that_is_not_activated_keeps_the_automatic_one_away(tmp_path: Path) -> None:
    config = read_network_manager(host_of(BY_NAME["not_activated_at_boot"], tmp_path))
    assert config is not None
    assert config.automatic() == ()

"""The commands as an operator or a script meets them: what is printed, exit statuses, nothing changed in vain."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from installer_kit import HERE, FakeCommands, make_host, put, snapshot

from kronos_installer.journal import JOURNAL, Journal, Phase
from kronos_installer.main import main
from kronos_installer.planning import plan_for

if TYPE_CHECKING:
    from kronos_installer.host import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


def test_check_and_plan_change_nothing(host: Host, capsys) -> None:
    before = snapshot(host)
    assert call(host, "check") == 0
    assert "This host can be set up." in capsys.readouterr().out
    assert call(host, "plan") == 0
    assert "A reboot is needed." in capsys.readouterr().out
    assert snapshot(host) == before


def test_what_xen_lacks_is_told_after_the_set_up_too(host: Host, capsys) -> None:
    (host.root / "boot/xen-4.17-amd64.config").write_text("# CONFIG_SHADOW_PAGING is not set\n")
    assert call(host, "apply", "--yes") == 0
    capsys.readouterr()
    assert call(host, "check", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [problem["id"] for problem in told["problems"]] == ["xen-no-shadow-paging"]


def test_json_is_one_document_on_stdout(host: Host, capsys) -> None:
    assert call(host, "check", "--json") == 0
    assert json.loads(capsys.readouterr().out)["facts"]["memory_mib"] == 3917
    assert call(host, "plan", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["dom0_memory_mib"] == 1536
    assert [step["kind"] for step in plan["steps"]][-5:] == [
        "network",
        "grub-script",
        "grub",
        "grub-once",
        "grub-default",
    ]
    assert call(host, "apply", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "applied"
    assert call(host, "status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["reboot_needed"] is True
    assert call(host, "rollback", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "rolled back"


def test_second_apply_changes_nothing(host: Host, capsys) -> None:
    assert call(host, "apply", "--yes") == 0
    before = snapshot(host)
    journal = host.at(JOURNAL).read_bytes()
    assert call(host, "apply", "--yes") == 0
    assert "Already set up; nothing was changed." in capsys.readouterr().out
    assert snapshot(host) == before
    assert host.at(JOURNAL).read_bytes() == journal


def test_apply_with_other_wishes_is_refused(host: Host, capsys) -> None:
    assert call(host, "apply", "--yes") == 0
    assert call(host, "apply", "--yes", "--dom0-mem", "2G") == 2
    said = capsys.readouterr().err
    assert "already, with another dom0_memory_mib" in said
    assert "run 'xapi-host-setup rollback' first" in said


def test_an_interrupted_apply_does_not_go_on_with_other_wishes(host: Host, capsys) -> None:
    plan = plan_for(host, {"dom0_vcpus": 2})
    Journal(host).begin(plan)
    assert call(host, "apply", "--yes", "--dom0-vcpus", "1") == 2
    assert "has begun to be set up, with another dom0_vcpus" in capsys.readouterr().err
    assert Journal(host).load().phase is Phase.APPLYING
    assert call(host, "apply", "--yes", "--dom0-vcpus", "2") == 0


def test_a_place_for_the_journal_that_cannot_be_made_refuses_an_apply(host: Host, capsys) -> None:
    shutil.rmtree(host.at("/var/lib"), ignore_errors=True)
    host.at("/var").mkdir(exist_ok=True)
    host.at("/var/lib").write_text("no folder")
    before = snapshot(host)
    assert call(host, "apply", "--yes") == 3
    assert (
        "nothing was changed: /var/lib/xapi-host-setup cannot be written: Not a directory"
        in capsys.readouterr().err
    )
    assert snapshot(host) == before


def test_apply_asks_and_takes_no_for_an_answer(host: Host, monkeypatch, capsys) -> None:
    before = snapshot(host)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: "\n", raising=False)
    assert call(host, "apply") == 4
    assert snapshot(host) == before


def test_who_is_asked_is_told_that_the_network_is_switched_now(host: Host, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: "\n", raising=False)
    assert call(host, "apply", "--new-pool", "--confirm-minutes", "7", "--switch-network-now") == 4
    said = capsys.readouterr().out
    assert "The running network is not touched" not in said
    assert "away for some seconds" in said
    assert "confirmed (gateway) within 7 minutes:\n   $ " in said
    assert "ifup --force xenbr0" in said


@pytest.mark.parametrize(
    "flags", [("--answers", ""), ("--plan", ""), ("--root", ""), ("--root", "/none/there")]
)
def test_a_name_that_is_empty_or_mistyped_is_wrong_usage(host: Host, capsys, flags: tuple[str, str]) -> None:
    before = snapshot(host)
    with pytest.raises(SystemExit) as ended:
        main(["apply", "--yes", "--root", str(host.root), *flags], runner=host.runner)
    assert ended.value.code == 2
    assert snapshot(host) == before
    assert not Path("/none").exists()


def test_apply_without_a_terminal_wants_yes(host: Host, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    before = snapshot(host)
    assert call(host, "apply") == 2
    assert snapshot(host) == before


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"]])
def test_refused_host_is_left_alone_and_told_why(tmp_path: Path, capsys, command: list[str]) -> None:
    host = make_host(tmp_path, HERE / "cases/wireless_options/host")
    before = snapshot(host)
    assert call(host, *command) == 3
    assert "/etc/network/interfaces:6: the option 'wpa-ssid'" in capsys.readouterr().err
    assert snapshot(host) == before
    assert not host.at(JOURNAL).parent.exists()


@pytest.mark.parametrize(("size", "status"), [("1G", 0), ("2048", 0), ("100M", 3), ("8G", 3), ("much", 3)])
def test_dom0_memory_may_be_chosen(host: Host, capsys, size: str, status: int) -> None:
    assert call(host, "plan", "--dom0-mem", size) == status


def test_dom0_cannot_have_more_processors_than_the_host(host: Host, capsys) -> None:
    assert call(host, "plan", "--dom0-vcpus", "512") == 3
    assert "choose between 1 and 4" in capsys.readouterr().err


def test_management_interface_may_be_chosen(tmp_path: Path, capsys) -> None:
    host = make_host(tmp_path, HERE / "cases/several_interfaces/host")
    assert isinstance(host.runner, FakeCommands)
    host.runner.default_route = "enp9s0"
    assert call(host, "plan", "--management-interface", "enp9s0") == 0
    assert "+\tbridge_ports enp9s0" in capsys.readouterr().out
    assert call(host, "plan", "--management-interface", "enp7s0") == 3


def test_status_tells_what_was_changed_since(host: Host, capsys) -> None:
    assert call(host, "status") == 0
    assert call(host, "apply", "--yes") == 0
    put(host, "/etc/network/interfaces", "auto lo\n")
    assert call(host, "status") == 5
    assert "Changed since: /etc/network/interfaces." in capsys.readouterr().out
    assert call(host, "apply", "--yes") == 5


def test_rollback_keeps_the_operators_later_changes_unless_forced(host: Host, capsys) -> None:
    before = snapshot(host)
    assert call(host, "apply", "--yes") == 0
    put(host, "/etc/network/interfaces", "auto lo\n")
    changed = snapshot(host)
    assert call(host, "rollback", "--yes") == 3
    assert "/etc/network/interfaces" in capsys.readouterr().err
    assert snapshot(host) == changed
    assert call(host, "rollback", "--yes", "--force") == 0
    assert snapshot(host) == before


def test_rollback_of_nothing_says_so(host: Host, capsys) -> None:
    assert call(host, "rollback", "--yes") == 0
    assert "nothing to roll back" in capsys.readouterr().out


def test_what_the_daemon_writes_does_not_stop_rollback(host: Host, capsys) -> None:
    before = snapshot(host)
    assert call(host, "apply", "--yes") == 0
    put(host, "/etc/xensource-inventory", "CHANGED='by the daemon'\n")
    put(host, "/var/lib/dhcp/dhclient.xenbr0.leases", "lease {\n}\n")
    assert call(host, "status") == 0
    assert call(host, "rollback", "--yes") == 0
    assert snapshot(host) == before


def test_guests_kernels_survive_rollback(host: Host, capsys) -> None:
    assert call(host, "apply", "--yes") == 0
    put(host, "/boot/guest/vmlinuz", "a guest's")
    assert call(host, "rollback", "--yes") == 0
    assert host.read("/boot/guest/vmlinuz") == "a guest's"


def test_apply_after_rollback_works_again(host: Host, capsys) -> None:
    before = snapshot(host)
    for _ in range(2):
        assert call(host, "apply", "--yes") == 0
        assert call(host, "rollback", "--yes") == 0
    assert snapshot(host) == before


def test_damaged_journal_is_refused_by_line(host: Host, capsys) -> None:
    assert call(host, "apply", "--yes") == 0
    lines = host.at(JOURNAL).read_bytes().split(b"\n")
    host.at(JOURNAL).write_bytes(b"\n".join([lines[0], b"nonsense", *lines[2:]]))
    before = snapshot(host)
    assert call(host, "rollback", "--yes") == 1
    assert f"{JOURNAL}:2" in capsys.readouterr().err
    assert snapshot(host) == before


@pytest.mark.parametrize("left", [b"", b"{", b"\0" * 4096, b'{"record": "plan", "format": 2'])
def test_a_journal_that_lost_its_plan_is_no_clean_host(host: Host, capsys, left: bytes) -> None:
    assert call(host, "apply", "--yes") == 0
    host.at(JOURNAL).write_bytes(left)
    before = snapshot(host)
    for command in (["status"], ["apply", "--yes"], ["rollback", "--yes", "--force"], ["doctor"]):
        capsys.readouterr()
        assert call(host, *command) == 1
        assert f"{JOURNAL}:1: it was cut off" in capsys.readouterr().err
    assert snapshot(host) == before


def test_nesting_without_end_is_a_damaged_journal(host: Host, capsys) -> None:
    assert call(host, "apply", "--yes") == 0
    host.at(JOURNAL).write_bytes(b"[" * 100_000 + b"\n")
    assert call(host, "status") == 1
    assert f"{JOURNAL}:1: not a record" in capsys.readouterr().err


def test_journal_is_for_root_only(host: Host, capsys) -> None:
    assert call(host, "apply", "--yes") == 0
    assert host.at(JOURNAL).stat().st_mode & 0o777 == 0o600
    assert host.at(JOURNAL).parent.stat().st_mode & 0o777 == 0o700


def test_linked_interfaces_file_is_refused(host: Host, capsys) -> None:
    host.at("/etc/network/interfaces").rename(host.at("/etc/network/real"))
    host.at("/etc/network/interfaces").symlink_to("real")
    assert call(host, "apply", "--yes") == 3
    assert "/etc/network/interfaces is a symbolic link" not in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "plan", "apply", "status", "rollback"])
def test_every_command_has_help(command: str, capsys) -> None:
    with pytest.raises(SystemExit) as leaving:
        main([command, "--help"])
    assert leaving.value.code == 0
    assert "exit status:" in capsys.readouterr().out

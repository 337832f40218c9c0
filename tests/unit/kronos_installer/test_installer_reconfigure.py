"""Other wishes for a host that is set up: done, cut off, failed, and rolled back to the very first state."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from installer_kit import FakeCommands, boot, make_host, put, snapshot, start_xen

from kronos_installer import executor, reconfigure
from kronos_installer.facts import read_facts
from kronos_installer.grub_config import CONFIG_PATH, DEFAULT_PATH
from kronos_installer.host import Host
from kronos_installer.journal import JOURNAL, Journal, Phase
from kronos_installer.main import main
from kronos_installer.plan import Plan, make_plan
from kronos_installer.problem import RefusedError
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from pathlib import Path

QUIET = Reporter(io.StringIO())
WISHES = Wishes(
    installation_uuid="11111111-1111-4111-8111-111111111111",
    control_domain_uuid="22222222-2222-4222-8222-222222222222",
)
ASKED = {"dom0_memory_mib": 2048, "dom0_vcpus": 2, "hostname": "xen2", "ntp_servers": ("ntp2.example.org",)}


class Crash(BaseException):
    """The power cut."""


def finished_host(folder: Path) -> Host:
    """Return a host that was set up, rebooted, confirmed and finished."""
    host = make_host(folder)
    executor.apply(make_plan(read_facts(host, host.runner), WISHES), host, QUIET)
    boot(host)
    start_xen(host)
    see_it_work(host)
    return host


def see_it_work(host: Host) -> None:
    """Do what is done under Xen, when the network is confirmed."""
    Journal(host).add({"record": "confirmed", "by": "gateway", "xen": True})
    executor.finish(host, QUIET)


def copy_of(host: Host, folder: Path) -> Host:
    shutil.copytree(host.root, folder, symlinks=True)
    return Host(folder, FakeCommands(folder))


def plan_for(host: Host, asked: dict | None = None) -> Plan:
    wishes = Journal(host).load().wishes
    assert wishes is not None
    return reconfigure.plan_changes(read_facts(host, host.runner), wishes, asked or ASKED)


def crashing(host: Host, at: int) -> Host:
    left = [at]

    def effect(what: str) -> None:
        if left[0] == 0:
            raise Crash(what)
        left[0] -= 1

    return replace(host, on_effect=effect)


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return finished_host(tmp_path)


def first_state(folder: Path) -> dict:
    host = make_host(folder)
    start_xen(host)
    return snapshot(host)


def test_the_differences_are_planned_and_nothing_else(host: Host) -> None:
    plan = plan_for(host)
    assert [step.describe().split(",")[0] for step in plan.steps] == [
        "change /etc/hosts", "change /etc/hostname", "write /etc/systemd/timesyncd.conf.d/90-xapi-host-setup.conf",
        f"change {DEFAULT_PATH}", f"change {CONFIG_PATH}", "make Xen the next boot", f"change {DEFAULT_PATH}",
    ]  # fmt: skip
    changed = [line for line in plan.steps[4].diff().splitlines()[2:] if line.startswith(("-", "+"))]
    assert len(changed) == 2
    assert "dom0_mem=2048M,max:2048M dom0_max_vcpus=2" in changed[1]
    assert (
        plan_for(host, {"dom0_vcpus": plan_for(host, {"dom0_vcpus": 1}).wishes.dom0_vcpus}).wishes.dom0_vcpus
        == 1
    )


def test_a_rollback_after_two_of_them_is_the_first_state(host: Host, tmp_path: Path) -> None:
    reconfigure.begin(host, plan_for(host), QUIET)
    see_it_work(host)
    reconfigure.begin(host, plan_for(host, {"hostname": "xen3", "dom0_memory_mib": 1024}), QUIET)
    see_it_work(host)
    state = Journal(host).load()
    assert state.phase is Phase.FINISHED
    assert state.wishes is not None
    assert (state.wishes.hostname, state.wishes.dom0_memory_mib, state.wishes.dom0_vcpus) == ("xen3", 1024, 2)
    assert executor.changed_since(host, state) == []
    assert executor.not_in_place(host, state) == []
    executor.rollback(host, QUIET)
    assert snapshot(host) == first_state(tmp_path / "first")


def test_what_others_change_in_between_is_still_noticed(host: Host) -> None:
    reconfigure.begin(host, plan_for(host), QUIET)
    put(host, "/etc/hostname", "other\n")
    assert executor.changed_since(host, Journal(host).load()) == ["/etc/hostname"]
    with pytest.raises(executor.ChangedSinceError):
        executor.rollback(host, QUIET)


def test_a_file_of_others_that_is_not_concerned_is_no_obstacle(host: Host, capsys) -> None:
    path = "/etc/network/interfaces"
    put(host, path, host.read(path) + "\nauto enp0s9\niface enp0s9 inet manual\n")
    assert call(host, "reconfigure", "--yes", "--dom0-vcpus", "2") == 0
    assert Journal(host).load().phase is Phase.TRYING
    capsys.readouterr()
    assert call(host, "rollback", "--yes") == 3
    assert path in capsys.readouterr().err


def test_a_file_of_others_that_is_concerned_refuses_it_before_it_begins(host: Host, capsys) -> None:
    put(host, CONFIG_PATH, host.read(CONFIG_PATH) + "# mine\n")
    before = snapshot(host)
    assert call(host, "reconfigure", "--yes", "--dom0-vcpus", "2") == 3
    assert CONFIG_PATH in capsys.readouterr().err
    assert Journal(host).load().phase is Phase.FINISHED
    assert snapshot(host) == before


def test_cut_off_anywhere_it_goes_on_or_all_goes_back(tmp_path: Path) -> None:
    finished = finished_host(tmp_path / "finished")
    host = copy_of(finished, tmp_path / "whole")
    seen: list[str] = []
    reconfigure.begin(replace(host, on_effect=seen.append), plan_for(host), QUIET)
    after, first = snapshot(host), first_state(tmp_path / "first")
    for at in range(len(seen)):
        cut = copy_of(finished, tmp_path / str(at))
        with pytest.raises(Crash):
            reconfigure.begin(crashing(cut, at), plan_for(cut), QUIET)
        if at % 2 and Journal(cut).load().phase is Phase.RECONFIGURING:
            assert Journal(cut).load().phase.is_set_up is False
            reconfigure.resume(cut, QUIET)
            assert snapshot(cut) == after, f"crash at effect {at}"
        executor.rollback(cut, QUIET)
        assert snapshot(cut) == first, f"crash at effect {at}"


def test_a_failure_leaves_the_host_as_it_was_set_up_wherever_it_is_cut_off(tmp_path: Path) -> None:
    finished = finished_host(tmp_path / "finished")
    host = copy_of(finished, tmp_path / "whole")
    before, seen = snapshot(host), []
    assert isinstance(host.runner, FakeCommands)
    plan = plan_for(host)
    host.runner.broken.add("grub-mkconfig")
    with pytest.raises((reconfigure.ReconfigureFailedError, executor.UndoFailedError)):
        reconfigure.begin(replace(host, on_effect=seen.append), plan, QUIET)
    for at in range(len(seen)):
        cut = copy_of(finished, tmp_path / str(at))
        assert isinstance(cut.runner, FakeCommands)
        plan = plan_for(cut)
        cut.runner.broken.add("grub-mkconfig")
        with pytest.raises(Crash):
            reconfigure.begin(crashing(cut, at), plan, QUIET)
        while Journal(cut).load().phase is not Phase.FINISHED:
            try:
                reconfigure.resume(cut, QUIET)
            except reconfigure.ReconfigureFailedError:
                pass
        state = Journal(cut).load()
        assert snapshot(cut) == before, f"crash at effect {at}"
        assert (state.former, executor.changed_since(cut, state)) == (None, [])
        assert state.wishes is not None
        assert state.wishes.hostname == ""


def test_the_command_shows_asks_and_does(host: Host, capsys, tmp_path: Path) -> None:
    assert call(host, "reconfigure", "--yes", "--hostname", "xen2", "--dom0-mem", "2G") == 0
    out = capsys.readouterr().out
    assert "+xen2" in out
    assert "The next boot alone tries it" in out
    assert call(host, "status") == 0
    see_it_work(host)
    assert call(host, "reconfigure", "--yes", "--hostname", "xen2") == 0
    assert "The host is as asked for." in capsys.readouterr().out
    assert call(host, "rollback", "--yes") == 0
    assert snapshot(host) == first_state(tmp_path / "first")


def test_what_leaves_the_boot_alone_is_not_tried(host: Host, capsys) -> None:
    menu = host.read("/boot/grub/grub.cfg")
    assert call(host, "reconfigure", "--yes", "--hostname", "xen2") == 0
    assert "take effect at the next reboot" in capsys.readouterr().out
    assert Journal(host).load().phase is Phase.FINISHED
    assert host.read("/boot/grub/grub.cfg") == menu


def test_the_command_goes_on_where_it_was_cut_off(host: Host, capsys) -> None:
    with pytest.raises(Crash):
        reconfigure.begin(crashing(host, 12), plan_for(host), QUIET)
    assert call(host, "status") == 5
    assert "A reconfigure was interrupted" in capsys.readouterr().out
    assert call(host, "apply", "--yes") == 2
    assert call(host, "doctor") == 5
    capsys.readouterr()
    assert call(host, "reconfigure", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "reconfigured"
    assert Journal(host).load().phase is Phase.TRYING
    assert host.read("/etc/hostname") == "xen2\n"


@pytest.mark.parametrize(("args", "status", "said"), [
    ((), 2, "nothing is asked for"),
    (("--management-interface", "eth9"), 3, "--management-interface cannot be changed"),
    (("--hostname", "a_b"), 3, "a_b"),
    (("--ntp-server=-x",), 3, "-x"),
    (("--dom0-mem", "9G"), 3, "dom0"),
])  # fmt: skip
def test_what_cannot_be_changed_is_refused(
    host: Host, capsys, args: tuple[str, ...], status: int, said: str
) -> None:
    before, journal = snapshot(host), host.at(JOURNAL).read_bytes()
    assert call(host, "reconfigure", "--yes", *args) == status
    assert said in capsys.readouterr().err
    assert (snapshot(host), host.at(JOURNAL).read_bytes()) == (before, journal)


def test_a_host_that_is_not_finished_is_not_reconfigured(tmp_path: Path, capsys) -> None:
    host = make_host(tmp_path)
    assert call(host, "reconfigure", "--yes", "--hostname", "x") == 2
    assert call(host, "apply", "--yes") == 0
    assert call(host, "reconfigure", "--yes", "--hostname", "x") == 2
    assert "when its set-up is finished" in capsys.readouterr().err


def test_a_grub_file_that_somebody_else_wrote_is_refused(host: Host) -> None:
    put(host, CONFIG_PATH, "# mine\n")
    with pytest.raises(RefusedError, match="dom0's options are not as the set-up wrote them"):
        plan_for(host)


def test_what_the_host_is_already_is_a_wish_from_then_on(host: Host, tmp_path: Path, capsys) -> None:
    name = host.read("/etc/hostname").strip()
    before = {path: state for path, state in snapshot(host).items() if "journal" not in path}
    assert call(host, "apply", "--yes", "--hostname", name) == 2
    assert call(host, "reconfigure", "--yes", "--hostname", name) == 0
    assert {path: state for path, state in snapshot(host).items() if "journal" not in path} == before
    assert call(host, "apply", "--yes", "--hostname", name) == 0
    executor.rollback(host, QUIET)
    assert snapshot(host) == first_state(tmp_path / "first")


def test_time_servers_are_not_taken_back_without_a_word(host: Host, tmp_path: Path, capsys) -> None:
    answers = tmp_path / "answers"
    answers.write_text("ntp_servers: []\n")
    assert call(host, "reconfigure", "--yes", "--answers", str(answers)) == 0
    assert call(host, "reconfigure", "--yes", "--ntp-server", "ntp2.example.org") == 0
    assert call(host, "reconfigure", "--yes", "--answers", str(answers)) == 3
    assert "--ntp-server cannot be changed" in capsys.readouterr().err


def test_there_is_nothing_to_plan_on_a_host_that_is_finished(host: Host, capsys) -> None:
    assert call(host, "plan", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"outcome": "nothing to plan", "phase": "finished"}
    assert call(host, "plan", "--hostname", "other") == 2
    assert "reconfigure" in capsys.readouterr().err


def test_an_apply_with_other_wishes_points_here(host: Host, capsys) -> None:
    assert call(host, "apply", "--yes", "--hostname", "xen2", "--dom0-vcpus", "1") == 2
    assert "run 'xapi-host-setup reconfigure' with the same flags" in capsys.readouterr().err
    assert call(host, "apply", "--yes", "--hostname", "xen2", "--confirm", "operator") == 2
    assert "run 'xapi-host-setup rollback' first" in capsys.readouterr().err

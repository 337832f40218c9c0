"""Other options for Xen: the next boot alone has them; seen to work they stay, else the old ones come back by themselves."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from dead_man_kit import (
    ENVIRONMENT,
    QUIET,
    Clock,
    applied_host,
    boot,
    commands_of,
    files,
    follow_files,
    settled,
    wishes,
)
from installer_kit import Countdown, Crash, FakeCommands, make_fedora, no_settling, put, start_xen
from installer_kit import boot as boots

from kronos_installer import executor, reconfigure
from kronos_installer.boot_steps import boot_steps, dom0_size
from kronos_installer.change_back import change_back
from kronos_installer.detect.gateways import Gateway
from kronos_installer.detect.pool_conf import POOL_CONF
from kronos_installer.facts import read_facts
from kronos_installer.grub_config import CONFIG_PATH, DEFAULT_PATH
from kronos_installer.grub_environment import parse_environment
from kronos_installer.guard import guard
from kronos_installer.host import Host
from kronos_installer.journal import JOURNAL, RESERVE, Journal, Phase
from kronos_installer.main import main
from kronos_installer.plan import Plan
from kronos_installer.wishes import Confirm, PoolWish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

XEN = "Debian GNU/Linux, with Xen hypervisor"
LINUX = "Debian GNU/Linux"
ASKED = {"dom0_memory_mib": 1024, "hostname": "xen2"}
NEW = "dom0_mem=1024M,max:1024M"


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


def finished_host(folder: Path, confirm: Confirm = Confirm.GATEWAY) -> Host:
    """Return a host that is set up, and whose Xen boots by itself."""
    host = applied_host(folder, wishes(confirm))
    assert boots(host) == XEN
    boot(host, xen=True)
    if confirm is Confirm.OPERATOR:
        assert call(host, "confirm") == 0
    assert settled(host).phase is Phase.FINISHED
    assert reboots(host) == XEN
    return host


def copy_of(host: Host, folder: Path) -> Host:
    shutil.copytree(host.root, folder, symlinks=True)
    copied = Host(folder, FakeCommands(folder), settle=no_settling)
    follow_files(copied)
    return copied


def plan_for(host: Host, asked: dict | None = None) -> Plan:
    wished = Journal(host).load().wishes
    assert wished is not None
    return reconfigure.plan_changes(read_facts(host, host.runner), wished, asked or ASKED)


def reboots(host: Host) -> str:
    """Boot what GRUB chooses; return its title."""
    title = boots(host)
    boot(host, xen=title == XEN)
    commands_of(host).ran.clear()
    return title


def has_rebooted(host: Host) -> bool:
    return "systemctl reboot" in commands_of(host).ran


@pytest.fixture
def tried(tmp_path: Path) -> Host:
    """Return a host that has been reconfigured, and not rebooted yet."""
    host = finished_host(tmp_path)
    reconfigure.begin(host, plan_for(host), QUIET)
    return host


def test_the_next_boot_alone_has_the_new_options(tried: Host, capsys) -> None:
    assert NEW in tried.read(CONFIG_PATH)
    assert settled(tried).phase is Phase.TRYING
    assert call(tried, "status") == 0
    said = capsys.readouterr().out
    assert "Reboot to try it" in said
    assert "what boots by itself is without Xen" in said
    assert call(tried, "status", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["phase"], told["reboot_needed"], told["awaits_confirmation"]) == (
        "trying a reconfigure", True, False,
    )  # fmt: skip
    assert call(tried, "doctor") == 5
    assert "reconfigure-untried" in capsys.readouterr().out
    assert boots(tried) == XEN
    assert boots(tried) == LINUX


def test_the_plan_says_what_boots_meanwhile(tmp_path: Path, capsys) -> None:
    host = finished_host(tmp_path)
    assert call(host, "reconfigure", "--yes", "--dom0-mem", "1G") == 0
    out = capsys.readouterr().out
    assert "until Xen has been seen to work with its new options, what boots by itself is without it" in out
    assert "the old options come back by themselves" in out


@pytest.mark.parametrize("confirm", [Confirm.GATEWAY, Confirm.OPERATOR])
def test_options_that_work_stay(tmp_path: Path, confirm: Confirm, capsys) -> None:
    host = finished_host(tmp_path, confirm)
    lasting = host.state(DEFAULT_PATH)
    reconfigure.begin(host, plan_for(host), QUIET)
    assert reboots(host) == XEN
    assert settled(host).phase is Phase.FINISHED
    assert not has_rebooted(host)
    assert host.state(DEFAULT_PATH) == lasting
    assert NEW in host.read(CONFIG_PATH)
    assert reboots(host) == XEN
    assert settled(host).phase is Phase.FINISHED
    capsys.readouterr()
    assert call(host, "status") == 0
    assert "taken back" not in capsys.readouterr().out
    state = Journal(host).load()
    assert (executor.changed_since(host, state), executor.not_in_place(host, state)) == ([], [])


def test_a_xen_that_does_not_come_up_gets_its_old_options_back(tmp_path: Path, capsys) -> None:
    host = finished_host(tmp_path)
    before = files(host)
    reconfigure.begin(host, plan_for(host), QUIET)
    assert boots(host) == XEN
    # It resets, and nothing of it was ever seen.
    assert reboots(host) == LINUX
    capsys.readouterr()
    assert call(host, "status") == 5
    assert "came back without Xen" in capsys.readouterr().out
    state = settled(host)
    assert (state.phase, state.why_changed_back) == (Phase.CHANGING_BACK, "the host came back without Xen")
    assert has_rebooted(host)
    assert reboots(host) == XEN
    state = settled(host)
    assert state.phase is Phase.FINISHED
    assert files(host) == before
    assert not has_rebooted(host)
    assert reboots(host) == XEN
    assert settled(host).phase is Phase.FINISHED
    capsys.readouterr()
    assert call(host, "status") == 0
    assert "The last reconfigure was taken back: the host came back without Xen." in capsys.readouterr().out
    call(host, "doctor")
    assert "reconfigure-taken-back" in capsys.readouterr().out
    assert state.wishes is not None
    assert (state.wishes.hostname, state.wishes.dom0_memory_mib) != ("xen2", 1024)


def test_a_network_that_is_silent_under_them_gets_the_old_ones_back(tried: Host, capsys) -> None:
    assert reboots(tried) == XEN
    commands_of(tried).broken.add("ping")
    capsys.readouterr()
    clock = Clock()
    assert call(tried, "status") == 0
    assert "Xen runs with its new options: the network waits to be confirmed" in capsys.readouterr().out
    state = settled(tried, clock)
    assert clock.seconds >= 20 + 600
    assert state.why_changed_back == "under Xen the gateway (192.0.2.1) did not answer within 10 minutes"
    assert has_rebooted(tried)
    commands_of(tried).broken.clear()
    assert reboots(tried) == XEN
    assert NEW not in tried.read(CONFIG_PATH)
    assert settled(tried).phase is Phase.FINISHED
    assert not has_rebooted(tried)


def test_the_operators_word_confirms_them(tried: Host, capsys) -> None:
    assert call(tried, "confirm") == 2
    assert reboots(tried) == XEN
    commands_of(tried).broken.add("ping")
    capsys.readouterr()
    assert call(tried, "confirm") == 0
    assert "this host keeps its new options for Xen" in capsys.readouterr().out
    assert settled(tried).phase is Phase.FINISHED
    assert NEW in tried.read(CONFIG_PATH)


def test_a_gateway_that_came_since_confirms_them(tmp_path: Path) -> None:
    host = finished_host(tmp_path)
    plan = replace(plan_for(host), gateways=("192.0.2.254",))
    reconfigure.begin(host, plan, QUIET)
    assert reboots(host) == XEN
    assert settled(host).why_changed_back.startswith("under Xen the gateway (192.0.2.254)")
    change_back(host, QUIET)
    assert Journal(host).load().gateways == ("192.0.2.1",)


def test_gateways_that_are_silent_now_are_a_warning(tmp_path: Path) -> None:
    host = finished_host(tmp_path)
    commands_of(host).broken.add("ping")
    plan = plan_for(host)
    assert [problem.id for problem in plan.problems] == ["no-gateway-answers"]
    assert plan.gateways == ()
    assert plan_for(host, {"hostname": "xen3"}).problems == ()


@pytest.mark.parametrize("others", [
    (Gateway("198.51.100.1", "enp0s9", answers=True), Gateway("192.0.2.1", "xenbr0", answers=False)),
    (Gateway("fe80::1", "enp0s3", answers=True),),
])  # fmt: skip
def test_a_gateway_behind_no_bridge_is_none(tmp_path: Path, others: tuple[Gateway, ...]) -> None:
    host = finished_host(tmp_path)
    facts, wished = read_facts(host, host.runner), Journal(host).load().wishes
    assert wished is not None
    plan = reconfigure.plan_changes(replace(facts, gateways=others), wished, ASKED)
    assert ([problem.id for problem in plan.problems], plan.gateways) == (["no-gateway-answers"], ())
    behind = Gateway("192.0.2.7", "xenbr0", answers=True)
    plan = reconfigure.plan_changes(replace(facts, gateways=(behind,)), wished, ASKED)
    assert plan.gateways == ("192.0.2.7",)


def test_a_way_back_that_fails_ends_on_the_old_kernel(tried: Host) -> None:
    """Unreachable under Xen, with a full disk: what boots by itself is known to work, and ends it when there is room."""
    assert reboots(tried) == XEN
    commands_of(tried).broken |= {"ping", "grub-mkconfig"}
    # A kernel came since: the menu cannot be put back to the byte.
    tried.at("/boot/vmlinuz-6.1.0-57-amd64").write_text("kernel\n")
    with pytest.raises(Exception, match="no space left"):
        settled(tried)
    assert has_rebooted(tried)
    assert reboots(tried) == LINUX
    with pytest.raises(Exception, match="no space left"):
        settled(tried)
    assert not has_rebooted(tried)
    commands_of(tried).broken.clear()
    settled(tried)
    assert has_rebooted(tried)
    assert reboots(tried) == XEN
    assert NEW not in tried.read(CONFIG_PATH)
    assert settled(tried).phase is Phase.FINISHED


@pytest.mark.parametrize("mended", [True, False], ids=["mended", "rebooted"])
def test_a_last_step_that_fails_waits_to_be_mended(tried: Host, capsys, mended: bool) -> None:
    assert reboots(tried) == XEN
    commands_of(tried).broken.add("grub-mkconfig")
    with pytest.raises(executor.AfterRebootError):
        settled(tried)
    assert not has_rebooted(tried)
    capsys.readouterr()
    assert call(tried, "status") == 5
    assert "'xapi-host-setup apply' goes on" in capsys.readouterr().out
    commands_of(tried).broken.clear()
    if mended:
        assert call(tried, "apply", "--yes") == 0
    else:
        assert reboots(tried) == LINUX
        assert call(tried, "status") == 5
        assert "The old options come back by themselves" in capsys.readouterr().out
        assert (
            settled(tried).why_changed_back
            == "the host was rebooted before Xen was made what boots by itself"
        )
    assert reboots(tried) == XEN
    assert settled(tried).phase is Phase.FINISHED
    assert (NEW in tried.read(CONFIG_PATH)) is mended


@pytest.fixture
def unlucky(tried: Host) -> Host:
    """Return a host whose Xen has just not come up with its new options, taken back."""
    assert boots(tried) == XEN
    assert reboots(tried) == LINUX
    settled(tried)
    assert has_rebooted(tried)
    assert NEW not in tried.read(CONFIG_PATH)
    return tried


def test_a_xen_that_no_longer_comes_up_at_all_is_not_what_boots_by_itself(unlucky: Host, capsys) -> None:
    """Its packages were newer than what ran: the options were never the cause, and it resets with the old ones, too."""
    assert boots(unlucky) == XEN
    for _ in range(2):
        assert reboots(unlucky) == LINUX
        settled(unlucky)
        assert not has_rebooted(unlucky)
    capsys.readouterr()
    assert call(unlucky, "status") == 5
    said = capsys.readouterr().out
    assert "Xen was not seen to work with its old options either" in said
    assert call(unlucky, "doctor") == 5
    out = capsys.readouterr().out
    assert "reconfigure-untried" in out
    assert not any(
        word in out for word in ("not-set-up", "set-up-unfinished", "default-not-xen", "step-not-in-place")
    )
    assert "the host came back without Xen" in said
    assert call(unlucky, "reconfigure", "--yes") == 0
    assert Journal(unlucky).load().phase is Phase.FINISHED
    assert reboots(unlucky) == XEN
    assert settled(unlucky).phase is Phase.FINISHED
    assert Journal(unlucky).load().why_changed_back == "the host came back without Xen"


def test_a_network_that_is_silent_under_any_xen_is_had_back_without_it(tried: Host) -> None:
    for phase in (Phase.TRYING, Phase.CHANGING_BACK):
        assert reboots(tried) == XEN
        assert Journal(tried).load().phase is phase
        commands_of(tried).broken.add("ping")
        clock = Clock()
        settled(tried, clock)
        assert clock.seconds >= 20 + 600
        assert has_rebooted(tried)
    commands_of(tried).broken.clear()
    for _ in range(2):
        assert reboots(tried) == LINUX
        settled(tried)
        assert not has_rebooted(tried)


def test_the_operators_word_ends_the_way_back(unlucky: Host, capsys) -> None:
    assert reboots(unlucky) == XEN
    commands_of(unlucky).broken.add("ping")
    capsys.readouterr()
    assert call(unlucky, "status") == 0
    assert "Xen runs with its old options again" in capsys.readouterr().out
    assert call(unlucky, "confirm") == 0
    assert "keeps its old options for Xen" in capsys.readouterr().out
    assert settled(unlucky).phase is Phase.FINISHED
    assert not has_rebooted(unlucky)
    assert boots(unlucky) == XEN


def test_where_nobody_could_be_asked_a_xen_that_runs_is_enough_for_the_old_options(tmp_path: Path) -> None:
    host = finished_host(tmp_path)
    commands_of(host).broken.add("ping")
    reconfigure.begin(host, plan_for(host), QUIET)
    for phase in (Phase.CHANGING_BACK, Phase.FINISHED):
        assert reboots(host) == XEN
        commands_of(host).broken.add("ping")
        settled(host)
        assert Journal(host).load().phase is phase
    assert not has_rebooted(host)
    assert boots(host) == XEN


def member_host(folder: Path) -> Host:
    """Return a host that has joined a pool, whose master is another one by now."""
    host = applied_host(folder, replace(wishes(Confirm.MASTER), pool=PoolWish("192.0.2.10")))
    boots(host)
    boot(host, xen=True)
    assert settled(host, Clock(masters={"192.0.2.10"})).phase is Phase.FINISHED
    put(host, POOL_CONF, "slave:192.0.2.20\n")
    return host


def test_the_master_of_now_confirms_them(tmp_path: Path) -> None:
    host = member_host(tmp_path)
    commands_of(host).broken.add("ping")
    assert plan_for(host).problems == ()
    reconfigure.begin(host, plan_for(host), QUIET)
    assert reboots(host) == XEN
    silent = copy_of(host, tmp_path / "silent")
    commands_of(silent).broken.add("ping")
    state = settled(silent, Clock(masters={"192.0.2.10"}))
    assert (
        state.why_changed_back == "under Xen the pool's master (192.0.2.20) was not reached within 10 minutes"
    )
    assert settled(host, Clock(masters={"192.0.2.20"})).phase is Phase.FINISHED
    assert NEW in host.read(CONFIG_PATH)


def test_where_the_pool_was_left_the_gateways_confirm_them(tmp_path: Path) -> None:
    host = member_host(tmp_path)
    put(host, POOL_CONF, "master\n")
    commands_of(host).broken.add("ping")
    assert [problem.id for problem in plan_for(host).problems] == ["no-gateway-answers"]
    commands_of(host).broken.clear()
    assert plan_for(host).problems == ()
    reconfigure.begin(host, plan_for(host), QUIET)
    assert reboots(host) == XEN
    silent = copy_of(host, tmp_path / "silent")
    commands_of(silent).broken.add("ping")
    assert "the gateway (192.0.2.1) did not answer" in settled(silent).why_changed_back
    assert settled(host).phase is Phase.FINISHED
    assert NEW in host.read(CONFIG_PATH)


def test_a_switch_of_the_network_that_is_asked_for_meanwhile_keeps_nobody_from_confirming(
    tried: Host, capsys
) -> None:
    assert reboots(tried) == XEN
    assert call(tried, "apply", "--switch-network-now", "--yes") == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert commands_of(tried).ran == []
    assert settled(tried).phase is Phase.FINISHED
    assert NEW in tried.read(CONFIG_PATH)


def test_a_word_that_comes_too_late_is_told_so(unlucky: Host, capsys) -> None:
    """Who confirms then must not think that the new options stay."""
    capsys.readouterr()
    assert call(unlucky, "confirm") == 2
    assert (
        "too late: the reconfigure was taken back, the host came back without Xen" in capsys.readouterr().err
    )
    assert reboots(unlucky) == XEN
    assert settled(unlucky).phase is Phase.FINISHED
    assert call(unlucky, "confirm") == 2
    assert (
        "too late: the reconfigure was taken back, the host came back without Xen" in capsys.readouterr().err
    )


def test_a_way_back_that_fails_says_how_to_end_it(tmp_path: Path, capsys) -> None:
    host = finished_host(tmp_path)
    commands_of(host).broken.add("grub-mkconfig")
    host.at("/boot/vmlinuz-6.1.0-57-amd64").write_text("kernel\n")
    plan = plan_for(host)

    def a_kernel_comes(what: str) -> None:
        if what == "before recording change-back":
            host.at("/boot/vmlinuz-6.1.0-58-amd64").write_text("kernel\n")

    with pytest.raises(executor.UndoFailedError) as failed:
        reconfigure.begin(replace(host, on_effect=a_kernel_comes), plan, QUIET)
    assert str(failed.value).startswith("reconfigure failed: ")
    assert failed.value.resolution == "mend the cause, then run 'xapi-host-setup reconfigure': it ends that"
    commands_of(host).broken.clear()
    assert call(host, "reconfigure", "--yes") == 0
    assert "The reconfigure is taken back" in capsys.readouterr().out
    assert Journal(host).load().phase is Phase.FINISHED


def test_room_for_a_rollback_is_kept_again(tried: Host) -> None:
    change_back(tried, QUIET)
    assert tried.exists(RESERVE)


def test_what_others_changed_is_not_lost_with_what_is_taken_back(tried: Host, capsys) -> None:
    put(tried, "/etc/hostname", "theirs\n")
    for more in ((), ("--dom0-vcpus", "2")):
        assert call(tried, "reconfigure", "--yes", *more) == 3
        assert "changed since the set-up: /etc/hostname" in capsys.readouterr().err
    assert tried.read("/etc/hostname") == "theirs\n"
    assert Journal(tried).load().phase is Phase.TRYING


def test_wishes_that_are_refused_leave_what_waits_for_its_try(tried: Host) -> None:
    for flag, value in (("--dom0-mem", "900G"), ("--dom0-vcpus", "900"), ("--hostname", "localhost")):
        assert call(tried, "reconfigure", "--yes", flag, value) == 3
    assert Journal(tried).load().phase is Phase.TRYING
    assert NEW in tried.read(CONFIG_PATH)


def test_a_rollback_of_what_is_half_taken_back_is_the_first_state(unlucky: Host, tmp_path: Path) -> None:
    first = applied_host(tmp_path / "first")
    executor.rollback(first, QUIET)
    executor.rollback(unlucky, QUIET)
    assert files(unlucky) == files(first)
    assert parse_environment(unlucky.read(ENVIRONMENT)).get("next_entry", "") == ""


def test_a_power_cut_anywhere_on_the_way_back_never_leaves_a_xen_that_is_gone_the_default(
    tried: Host, tmp_path: Path
) -> None:
    """It never comes up again, from the try on: each boot into it ends by itself."""
    assert boots(tried) == XEN
    assert reboots(tried) == LINUX
    at = 0
    while True:
        host = copy_of(tried, tmp_path / f"cut{at}")
        try:
            settled(power_cut(host, at))
        except Crash:
            cut = True
        else:
            cut = False
        for _ in range(6):
            if boots(host) == LINUX:
                boot(host)
                commands_of(host).ran.clear()
                settled(host)
        assert [boots(host), boots(host)] == [LINUX, LINUX], f"power cut at effect {at}"
        shutil.rmtree(host.root)
        if not cut:
            break
        at += 1
    assert at > 10


def test_a_host_that_had_lost_its_xen_stays_on_its_old_kernel(tmp_path: Path, capsys) -> None:
    """Its old options are not known to work: it comes back to where it was reachable, and a power cut leaves it there."""
    host = finished_host(tmp_path)
    options = host.read(CONFIG_PATH)
    boot(host)
    reconfigure.begin(host, plan_for(host), QUIET)
    assert reboots(host) == XEN
    commands_of(host).broken.add("ping")
    settled(host)
    assert has_rebooted(host)
    commands_of(host).broken.clear()
    stays_without_xen(host)
    capsys.readouterr()
    assert call(host, "reconfigure", "--yes", "--dom0-mem", "900G") == 3
    stays_without_xen(host)
    assert call(host, "reconfigure", "--yes", "--dom0-vcpus", "2") == 0
    state = Journal(host).load()
    assert (state.phase, state.wishes and state.wishes.hostname) == (Phase.TRYING, "")
    assert boots(host) == XEN
    stays_without_xen(host)
    # Somebody chooses it by hand, when it is mended.
    boot(host, xen=True)
    assert settled(host).phase is Phase.FINISHED
    assert boots(host) == XEN
    assert host.read(CONFIG_PATH) == options


def stays_without_xen(host: Host) -> None:
    """See that neither the next boots nor the settle service start Xen."""
    for _ in range(2):
        assert reboots(host) == LINUX
        settled(host)
        assert not has_rebooted(host)


def test_what_waits_for_its_try_is_taken_back_and_planned_anew(tried: Host, capsys) -> None:
    assert call(tried, "reconfigure", "--yes", "--dom0-vcpus", "2") == 0
    state = Journal(tried).load()
    assert state.phase is Phase.TRYING
    assert state.wishes is not None
    assert (state.wishes.dom0_memory_mib, state.wishes.dom0_vcpus, state.wishes.hostname) == (1024, 2, "xen2")
    assert f"{NEW} dom0_max_vcpus=2" in tried.read(CONFIG_PATH)
    assert len(state.sections) == 1
    assert call(tried, "apply", "--yes", "--dom0-mem", "2G") == 2
    assert "run 'xapi-host-setup reconfigure' with the same flags" in capsys.readouterr().err


def test_without_wishes_it_is_taken_back(tmp_path: Path, capsys) -> None:
    host = finished_host(tmp_path)
    before = files(host)
    reconfigure.begin(host, plan_for(host), QUIET)
    assert call(host, "reconfigure", "--yes") == 0
    assert "options of before" in capsys.readouterr().out
    assert files(host) == before
    assert reboots(host) == XEN
    assert settled(host).phase is Phase.FINISHED
    assert not has_rebooted(host)


def test_a_choice_that_a_boot_has_used_up_is_made_again(tmp_path: Path) -> None:
    """It was cut off right before its last record, and gone on with where nothing settled it at that boot."""
    host = finished_host(tmp_path)

    def before_the_last_record(what: str) -> None:
        if what == "before recording reconfigured":
            raise Crash(what)

    with pytest.raises(Crash):
        reconfigure.begin(replace(host, on_effect=before_the_last_record), plan_for(host), QUIET)
    assert reboots(host) == XEN
    reconfigure.resume(host, QUIET)
    assert Journal(host).load().phase is Phase.TRYING
    assert reboots(host) == XEN
    assert settled(host).phase is Phase.FINISHED
    assert NEW in host.read(CONFIG_PATH)


def test_a_soft_reboot_tries_nothing(tried: Host) -> None:
    guard(tried, QUIET)
    assert settled(tried).phase is Phase.TRYING
    assert not has_rebooted(tried)


def test_a_rollback_of_what_is_tried_and_of_what_was_is_the_first_state(tmp_path: Path) -> None:
    first = applied_host(tmp_path / "first")
    executor.rollback(first, QUIET)
    host = finished_host(tmp_path / "second")
    for _ in range(2):
        executor.rollback(other := copy_of(host, tmp_path / f"copy{_}"), QUIET)
        assert files(other) == files(first)
        reconfigure.begin(host, plan_for(host, {"dom0_memory_mib": 1024 + _ * 256}), QUIET)
        executor.rollback(other := copy_of(host, tmp_path / f"tried{_}"), QUIET)
        assert files(other) == files(first)
        assert reboots(host) == XEN
        assert settled(host).phase is Phase.FINISHED


def test_where_grub_cannot_forget_there_is_no_try_and_a_warning(tmp_path: Path) -> None:
    host = finished_host(tmp_path)
    facts = read_facts(host, host.runner)
    wished = Journal(host).load().wishes
    assert wished is not None
    on_lvm = replace(facts, boot=replace(facts.boot, environment_obstacle="LVM"))
    plan = reconfigure.plan_changes(on_lvm, wished, ASKED)
    assert [problem.id for problem in plan.problems] == ["grub-no-one-time"]
    assert [step.kind for step in plan.steps if step.kind.startswith("grub")] == ["grub"]
    reconfigure.begin(host, plan, QUIET)
    assert Journal(host).load().phase is Phase.FINISHED
    assert reboots(host) == XEN
    host.at(DEFAULT_PATH).unlink()
    plan = plan_for(host, {"dom0_memory_mib": 2048})
    assert [problem.title for problem in plan.problems] == [
        "Xen cannot be tried just once here: the host was set up without a try"
    ]


def test_fedoras_menu_is_tried_too(tmp_path: Path) -> None:
    host = make_fedora(tmp_path)
    facts = read_facts(host, host.runner)
    executor.apply(Plan(tuple(boot_steps(facts, dom0_size(facts))), (), wishes()), host, QUIET)
    xen = boots(host)
    start_xen(host)
    Journal(host).add({"record": "confirmed", "by": "gateway", "xen": True})
    executor.finish(host, QUIET)
    assert boots(host) == xen
    menu = host.read("/boot/grub2/grub.cfg")
    reconfigure.begin(host, plan_for(host), QUIET)
    assert [boots(host) == xen, boots(host) == xen] == [True, False]
    change_back(host, QUIET)
    assert boots(host) == xen
    assert host.read("/boot/grub2/grub.cfg") == menu


def power_cut(host: Host, at: int) -> Host:
    return replace(host, on_effect=Countdown(at))


def effects_of_a_reconfigure(finished: Host, folder: Path) -> int:
    host, seen = copy_of(finished, folder), []
    reconfigure.begin(replace(host, on_effect=seen.append), plan_for(host), QUIET)
    return len(seen)


def come_to_rest(host: Host) -> None:
    """Boot, and let the settle service act, until it wants no reboot."""
    for _ in range(4):
        reboots(host)
        settled(host)
        if not has_rebooted(host):
            return
    raise AssertionError("it reboots for ever")


def test_a_power_cut_anywhere_ends_with_the_old_options_or_with_new_ones_that_work(tmp_path: Path) -> None:
    finished = finished_host(tmp_path / "finished")
    before = files(finished)
    ends = set()
    for at in range(effects_of_a_reconfigure(finished, tmp_path / "whole")):
        host = copy_of(finished, tmp_path / str(at))
        with pytest.raises(Crash):
            reconfigure.begin(power_cut(host, at), plan_for(host), QUIET)
        come_to_rest(host)
        assert Journal(host).load().phase is Phase.FINISHED, f"power cut at effect {at}"
        assert host.runs_xen()
        ends.add(NEW in host.read(CONFIG_PATH))
        if NEW not in host.read(CONFIG_PATH):
            assert files(host) == before, f"power cut at effect {at}"
        shutil.rmtree(host.root)
    assert ends == {False, True}


@pytest.mark.parametrize("works", [True, False], ids=["it works", "it is silent"])
def test_a_power_cut_or_a_kill_while_it_is_judged_ends_well(tmp_path: Path, works: bool) -> None:
    finished = finished_host(tmp_path / "finished")
    reconfigure.begin(finished, plan_for(finished), QUIET)
    assert reboots(finished) == XEN
    follow_files(finished)
    at = 0
    while True:
        for way in ("power cut", "kill"):
            host = copy_of(finished, tmp_path / f"{at} {way}")
            if not works:
                commands_of(host).broken.add("ping")
            try:
                settled(power_cut(host, at))
            except Crash:
                pass
            else:
                return
            if way == "power cut":
                commands_of(host).broken.clear()
                come_to_rest(host)
            elif not works:
                settled(host)
                assert has_rebooted(host)
                commands_of(host).broken.clear()
                come_to_rest(host)
            else:
                settled(host)
            assert Journal(host).load().phase is Phase.FINISHED, f"{way} at effect {at}"
            assert host.runs_xen()
            assert (NEW in host.read(CONFIG_PATH)) is works or way == "power cut"
            assert boots(host) == XEN
            shutil.rmtree(host.root)
        at += 1


def cut_off_settling(start: Host, folder: Path) -> Iterator[tuple[int, Host]]:
    """Yield a copy of the host whose power was cut at each effect of its settling, until that ends before the cut."""
    at = 0
    while True:
        host = copy_of(start, folder / str(at))
        try:
            settled(power_cut(host, at))
        except Crash:
            pass
        else:
            break
        yield at, host
        shutil.rmtree(host.root)
        at += 1
    assert at > 10


def test_a_power_cut_while_the_old_kernel_takes_it_back_ends_with_the_old_options(tmp_path: Path) -> None:
    finished = finished_host(tmp_path / "finished")
    before = files(finished)
    reconfigure.begin(finished, plan_for(finished), QUIET)
    assert boots(finished) == XEN
    assert reboots(finished) == LINUX
    for at, host in cut_off_settling(finished, tmp_path):
        come_to_rest(host)
        assert Journal(host).load().phase is Phase.FINISHED
        assert host.runs_xen()
        assert files(host) == before, f"power cut at effect {at}"


def test_a_power_cut_while_the_way_back_ends_is_back_under_xen(unlucky: Host, tmp_path: Path) -> None:
    assert reboots(unlucky) == XEN
    whole = copy_of(unlucky, tmp_path / "whole")
    settled(whole)
    for at, host in cut_off_settling(unlucky, tmp_path):
        confirmed = b"confirmed-back" in host.at(JOURNAL).read_bytes()
        come_to_rest(host)
        assert (Journal(host).load().phase is Phase.FINISHED) or not confirmed, f"power cut at effect {at}"
        if confirmed:
            assert host.runs_xen(), f"power cut at effect {at}"
            assert files(host) == files(whole)
            assert boots(host) == XEN


def test_a_rollback_cut_off_anywhere_is_the_first_state(tmp_path: Path) -> None:
    first = applied_host(tmp_path / "first")
    executor.rollback(first, QUIET)
    host = finished_host(tmp_path / "second")
    reconfigure.begin(host, plan_for(host), QUIET)
    whole, seen = copy_of(host, tmp_path / "whole"), []
    executor.rollback(replace(whole, on_effect=seen.append), QUIET)
    for at in range(0, len(seen), 3):
        cut = copy_of(host, tmp_path / str(at))
        with pytest.raises(Crash):
            executor.rollback(power_cut(cut, at), QUIET)
        if Journal(cut).load().phase is not Phase.CLEAN:
            executor.rollback(cut, QUIET, force=True)
        assert files(cut) == files(first), f"crash at effect {at}"
        shutil.rmtree(cut.root)

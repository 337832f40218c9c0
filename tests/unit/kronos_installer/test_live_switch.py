"""The running network is switched without a reboot: by units of systemd's, confirmed, or taken back by a timer."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from dead_man_kit import (
    QUIET,
    Clock,
    boot,
    commands_of,
    files,
    follow_files,
    fresh_host,
    network_files,
    plan_for,
    settled,
    wishes,
)
from installer_kit import Countdown, Crash, FakeCommands, crash_at, put

from kronos_installer import executor, live_switch
from kronos_installer.host import Host
from kronos_installer.journal import JOURNAL, Journal, Phase
from kronos_installer.main import main
from kronos_installer.steps.network_step import NetworkStep
from kronos_installer.wishes import Confirm

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kronos_installer.wishes import Wishes

SWITCH = (("net", "down", "enp0s3"), ("net", "up", "xenbr0"))
SWITCH_BACK = (("net", "down", "xenbr0"), ("net", "up", "enp0s3"))


@dataclass
class SwitchedCommands(FakeCommands):
    """The network follows its files at `net up`."""

    def __call__(self, argv: Sequence[str]) -> str:
        out = super().__call__(argv)
        if argv[0] == "systemd-run" and "rollback" in argv:
            program = list(argv).index(live_switch.PROGRAM)
            assert main([*argv[program + 1 :], "--root", str(self.root)], runner=self) == 0
        if tuple(argv[:2]) == ("net", "up"):
            follow_files(Host(self.root, self))
        return out


def written_host(folder: Path, wished: Wishes | None = None) -> Host:
    """Return a host with all files written and its network as before."""
    host = fresh_host(folder)
    host = replace(host, runner=SwitchedCommands(host.root))
    plan = plan_for(host, wished)
    steps = tuple(
        replace(step, switch=SWITCH, switch_back=SWITCH_BACK) if isinstance(step, NetworkStep) else step
        for step in plan.steps
    )
    executor.apply(replace(plan, steps=steps), host, QUIET)
    follow_files_of_before(host)
    return host


def openvswitch_host(folder: Path) -> Host:
    host = written_host(folder)
    path = host.at(JOURNAL)
    lines = path.read_text().replace('"network_backend": "bridge"', '"network_backend": "openvswitch"')
    path.write_text(lines)
    return host


def follow_files_of_before(host: Host) -> None:
    commands_of(host).default_route = "enp0s3"
    host.at("/sys/class/net/xenbr0").rmdir() if host.exists("/sys/class/net/xenbr0") else None


def start(host: Host, clock: Clock) -> None:
    with executor.exclusive(host):
        live_switch.start_switch(host, clock.around(), QUIET)


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


def test_the_timer_runs_before_anything_is_switched(tmp_path: Path) -> None:
    host = written_host(tmp_path)
    commands_of(host).ran.clear()
    start(host, Clock())
    stop, timer, service = commands_of(host).ran
    assert stop == "systemctl stop xapi-host-switch-back.timer"
    assert timer.startswith("systemd-run ")
    assert "--on-active=620s" in timer
    assert timer.endswith(" /usr/sbin/xapi-host-setup switch-back")
    assert service.endswith(" --unit=xapi-host-switch /usr/sbin/xapi-host-setup switch")
    assert "--property=KillMode=process" in service


def test_without_a_timer_nothing_is_switched(tmp_path: Path) -> None:
    host = written_host(tmp_path)
    commands_of(host).broken.add("systemd-run")
    assert call(host, "apply", "--yes", "--switch-network-now") == 1
    assert not Journal(host).load().switch_boot
    assert live_switch.switch(host, Clock().around(), QUIET).phase is Phase.APPLIED
    assert "net up xenbr0" not in commands_of(host).ran


def test_switched_and_confirmed(tmp_path: Path) -> None:
    host = written_host(tmp_path)
    clock = Clock()
    start(host, clock)
    state = live_switch.switch(host, clock.around(), QUIET)
    assert (state.phase, state.confirmed_by) == (Phase.CONFIRMED, "gateway 192.0.2.1")
    commands_of(host).ran.clear()
    # The timer comes too late, and leaves what runs alone.
    assert live_switch.switch_back(host, Clock(seconds=900).around(), QUIET).phase is Phase.CONFIRMED
    assert commands_of(host).ran == []
    boot(host, xen=True)
    assert settled(host).phase is Phase.FINISHED


def test_the_service_waits_for_who_started_it(tmp_path: Path) -> None:
    host = written_host(tmp_path)
    clock = Clock()
    held = executor.exclusive(host)
    held.__enter__()
    live_switch.start_switch(host, clock.around(), QUIET)

    def pause() -> None:
        clock.pause()
        held.__exit__(None, None, None)

    around = replace(clock.around(), pause=pause)
    assert live_switch.switch(host, around, QUIET).phase is Phase.CONFIRMED


def test_silent_after_the_switch_it_is_switched_back_without_a_reboot(tmp_path: Path) -> None:
    before = files(fresh_host(tmp_path / "before"))
    host = written_host(tmp_path)
    clock = Clock()
    start(host, clock)
    commands_of(host).broken.add("ping")
    assert live_switch.switch(host, clock.around(), QUIET).phase is Phase.CLEAN
    assert clock.seconds >= 620
    assert files(host) == before
    assert commands_of(host).default_route == "enp0s3"
    assert "systemctl reboot" not in commands_of(host).ran


@pytest.mark.parametrize("last", ["after net", "before recording switched"])
def test_a_switch_that_died_half_way_is_not_confirmed(tmp_path: Path, last: str) -> None:
    host = written_host(tmp_path)
    start(host, Clock())
    with pytest.raises(Crash):
        live_switch.switch(replace(host, on_effect=crash_at(last)), Clock().around(), QUIET)
    assert call(host, "confirm") == 2
    assert live_switch.switch_back(host, Clock(seconds=640).around(), QUIET).phase is Phase.CLEAN
    ran = commands_of(host).ran
    assert "systemctl kill --signal=SIGKILL xapi-host-switch.service" in ran
    assert ran.index("net up enp0s3") > ran.index("net down enp0s3")


def test_a_network_that_cannot_be_switched_back_comes_back_by_a_reboot(tmp_path: Path) -> None:
    host = written_host(tmp_path)
    clock = Clock()
    start(host, clock)
    commands_of(host).broken |= {"ping", "net down xenbr0"}
    live_switch.switch(host, clock.around(), QUIET)
    assert commands_of(host).ran[-1] == "systemctl reboot"
    assert network_files(host) == network_files(fresh_host(tmp_path / "before"))


def test_a_fault_elsewhere_does_not_hide_that_the_network_was_not_switched_back(tmp_path: Path) -> None:
    """GRUB's menu cannot be made either: the old files are there, and only the reboot reads them."""
    host = written_host(tmp_path)
    clock = Clock()
    start(host, clock)
    put(host, "/boot/vmlinuz-6.1.0-57-amd64", "kernel\n")
    commands_of(host).broken |= {"ping", "net down xenbr0", "grub-mkconfig"}
    with pytest.raises(executor.UndoIncompleteError, match="grub-mkconfig"):
        live_switch.switch(host, clock.around(), QUIET)
    assert network_files(host) == network_files(fresh_host(tmp_path / "before"))
    assert "systemctl reboot" in commands_of(host).ran


def test_who_takes_the_network_back_is_started_again_when_it_fails(tmp_path: Path) -> None:
    host = written_host(tmp_path)
    commands_of(host).ran.clear()
    start(host, Clock())
    _, timer, service = commands_of(host).ran
    assert "--property=Restart=on-failure --property=RestartSec=5" in timer
    # This one the timer's kills, and takes its place.
    assert "Restart" not in service


def test_a_reboot_in_between_is_as_any(tmp_path: Path) -> None:
    host = written_host(tmp_path)
    start(host, Clock())
    boot(host)
    assert settled(host).phase is Phase.CONFIRMED


def test_the_operators_rollback_switches_back_too(tmp_path: Path) -> None:
    host = written_host(tmp_path, wishes(Confirm.OPERATOR))
    start(host, Clock())
    switching = replace(Clock().around(), pause=lambda: _raise(Crash("killed")))
    with pytest.raises(Crash):
        live_switch.switch(host, switching, QUIET)
    assert commands_of(host).default_route == "xenbr0"
    assert call(host, "rollback", "--yes") == 0
    assert commands_of(host).default_route == "enp0s3"


def test_open_vswitchs_bridge_does_not_outlive_a_rollback(tmp_path: Path) -> None:
    """It keeps its bridges over a reboot: the network goes back at once, apart from the operator's session."""
    host = openvswitch_host(tmp_path)
    boot(host)
    settled(host)
    commands_of(host).ran.clear()
    assert call(host, "rollback", "--yes") == 0
    apart = next(ran for ran in commands_of(host).ran if ran.startswith("systemd-run "))
    assert apart.endswith("--wait --unit=xapi-host-rollback /usr/sbin/xapi-host-setup rollback --yes --here")
    assert "net down xenbr0" in commands_of(host).ran
    assert commands_of(host).default_route == "enp0s3"


@pytest.mark.parametrize("effect", ["before net", "before recording undone"])
def test_open_vswitchs_bridge_does_not_outlive_a_power_cut_in_a_rollback(tmp_path: Path, effect: str) -> None:
    host = openvswitch_host(tmp_path)
    boot(host)

    def die(announced: str) -> None:
        if announced == effect and network_files(host) == old:
            raise Crash(effect)

    old = network_files(fresh_host(tmp_path / "before"))
    with pytest.raises(Crash):
        executor.rollback(replace(host, on_effect=die), QUIET)
    boot(host)
    assert network_files(host) == old
    # As Open vSwitch has it in its database.
    host.at("/sys/class/net/xenbr0").mkdir(exist_ok=True)
    commands_of(host).ran.clear()
    assert settled(host).phase is Phase.CLEAN
    ran = commands_of(host).ran
    assert ran.index("net down xenbr0") < ran.index("systemctl reboot")


def _raise(error: BaseException) -> None:
    raise error


def test_status_tells_the_deadline(tmp_path: Path, capsys) -> None:
    host = written_host(tmp_path)
    start(host, Clock(seconds=20))
    call(host, "status", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["awaits_confirmation"] is True
    assert told["seconds_left"] is not None


def test_a_stack_that_cannot_be_switched_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    host = written_host(tmp_path)
    executor.rollback(host, QUIET)
    before = files(host)
    plan = plan_for(host)
    steps = [replace(step, switch=()) if isinstance(step, NetworkStep) else step for step in plan.steps]
    state = replace(Journal(host).load(), steps=tuple(steps))
    with pytest.raises(live_switch.NoSwitchError):
        live_switch.check_can_switch(state)
    assert files(host) == before


@pytest.mark.parametrize("answers", [True, False], ids=["answered", "silent"])
@pytest.mark.parametrize("then", ["timer", "power cut"])
def test_cut_off_anywhere_it_ends_in_one_of_two_ways(tmp_path: Path, then: str, answers: bool) -> None:
    """The new files and a network that follows them, confirmed; or the old ones."""
    old = network_files(fresh_host(tmp_path / "before"))
    for at in range(1000):
        host = written_host(tmp_path / str(at))
        new = network_files(host)
        clock = Clock(step=200)
        commands_of(host).broken |= set() if answers else {"ping"}
        crashing = replace(host, on_effect=Countdown(at))
        try:
            start(crashing, clock)
            live_switch.switch(crashing, clock.around(), QUIET)
        except Crash:
            if then == "timer":
                late = Clock(seconds=clock.seconds + 700, step=200)
                state = live_switch.switch_back(host, late.around(), QUIET)
            else:
                boot(host)
                state = settled(host, Clock(step=200))
            bridge = commands_of(host).default_route == "xenbr0"
            if state.phase is Phase.CLEAN:
                assert network_files(host) == old, f"effect {at}"
                assert not bridge or "systemctl reboot" in commands_of(host).ran, f"effect {at}"
            else:
                assert network_files(host) == new, f"effect {at}"
                # Confirmed on the bridge; or never switched, and left to the reboot.
                assert bridge if state.phase is Phase.CONFIRMED else not bridge, f"effect {at}"
            continue
        assert at > 10
        return
    pytest.fail("it never ended")

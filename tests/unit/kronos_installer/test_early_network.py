"""The new network comes up before the reboot, since somebody restarted it: it is confirmed, or taken back, all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dead_man_kit import (
    QUIET,
    Clock,
    applied_host,
    boot,
    commands_of,
    files,
    follow_files,
    fresh_host,
    plan_for,
    settled,
    wishes,
)
from installer_kit import Crash, crash_at

from kronos_installer import early_network, executor, live_switch
from kronos_installer.journal import Journal, Phase
from kronos_installer.main import main
from kronos_installer.wishes import Confirm

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.journal import State

UNIT = Path(__file__).parents[3] / "debian/xapi-host-setup.xapi-host-settle.service"


def noticed(host: Host, clock: Clock | None = None) -> State:
    """What the unit does that systemd starts when the bridge appears."""
    clock = clock or Clock()
    early_network.notice(host, clock.around(), QUIET)
    return settled(host, clock)


def cut_off_host(folder: Path) -> Host:
    """Return a host whose new network came up while it was written, by an apply that died right before its end."""
    host = fresh_host(folder)
    with pytest.raises(Crash):
        executor.apply(plan_for(host), replace(host, on_effect=crash_at("before recording applied")), QUIET)
    follow_files(host)
    return host


def applied_under_the_new_network(folder: Path) -> Host:
    host = applied_host(folder)
    follow_files(host)
    return host


def test_systemd_starts_the_service_when_the_bridge_is_there() -> None:
    wanted = [line for line in UNIT.read_text().splitlines() if line.startswith("WantedBy=")]
    assert "WantedBy=sys-subsystem-net-devices-xenbr0.device" in wanted


def test_a_network_that_works_is_confirmed_and_xen_is_tried_at_the_reboot(tmp_path: Path) -> None:
    host = applied_under_the_new_network(tmp_path)
    state = noticed(host)
    assert (state.phase, state.confirmed_by) == (Phase.CONFIRMED, "gateway 192.0.2.1")
    assert not state.confirmed_xen
    boot(host, xen=True)
    assert settled(host).phase is Phase.FINISHED


@pytest.mark.parametrize("made", [applied_under_the_new_network, cut_off_host])
def test_a_network_that_does_not_work_is_taken_back_by_a_reboot(tmp_path: Path, made) -> None:
    """An apply that was cut off is not through, and nobody else will take it back before a reboot."""
    before = files(fresh_host(tmp_path / "before"))
    host = made(tmp_path / "host")
    commands_of(host).broken.add("ping")
    clock = Clock()
    assert noticed(host, clock).phase is Phase.CLEAN
    assert clock.seconds >= 600
    assert commands_of(host).ran[-1] == "systemctl reboot"
    assert files(host) == before


def test_nobody_who_restarts_nothing_is_waited_for(tmp_path: Path) -> None:
    host = applied_host(tmp_path)
    clock = Clock()
    assert noticed(host, clock).phase is Phase.APPLIED
    assert clock.seconds == Clock().seconds
    assert Journal(host).load().boot_id == host.boot_id()


def test_a_deadline_of_an_earlier_set_up_is_none_of_this_one(tmp_path: Path) -> None:
    """Set up, confirmed, taken back, and set up again, all under one boot: /run is what it was."""
    host = applied_host(tmp_path)
    boot(host)
    clock = Clock()
    assert settled(host, clock).phase is Phase.CONFIRMED
    executor.rollback(host, QUIET)
    follow_files(host)
    clock.seconds = 40_000
    executor.apply(plan_for(host), host, QUIET)
    follow_files(host)
    commands_of(host).broken.add("ping")
    assert noticed(host, clock).phase is Phase.CLEAN
    assert clock.seconds >= 40_600


def test_the_operator_confirms_it(tmp_path: Path) -> None:
    host = applied_host(tmp_path, wishes(Confirm.OPERATOR))
    follow_files(host)
    assert main(["confirm", "--root", str(host.root)], runner=host.runner) == 2
    early_network.notice(host, Clock().around(), QUIET)
    assert main(["confirm", "--root", str(host.root)], runner=host.runner) == 0
    assert settled(host).phase is Phase.CONFIRMED


def test_it_waits_for_the_apply_that_is_at_work(tmp_path: Path) -> None:
    host = cut_off_host(tmp_path)
    clock = Clock()
    held = executor.exclusive(host)
    held.__enter__()

    def end_apply() -> None:
        clock.pause()
        held.__exit__(None, None, None)
        with executor.exclusive(host):
            executor.resume_apply(host, QUIET)

    early_network.notice(host, replace(clock.around(), pause=end_apply), QUIET)
    assert settled(host, clock).phase is Phase.CONFIRMED


def test_an_apply_that_was_cut_off_is_left_to_the_next_boot(tmp_path: Path) -> None:
    host = cut_off_host(tmp_path)
    assert noticed(host).phase is Phase.APPLYING


def test_an_apply_that_fails_under_the_new_network_is_ended_by_a_reboot(tmp_path: Path) -> None:
    """The files are the old ones, and what runs is the new network, which nobody has confirmed."""
    before = files(fresh_host(tmp_path / "before"))
    host = fresh_host(tmp_path / "host")
    commands_of(host).broken.add("grub-mkconfig")

    def come_up(effect: str) -> None:
        if effect == "before flock":
            follow_files(host)

    with pytest.raises(executor.ApplyFailedError):
        executor.apply(plan_for(host), replace(host, on_effect=come_up), QUIET)
    assert noticed(host).phase is Phase.CLEAN
    assert commands_of(host).ran[-1] == "systemctl reboot"
    assert files(host) == before


def test_a_switch_is_left_to_its_own_units(tmp_path: Path) -> None:
    host = applied_host(tmp_path, wishes(Confirm.OPERATOR))
    with executor.exclusive(host):
        live_switch.start_switch(host, Clock().around(), QUIET)
    follow_files(host)
    state = Journal(host).load()
    assert main(["settle", "--root", str(host.root)], runner=host.runner) == 0
    assert Journal(host).load() == state


def test_a_switch_whose_units_a_soft_reboot_has_ended_is_waited_for(tmp_path: Path) -> None:
    host = applied_host(tmp_path, wishes(Confirm.OPERATOR))
    units = "xapi-host-switch.service xapi-host-switch-back.timer xapi-host-switch-back.service"
    commands_of(host).broken.add(f"systemctl is-active --quiet {units}")
    Journal(host).add({"record": "switching", "boot_id": host.boot_id(), "deadline": 0})
    Journal(host).add({"record": "switched"})
    follow_files(host)
    assert main(["settle", "--root", str(host.root)], runner=host.runner) == 0
    assert Journal(host).load().phase is Phase.CLEAN

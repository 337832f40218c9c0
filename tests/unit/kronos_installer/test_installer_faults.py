"""A crash at every point where it would leave something different, in both directions.

The host raises a BaseException at its n-th effect (a half-written journal line, a rename, a
command about to run or just run), for every n: what kill -9 does, without losing the test.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from installer_kit import Countdown, Crash, FakeCommands, make_host, put, snapshot

from kronos_installer import executor
from kronos_installer.facts import read_facts
from kronos_installer.journal import Journal, Phase
from kronos_installer.plan import Plan, make_plan
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

QUIET = Reporter(io.StringIO())
WISHES = Wishes(
    installation_uuid="11111111-1111-4111-8111-111111111111",
    control_domain_uuid="22222222-2222-4222-8222-222222222222",
)


def crashing(host: Host, at: int) -> Host:
    return replace(host, on_effect=Countdown(at))


def plan_for(host: Host) -> Plan:
    return make_plan(read_facts(host, host.runner), WISHES)


def count_effects(host: Host, what: str) -> int:
    seen: list[str] = []
    watched = replace(host, on_effect=seen.append)
    if what == "apply":
        executor.apply(plan_for(host), watched, QUIET)
    else:
        executor.rollback(watched, QUIET)
    return len(seen)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict, int, int]:
    """Return the host before, the host set up, and the number of effects of each direction."""
    host = make_host(tmp_path_factory.mktemp("world"))
    before = snapshot(host)
    forth = count_effects(host, "apply")
    after = snapshot(host)
    back = count_effects(host, "rollback")
    assert snapshot(host) == before
    assert before != after
    return before, after, forth, back


def crash_apply(host: Host, at: int) -> None:
    with pytest.raises(Crash):
        executor.apply(plan_for(host), crashing(host, at), QUIET)


def recover(host: Host, way: str) -> None:
    """Do what the commands do at their start, then what was asked."""
    phase = Journal(host).load().phase
    if way == "rollback":
        executor.rollback(host, QUIET) if phase is not Phase.CLEAN else None
    elif phase is Phase.APPLYING:
        executor.resume_apply(host, QUIET)
    elif phase is not Phase.APPLIED:
        if phase is Phase.ROLLING_BACK:
            executor.rollback(host, QUIET)
        executor.apply(plan_for(host), host, QUIET)


@pytest.mark.parametrize("way", ["apply", "rollback"])
def test_apply_cut_off_anywhere_is_ended_either_way(worlds, tmp_path: Path, way: str) -> None:
    before, after, forth, _ = worlds
    for at in range(forth):
        host = make_host(tmp_path / str(at))
        crash_apply(host, at)
        recover(host, way)
        assert snapshot(host) == (after if way == "apply" else before), f"crash at effect {at}"


@pytest.mark.parametrize("way", ["apply", "rollback"])
def test_rollback_cut_off_anywhere_is_ended_either_way(worlds, tmp_path: Path, way: str) -> None:
    before, after, _, back = worlds
    for at in range(back):
        host = make_host(tmp_path / str(at))
        executor.apply(plan_for(host), host, QUIET)
        with pytest.raises(Crash):
            executor.rollback(crashing(host, at), QUIET)
        recover(host, way)
        assert snapshot(host) == (after if way == "apply" else before), f"crash at effect {at}"


def test_crash_upon_crash_still_ends(worlds, tmp_path: Path) -> None:
    before, _, forth, _ = worlds
    host = make_host(tmp_path)
    crash_apply(host, forth // 2)
    for at in range(200):
        try:
            executor.rollback(crashing(host, at), QUIET)
        except Crash:
            continue
        break
    assert snapshot(host) == before


def test_the_network_configuration_is_whole_at_every_moment(worlds, tmp_path: Path) -> None:
    before, after, forth, _ = worlds
    whole = {before["/etc/network/interfaces"], after["/etc/network/interfaces"]}
    for at in range(forth):
        host = make_host(tmp_path / str(at))
        crash_apply(host, at)
        assert snapshot(host)["/etc/network/interfaces"] in whole


@pytest.mark.parametrize("broken", ["grub-mkconfig", "grub-reboot", "systemctl"])
def test_a_failing_command_undoes_everything(tmp_path: Path, broken: str) -> None:
    host = make_host(tmp_path)
    before = snapshot(host)
    assert isinstance(host.runner, FakeCommands)
    plan = plan_for(host)
    host.runner.broken.add(broken)
    with pytest.raises(executor.ApplyFailedError, match="the host is as before"):
        executor.apply(plan, host, QUIET)
    assert snapshot(host) == before
    assert Journal(host).load().phase is Phase.CLEAN


def test_a_menu_that_would_not_boot_xen_undoes_everything(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    before = snapshot(host)
    assert isinstance(host.runner, FakeCommands)
    host.runner.menu = "no-submenu.cfg"
    with pytest.raises(executor.ApplyFailedError, match="no entry for Xen outside its submenus"):
        executor.apply(plan_for(host), host, QUIET)
    assert snapshot(host) == before


def test_a_host_changed_since_the_plan_is_left_alone(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    plan = plan_for(host)
    put(host, "/etc/network/interfaces", "auto lo\n")
    before = snapshot(host)
    with pytest.raises(executor.ApplyFailedError, match="interfaces has changed since the plan"):
        executor.apply(plan, host, QUIET)
    assert snapshot(host) == before


def test_menu_is_made_anew_when_a_kernel_came_since(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    assert isinstance(host.runner, FakeCommands)
    executor.apply(plan_for(host), host, QUIET)
    put(host, "/boot/vmlinuz-6.1.0-57-amd64", "kernel\n")
    host.runner.ran.clear()
    executor.rollback(host, QUIET)
    # With the script that prints the way out, and without it.
    assert host.runner.ran == 2 * ["grub-mkconfig -o /boot/grub/.grub.cfg.xapi-host-setup.made"]


def test_owner_and_mode_come_back(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    host.at("/etc/network/interfaces").chmod(0o640)
    before = snapshot(host)
    executor.apply(plan_for(host), host, QUIET)
    assert host.at("/etc/network/interfaces").stat().st_mode & 0o777 == 0o640
    executor.rollback(host, QUIET)
    assert snapshot(host) == before

"""The dead-man switch after a boot: what is decided, and a host that is watched until it is settled."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from dead_man_kit import (
    LATER,
    QUIET,
    Clock,
    LaterStep,
    applied_host,
    boot,
    commands_of,
    files,
    fresh_host,
    network_files,
    plan_for,
    settled,
    wishes,
)
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import Crash, put
from installer_kit import boot as boots

from kronos_installer import executor
from kronos_installer.confirm import (
    Action,
    Sight,
    answer_of_gateways,
    confirm_problems,
    gateways_to_answer,
    next_action,
)
from kronos_installer.detect.gateways import Gateway, default_routes, neighbour_states, read_gateways
from kronos_installer.journal import DEADLINE, JOURNAL, Journal, Phase, State
from kronos_installer.main import main
from kronos_installer.settle import Surroundings, settle
from kronos_installer.steps.step import step_to_json
from kronos_installer.steps.storage_step import StorageStep
from kronos_installer.wishes import Confirm, PoolWish

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

HERE, BEFORE = "this boot", "the boot before"


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


def applied(**more: object) -> State:
    return replace(State(phase=Phase.APPLIED, boot_id=BEFORE), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "sight", "action"),
    [
        (State(), Sight(HERE, True, 0), Action.NOTHING),
        (State(), Sight(HERE, True, 0, reboot_boot=HERE), Action.REBOOT),
        (State(), Sight(HERE, True, 0, reboot_boot=BEFORE), Action.NOTHING),
        (State(phase=Phase.APPLYING, boot_id=BEFORE), Sight(HERE, True, -1), Action.NOTHING),
        (applied(boot_id=HERE), Sight(HERE, False, -1), Action.NOTHING),
        (applied(boot_id=HERE, switch_boot=HERE), Sight(HERE, False, 1), Action.WAIT),
        (applied(boot_id=HERE, switch_boot=BEFORE), Sight(HERE, False, -1), Action.NOTHING),
        (applied(), Sight(HERE, False, 1), Action.WAIT),
        (applied(), Sight(HERE, False, 0), Action.ROLL_BACK),
        (applied(), Sight(HERE, False, 1, "gateway"), Action.CONFIRM),
        # It answered, if only in the last moment.
        (applied(), Sight(HERE, False, -1, "gateway"), Action.CONFIRM),
        (State(phase=Phase.CONFIRMED), Sight(HERE, True, 0), Action.FINISH),
        (State(phase=Phase.CONFIRMED), Sight(HERE, False, 0), Action.NOTHING),
        (State(phase=Phase.FINISHED), Sight(HERE, True, 0), Action.NOTHING),
        (State(phase=Phase.ROLLING_BACK), Sight(HERE, True, 9, "gateway"), Action.ROLL_BACK),
    ],
)
def test_what_is_done_next(state: State, sight: Sight, action: Action) -> None:
    assert next_action(state, sight) is action


def test_an_answer_counts_when_all_give_it_and_not_over_the_old_interface(tmp_path: Path) -> None:
    state = State(steps=plan_for(fresh_host(tmp_path)).steps, gateways=("192.0.2.1", "fe80::1"))
    four, six = Gateway("192.0.2.1", "xenbr0", True), Gateway("fe80::1", "xenbr0", True)
    assert answer_of_gateways(state, (four, six)) == "gateway 192.0.2.1, fe80::1"
    assert answer_of_gateways(state, (four,)) == ""
    assert answer_of_gateways(state, (four, replace(six, answers=False))) == ""
    assert answer_of_gateways(state, (replace(four, interface="enp0s3"), six)) == ""
    assert answer_of_gateways(replace(state, gateways=()), (four, six)) == ""


def test_gateways_of_every_kind_of_route() -> None:
    routes = [
        {"dst": "default", "gateway": "192.0.2.1", "dev": "enp0s3", "flags": []},
        {"dst": "default", "via": {"family": "inet6", "host": "fe80::1"}, "dev": "enp0s3"},
        {"dst": "default", "nexthops": [{"gateway": "192.0.2.2", "dev": "enp1s0"}, {"dev": "tun0"}]},
        {"dst": "default", "dev": "ppp0"},
        {"dst": "default", "gateway": "$(reboot)", "dev": "enp0s3"},
    ]
    pairs = (("192.0.2.1", "enp0s3"), ("fe80::1", "enp0s3"), ("192.0.2.2", "enp1s0"))
    assert default_routes(json.dumps(routes)) == pairs


def test_a_router_behind_two_interfaces_answers_behind_both(tmp_path: Path) -> None:
    """It advertised itself to the port before that was the bridge's: the first of the routes is the old interface's."""
    routes = json.dumps([{"gateway": "fe80::1", "dev": dev} for dev in ("enp0s3", "xenbr0", "enp0s3")])
    found = read_gateways(lambda argv: routes if "-6" in argv else "[]")
    assert [(one.address, one.interface) for one in found] == [("fe80::1", "enp0s3"), ("fe80::1", "xenbr0")]
    assert gateways_to_answer(found) == ("fe80::1",)
    state = State(steps=plan_for(fresh_host(tmp_path)).steps, gateways=("fe80::1",))
    assert answer_of_gateways(state, found) == "gateway fe80::1"


def test_a_router_of_the_same_address_behind_another_interface_does_not_answer_for_the_bridge(
    tmp_path: Path,
) -> None:
    """Routers are called fe80::1 on many links."""
    state = State(steps=plan_for(fresh_host(tmp_path)).steps, gateways=("fe80::1",))
    elsewhere = Gateway("fe80::1", "enp1s0", True)
    assert answer_of_gateways(state, (elsewhere,)) == ""
    assert answer_of_gateways(state, (replace(elsewhere, interface="xenbr0"),)) == "gateway fe80::1"


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["gateway", "dev", "via", "nexthops"]), inner)
        ),
    ).map(json.dumps)
)
def test_whatever_ip_prints_is_read(text: str) -> None:
    assert all(address and interface for address, interface in default_routes(text))
    assert isinstance(neighbour_states(text), frozenset)


@pytest.mark.parametrize(
    ("neighbour", "before", "now"),
    [
        ([{"dst": "192.0.2.1", "lladdr": "52:54:00:00:00:01", "state": ["REACHABLE"]}], True, True),
        ([{"dst": "192.0.2.1", "lladdr": "52:54:00:00:00:01", "state": ["STALE"]}], True, False),
        ([{"dst": "192.0.2.1", "state": ["FAILED"]}], False, False),
        ([], False, False),
    ],
)
def test_a_gateway_that_drops_pings_is_known_as_a_neighbour(
    tmp_path: Path, neighbour: object, before: bool, now: bool
) -> None:
    commands = commands_of(fresh_host(tmp_path))
    commands.broken.add("ping")
    commands.neighbours = json.dumps(neighbour)
    assert [one.answers for one in read_gateways(commands)] == [before]
    assert [one.answers for one in read_gateways(commands, now_only=True)] == [now]


def test_what_cannot_be_confirmed_is_refused(tmp_path: Path, capsys) -> None:
    host = fresh_host(tmp_path)
    commands_of(host).broken.add("ping")
    assert call(host, "apply", "--yes") == 3
    assert "192.0.2.1: no gateway behind enp0s3 answers" in capsys.readouterr().err
    assert call(host, "check") == 3
    assert call(host, "apply", "--yes", "--confirm", "operator") == 0
    silent = [Gateway("192.0.2.1", "enp0s3", False)]
    assert [p.id for p in confirm_problems(silent, wishes(Confirm.MASTER), "enp0s3")] == ["no-master"]
    at_once = replace(wishes(Confirm.OPERATOR), confirm_minutes=0)
    assert [p.id for p in confirm_problems(silent, at_once, "enp0s3")] == ["confirm-minutes"]
    elsewhere = [Gateway("192.0.2.1", "enp1s0", True)]
    assert [p.id for p in confirm_problems(elsewhere, wishes(), "enp0s3")] == ["no-gateway-answers"]
    assert not list(confirm_problems(elsewhere, wishes(), "enp1s0"))


def test_confirmed_by_the_gateway_and_finished_under_xen(tmp_path: Path) -> None:
    host = applied_host(tmp_path)
    assert not host.exists(LATER)
    boot(host, xen=True)
    state = settled(host)
    assert (state.phase, state.confirmed_by) == (Phase.FINISHED, "gateway 192.0.2.1")
    assert host.read(LATER) == "later\n"
    assert "systemctl start xapi.service" in commands_of(host).ran


def test_not_confirmed_it_is_as_before_and_reboots(tmp_path: Path, capsys) -> None:
    before = files(fresh_host(tmp_path / "before"))
    host = applied_host(tmp_path)
    boot(host, xen=True)
    commands_of(host).broken.add("ping")
    clock = Clock()
    assert settled(host, clock).phase is Phase.CLEAN
    assert clock.seconds >= 20 + 600
    assert commands_of(host).ran[-1] == "systemctl reboot"
    assert files(host) == before
    # The menu as it was boots Xen by itself (Debian's xen.cfg): that Xen may be why nobody answered.
    assert boots(host) == "Debian GNU/Linux"
    boot(host)
    assert settled(host).phase is Phase.CLEAN
    assert commands_of(host).ran.count("systemctl reboot") == 1
    assert call(host, "status") == 0
    assert "the gateway (192.0.2.1) did not answer within 10 minutes" in capsys.readouterr().out


def test_the_old_network_answering_is_no_confirmation(tmp_path: Path) -> None:
    """Its files are new, and whatever brings the network up has not followed them."""
    host = applied_host(tmp_path)
    boot(host)
    commands_of(host).default_route = "enp0s3"
    assert settled(host).phase is Phase.CLEAN


@pytest.mark.parametrize(("reached", "phase"), [({"master.example"}, Phase.CONFIRMED), (set(), Phase.CLEAN)])
def test_the_master_confirms(tmp_path: Path, reached: set[str], phase: Phase) -> None:
    wished = replace(wishes(Confirm.MASTER), pool=PoolWish("master.example"))
    host = applied_host(tmp_path, wished)
    boot(host)
    assert settled(host, Clock(masters=reached)).phase is phase


def test_the_operator_confirms_and_nobody_else(tmp_path: Path, capsys) -> None:
    host = applied_host(tmp_path, wishes(Confirm.OPERATOR))
    assert call(host, "confirm") == 2
    assert "no new network to confirm yet" in capsys.readouterr().err
    boot(host, xen=True)
    assert call(host, "status") == 0
    assert "waits to be confirmed (operator)" in capsys.readouterr().out
    assert call(host, "confirm") == 0
    assert call(host, "confirm") == 0
    assert "already, by the operator" in capsys.readouterr().out
    assert settled(host).phase is Phase.FINISHED


def test_the_operator_is_heard_while_the_host_waits(tmp_path: Path) -> None:
    host = applied_host(tmp_path, wishes(Confirm.OPERATOR))
    boot(host)
    clock = Clock()
    around = clock.around()

    def pause() -> None:
        clock.pause()
        if clock.seconds > 300:
            assert call(host, "confirm") == 0

    assert settle(host, replace(around, pause=pause), QUIET).phase is Phase.CONFIRMED


def test_without_xen_the_rest_waits_and_apply_lets_it_be_tried_again(tmp_path: Path, capsys) -> None:
    host = applied_host(tmp_path)
    boot(host)
    assert settled(host).phase is Phase.CONFIRMED
    assert call(host, "status", "--json") == 5
    told = json.loads(capsys.readouterr().out)
    assert (told["phase"], told["under_xen"], told["confirmed_by"]) == (
        "confirmed",
        False,
        "gateway 192.0.2.1",
    )
    assert told["not_done"][-1] == f"write {LATER}"
    assert call(host, "status") == 5
    assert "Xen did not start" in capsys.readouterr().out
    assert call(host, "apply", "--yes", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["outcome"] == "applied again"
    assert [what for what in again["again"] if "make Xen the next boot" in what]
    boot(host, xen=True)
    assert settled(host).phase is Phase.FINISHED
    assert call(host, "status") == 0


def test_a_later_step_that_fails_leaves_the_network_and_is_gone_on_with(tmp_path: Path, capsys) -> None:
    host = applied_host(tmp_path)
    put(host, LATER, "somebody else's\n")
    boot(host, xen=True)
    with pytest.raises(executor.AfterRebootError, match=LATER):
        settled(host)
    assert call(host, "settle") == 5
    assert call(host, "status") == 5
    assert "Not done yet: write /etc/xapi-later.conf" in capsys.readouterr().out
    host.at(LATER).unlink()
    assert call(host, "apply", "--yes") == 0
    assert Journal(host).load().phase is Phase.FINISHED


def test_the_deadline_is_one_boots_and_outlives_a_crash(tmp_path: Path) -> None:
    host = applied_host(tmp_path)
    boot(host)
    commands_of(host).broken.add("ping")
    clock = Clock(step=100)
    for _ in range(3):
        at = clock.seconds
        with pytest.raises(Crash):
            settled(host, CrashingClock(clock, 1))
        assert clock.seconds == at + 100
    assert json.loads(host.read(DEADLINE))["deadline"] == 620
    boot(host)
    assert not host.exists(DEADLINE)
    late = Clock(seconds=70)
    assert settled(host, late).phase is Phase.CLEAN
    assert 370 <= late.seconds < 370 + late.step


class CrashingClock(Clock):
    """Passes the time of another clock, and crashes after so many pauses."""

    def __init__(self, clock: Clock, left: int) -> None:
        super().__init__(clock.seconds, clock.step)
        self.clock, self.left = clock, left

    def pause(self) -> None:
        super().pause()
        self.clock.seconds = self.seconds
        self.left -= 1
        if self.left == 0:
            raise Crash("while waiting")


def test_settle_waits_for_who_is_at_work(tmp_path: Path) -> None:
    host = applied_host(tmp_path)
    boot(host)
    held = executor.exclusive(host)
    held.__enter__()
    clock = Clock()

    def pause() -> None:
        clock.pause()
        held.__exit__(None, None, None)

    assert settle(host, replace(clock.around(), pause=pause), QUIET).phase is Phase.CONFIRMED
    assert clock.seconds == 70


def test_the_network_comes_back_where_the_menu_cannot_be_made(tmp_path: Path) -> None:
    """A step of the rollback fails: the network's is undone all the same, and the host reboots."""
    host = applied_host(tmp_path)
    old = network_files(fresh_host(tmp_path / "before"))
    boot(host)
    # A kernel was installed since: the menu has to be made anew.
    put(host, "/boot/vmlinuz-6.1.0-57-amd64", "kernel\n")
    commands_of(host).broken |= {"ping", "grub-mkconfig"}
    with pytest.raises(executor.UndoIncompleteError, match="grub-mkconfig"):
        settled(host)
    assert network_files(host) == old
    assert "systemctl reboot" in commands_of(host).ran
    assert Journal(host).load().phase is Phase.ROLLING_BACK
    commands_of(host).broken.clear()
    boot(host)
    assert settled(host).phase is Phase.CLEAN
    assert commands_of(host).ran.count("systemctl reboot") == 1


@dataclass(frozen=True, kw_only=True)
class FaultyStep(LaterStep):
    """Comes after the network, and can be neither looked at nor undone."""

    kind = "test-faulty"
    after_reboot = False

    def changed_since(self, host: Host, original: object) -> str:
        raise ValueError("a fault")

    def undo(self, host: Host, original: object) -> None:
        raise ValueError("a fault")


def test_a_fault_in_one_step_does_not_keep_the_network_from_coming_back(tmp_path: Path) -> None:
    host = fresh_host(tmp_path)
    old = network_files(host)
    plan = plan_for(host)
    faulty = FaultyStep(reason="a test", path="/etc/faulty", content=b"", before=None)
    executor.apply(replace(plan, steps=(*plan.steps, faulty)), host, QUIET)
    boot(host)
    commands_of(host).broken.add("ping")
    with pytest.raises(executor.UndoIncompleteError, match="a fault"):
        settled(host)
    assert network_files(host) == old
    assert "systemctl reboot" in commands_of(host).ran


def test_a_fault_in_asking_does_not_stop_the_count(tmp_path: Path) -> None:
    wished = replace(wishes(Confirm.MASTER), pool=PoolWish("master..example"))
    host = applied_host(tmp_path, wished)
    boot(host)
    # The name cannot be encoded: a UnicodeError of socket's own.
    around = replace(Clock().around(), connects=Surroundings().connects)
    assert settle(host, around, QUIET).phase is Phase.CLEAN


def test_without_the_daemon_a_rollback_begins_nothing_unless_it_is_forced(tmp_path: Path, capsys) -> None:
    """A boot would end what had begun, and give the repository up: the operator is told to boot into Xen for it."""
    host = applied_host(tmp_path)
    boot(host, xen=True)
    settled(host)
    step = StorageStep(reason="a test", key="disks", type="file", name="Disks", device_config={})
    lines = host.read(JOURNAL).splitlines(keepends=True)
    plan = json.loads(lines[0])
    place = len(plan["steps"])
    plan["steps"].append(step_to_json(step))
    intent = {"record": "intent", "step": place, "original": {"defaults": {}}}
    done = {"record": "done", "step": place}
    made = [f"{json.dumps(record)}\n" for record in (intent, done)]
    put(host, JOURNAL, "".join([f"{json.dumps(plan)}\n", *lines[1:-1], *made, lines[-1]]))
    boot(host)
    before = files(host)
    assert call(host, "rollback", "--yes") == 1
    assert "cannot be forgotten" in capsys.readouterr().err
    assert Journal(host).load().phase is Phase.FINISHED
    assert files(host) == before
    boot(host, xen=True)
    assert settled(host).phase is Phase.FINISHED
    assert call(host, "rollback", "--yes", "--force") == 0
    assert "Given up: forget the storage repository 'Disks'" in capsys.readouterr().out


def test_force_gives_up_what_needs_a_daemon_that_is_gone(tmp_path: Path, capsys) -> None:
    host = applied_host(tmp_path)
    old = network_files(fresh_host(tmp_path / "before"))
    boot(host, xen=True)
    settled(host)
    # A folder in the file's place: no undo of a file step can mend that.
    host.at(LATER).unlink()
    host.at(LATER).mkdir()
    assert call(host, "rollback", "--yes") == 3
    assert LATER in capsys.readouterr().err
    assert Journal(host).load().phase is Phase.FINISHED
    assert call(host, "rollback", "--yes", "--force") == 0
    assert f"Given up: remove {LATER}" in capsys.readouterr().out
    assert network_files(host) == old
    assert not host.exists(JOURNAL)


def test_a_reboot_that_systemd_refuses_is_forced(tmp_path: Path) -> None:
    host = applied_host(tmp_path)
    boot(host)
    commands_of(host).broken |= {"ping", "systemctl reboot"}
    settled(host)
    assert commands_of(host).ran[-2:] == ["systemctl reboot", "systemctl reboot --force"]

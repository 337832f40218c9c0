"""After a boot or a switch: waits until the new network is confirmed, then ends the set-up; or takes all of it back.

What to do next is decided from the journal, the clock and the answers (kronos_installer.confirm); this does it.
Killed at any point and started again, it goes on: the deadline is kept, and what was decided is in the journal.
"""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer import executor
from kronos_installer.boot_fallback import reboot
from kronos_installer.change_back import change_back, end_change_back, needs_reboot, reboot_into_old_options
from kronos_installer.confirm import (
    Action,
    Sight,
    answer_of_gateways,
    is_awaited,
    is_xen_awaited,
    next_action,
    seconds_to_confirm,
    why_changed_back,
    why_not_confirmed,
)
from kronos_installer.detect.gateways import read_gateways
from kronos_installer.detect.pool_conf import read_pool_conf
from kronos_installer.journal import DEADLINE, Journal, Phase, State
from kronos_installer.network.stack import BRIDGE
from kronos_installer.time_limit import within
from kronos_installer.wishes import Confirm
from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.host import Host
    from xapi_shim.base.progress import Reporter

SERVICE = "xapi.service"
_HTTPS_PORT = 443
_CONNECT_S = 3
# With the time that the name takes: what resolves names may wait for ever on a network that does not work.
_ANSWER_S = 15
_PAUSE_S = 2


def _seconds_since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _pause() -> None:
    time.sleep(_PAUSE_S)


def _connects(master: str) -> bool:
    def connect() -> bool:
        with socket.create_connection((master, _HTTPS_PORT), timeout=_CONNECT_S):
            return True

    try:
        return within(_ANSWER_S, connect)
    except OSError:
        return False


@dataclass(frozen=True)
class Surroundings:
    """Time and the world outside: seconds since the boot, a pause between two looks, whether a master accepts TCP."""

    now: Callable[[], float] = _seconds_since_boot
    pause: Callable[[], None] = _pause
    connects: Callable[[str], bool] = _connects


def settle(host: Host, around: Surroundings, reporter: Reporter) -> State:
    """Do all that is to be done, waiting where that is it; return the state at the end.

    Raises AfterRebootError, UndoIncompleteError, JournalDamagedError, KronosError and OSError of a step; a later
    call goes on.
    """
    while True:
        state = Journal(host).load()
        sight = look(host, state, around)
        match next_action(state, sight):
            case Action.NOTHING:
                if state.phase is Phase.CLEAN and state.steps:
                    with suppress(executor.BusyError), executor.exclusive(host):
                        executor.put_away(host)
                return state
            case Action.WAIT:
                around.pause()
            case _:
                try:
                    with executor.exclusive(host):
                        action = _act(host, sight, reporter)
                except executor.BusyError:
                    around.pause()
                    continue
                if action in (Action.FINISH, Action.REBOOT):
                    return Journal(host).load()


def look(host: Host, state: State, around: Surroundings) -> Sight:
    """Look at the host; the network is asked only where a confirmation is awaited."""
    boot_id, runs_xen, answer, left = host.boot_id(), host.runs_xen(), "", 0.0
    if is_awaited(state, boot_id) or is_xen_awaited(state, boot_id, runs_xen=runs_xen):
        # Whatever goes wrong in asking: nobody has answered, and the count goes on.
        with suppress(Exception):
            answer = _answer(host, state, around)
        left = deadline(host, state, around) - around.now()
    finished = state if state.steps else Journal(host).load_finished()
    return Sight(boot_id, runs_xen, left, answer, finished.reboot_boot)


def deadline(host: Host, state: State, around: Surroundings) -> float:
    """Return until when the network must be confirmed, in seconds since the boot; the first call sets it for a boot."""
    if state.is_switched_under(host.boot_id()):
        return state.switch_deadline
    found = known_deadline(host)
    if found is not None:
        return found
    assert state.wishes is not None
    before = state.awaited_boots - {host.boot_id()}
    seconds = seconds_to_confirm(state.wishes.confirm_minutes, len(before))
    if before == state.awaited_boots:
        # The count goes on where that cannot be written down.
        with suppress(KronosError, OSError), executor.exclusive(host):
            Journal(host).add({"record": "awaiting", "boot_id": host.boot_id()})
    end = around.now() + seconds
    where = host.at(DEADLINE)
    try:
        where.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_atomic(where, json.dumps({"boot_id": host.boot_id(), "deadline": end}).encode())
    except OSError:
        # What cannot be kept must be the same for who is started again: it counts from the boot.
        return seconds
    return end


def known_deadline(host: Host) -> float | None:
    """Return the deadline that was set under this boot, None without one."""
    try:
        record = json.loads(host.read(DEADLINE) or "{}")
        return float(record["deadline"]) if record["boot_id"] == host.boot_id() else None
    except (ValueError, KeyError, TypeError):
        return None


def _answer(host: Host, state: State, around: Surroundings) -> str:
    """Return who says that the new network works, "" for nobody (the operator says it to the journal)."""
    half_switched = state.is_switched_under(host.boot_id()) and not state.switched
    if half_switched or not host.exists(f"/sys/class/net/{BRIDGE}") or state.wishes is None:
        return ""
    # A pool may have got another master since the set-up, and the host may have left it.
    pool = state.wishes.pool
    master = read_pool_conf(host).master if state.phase is Phase.TRYING else pool.master if pool else ""
    if state.wishes.confirm is Confirm.MASTER and master and state.phase is not Phase.CHANGING_BACK:
        return f"master {master}" if around.connects(master) else ""
    if state.phase is Phase.CHANGING_BACK and not state.could_ask:
        return "Xen"
    if state.phase is Phase.CHANGING_BACK:
        return answer_of_gateways(state, read_gateways(host.runner, now_only=True))
    # The operator has confirmed what the files say; that it works under Xen, or this Xen, too the gateways can tell.
    if state.wishes.confirm is Confirm.GATEWAY or state.phase in (Phase.CONFIRMED, Phase.TRYING):
        return answer_of_gateways(state, read_gateways(host.runner, now_only=True))
    return ""


def _act(host: Host, sight: Sight, reporter: Reporter) -> Action:
    """Do what the journal calls for now that nobody else changes it; return what that was."""
    journal = Journal(host)
    state = journal.load()
    action = next_action(state, sight)
    match action:
        case Action.CONFIRM:
            journal.add({"record": "confirmed", "by": sight.answer, "xen": sight.runs_xen})
            reporter.line(f"the network is confirmed: {sight.answer}")
        case Action.FINISH:
            if any(step.after_reboot for step in state.steps):
                host.run(("systemctl", "start", SERVICE))
            executor.finish(host, reporter)
        case Action.ROLL_BACK:
            _roll_back(host, state, reporter)
        case Action.CHANGE_BACK:
            _change_back(host, state, sight, reporter)
        case Action.END_CHANGE_BACK:
            reporter.line(f"Xen works with its old options: {sight.answer}")
            # A power cut may have come before it was made the default.
            end_change_back(host, state, reporter, ends_boot="" if sight.runs_xen else sight.boot_id)
        case Action.REBOOT:
            _end_boot(host, state, sight, reporter)
        case _:
            pass
    return action


def _end_boot(host: Host, state: State, sight: Sight, reporter: Reporter) -> None:
    match state.phase:
        case Phase.CONFIRMED:
            _leave_xen(host, state, reporter)
        case Phase.CHANGING_BACK:
            reboot_into_old_options(host, state, sight, reporter)
        case Phase.FINISHED:
            reboot(host, into_xen=True)
        case _:
            executor.put_away(host)
            reboot(host)


def _leave_xen(host: Host, state: State, reporter: Reporter) -> None:
    """End the try of Xen: the next boot is one with the old kernel, under which the network is known to work."""
    why = why_not_confirmed(state)
    reporter.line(f"leaving Xen: {why}")
    # What cannot be written down must not keep the host from coming back.
    with suppress(OSError):
        Journal(host).add({"record": "left-xen", "why": why})
    reboot(host)


def _change_back(host: Host, state: State, sight: Sight, reporter: Reporter) -> None:
    """Take a reconfigure back; the reboot into the old options is the next action. Raises as `change_back`.

    Where that fails under the Xen that is tried, the host reboots all the same: into its old kernel, to end it there.
    """
    why = why_changed_back(state, read_pool_conf(host).master, runs_xen=sight.runs_xen)
    reporter.line(f"taking the reconfigure back: {why}")
    ended = state.phase is Phase.CHANGING_BACK and not state.left_to_change_back
    # The boot after the last step has the old options.
    due = needs_reboot(state, runs_xen=sight.runs_xen) and not (ended and sight.boot_id != state.reboot_boot)
    try:
        ends_boot = sight.boot_id if due else ""
        change_back(host, reporter, why, ends_boot, keep_way_back=due or not sight.runs_xen)
    except (KronosError, OSError) as error:
        reporter.line(f"failed: {error}")
        if due and sight.runs_xen:
            reboot(host)
        raise


def _roll_back(host: Host, state: State, reporter: Reporter) -> None:
    """Take all back; where the journal cannot be written, the network alone. Raises that OSError, and as a rollback."""
    try:
        _roll_all_back(host, state, reporter)
    except OSError as error:
        reporter.line(f"failed: {error}")
        _put_network_back(host, state)
        raise


def _put_network_back(host: Host, state: State) -> None:
    """Put the network's old files back, and reboot where the new ones run: a boot may mend what the journal lies on.

    That boot has no bridge which could be confirmed: it ends the rollback after its own count, or is the last one.
    """
    places = state.network_to_undo
    new = host.exists(f"/sys/class/net/{BRIDGE}") or any(
        state.steps[place].is_applied(host) for place in places
    )
    for place in places:
        state.steps[place].undo(host, state.intents[place])
    if new:
        reboot(host)


def _roll_all_back(host: Host, state: State, reporter: Reporter) -> None:
    """Take all back. A network that cannot follow the old files while it runs does so by a reboot (next action)."""
    live = state.is_switched_under(host.boot_id())
    why = ""
    if state.phase is not Phase.ROLLING_BACK:
        why = why_not_confirmed(state)
        reporter.line(f"taking the set-up back: {why}")
    elif state.network_to_undo and not live:
        Journal(host).add({"record": "reboot-due", "boot_id": host.boot_id()})
    try:
        executor.rollback(host, reporter, force=True, why=why, reboot=not live)
    except executor.UndoIncompleteError:
        left = Journal(host).load()
        if left.network_to_undo or left.reboot_boot != host.boot_id():
            raise
        # The network comes back by the reboot; the rest is for the operator, who can reach the host then.
        reboot(host)
        raise

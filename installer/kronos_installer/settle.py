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
from kronos_installer.boot_fallback import choose_linux_once
from kronos_installer.confirm import (
    Action,
    Sight,
    answer_of_gateways,
    is_awaited,
    next_action,
    why_not_confirmed,
)
from kronos_installer.detect.gateways import read_gateways
from kronos_installer.journal import Journal, Phase, State
from kronos_installer.network.stack import BRIDGE
from kronos_installer.wishes import Confirm
from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.host import Host
    from xapi_shim.base.progress import Reporter

DEADLINE = "/run/xapi-host-setup/deadline"
SERVICE = "xapi.service"
_HTTPS_PORT = 443
_CONNECT_S = 3
_PAUSE_S = 2


def _seconds_since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _pause() -> None:
    time.sleep(_PAUSE_S)


def _connects(master: str) -> bool:
    try:
        with socket.create_connection((master, _HTTPS_PORT), timeout=_CONNECT_S):
            return True
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
    boot_id, answer, left = host.boot_id(), "", 0.0
    if is_awaited(state, boot_id):
        # Whatever goes wrong in asking: nobody has answered, and the count goes on.
        with suppress(Exception):
            answer = _answer(host, state, around)
        left = deadline(host, state, around) - around.now()
    finished = state if state.steps else Journal(host).load_finished()
    return Sight(boot_id, host.runs_xen(), left, answer, finished.reboot_boot)


def deadline(host: Host, state: State, around: Surroundings) -> float:
    """Return until when the network must be confirmed, in seconds since the boot; the first call sets it for a boot."""
    if state.is_switched_under(host.boot_id()):
        return state.switch_deadline
    found = known_deadline(host)
    if found is not None:
        return found
    assert state.wishes is not None
    end = around.now() + 60 * state.wishes.confirm_minutes
    where = host.at(DEADLINE)
    where.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_atomic(where, json.dumps({"boot_id": host.boot_id(), "deadline": end}).encode())
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
    pool = state.wishes.pool
    if state.wishes.confirm is Confirm.MASTER and pool is not None:
        return f"master {pool.master}" if around.connects(pool.master) else ""
    if state.wishes.confirm is Confirm.GATEWAY:
        return answer_of_gateways(state, read_gateways(host.runner, now_only=True))
    return ""


def _act(host: Host, sight: Sight, reporter: Reporter) -> Action:
    """Do what the journal calls for now that nobody else changes it; return what that was."""
    journal = Journal(host)
    state = journal.load()
    action = next_action(state, sight)
    match action:
        case Action.CONFIRM:
            journal.add({"record": "confirmed", "by": sight.answer})
            reporter.line(f"the network is confirmed: {sight.answer}")
        case Action.FINISH:
            if any(step.after_reboot for step in state.steps):
                host.run(("systemctl", "start", SERVICE))
            executor.finish(host, reporter)
        case Action.ROLL_BACK:
            _roll_back(host, state, reporter)
        case Action.REBOOT:
            executor.put_away(host)
            reboot(host)
        case _:
            pass
    return action


def _roll_back(host: Host, state: State, reporter: Reporter) -> None:
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


def reboot(host: Host) -> None:
    """Reboot the host, into a kernel without Xen, without waiting for it. Raises KronosError."""
    # What cannot be chosen must not keep the old network from coming back.
    with suppress(Exception):
        choose_linux_once(host)
    try:
        host.run(("systemctl", "reboot"))
    except KronosError:
        host.run(("systemctl", "reboot", "--force"))

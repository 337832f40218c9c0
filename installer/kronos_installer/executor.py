"""Carries a plan out and takes it back, through the journal: intent, fsync, act, done.

Cut off anywhere, either way is taken up again from the journal: what was planned is what
goes on, never a plan made anew from a host that is half changed.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.journal import STATE_DIRECTORY, Journal, Phase, State
from kronos_installer.network.stack import BRIDGE, BridgeKind
from kronos_installer.steps.network_step import NetworkStep
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kronos_installer.host import Host
    from kronos_installer.plan import Plan
    from kronos_installer.steps.step import Step
    from xapi_shim.base.progress import Reporter


class ApplyFailedError(KronosError):
    """A step failed; all that was done has been taken back."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"apply failed and was undone, the host is as before: {cause}")


class UndoFailedError(KronosError):
    """A step failed, and so did taking it back."""

    # As of any apply that is not through; 1 says that the host is as before.
    exit_status = 5

    def __init__(
        self, cause: Exception, second: Exception, what: str = "apply", way: str = "rollback'"
    ) -> None:
        super().__init__(
            f"{what} failed: {cause}; undoing it failed too: {second}",
            resolution=f"mend the cause, then run 'xapi-host-setup {way}",
        )


class ChangedSinceError(KronosError):
    """Somebody changed files after they were set up; putting the originals back would lose that."""

    exit_status = 3

    def __init__(self, paths: list[str], resolution: str = "") -> None:
        super().__init__(
            f"changed since the set-up: {', '.join(paths)}",
            resolution=resolution
            or "save your changes; 'rollback --force' puts the originals back all the same",
        )


class UndoIncompleteError(KronosError):
    """Some steps could not be taken back; the others have been."""

    def __init__(self, failures: list[str]) -> None:
        super().__init__(
            f"not all could be undone: {'; '.join(failures)}",
            resolution="mend the cause, then run 'xapi-host-setup rollback'",
        )


class AfterRebootError(KronosError):
    """A step that waited for the reboot failed; all before it stays."""

    exit_status = 5

    def __init__(self, step: str, cause: Exception) -> None:
        super().__init__(
            f"{step}: {cause}",
            resolution="mend the cause, then run 'xapi-host-setup apply': it goes on there",
        )


class StateDirectoryError(KronosError):
    """There is no place for the journal, so nothing is begun."""

    exit_status = 3

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"nothing was changed: {STATE_DIRECTORY} cannot be written: {error.strerror}",
            resolution="make room there, or mount it read-write; 'xapi-host-setup check' tells what else is wrong",
        )


class BusyError(KronosError):
    """Another xapi-host-setup is at work."""

    # Refused: this one changes nothing.
    exit_status = 3

    def __init__(self) -> None:
        super().__init__("another xapi-host-setup is changing this host", resolution="wait for it to end")


@contextmanager
def exclusive(host: Host) -> Iterator[None]:
    """Keep every other apply and rollback out. Raises BusyError, StateDirectoryError. The lock dies with the process."""
    made = not host.at(STATE_DIRECTORY).is_dir()
    if made:
        try:
            host.at(STATE_DIRECTORY).mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise StateDirectoryError(error) from error
    fd = os.open(host.at(STATE_DIRECTORY), os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError from error
        yield
    finally:
        if made and not any(host.at(STATE_DIRECTORY).iterdir()):
            host.at(STATE_DIRECTORY).rmdir()
        os.close(fd)


def apply(plan: Plan, host: Host, reporter: Reporter) -> None:
    """Carry a new plan out up to the reboot.

    Raises StateDirectoryError (nothing was begun), ApplyFailedError (the host is as before), UndoFailedError.
    """
    try:
        Journal(host).begin(plan)
    except OSError as error:
        raise StateDirectoryError(error) from error
    resume_apply(host, reporter)


def resume_apply(host: Host, reporter: Reporter) -> None:
    """Go on with the journal's plan where it stopped, up to the reboot.

    Raises as `apply`, and ChangedSinceError, before anything is touched, where others changed since it
    stopped what it had begun.
    """
    journal = Journal(host)
    state = journal.load()
    if changed := changed_since(host, state):
        raise ChangedSinceError(changed)
    try:
        for place, step in enumerate(state.steps):
            if not step.after_reboot:
                carry_out(host, state, place, reporter)
        journal.add({"record": "applied", "boot_id": host.boot_id()})
    except (KronosError, OSError) as cause:
        reporter.line(f"failed: {cause}")
        try:
            new_is_up = _is_new_up(host)
            rollback(host, reporter, force=True, why=f"apply failed: {cause}", reboot=new_is_up)
            if new_is_up:
                reporter.line("the new network came up meanwhile: the host reboots, for the old one")
        except (KronosError, OSError) as second:
            raise UndoFailedError(cause, second) from cause
        raise ApplyFailedError(cause) from cause


def _is_new_up(host: Host) -> bool:
    """Tell whether the new network came up while it was written: the old files alone do not bring the old one back.

    The service that its bridge has started waits for us, and then reboots.
    """
    begun = Journal(host).load().network_to_undo
    return bool(begun) and host.exists(f"/sys/class/net/{BRIDGE}")


def finish(host: Host, reporter: Reporter) -> None:
    """Carry out the steps that waited for the reboot, where the last call stopped. Raises AfterRebootError, OSError."""
    journal = Journal(host)
    state = journal.load()
    for place, step in enumerate(state.steps):
        if step.after_reboot:
            try:
                carry_out(host, state, place, reporter)
            except (KronosError, OSError) as error:
                raise AfterRebootError(step.describe(), error) from error
    journal.add({"record": "finished"})


def repeat_one_time(host: Host, reporter: Reporter) -> list[str]:
    """Do again what a boot has used up; return what that was. Raises KronosError, OSError of a step."""
    state = Journal(host).load()
    again = [place for place, step in enumerate(state.steps) if step.one_time and place in state.done]
    for place in again:
        with reporter.stage(state.steps[place].describe()):
            state.steps[place].apply(host, state.intents[place])
    return [state.steps[place].describe() for place in again]


def carry_out(host: Host, state: State, place: int, reporter: Reporter) -> None:
    """Do one step, unless it is done: its originals are recorded first. Raises KronosError and OSError of the step."""
    step = state.steps[place]
    # The boot guard may have put a network step back and not been able to write that down.
    if place in state.done and (not step.touches_network or step.is_applied(host)):
        return
    journal = Journal(host)
    now = [other for other, its in enumerate(state.steps) if its.after_reboot is step.after_reboot]
    with reporter.stage(step.describe(), number=now.index(place) + 1, total=len(now)):
        if place not in state.intents:
            state.intents[place] = step.capture(host)
            journal.add({"record": "intent", "step": place, "original": state.intents[place]})
        step.apply(host, state.intents[place])
        journal.add({"record": "done", "step": place})


@dataclass(frozen=True)
class RolledBack:
    """What a rollback left to be said: steps that were given up, and commands of the switch back that failed."""

    given_up: tuple[str, ...] = ()
    failed_commands: tuple[str, ...] = ()


def rollback(
    host: Host, reporter: Reporter, *, force: bool = False, why: str = "", reboot: bool = False
) -> RolledBack:
    """Take back all that the journal says was begun, last first; go on with a rollback that was cut off.

    A network that was switched under this boot is switched back. `why` and `reboot` are for the journal: the
    reason where nobody asked for it, and that this boot must end after it. With `force` a step that cannot be
    taken back holds the others up no more; one that waited for the reboot is given up, for what it would ask
    (the daemon) may be gone for good.

    Raises ChangedSinceError before anything is undone (not with `force`), KronosError and OSError
    of a step, UndoIncompleteError (`force`); the rest is then undone by a later call.
    """
    journal = Journal(host)
    state = journal.load()
    if not force:
        check_unchanged(host, state)
    journal.release()
    if state.phase not in (Phase.CLEAN, Phase.ROLLING_BACK):
        changed = changed_since(host, state)
        boot_id = host.boot_id() if reboot else ""
        journal.add({"record": "rollback", "changed": changed, "why": why, "reboot": boot_id})
    if state.phase is Phase.CLEAN:
        journal.finish()
        return RolledBack()
    failures: list[str] = []
    failed_commands: list[str] = []
    left = state.to_undo
    for number, place in enumerate(left, 1):
        step = state.steps[place]
        try:
            with reporter.stage(step.describe_undo(), number=number, total=len(left)):
                step.undo(host, state.intents[place])
                failed_commands += _switch_back(host, state, step)
                journal.add({"record": "undone", "step": place})
        except Exception as error:
            # No fault in one step may keep the old network from coming back.
            if not force:
                raise
            reporter.line(f"failed: {error}")
            if step.after_reboot:
                state.given_up[place] = str(error)
                journal.add({"record": "given-up", "step": place, "why": str(error)})
            else:
                failures.append(f"{step.describe_undo()}: {error}")
    if failed_commands and (why or state.why_rolled_back):
        # Nobody looks on, and the old network did not come up by itself: the old files are there for a reboot.
        journal.add({"record": "reboot-due", "boot_id": host.boot_id()})
    if failures:
        raise UndoIncompleteError(failures)
    journal.add({"record": "rolled-back"})
    journal.finish()
    given_up = (f"{state.steps[place].describe_undo()}: {said}" for place, said in state.given_up.items())
    return RolledBack(tuple(given_up), tuple(failed_commands))


def put_away(host: Host) -> None:
    """Put the journal of a rollback away that was cut off right after its last record. Called under the lock."""
    state = Journal(host).load()
    if state.phase is Phase.CLEAN and state.steps:
        Journal(host).finish()


def _switch_back(host: Host, state: State, step: Step) -> list[str]:
    """Make the running network follow the old files where a rollback does that; return what failed."""
    failed: list[str] = []
    if isinstance(step, NetworkStep) and switches_back(host, state):
        for argv in step.switch_back:
            try:
                host.run(argv)
            except (KronosError, OSError) as error:
                failed.append(str(error))
    return failed


def switches_back(host: Host, state: State) -> bool:
    """Tell whether a rollback changes the running network: where it was switched, and where it cannot wait.

    Open vSwitch keeps its bridges and their ports over a reboot (ovs-vswitchd.conf.db(5)): the old files alone would
    bring up an interface whose packets go nowhere.
    """
    if state.is_switched_under(host.boot_id()):
        return True
    openvswitch = state.wishes is not None and state.wishes.network_backend is BridgeKind.OPENVSWITCH
    return openvswitch and host.exists(f"/sys/class/net/{BRIDGE}")


def check_unchanged(host: Host, state: State) -> None:
    """Raise ChangedSinceError where a rollback would lose what others changed, KronosError where a step cannot be undone."""
    if state.phase not in (Phase.CLEAN, Phase.ROLLING_BACK):
        changed = changed_since(host, state)
        if changed:
            raise ChangedSinceError(changed)
        # One that has begun is ended by the next boot, which gives up what the daemon would have to do.
        for place in state.to_undo:
            state.steps[place].check_undo(host)


def changed_since(host: Host, state: State, places: Iterable[int] | None = None) -> list[str]:
    """Return what others changed of what the journal's steps (those at `places`) set up.

    What cannot be told counts as changed.
    """
    begun = state.intents.keys() - state.superseded
    asked = begun if places is None else begun.intersection(places)
    found = (_changed(host, state, place) for place in sorted(asked))
    return [what for what in found if what]


def _changed(host: Host, state: State, place: int) -> str:
    try:
        return state.steps[place].changed_since(host, state.intents[place])
    except Exception as error:  # noqa: BLE001 -- nor may a look at it
        return str(error)


def not_in_place(host: Host, state: State) -> list[str]:
    """Return the steps that were done, described, whose effect is no longer there, as far as can be told."""
    steps = (step for place, step in enumerate(state.steps)
             if place in state.done - state.undone - state.superseded and not step.one_time)  # fmt: skip
    return [step.describe() for step in steps if not _is_applied(host, step)]


def _is_applied(host: Host, step: Step) -> bool:
    try:
        return step.is_applied(host)
    except (KronosError, OSError):
        return False

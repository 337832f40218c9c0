"""Carries a plan out and takes it back, through the journal: intent, fsync, act, done.

Cut off anywhere, either way is taken up again from the journal: what was planned is what
goes on, never a plan made anew from a host that is half changed.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kronos_installer.journal import STATE_DIRECTORY, Journal, Phase, State
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host import Host
    from kronos_installer.plan import Plan
    from xapi_shim.base.progress import Reporter


class ApplyFailedError(KronosError):
    """A step failed; all that was done has been taken back."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"apply failed and was undone, the host is as before: {cause}")


class UndoFailedError(KronosError):
    """A step failed, and so did taking it back."""

    def __init__(self, cause: Exception, second: Exception) -> None:
        super().__init__(
            f"apply failed: {cause}; undoing it failed too: {second}",
            resolution="mend the cause, then run 'xapi-host-setup rollback'",
        )


class ChangedSinceError(KronosError):
    """Somebody changed files after they were set up; putting the originals back would lose that."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(
            f"changed since the set-up: {', '.join(paths)}",
            resolution="save your changes; 'rollback --force' puts the originals back all the same",
        )


class BusyError(KronosError):
    """Another xapi-host-setup is at work."""

    def __init__(self) -> None:
        super().__init__("another xapi-host-setup is changing this host", resolution="wait for it to end")


@contextmanager
def exclusive(host: Host) -> Iterator[None]:
    """Keep every other apply and rollback out. Raises BusyError. The lock dies with the process."""
    made = not host.at(STATE_DIRECTORY).is_dir()
    if made:
        host.at(STATE_DIRECTORY).mkdir(mode=0o700, parents=True)
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
    """Carry a new plan out. Raises ApplyFailedError (the host is as before), UndoFailedError."""
    Journal(host).begin(plan)
    resume_apply(host, reporter)


def resume_apply(host: Host, reporter: Reporter) -> None:
    """Go on with the journal's plan where it stopped. Raises as `apply`."""
    journal = Journal(host)
    state = journal.load()
    try:
        for place, step in enumerate(state.steps):
            if place in state.done:
                continue
            with reporter.stage(step.describe(), number=place + 1, total=len(state.steps)):
                if place not in state.intents:
                    state.intents[place] = step.capture(host)
                    journal.add({"record": "intent", "step": place, "original": state.intents[place]})
                step.apply(host, state.intents[place])
                journal.add({"record": "done", "step": place})
        journal.add({"record": "applied"})
    except (KronosError, OSError) as cause:
        reporter.line(f"failed: {cause}")
        try:
            rollback(host, reporter, force=True)
        except (KronosError, OSError) as second:
            raise UndoFailedError(cause, second) from cause
        raise ApplyFailedError(cause) from cause


def rollback(host: Host, reporter: Reporter, *, force: bool = False) -> None:
    """Take back all that the journal says was begun, last first; go on with a rollback that was cut off.

    Raises ChangedSinceError before anything is undone (not with `force`), KronosError and OSError
    of a step; the rest is then undone by a later call.
    """
    journal = Journal(host)
    state = journal.load()
    if state.phase in (Phase.APPLYING, Phase.APPLIED):
        changed = changed_since(host, state)
        if changed and not force:
            raise ChangedSinceError(changed)
        journal.add({"record": "rollback", "changed": changed})
    if state.phase is not Phase.CLEAN:
        left = sorted(set(state.intents) - state.undone, reverse=True)
        for number, place in enumerate(left, 1):
            with reporter.stage(state.steps[place].describe_undo(), number=number, total=len(left)):
                state.steps[place].undo(host, state.intents[place])
                journal.add({"record": "undone", "step": place})
        journal.add({"record": "rolled-back"})
    journal.finish()


def changed_since(host: Host, state: State) -> list[str]:
    """Return what others changed of what the journal's steps set up."""
    found = (state.steps[place].changed_since(host, original) for place, original in state.intents.items())
    return [what for what in found if what]


def not_in_place(host: Host, state: State) -> list[str]:
    """Return the steps, described, whose effect is no longer there."""
    return [step.describe() for step in state.steps if not step.is_applied(host)]

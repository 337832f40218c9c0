"""How a host is: what `status` prints, from the journal and a look at the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from kronos_installer import executor
from kronos_installer.at_work import is_at_work
from kronos_installer.confirm import is_awaited, is_xen_awaited
from kronos_installer.detect.pool_conf import read_pool_conf
from kronos_installer.journal import Journal, Phase, State
from kronos_installer.settle import known_deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host import Host
    from kronos_installer.settle import Surroundings

PHASES = {
    Phase.CLEAN: "This host is not set up.",
    Phase.APPLYING: "An apply was interrupted: run 'xapi-host-setup apply' to go on, or 'rollback' to go back.",
    Phase.APPLIED: "This host is set up.",
    Phase.CONFIRMED: "This host is set up and its network is confirmed; the last steps wait.",
    Phase.FINISHED: "This host is set up.",
    Phase.TRYING: "This host is set up; the last reconfigure has yet to be seen to work.",
    Phase.RECONFIGURING: "A reconfigure was interrupted: run 'xapi-host-setup reconfigure' to go on, or 'rollback'.",
    Phase.CHANGING_BACK: "Taking a reconfigure back was interrupted: run 'xapi-host-setup reconfigure' to end it.",
    Phase.ROLLING_BACK: "A rollback was interrupted: run 'xapi-host-setup rollback' to end it.",
}

BACK_BUT_DEFAULT = "This host is set up; Xen, with its old options again, has yet to be seen to work."
_COMES_BACK = "The host came back without Xen. The old options come back by themselves: see 'systemctl status xapi-host-settle'."
AT_WORK = "Another xapi-host-setup is changing this host just now: wait until it is done."


class StatusRecord(TypedDict):
    """The status as `status --json` prints it. `seconds_left` is None where no confirmation is awaited.

    `at_work`: another xapi-host-setup is changing the host just now. `last_change_back` is why the last reconfigure was
    taken back when nobody asked for it.
    """

    format: int
    phase: str
    at_work: bool
    reboot_needed: bool
    under_xen: bool
    awaits_confirmation: bool
    confirm: str
    seconds_left: float | None
    confirmed_by: str
    not_done: list[str]
    not_in_place: list[str]
    changed: list[str]
    put_back_at_boot: list[str]
    last_rollback: str
    last_change_back: str
    pool_master: str


@dataclass(frozen=True)
class Status:
    """What was seen. `last_rollback` is why the set-up was last taken back when nobody asked for it.

    `pool_master` is the address of another host, whose pool this one is in; "" for a pool of its own.
    """

    state: State
    boot_id: str
    under_xen: bool
    seconds_until_deadline: float | None
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    last_rollback: str
    pool_master: str = ""
    at_work: bool = False

    @property
    def awaits_confirmation(self) -> bool:
        """Whether the new network runs, or Xen for the first time, and nobody has confirmed it yet."""
        xen = is_xen_awaited(self.state, self.boot_id, runs_xen=self.under_xen)
        return xen or is_awaited(self.state, self.boot_id)

    @property
    def seconds_left(self) -> float | None:
        """How long is left for that; None where nothing is awaited, or nobody counts yet."""
        return self.seconds_until_deadline if self.awaits_confirmation else None

    @property
    def reboot_needed(self) -> bool:
        """Whether nothing has taken effect yet."""
        if self.state.phase is Phase.TRYING:
            return self.boot_id == self.state.boot_id
        waits = self.state.phase is Phase.APPLIED and not self.awaits_confirmation
        return waits and bool(self.boot_id)

    @property
    def not_done(self) -> tuple[str, ...]:
        """The steps that still wait for the reboot, the confirmation and Xen."""
        state = self.state
        if not state.phase.is_set_up:
            return ()
        waiting = (step for place, step in enumerate(state.steps) if place not in state.done)
        return tuple(step.describe() for step in waiting)


def read_status(host: Host, around: Surroundings) -> Status:
    """Look at the host; changes nothing. Raises JournalDamagedError."""
    state = Journal(host).load()
    boot_id = host.boot_id()
    end = state.switch_deadline if state.is_switched_under(boot_id) else known_deadline(host)
    applied = state.phase.is_set_up
    return Status(
        state=state,
        boot_id=boot_id,
        under_xen=host.runs_xen(),
        seconds_until_deadline=None if end is None else max(0.0, end - around.now()),
        missing=tuple(executor.not_in_place(host, state)) if applied else (),
        changed=tuple(executor.changed_since(host, state)) if applied else (),
        last_rollback="" if state.steps else Journal(host).load_finished().why_rolled_back,
        pool_master=read_pool_conf(host).master,
        at_work=is_at_work(host),
    )


def is_settled(seen: Status) -> bool:
    """Tell whether nobody has to do anything but, at most, to reboot for the first time or to wait. Pure."""
    if seen.at_work:
        return True
    if seen.missing or seen.changed:
        return False
    if seen.state.phase is Phase.CONFIRMED:
        if seen.awaits_confirmation:
            return True
        # Under Xen the last steps are being done, or have failed; which of them is systemd's to say.
        return not seen.not_done and seen.under_xen
    if seen.state.phase is Phase.CHANGING_BACK:
        return seen.awaits_confirmation
    if seen.state.phase is Phase.TRYING:
        return seen.reboot_needed or seen.awaits_confirmation
    if seen.state.phase is Phase.FINISHED:
        return seen.under_xen
    return seen.state.phase in (Phase.CLEAN, Phase.APPLIED)


def status_record(seen: Status) -> StatusRecord:
    """Return the status for programs. Pure."""
    state = seen.state
    return {
        "format": 1,
        "phase": state.phase,
        "at_work": seen.at_work,
        "reboot_needed": seen.reboot_needed,
        "under_xen": seen.under_xen,
        "awaits_confirmation": seen.awaits_confirmation,
        "confirm": state.wishes.confirm if state.wishes else "",
        "seconds_left": None if seen.seconds_left is None else round(seen.seconds_left, 1),
        "confirmed_by": state.confirmed_by,
        "not_done": list(seen.not_done),
        "not_in_place": list(seen.missing),
        "changed": list(seen.changed),
        "put_back_at_boot": [state.steps[place].describe() for place in sorted(state.guarded)],
        "last_rollback": seen.last_rollback,
        "last_change_back": state.why_changed_back,
        "pool_master": seen.pool_master,
    }


def status_text(seen: Status) -> str:
    """Return the status for people. Pure."""
    state = seen.state
    # What looks like an interruption may be under way.
    phase = BACK_BUT_DEFAULT if state.is_back_but_default else PHASES[state.phase]
    lines = [AT_WORK if seen.at_work else phase]
    if seen.last_rollback:
        lines.append(f"The last set-up was taken back: {seen.last_rollback}.")
    if state.guarded:
        lines.append("At boot the old network was put back; 'apply' does that part again.")
    if seen.reboot_needed and state.phase is Phase.APPLIED:
        lines.append("Reboot to start Xen and the management bridge.")
    if seen.awaits_confirmation:
        lines.append(_waiting(seen))
    if state.confirmed_by and state.phase.is_set_up:
        lines.append(f"The network is confirmed by: {state.confirmed_by}.")
    lines += _about_xen(seen)
    if seen.pool_master:
        lines.append(f"The host is a member of the pool of {seen.pool_master}.")
    lines += [f"Not done yet: {what}." for what in seen.not_done]
    lines += [f"No longer in place: {what}." for what in seen.missing]
    lines += [f"Changed since: {path}." for path in seen.changed]
    return "\n".join(lines)


def _about_xen(seen: Status) -> Iterator[str]:
    state = seen.state
    if state.phase is Phase.TRYING:
        yield from _about_try(seen)
    if state.is_back_but_default:
        yield from _about_way_back(seen)
    if state.phase is Phase.FINISHED and state.why_changed_back:
        yield f"The last reconfigure was taken back: {state.why_changed_back}."
    if state.phase is Phase.FINISHED and not seen.under_xen:
        yield ("The host does not run under Xen, which it should boot by itself: 'xapi-host-setup doctor' tells "
               "what the next boot starts.")  # fmt: skip
    if state.phase is not Phase.CONFIRMED:
        return
    if seen.under_xen:
        if not seen.awaits_confirmation:
            yield "See 'systemctl status xapi-host-settle'; 'xapi-host-setup apply' goes on."
    elif state.is_trying_options:
        yield _COMES_BACK
    elif state.why_left_xen:
        yield (f"Under Xen {state.why_left_xen}, and the host was rebooted without it. See what its network "
               "lacks there; 'xapi-host-setup apply' lets the next boot try it again.")  # fmt: skip
    else:
        yield ("The host does not run under Xen: Xen did not start, or was not chosen at boot. See what it said "
               "on the console; 'xapi-host-setup apply' lets the next boot try it again.")  # fmt: skip


def _about_try(seen: Status) -> Iterator[str]:
    if seen.reboot_needed:
        yield ("Reboot to try it: the next boot alone has Xen's new options, and what boots by itself is without Xen until "
               "they have worked.")  # fmt: skip
    elif not seen.under_xen:
        yield _COMES_BACK


def _about_way_back(seen: Status) -> Iterator[str]:
    yield f"The last reconfigure is taken back: {seen.state.why_changed_back}. What boots by itself is still without Xen."
    tried = seen.state.tried_back or not seen.state.ran_xen
    if tried and not seen.under_xen and seen.boot_id != seen.state.reboot_boot:
        yield ("Xen was not seen to work with its old options either, so the host stays on the kernel without it. Mend what "
               "keeps Xen or its network from working; 'xapi-host-setup reconfigure' then makes Xen boot by itself again.")  # fmt: skip


def _waiting(seen: Status) -> str:
    assert seen.state.wishes is not None
    left = "" if seen.seconds_left is None else f" within {seen.seconds_left:.0f} s"
    if seen.state.phase is Phase.TRYING:
        return (
            f"Xen runs with its new options: the network waits to be confirmed{left}, else the old ones come back by a "
            "reboot; 'xapi-host-setup confirm' confirms it."
        )
    if seen.state.phase is Phase.CHANGING_BACK:
        return (
            f"Xen runs with its old options again: the network waits to be confirmed{left}, else the host reboots without "
            "Xen; 'xapi-host-setup confirm' confirms it."
        )
    if seen.state.phase is Phase.CONFIRMED:
        return (
            f"The network waits to be confirmed under Xen too{left}, else the host reboots without it; "
            "'xapi-host-setup confirm' confirms it."
        )
    return (
        f"The new network waits to be confirmed ({seen.state.wishes.confirm}){left}, else the old one comes back; "
        "'xapi-host-setup confirm' confirms it."
    )

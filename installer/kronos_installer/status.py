"""How a host is: what `status` prints, from the journal and a look at the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from kronos_installer import executor
from kronos_installer.confirm import is_awaited
from kronos_installer.detect.pool_conf import read_pool_conf
from kronos_installer.journal import Journal, Phase, State
from kronos_installer.settle import known_deadline

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.settle import Surroundings

PHASES = {
    Phase.CLEAN: "This host is not set up.",
    Phase.APPLYING: "An apply was interrupted: run 'xapi-host-setup apply' to go on, or 'rollback' to go back.",
    Phase.APPLIED: "This host is set up.",
    Phase.CONFIRMED: "This host is set up and its network is confirmed; the last steps wait.",
    Phase.FINISHED: "This host is set up.",
    Phase.RECONFIGURING: "A reconfigure was interrupted: run 'xapi-host-setup reconfigure' to go on, or 'rollback'.",
    Phase.CHANGING_BACK: "Taking a reconfigure back was interrupted: run 'xapi-host-setup reconfigure' to end it.",
    Phase.ROLLING_BACK: "A rollback was interrupted: run 'xapi-host-setup rollback' to end it.",
}


class StatusRecord(TypedDict):
    """The status as `status --json` prints it. `seconds_left` is None where no confirmation is awaited."""

    format: int
    phase: str
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
    pool_master: str


@dataclass(frozen=True)
class Status:
    """What was seen. `last_rollback` is why the set-up was last taken back when nobody asked for it.

    `pool_master` is the address of another host, whose pool this one is in; "" for a pool of its own.
    """

    state: State
    boot_id: str
    under_xen: bool
    seconds_left: float | None
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    last_rollback: str
    pool_master: str = ""

    @property
    def awaits_confirmation(self) -> bool:
        """Whether the new network runs and nobody has confirmed it yet."""
        return is_awaited(self.state, self.boot_id)

    @property
    def reboot_needed(self) -> bool:
        """Whether nothing has taken effect yet."""
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
    left = None if end is None or not is_awaited(state, boot_id) else max(0.0, end - around.now())
    applied = state.phase.is_set_up
    return Status(
        state=state,
        boot_id=boot_id,
        under_xen=host.runs_xen(),
        seconds_left=left,
        missing=tuple(executor.not_in_place(host, state)) if applied else (),
        changed=tuple(executor.changed_since(host, state)) if applied else (),
        last_rollback="" if state.steps else Journal(host).load_finished().why_rolled_back,
        pool_master=read_pool_conf(host).master,
    )


def is_settled(seen: Status) -> bool:
    """Tell whether nobody has to do anything but, at most, to reboot or to wait. Pure."""
    if seen.missing or seen.changed:
        return False
    if seen.state.phase is Phase.CONFIRMED:
        # Under Xen the last steps are being done, or have failed; which of them is systemd's to say.
        return not seen.not_done and seen.under_xen
    return seen.state.phase in (Phase.CLEAN, Phase.APPLIED, Phase.FINISHED)


def status_record(seen: Status) -> StatusRecord:
    """Return the status for programs. Pure."""
    state = seen.state
    return {
        "format": 1,
        "phase": state.phase,
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
        "pool_master": seen.pool_master,
    }


def status_text(seen: Status) -> str:
    """Return the status for people. Pure."""
    state = seen.state
    lines = [PHASES[state.phase]]
    if seen.last_rollback:
        lines.append(f"The last set-up was taken back: {seen.last_rollback}.")
    if state.guarded:
        lines.append("At boot the old network was put back; 'apply' does that part again.")
    if seen.reboot_needed:
        lines.append("Reboot to start Xen and the management bridge.")
    if seen.awaits_confirmation:
        lines.append(_waiting(seen))
    if state.confirmed_by and state.phase.is_set_up:
        lines.append(f"The network is confirmed by: {state.confirmed_by}.")
    if state.phase in (Phase.CONFIRMED, Phase.FINISHED) and not seen.under_xen:
        lines.append("The host does not run under Xen: Xen did not start, or was not chosen at boot. See what it said "
                     "on the console; 'xapi-host-setup apply' lets the next boot try it again.")  # fmt: skip
    if state.phase is Phase.CONFIRMED and seen.under_xen:
        lines.append("See 'systemctl status xapi-host-settle'; 'xapi-host-setup apply' goes on.")
    if seen.pool_master:
        lines.append(f"The host is a member of the pool of {seen.pool_master}.")
    lines += [f"Not done yet: {what}." for what in seen.not_done]
    lines += [f"No longer in place: {what}." for what in seen.missing]
    lines += [f"Changed since: {path}." for path in seen.changed]
    return "\n".join(lines)


def _waiting(seen: Status) -> str:
    assert seen.state.wishes is not None
    left = "" if seen.seconds_left is None else f" within {seen.seconds_left:.0f} s"
    return (
        f"The new network waits to be confirmed ({seen.state.wishes.confirm}){left}, else the old one comes back; "
        "'xapi-host-setup confirm' confirms it."
    )

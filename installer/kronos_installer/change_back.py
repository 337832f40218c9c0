"""The way back of a reconfigure: its steps alone, last first, by the journal; the host is then as it was set up."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kronos_installer.boot_fallback import reboot
from kronos_installer.executor import changed_since
from kronos_installer.journal import Journal, Phase
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.confirm import Sight
    from kronos_installer.host import Host
    from kronos_installer.journal import State
    from xapi_shim.base.progress import Reporter


def needs_reboot(state: State, *, runs_xen: bool) -> bool:
    """Tell whether the host must be rebooted to be as before a reconfigure that nobody has seen to work. Pure.

    Without Xen only where Xen ran before it, and the reconfigure keeps it away: a host that had lost its Xen anyway stays
    reachable.
    """
    chosen = any(state.steps[place].one_time and place in state.intents for place in state.section)
    return chosen if runs_xen else state.ran_xen and state.way_back in state.intents


def change_back(
    host: Host, reporter: Reporter, why: str = "", ends_boot: str = "", *, keep_way_back: bool = False
) -> None:
    """Take the reconfigure back that is under way or tried. Raises KronosError and OSError of a step; a later call goes on.

    `why` is for where nobody asked for it, `ends_boot` the boot that must end after it ("" for none). With `keep_way_back`
    what boots by itself stays without Xen, and the journal as it is then: a later call without it ends that.
    """
    journal = Journal(host)
    journal.release()
    state = journal.load()
    begun = state.phase is Phase.CHANGING_BACK
    if not begun or (why, ends_boot) != (state.why_changed_back, state.reboot_boot):
        for path in changed_since(host, state, state.section):
            reporter.line(f"put back although others changed it since: {path}")
        journal.add({"record": "change-back", "why": why, "reboot": ends_boot})
    kept = state.way_back if keep_way_back else None
    for place in reversed(state.section):
        # A choice of the next boot may have been made anew since (`_choose_old_options_once`).
        left = place not in state.undone or state.steps[place].one_time
        if place in state.intents and left and place != kept:
            with reporter.stage(state.steps[place].describe_undo()):
                state.steps[place].undo(host, state.intents[place])
                journal.add({"record": "undone", "step": place})
    if kept not in state.intents or kept in state.undone:
        journal.add({"record": "unchanged"})
        # For the rollback of what stays; a disk that is full keeps nobody from being done with this.
        with suppress(OSError):
            journal.reserve()


def end_change_back(host: Host, state: State, reporter: Reporter, ends_boot: str = "") -> None:
    """Let Xen boot by itself again, now that it was seen to work with its old options. Raises as `change_back`."""
    if not state.confirmed_back:
        Journal(host).add({"record": "confirmed-back"})
    change_back(host, reporter, state.why_changed_back, ends_boot)


def _choose_old_options_once(host: Host, state: State, reporter: Reporter) -> None:
    """Choose Xen for the next boot alone, now that it has its old options. Raises KronosError and OSError of the step."""
    for step in (state.steps[place] for place in state.section if state.steps[place].one_time):
        with reporter.stage(step.describe()):
            step.apply(host, {})
    Journal(host).add({"record": "try-back"})


def reboot_into_old_options(host: Host, state: State, sight: Sight, reporter: Reporter) -> None:
    """End a boot: into Xen once, with its old options; from a Xen that is silent with them into the kernel without it.

    Where Xen did not run before the reconfigure they are not known to work: then into the kernel without it, too.
    """
    if sight.boot_id != state.reboot_boot:
        reporter.line("leaving Xen: the network is silent under it with its old options, too")
    if sight.boot_id != state.reboot_boot or not state.ran_xen:
        reboot(host)
        return
    try:
        if not state.tried_back:
            _choose_old_options_once(host, state, reporter)
    except (KronosError, OSError) as error:
        reporter.line(f"failed: {error}")
        if not sight.runs_xen:
            raise
        # What boots by itself is known to work; it tries this again.
        reboot(host)
        return
    reboot(host, into_xen=True)

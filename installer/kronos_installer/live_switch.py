"""The running network follows the new files without a reboot, under a dead-man switch that does not die with us.

A systemd timer takes the network back; a systemd service switches it and waits for the confirmation. Neither
belongs to the operator's session: what becomes of that, or of the program that started them, does not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer import executor
from kronos_installer.confirm import is_awaited
from kronos_installer.journal import Journal, Phase
from kronos_installer.settle import settle
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.journal import State
    from kronos_installer.settle import Surroundings
    from xapi_shim.base.progress import Reporter

PROGRAM = "/usr/sbin/xapi-host-setup"
SWITCH = "xapi-host-switch"
ROLLBACK = "xapi-host-rollback"
SWITCH_BACK = "xapi-host-switch-back"
# The service that waits takes the network back itself at the deadline; the timer is for when it is dead.
_GRACE_S = 20
# What the commands leave running (dhclient) must outlive the service (systemd.kill(5)).
_UNIT = ("systemd-run", "--quiet", "--collect", "--property=KillMode=process")
# A disk that fails once; not a step after the confirmation, which somebody has to mend (5).
_UNTIL_DONE = (
    "--property=Restart=on-failure",
    "--property=RestartSec=5",
    "--property=RestartPreventExitStatus=5",
)


class NoSwitchError(KronosError):
    """The network stack has no way to follow its files while it runs."""

    exit_status = 2

    def __init__(self) -> None:
        super().__init__("this host's network is not switched while it runs", resolution="apply, then reboot")


def check_can_switch(state: State) -> None:
    """Raise NoSwitchError unless the network's steps know how to switch and how to switch back."""
    network = state.network_steps
    if not network or not all(step.switch and step.switch_back for step in network):
        raise NoSwitchError


def start_switch(host: Host, around: Surroundings, reporter: Reporter) -> None:
    """Start the timer, then the service. Raises KronosError; the network is then as it was, or taken back in time.

    Called under the lock (executor.exclusive), with all files written.
    """
    state = Journal(host).load()
    assert state.wishes is not None
    seconds = 60 * state.wishes.confirm_minutes
    try:
        host.run(("systemctl", "stop", f"{SWITCH_BACK}.timer"))
    except KronosError as error:
        # That of an earlier switch, whose name we need.
        reporter.line(f"no timer to stop: {error}")
    timer = (f"--unit={SWITCH_BACK}", f"--on-active={seconds + _GRACE_S}s", "--timer-property=AccuracySec=1s")
    host.run((*_UNIT, *_UNTIL_DONE, *timer, PROGRAM, "switch-back"))
    deadline = around.now() + seconds
    Journal(host).add({"record": "switching", "boot_id": host.boot_id(), "deadline": deadline})
    host.run((*_UNIT, f"--unit={SWITCH}", PROGRAM, "switch"))


def switch(host: Host, around: Surroundings, reporter: Reporter) -> State:
    """Run the commands of the switch, then wait for the confirmation or take all back. Raises as `settle`.

    A command that fails is no end: whether the network works is what the confirmation tells.
    """
    while True:
        try:
            with executor.exclusive(host):
                _run_switch(host, reporter)
            break
        except executor.BusyError:
            # Who started us may not have let go of it yet.
            around.pause()
    return settle(host, around, reporter)


def _run_switch(host: Host, reporter: Reporter) -> None:
    state = Journal(host).load()
    if not is_awaited(state, host.boot_id()) or state.switched:
        return
    for argv in (argv for step in state.network_steps for argv in step.switch):
        try:
            host.run(argv)
        except (KronosError, OSError) as error:
            reporter.line(f"failed: {error}")
    Journal(host).add({"record": "switched"})


def switch_back(host: Host, around: Surroundings, reporter: Reporter) -> State:
    """Take the network back whatever the service that switches it hangs in, unless it is confirmed. Raises as `settle`."""
    state = Journal(host).load()
    # Once the network is confirmed or back, what runs in the service is the network's own (dhclient).
    busy = is_awaited(state, host.boot_id()) or (
        state.phase is Phase.ROLLING_BACK and bool(state.network_to_undo)
    )
    if state.is_switched_under(host.boot_id()) and busy:
        try:
            host.run(("systemctl", "kill", "--signal=SIGKILL", f"{SWITCH}.service"))
        except KronosError as error:
            reporter.line(f"not running any more: {error}")
    return settle(host, around, reporter)


def is_waited_for(host: Host) -> bool:
    """Tell whether a unit of a switch still runs (systemctl(1), is-active: at least one): a soft reboot ends them all."""
    units = (f"{SWITCH}.service", f"{SWITCH_BACK}.timer", f"{SWITCH_BACK}.service")
    try:
        host.run(("systemctl", "is-active", "--quiet", *units))
    except (KronosError, OSError):
        return False
    return True


def rollback_apart(host: Host, *, force: bool) -> None:
    """Roll back in a service of systemd's, which our session's end does not end. Raises KronosError, and goes on."""
    forced = ("--force",) if force else ()
    host.run((*_UNIT, "--wait", f"--unit={ROLLBACK}", PROGRAM, "rollback", "--yes", "--here", *forced))


def wait_for_outcome(host: Host, around: Surroundings) -> State:
    """Return the state once the switch is confirmed or taken back."""
    while is_awaited(state := Journal(host).load(), host.boot_id()):
        around.pause()
    return state

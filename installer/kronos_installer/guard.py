"""Before any network starts: what a crash left of a network step is put back from the journal.

Uses local files only. An apply that was cut off leaves the host on its old network, whole or half written
as the new one was; a rollback that was cut off ends where the network is concerned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.executor import exclusive
from kronos_installer.journal import Journal, Phase
from kronos_installer.network.stack import BridgeKind
from kronos_installer.steps.network_step import NetworkStep
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.journal import State
    from kronos_installer.steps.step import Record, Step
    from xapi_shim.base.progress import Reporter

_NETPLAN = "/etc/netplan/"
# netplan's systemd generator has read its files before any unit starts (netplan-generate(8)).
_NETPLAN_GENERATE = ("netplan", "generate")
_IFUPDOWN = "/etc/network/"
# What every network stack comes before, and wants (systemd.special(7)).
_NETWORK_STATE = ("systemctl", "show", "--property=ActiveState", "--value", "network.target")
# Where this is, networking.service brings allow-hotplug interfaces up too (Debian's ifupdown, networking.service).
RESTART_HOTPLUG = "/run/network/restart-hotplug"


def steps_to_put_back(state: State) -> tuple[int, ...]:
    """Return the places of the network steps whose originals belong back at boot, the last first. Pure.

    While an apply is not through, the old network is the only one known to work: also a step that was done goes
    back, and the apply that goes on does it again.
    """
    if state.phase in (Phase.APPLYING, Phase.ROLLING_BACK):
        return state.network_to_undo
    return ()


def derived(step: Step) -> tuple[tuple[str, ...], ...]:
    """Return the commands without which the step's files are not what the network is made from at this boot. Pure."""
    paths = [change.path for change in step.files] if isinstance(step, NetworkStep) else []
    return (_NETPLAN_GENERATE,) if any(path.startswith(_NETPLAN) for path in paths) else ()


def is_soft_rebooted(state: State, boot_id: str) -> bool:
    """Tell whether the new network is about to start under the boot in which it was written: a soft reboot. Pure.

    All of userspace starts anew then, the network too (systemctl(1), soft-reboot), and the boot id stays.
    """
    return state.phase is Phase.APPLIED and state.is_written_under(boot_id)


def _is_before_network(host: Host) -> bool:
    """Tell whether this is early in a boot, as far as can be told: no network has been started.

    `systemctl isolate` starts this service as well, where nothing has been rebooted (systemctl(1)).
    """
    try:
        return host.run(_NETWORK_STATE).strip() != "active"
    except (KronosError, OSError):
        return True


def guard(host: Host, reporter: Reporter) -> tuple[str, ...]:
    """Put back what has to be; return it, described. Never raises KronosError or OSError: the boot goes on."""
    try:
        with exclusive(host):
            state = Journal(host).load()
            if places := steps_to_put_back(state):
                Journal(host).release()
            if is_soft_rebooted(state, host.boot_id()) and _is_before_network(host):
                # For who waits for the confirmation this is a boot as any.
                _record(host, {"record": "applied", "boot_id": ""}, reporter)
            done = [place for place in places if _put_back(host, state, place, reporter)]
    except (KronosError, OSError) as error:
        reporter.line(f"failed: {error}")
        return ()
    return tuple(state.steps[place].describe_undo() for place in done)


def _put_back(host: Host, state: State, place: int, reporter: Reporter) -> bool:
    step = state.steps[place]
    applying = state.phase is Phase.APPLYING
    if applying and place not in state.guarded:
        _record(host, {"record": "guarded", "step": place}, reporter)
    try:
        with reporter.stage(step.describe_undo()):
            step.undo(host, state.intents[place])
        for argv in derived(step):
            host.run(argv)
        _wake_hotplugged(host, step)
    except (KronosError, OSError) as error:
        reporter.line(f"failed: {error}")
        return False
    # Open vSwitch still has the bridge (executor.switches_back): settle ends this, when it runs.
    openvswitch = state.wishes is not None and state.wishes.network_backend is BridgeKind.OPENVSWITCH
    if not applying and not openvswitch:
        _record(host, {"record": "undone", "step": place}, reporter)
    return True


def _wake_hotplugged(host: Host, step: Step) -> None:
    """Have ifupdown bring up interfaces whose hotplug event may have come, and found nothing, before the files were back."""
    if isinstance(step, NetworkStep) and any(change.path.startswith(_IFUPDOWN) for change in step.files):
        mark = host.at(RESTART_HOTPLUG)
        mark.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        mark.touch()


def _record(host: Host, record: Record, reporter: Reporter) -> None:
    """Write it down if that can be done: the network is what matters now."""
    try:
        Journal(host).add(record)
    except OSError as error:
        reporter.line(f"failed: {error}")

"""All areas, read once and judged: the whole of `xapi-host-setup doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kronos_installer import executor
from kronos_installer.boot_checks import boot_findings
from kronos_installer.detect.release import install_by_hand
from kronos_installer.doctor.answer import Answer, ask, error, warning
from kronos_installer.doctor.boot_health import BootReading, boot_file_findings, read_boot_files
from kronos_installer.doctor.bridge_health import (
    BridgeReading,
    addresses_of,
    bridge_findings,
    name_findings,
    read_bridge,
)
from kronos_installer.doctor.careful import LOOK_S, CarefulFiles, Look, careful_host, unread_findings
from kronos_installer.doctor.certificate_health import (
    certificate_findings,
    key_findings,
    read_certificates,
    read_keys,
)
from kronos_installer.doctor.clock_health import clock_findings, read_offset
from kronos_installer.doctor.hypervisor_health import (
    HypervisorReading,
    hypervisor_findings,
    read_hypervisor,
    running_version,
)
from kronos_installer.doctor.package_health import (
    package_findings,
    program_findings,
    read_missing_programs,
    read_packages,
)
from kronos_installer.doctor.path_health import Seen, inventory_findings, path_findings, read_places
from kronos_installer.doctor.space_health import DMESG, Space, kernel_findings, read_spaces, space_findings
from kronos_installer.doctor.toolstack_health import (
    ToolstackReading,
    reach,
    read_toolstack,
    toolstack_findings,
)
from kronos_installer.doctor.unit_health import (
    clock_unit_findings,
    is_running,
    needed_units,
    read_units,
    unit_findings,
)
from kronos_installer.facts import INVENTORY, Facts, read_facts
from kronos_installer.identity import host_uuid
from kronos_installer.journal import JOURNAL
from kronos_installer.journal_state import Phase
from kronos_installer.pool_membership import session_of
from kronos_installer.problem import Level, Problem
from kronos_installer.steps.file_step import FileStep
from kronos_installer.steps.pool_join_step import PoolJoinStep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kronos_installer.host import Host
    from kronos_installer.journal_state import State
    from kronos_installer.packages import MissingPackage


_ONCE = frozenset({"not-under-xen", "xen-no-shadow-paging"})


@dataclass(frozen=True)
class Readings:
    """All that is looked at, once; `missing` are steps no longer in place, `changed` what others changed since.

    What could not be looked at is None, and `unknown` says why.
    """

    state: State
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    places: dict[str, Seen | None]
    uuid: str
    units: Answer
    packages: Answer
    programs: tuple[MissingPackage, ...]
    certificates: dict[str, Answer]
    keys: dict[str, str]
    spaces: tuple[Space, ...]
    kernel: Answer
    now: datetime
    facts: Facts | None
    offset: Answer
    boot: BootReading | None
    bridge: BridgeReading | None
    hypervisor: HypervisorReading | None
    toolstack: ToolstackReading | None
    unknown: tuple[Problem, ...]


def read_all(host: Host, state: State, try_to_reach: Callable[[str], str] = reach) -> Readings:
    """Read a host that is set up, whatever has become of it."""
    host = careful_host(host)
    query, files, look = host.runner, CarefulFiles(host.root), Look()
    port = state.wishes.management_interface if state.wishes else ""
    facts = look.at("the system", lambda: read_facts(files, query))
    bridge = look.at("the bridge", lambda: read_bridge(files, query, port, had_gateway=bool(state.gateways)))
    hypervisor = look.at("Xen", lambda: read_hypervisor(files, query))
    toolstack = look.at("the daemon", lambda: read_toolstack(files, lambda: session_of(files), try_to_reach))
    # A file system whose server or disk is away keeps whoever asks it.
    spaces = look.at("the free space", lambda: read_spaces(files), LOOK_S)
    return Readings(
        state=state,
        missing=tuple(executor.not_in_place(host, state)),
        changed=tuple(executor.changed_since(host, state)),
        places=read_places(files),
        uuid=host_uuid(files.read(INVENTORY)),
        units=read_units(query, needed_units(state)),
        packages=read_packages(query),
        programs=read_missing_programs(files, facts, state) if facts else (),
        certificates=read_certificates(files, query),
        keys=read_keys(files),
        spaces=spaces or (),
        kernel=ask(query, DMESG),
        now=datetime.now(UTC),
        facts=facts,
        offset=read_offset(query, facts.system.time_sync) if facts else Answer(),
        boot=read_boot_files(files, facts.grub) if facts else None,
        bridge=bridge,
        hypervisor=hypervisor,
        toolstack=toolstack,
        unknown=(*unread_findings(files), *look.problems),
    )


def not_set_up(phase: Phase, *, at_work: bool = False) -> Problem:
    """Return the one finding of a host that is not, or only half, set up. `at_work`: somebody is about it."""
    if at_work:
        return warning("set-up-at-work", "another xapi-host-setup is changing this host just now", JOURNAL,
                       "wait until it is done, and ask again")  # fmt: skip
    if phase is Phase.CLEAN:
        remedy = "xapi-host-setup plan shows what a set-up would do; a host that was set up has lost its journal: restore it"
    else:
        remedy = "xapi-host-setup status tells how to go on"
    return error("not-set-up", f"the host is not set up: {phase}", JOURNAL, remedy)


def findings(readings: Readings) -> tuple[Problem, ...]:
    """Return what is wrong with a set-up host, each finding once. Pure."""
    found: dict[tuple[str, ...], Problem] = {}
    for problem in _all(readings):
        # Two areas may look at the same thing, such as whether Xen runs; the first says more.
        key = (problem.id,) if problem.id in _ONCE else (problem.id, problem.title, problem.diagnosis)
        found.setdefault(key, problem)
    return tuple(found.values())


def _all(readings: Readings) -> Iterator[Problem]:
    # Where systemd does not tell, the daemon is asked all the same.
    running = is_running(readings.units) or bool(readings.units.error)
    finished = readings.state.phase is Phase.FINISHED
    yield from _reconfigure(readings.state)
    tried = readings.state.phase is Phase.TRYING or readings.state.is_back_but_default
    if not finished and not tried:
        yield warning("set-up-unfinished", f"the set-up is not finished: {readings.state.phase}",
                      JOURNAL, "xapi-host-setup status tells how to go on")  # fmt: skip
    for what in readings.missing:
        again = _done_again(what, readings.facts)
        yield error("step-not-in-place", f"no longer in place: {what}", "xapi-host-setup status", again)
    for path in readings.changed:
        yield warning("changed-since", "changed since the set-up by somebody else", path,
                      "keep a copy if it matters: a rollback wants --force")  # fmt: skip
    yield from readings.unknown
    yield from _xen(readings, settled=finished)
    under_xen = readings.hypervisor is not None and readings.hypervisor.type == "xen"
    yield from unit_findings(readings.units, needed_units(readings.state), under_xen=under_xen)
    yield from path_findings(readings.places, running=running)
    yield from inventory_findings(readings.uuid, _set_up_uuid(readings.state))
    if readings.bridge is not None:
        yield from bridge_findings(readings.bridge)
    if readings.toolstack is not None:
        yield from toolstack_findings(readings.toolstack, running=running, joined=_joined(readings.state))
    yield from _system(readings)
    yield from space_findings(readings.spaces)
    yield from kernel_findings(readings.kernel)


def _reconfigure(state: State) -> Iterator[Problem]:
    if state.phase is Phase.TRYING:
        yield warning("reconfigure-untried", "the last reconfigure has yet to be seen to work: what boots by itself is "
                      "without Xen", JOURNAL, "xapi-host-setup status tells how to go on")  # fmt: skip
    elif state.is_back_but_default:
        yield warning("reconfigure-untried", f"the last reconfigure was taken back ({state.why_changed_back}), and Xen has yet "
                      "to be seen to work with its old options: what boots by itself is without Xen", JOURNAL,
                      "xapi-host-setup status tells how to go on")  # fmt: skip
    elif state.phase is Phase.FINISHED and state.why_changed_back:
        yield Problem(Level.INFO, "reconfigure-taken-back", f"the last reconfigure was taken back: "
                      f"{state.why_changed_back}", "", JOURNAL, "mend the cause, and reconfigure again")  # fmt: skip


def _done_again(what: str, facts: Facts | None) -> str:
    """Return how a step that is no longer in place is done again, by what it says that it does."""
    verb, _, object_ = what.partition(" ")
    if verb == "enable":
        return f"systemctl {what}"
    if verb == "install" and facts is not None:
        return install_by_hand(facts.machine, object_.replace(",", ""))
    return "undo what took it away, or roll back and set up anew"


def _set_up_uuid(state: State) -> str:
    """Return the host's uuid as the set-up wrote it, "" where it found the inventory as it should be."""
    written = (step.content for step in state.steps if isinstance(step, FileStep) and step.path == INVENTORY)
    return next((host_uuid(content.decode("latin-1")) for content in written), "")


def _joined(state: State) -> str:
    """Return the address of the master whose pool the set-up has joined, "" for none and for one that was left."""
    steps = (state.steps[place] for place in sorted(state.done - state.undone))
    return next((step.address for step in steps if isinstance(step, PoolJoinStep)), "")


def _xen(readings: Readings, *, settled: bool) -> Iterator[Problem]:
    if readings.hypervisor is not None:
        yield from hypervisor_findings(readings.hypervisor)
    if readings.facts is not None:
        yield from boot_findings(readings.facts, settled=settled)
    if readings.boot is not None:
        yield from boot_file_findings(readings.boot, settled=settled)
    version = running_version(readings.hypervisor) if readings.hypervisor else ""
    yield from package_findings(readings.packages, version)


def _system(readings: Readings) -> Iterator[Problem]:
    """Yield what concerns the whole system: names, certificates for them, time."""
    if readings.facts is None:
        return
    yield from program_findings(readings.programs, readings.facts)
    system = readings.facts.system
    yield from name_findings(system)
    addresses = addresses_of(readings.bridge.addresses.text) if readings.bridge else ()
    names = (system.hostname.name, *addresses)
    yield from certificate_findings(readings.certificates, names, readings.now, readings.uuid, readings.keys)
    yield from key_findings(readings.keys, readings.certificates)
    yield from clock_unit_findings(readings.units, system.time_sync.service)
    yield from clock_findings(system.time_sync, readings.offset)
    yield from system.unreadable

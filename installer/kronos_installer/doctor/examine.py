"""All areas, read once and judged: the whole of `xapi-host-setup doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kronos_installer import executor
from kronos_installer.boot_checks import boot_findings
from kronos_installer.doctor.answer import Answer, ask, error, warning
from kronos_installer.doctor.bridge_health import BridgeReading, addresses_of, bridge_findings, read_bridge
from kronos_installer.doctor.certificate_health import certificate_findings, read_certificates
from kronos_installer.doctor.clock_health import clock_findings, read_offset
from kronos_installer.doctor.hypervisor_health import (
    HypervisorReading,
    hypervisor_findings,
    read_hypervisor,
    running_version,
)
from kronos_installer.doctor.package_health import package_findings, read_packages
from kronos_installer.doctor.path_health import path_findings, read_modes
from kronos_installer.doctor.space_health import DMESG, Space, kernel_findings, read_spaces, space_findings
from kronos_installer.doctor.toolstack_health import (
    ToolstackReading,
    reach,
    read_toolstack,
    toolstack_findings,
)
from kronos_installer.doctor.unit_health import SHOW, is_running, unit_findings
from kronos_installer.facts import Facts, read_facts
from kronos_installer.journal_state import Phase
from kronos_installer.xenapi_client import local_session
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kronos_installer.host import Host
    from kronos_installer.journal_state import State
    from kronos_installer.problem import Problem


@dataclass(frozen=True)
class Readings:
    """All that is looked at, once; `missing` are steps no longer in place, `changed` what others changed since."""

    facts: Facts
    state: State
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    modes: dict[str, int | None]
    units: Answer
    packages: Answer
    bridge: BridgeReading
    hypervisor: HypervisorReading
    toolstack: ToolstackReading
    certificates: dict[str, Answer]
    offset: Answer
    spaces: tuple[Space, ...]
    kernel: Answer
    now: datetime


def read_all(host: Host, state: State, try_to_reach: Callable[[str], str] = reach) -> Readings:
    """Read a host that is set up. Raises OSError."""
    query = host.runner
    facts = read_facts(host, query)
    socket = host.at(str(Paths().unix_socket))
    return Readings(
        facts=facts,
        state=state,
        missing=tuple(executor.not_in_place(host, state)),
        changed=tuple(executor.changed_since(host, state)),
        modes=read_modes(host),
        units=ask(query, SHOW),
        packages=read_packages(query),
        bridge=read_bridge(host, query, state.wishes.management_interface if state.wishes else ""),
        hypervisor=read_hypervisor(host, query),
        toolstack=read_toolstack(host, lambda: local_session(socket), try_to_reach),
        certificates=read_certificates(host, query),
        offset=read_offset(query, facts.system.time_sync),
        spaces=read_spaces(host),
        kernel=ask(query, DMESG),
        now=datetime.now(UTC),
    )


def not_set_up(phase: Phase) -> Problem:
    """Return the one finding of a host that is not, or only half, set up."""
    return error("not-set-up", f"the host is not set up: {phase}", "/var/lib/xapi-host-setup/journal.jsonl",
                 "xapi-host-setup status tells how to go on")  # fmt: skip


def findings(readings: Readings) -> tuple[Problem, ...]:
    """Return what is wrong with a set-up host, each finding once. Pure."""
    found: dict[tuple[str, str], Problem] = {}
    for problem in _all(readings):
        # Two areas may look at the same thing, such as whether Xen runs; the first says more.
        key = problem.id, "" if problem.id == "not-under-xen" else problem.diagnosis
        found.setdefault(key, problem)
    return tuple(found.values())


def _all(readings: Readings) -> Iterator[Problem]:
    system, running = readings.facts.system, is_running(readings.units)
    finished = readings.state.phase is Phase.FINISHED
    if not finished:
        yield warning("set-up-unfinished", f"the set-up is not finished: {readings.state.phase}",
                      "/var/lib/xapi-host-setup/journal.jsonl", "xapi-host-setup status tells how to go on")  # fmt: skip
    for what in readings.missing:
        yield error("step-not-in-place", f"no longer in place: {what}", "xapi-host-setup status",
                    "undo what took it away, or roll back and set up anew")  # fmt: skip
    for path in readings.changed:
        yield warning("changed-since", "changed since the set-up by somebody else", path,
                      "keep a copy if it matters: a rollback wants --force")  # fmt: skip
    yield from hypervisor_findings(readings.hypervisor)
    yield from boot_findings(readings.facts, settled=finished)
    yield from unit_findings(readings.units)
    yield from path_findings(readings.modes, running=running)
    yield from package_findings(readings.packages, running_version(readings.hypervisor))
    yield from bridge_findings(readings.bridge, system)
    yield from toolstack_findings(readings.toolstack, running=running)
    names = (system.hostname.name, *addresses_of(readings.bridge.addresses.text))
    yield from certificate_findings(readings.certificates, names, readings.now)
    yield from clock_findings(system.time_sync, readings.offset)
    yield from space_findings(readings.spaces)
    yield from kernel_findings(readings.kernel)
    yield from system.unreadable

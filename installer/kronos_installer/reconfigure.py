"""Other wishes for a host that is set up: which steps they need, and how those are carried out and taken back.

The steps become a section of their own in the journal, after those of the set-up. A section that fails is taken back
alone: the host stays as it was set up. A rollback takes back the sections and then the set-up, to the byte.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kronos_installer import executor
from kronos_installer.boot_steps import dom0_size
from kronos_installer.grub_config import CONFIG_PATH
from kronos_installer.journal import Journal, Phase, State
from kronos_installer.plan import Plan
from kronos_installer.problem import Level, Problem, RefusedError
from kronos_installer.steps.grub_step import Default, GrubStep
from kronos_installer.steps.step import step_to_json
from kronos_installer.system_checks import hostname_problems, time_problems
from kronos_installer.system_plan import hostname_steps, time_steps
from kronos_installer.wishes_record import wishes_to_record
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.facts import Facts
    from kronos_installer.flags import Asked
    from kronos_installer.host import Host
    from kronos_installer.steps.step import Step
    from kronos_installer.wishes import Wishes
    from xapi_shim.base.progress import Reporter

CHANGEABLE = ("dom0_memory_mib", "dom0_vcpus", "hostname", "ntp_servers")
_DOM0 = re.compile(r"\bdom0_mem=\d+M,max:\d+M dom0_max_vcpus=\d+")


class ReconfigureFailedError(KronosError):
    """A step failed; the host is as it was set up before."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"reconfigure failed and was undone, the host is as set up before: {cause}")


def plan_changes(facts: Facts, now: Wishes, asked: Asked) -> Plan:
    """Return the steps from a set-up host to what is asked. Pure.

    Raises RefusedError, Dom0MemoryError, Dom0VcpusError.
    """
    problems = [*_unchangeable(now, asked)]
    wishes = replace(now, **{name: value for name, value in asked.items() if name in CHANGEABLE})
    dom0 = dom0_size(facts, wishes.dom0_memory_mib, wishes.dom0_vcpus)
    wishes = replace(wishes, dom0_memory_mib=dom0.memory_mib, dom0_vcpus=dom0.vcpus)
    wanted = replace(wishes, hostname=asked.get("hostname", ""), ntp_servers=asked.get("ntp_servers", ()))
    problems += [p for p in hostname_problems(facts.system, wanted) if wanted.hostname]
    problems += [p for p in time_problems(facts.system, wanted) if wanted.ntp_servers]
    boot: tuple[Step, ...] = ()
    if {"dom0_memory_mib", "dom0_vcpus"} & asked.keys():
        text = f"dom0_mem={dom0.memory_mib}M,max:{dom0.memory_mib}M dom0_max_vcpus={dom0.vcpus}"
        boot = tuple(_boot_step(facts, text, problems))
    if any(problem.level is Level.ERROR for problem in problems):
        raise RefusedError(tuple(problems))
    steps = (*hostname_steps(facts.system, wanted), *time_steps(facts.system, wanted), *boot)
    return Plan(steps, tuple(problems), wishes)


def _unchangeable(now: Wishes, asked: Asked) -> Iterator[Problem]:
    for name, value in asked.items():
        if name not in CHANGEABLE and value != getattr(now, name):
            flag = "--" + name.replace("_", "-")
            yield Problem(Level.ERROR, "wish-lasting", f"{flag} cannot be changed on a host that is set up", "", flag,
                          "roll back, and set up anew")  # fmt: skip


def _boot_step(facts: Facts, text: str, problems: list[Problem]) -> Iterator[Step]:
    """Yield the step that changes dom0's part of the set-up's GRUB file, and nothing else in it."""
    before = facts.originals[CONFIG_PATH]
    old = before.content.decode("latin-1") if before else ""
    new, count = _DOM0.subn(text, old)
    if count != 1:
        problems.append(Problem(Level.ERROR, "grub-config-changed", "dom0's options are not as the set-up wrote them",
                                "", f"{CONFIG_PATH}:1", "roll back, and set up anew"))  # fmt: skip
    elif new != old:
        yield GrubStep(path=CONFIG_PATH, content=new.encode("latin-1"), before=before, layout=facts.grub.files,
                       default=Default.XEN, reason="dom0's share of the host, from the next boot on")  # fmt: skip


def begin(host: Host, plan: Plan, reporter: Reporter) -> None:
    """Carry the changes out. Raises ReconfigureFailedError (the host is as before), UndoFailedError."""
    steps = [step_to_json(step) for step in plan.steps]
    Journal(host).add({"record": "reconfigure", "wishes": wishes_to_record(plan.wishes), "steps": steps})
    resume(host, reporter)


def resume(host: Host, reporter: Reporter) -> None:
    """Go on where `begin` stopped: forth, or back where it was on its way back. Raises as `begin`."""
    journal = Journal(host)
    state = journal.load()
    if state.phase is Phase.CHANGING_BACK:
        _take_back(host, state, reporter)
        return
    if changed := executor.changed_since(host, state):
        raise executor.ChangedSinceError(changed)
    try:
        for place in _places(state):
            executor.carry_out(host, state, place, reporter)
        journal.add({"record": "reconfigured"})
    except (KronosError, OSError) as cause:
        reporter.line(f"failed: {cause}")
        try:
            journal.add({"record": "change-back"})
            _take_back(host, journal.load(), reporter)
        except (KronosError, OSError) as second:
            raise executor.UndoFailedError(cause, second) from cause
        raise ReconfigureFailedError(cause) from cause


def _places(state: State) -> range:
    assert state.former is not None
    return range(state.former.steps, len(state.steps))


def _take_back(host: Host, state: State, reporter: Reporter) -> None:
    journal = Journal(host)
    for place in reversed(_places(state)):
        if place in state.intents and place not in state.undone:
            with reporter.stage(state.steps[place].describe_undo()):
                state.steps[place].undo(host, state.intents[place])
                journal.add({"record": "undone", "step": place})
    journal.add({"record": "unchanged"})

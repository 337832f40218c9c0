"""Other wishes for a host that is set up: which steps they need, and how those are carried out and taken back.

The steps become a section of their own in the journal, after those of the set-up. A section that fails is taken back
alone: the host stays as it was set up. A rollback takes back the sections and then the set-up, to the byte.

What changes how Xen boots is tried as Xen itself was: what boots by itself is without Xen, the next boot alone has the new
options, and the last step, under Xen and with the network confirmed, makes Xen the default again. Else the section is
taken back, at the next boot (kronos_installer.settle).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kronos_installer import executor
from kronos_installer.asked import differing
from kronos_installer.boot_checks import no_one_time, taken_choice
from kronos_installer.boot_steps import can_be_tried, dom0_size
from kronos_installer.change_back import change_back
from kronos_installer.confirm import gateways_to_answer
from kronos_installer.detect.pool_conf import POOL_CONF, parse_pool_conf
from kronos_installer.flags import FLAGS
from kronos_installer.grub_config import CONFIG_PATH, DEFAULT_PATH, render_default, render_untried
from kronos_installer.journal import Journal, Phase
from kronos_installer.network.stack import BRIDGE
from kronos_installer.plan import Plan
from kronos_installer.problem import Level, Problem, RefusedError
from kronos_installer.steps.grub_once_step import GrubOnceStep
from kronos_installer.steps.grub_step import Default, GrubDefaultStep, GrubStep
from kronos_installer.steps.step import step_to_json
from kronos_installer.system_checks import hostname_problems, time_problems
from kronos_installer.system_plan import hostname_steps, time_steps
from kronos_installer.wishes import Confirm
from kronos_installer.wishes_record import wishes_to_record
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kronos_installer.facts import Facts
    from kronos_installer.flags import Asked
    from kronos_installer.host import Host
    from kronos_installer.host_files import FileState
    from kronos_installer.journal import State
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
        boot = tuple(_boot_steps(facts, text, problems))
    if any(problem.level is Level.ERROR for problem in problems):
        raise RefusedError(tuple(problems))
    steps = (*hostname_steps(facts.system, wanted), *time_steps(facts.system, wanted), *boot)
    tried = any(step.ends_try for step in boot)
    gateways = _gateways(facts, wishes) if tried else ()
    if tried and not gateways and not (wishes.confirm is Confirm.MASTER and _has_master(facts)):
        problems.append(_nobody_confirms(wishes))
    return Plan(steps, tuple(problems), wishes, gateways)


def _gateways(facts: Facts, wishes: Wishes) -> tuple[str, ...]:
    """Return the gateways that answer now, and must again under the Xen that is tried; one at least behind the bridge."""
    ours = [gateway for gateway in facts.gateways if gateway.interface != wishes.management_interface]
    by_bridge = any(gateway.answers and gateway.interface == BRIDGE for gateway in ours)
    return gateways_to_answer(ours) if by_bridge else ()


def _has_master(facts: Facts) -> bool:
    conf = facts.originals[POOL_CONF]
    return bool(conf and parse_pool_conf(conf.content.decode("latin-1")).master)


def _nobody_confirms(wishes: Wishes) -> Problem:
    return Problem(
        Level.WARNING, "no-gateway-answers", f"no gateway behind {BRIDGE} answers now by which the try could be confirmed",
        "Not confirmed in time, the host reboots, and has its old options again.", "`ip route show default`",
        f"run 'xapi-host-setup confirm' within {wishes.confirm_minutes} minutes after the reboot",
    )  # fmt: skip


def _unchangeable(now: Wishes, asked: Asked) -> Iterator[Problem]:
    for name, value in asked.items():
        given_up = name == "ntp_servers" and not value
        if (name not in CHANGEABLE or given_up) and differing({name: value}, now):
            flag = FLAGS[name]
            yield Problem(Level.ERROR, "wish-lasting", f"{flag} cannot be changed on a host that is set up", "", flag,
                          "roll back, and set up anew")  # fmt: skip


def _boot_steps(facts: Facts, text: str, problems: list[Problem]) -> Iterator[Step]:
    """Yield the steps that change dom0's part of the set-up's GRUB file, and nothing else in it."""
    before = facts.originals[CONFIG_PATH]
    old = before.content.decode("latin-1") if before else ""
    new, count = _DOM0.subn(text, old)
    if count != 1:
        problems.append(Problem(Level.ERROR, "grub-config-changed", "dom0's options are not as the set-up wrote them",
                                "", f"{CONFIG_PATH}:1", "roll back, and set up anew"))  # fmt: skip
    elif new != old:
        content, lasting = new.encode("latin-1"), facts.originals[DEFAULT_PATH]
        if can_be_tried(facts) and lasting is not None:
            problems += taken_choice(facts)
            yield from _tried(facts, content, lasting)
            return
        problems += tuple(no_one_time(facts)) or (_SET_UP_WITHOUT,)
        yield GrubStep(path=CONFIG_PATH, content=content, before=before, layout=facts.grub.files,
                       default=Default.XEN, reason="dom0's share of the host, from the next boot on")  # fmt: skip


_SET_UP_WITHOUT = Problem(
    Level.WARNING, "grub-no-one-time", "Xen cannot be tried just once here: the host was set up without a try",
    "Xen stays the default. Should it not come up, somebody must choose an entry without Xen at the console.",
    f"{DEFAULT_PATH} is not there", "be near the console at the next reboot, or roll back, and set up anew",
)  # fmt: skip


def _tried(facts: Facts, content: bytes, lasting: FileState) -> Iterator[Step]:
    """Yield the steps of a try. First the way back: a crash between any two of them boots what is known to work."""
    layout, untried = facts.grub.files, render_untried().encode()
    yield GrubStep(path=DEFAULT_PATH, content=untried, before=lasting, layout=layout, default=Default.LINUX,
                   reason="until Xen has been seen to work with its new options, what boots by itself is without it")  # fmt: skip
    yield GrubStep(path=CONFIG_PATH, content=content, before=facts.originals[CONFIG_PATH], layout=layout,
                   default=Default.LINUX, reason="dom0's share of the host")  # fmt: skip
    yield GrubOnceStep(layout=layout, reason="the next boot alone tries them; the old options come back by themselves "
                                             "unless Xen runs then and the network is confirmed under it")  # fmt: skip
    yield GrubDefaultStep(path=DEFAULT_PATH, content=render_default().encode(), before=replace(lasting, content=untried),
                          layout=layout, reason="Xen has been seen to work with them: it boots by itself again")  # fmt: skip


def untried_wishes(state: State) -> Asked:
    """Return what the reconfigure asks for that is tried, or waits for that. Pure."""
    former = state.former.wishes if state.former else state.wishes
    changed = (name for name in CHANGEABLE if getattr(state.wishes, name) != getattr(former, name))
    return {name: getattr(state.wishes, name) for name in changed}


def check_unchanged(host: Host, state: State, places: Iterable[int]) -> None:
    """Raise ChangedSinceError where others changed what the steps at these places set up: they would lose that."""
    if changed := executor.changed_since(host, state, places):
        raise executor.ChangedSinceError(
            changed, "save your changes, and make the files as the set-up left them"
        )


def begin(host: Host, plan: Plan, reporter: Reporter) -> None:
    """Carry the changes out. Raises ReconfigureFailedError (the host is as before), UndoFailedError.

    Raises ChangedSinceError, before anything is begun, where others changed a file that is to be changed again: they would
    lose that at a rollback. What they made of other files is theirs.
    """
    targets = {step.target for step in plan.steps} - {""}
    state = Journal(host).load()
    same = [place for place, step in enumerate(state.steps) if step.target in targets]
    check_unchanged(host, state, same)
    steps = [step_to_json(step) for step in plan.steps]
    Journal(host).reserve()
    Journal(host).add({
        "record": "reconfigure", "boot_id": host.boot_id(), "xen": host.runs_xen(), "steps": steps,
        "wishes": wishes_to_record(plan.wishes), "gateways": list(plan.gateways),
    })  # fmt: skip
    resume(host, reporter)


def resume(host: Host, reporter: Reporter) -> None:
    """Go on where `begin` stopped: forth, or back where it was on its way back. Raises as `begin`."""
    journal = Journal(host)
    state = journal.load()
    if state.phase is Phase.CHANGING_BACK:
        change_back(host, reporter, state.why_changed_back)
        return
    check_unchanged(host, state, state.section)
    try:
        for place in state.section:
            if state.steps[place].one_time:
                # A boot since may have used it up.
                state.done.discard(place)
            if not state.steps[place].after_reboot:
                executor.carry_out(host, state, place, reporter)
        journal.add({"record": "reconfigured", "boot_id": host.boot_id()})
    except (KronosError, OSError) as cause:
        reporter.line(f"failed: {cause}")
        try:
            change_back(host, reporter)
        except (KronosError, OSError) as second:
            way = "reconfigure': it ends that"
            raise executor.UndoFailedError(cause, second, "reconfigure", way) from cause
        raise ReconfigureFailedError(cause) from cause

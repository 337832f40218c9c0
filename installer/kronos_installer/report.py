"""Plans, problems and states as text for people and as records for programs. Pure."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, TypedDict

from kronos_installer.plan import NETWORK_NOTICE
from kronos_installer.steps.network_step import NetworkStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.facts import FactsRecord
    from kronos_installer.plan import Plan
    from kronos_installer.problem import Problem


# Texts that YAML takes for texts, and the words that it does not.
_PLAIN = re.compile(r"[A-Za-z/]([\w./@+=; -]*[\w./@+=;-])?", re.ASCII)
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


class StepRecord(TypedDict):
    """A step as `plan --json` prints it."""

    kind: str
    describe: str
    reason: str
    undo: str
    diff: str
    commands: list[list[str]]
    touches_network: bool
    needs_reboot: bool


class PlanRecord(TypedDict):
    """A plan as `plan --json` prints it."""

    format: int
    management_interface: str
    dom0_memory_mib: int
    needs_reboot: bool
    network_downtime: str
    steps: list[StepRecord]
    problems: list[dict[str, str]]


def plan_record(plan: Plan) -> PlanRecord:
    """Return the plan for programs."""
    return {
        "format": 1,
        "management_interface": plan.wishes.management_interface,
        "dom0_memory_mib": plan.wishes.dom0_memory_mib,
        "needs_reboot": plan.needs_reboot,
        "network_downtime": NETWORK_NOTICE,
        "steps": [
            {
                "kind": step.kind,
                "describe": step.describe(),
                "reason": step.reason,
                "undo": step.describe_undo(),
                "diff": step.diff(),
                "commands": [list(argv) for argv in step.commands()],
                "touches_network": step.touches_network,
                "needs_reboot": step.needs_reboot,
            }
            for step in plan.steps
        ],
        "problems": [problem.to_json() for problem in plan.problems],
    }


def render_plan(plan: Plan, *, switch_now: bool = False) -> str:
    """Return the plan for people: each step with its reason, its diff, its commands.

    `switch_now`: the running network is switched at the end (`apply --switch-network-now`), and how is shown too.
    """
    parts = []
    chosen = plan.wishes
    for number, step in enumerate(plan.steps, 1):
        marks = [m for m, on in (("network", step.touches_network), ("at reboot", step.needs_reboot)) if on]
        mark = f"  [{', '.join(marks)}]" if marks else ""
        lines = [
            f"{number}. {step.describe()}{mark}",
            f"   why:  {step.reason}",
            f"   undo: {step.describe_undo()}",
        ]
        if diff := step.diff():
            lines += [f"   | {line}" for line in diff.splitlines()]
        lines += [f"   $ {shlex.join(argv)}" for argv in step.commands()]
        parts.append("\n".join(lines))
    summary = [
        f"Management interface: {chosen.management_interface}. Memory of dom0: {chosen.dom0_memory_mib} MiB.",
        _switch_notice(plan) if switch_now else NETWORK_NOTICE,
        "A reboot is needed." if plan.needs_reboot else "No reboot is needed.",
    ]
    return "\n\n".join([*parts, "\n".join(summary)]) + "\n"


def _switch_notice(plan: Plan) -> str:
    commands = (argv for step in plan.steps if isinstance(step, NetworkStep) for argv in step.switch)
    notice = (
        "The running network is switched when all this is written. It is away for some seconds meanwhile, and comes "
        f"back by itself unless the new one is confirmed ({plan.wishes.confirm}) within "
        f"{plan.wishes.confirm_minutes} minutes:"
    )
    return "\n".join([notice, *(f"   $ {shlex.join(argv)}" for argv in commands)])


def render_facts(record: FactsRecord) -> str:
    """Return the facts for people: all that the record for programs has, laid out as YAML; those of the system last."""
    plain = {name: value for name, value in record.items() if name != "system"} | dict(record["system"])
    return "".join(f"{line}\n" for line in _laid_out(plain))


def _laid_out(value: object) -> Iterator[str]:
    """Yield a dictionary's lines, or a list's; what is in them is two columns to the right."""
    named = value.items() if isinstance(value, dict) else ((None, item) for item in _list(value))
    for name, item in named:
        lead = "-" if name is None else f"{_word(name)}:"
        below = _is_deep(item)
        if not below:
            yield f"{lead} {_word(item)}"
            continue
        lines = [f"  {line}" for line in _laid_out(item)]
        # The first line of a list's item stands beside its dash.
        yield from ([f"-{lines[0][1:]}", *lines[1:]] if name is None else [lead, *lines])


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _is_deep(value: object) -> bool:
    """Whether a value takes lines of its own: a dictionary, or a list of such; not an empty one."""
    if isinstance(value, dict):
        return bool(value)
    return (
        any(isinstance(item, dict | list | tuple) for item in value)
        if isinstance(value, list | tuple)
        else False
    )


def _word(value: object) -> str:
    """Return a value on one line: JSON's words, and texts without quotation marks where they are like nothing else."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_word, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return str(value)
    return json.dumps(value)


def render_problems(problems: Sequence[Problem]) -> str:
    """Return the problems for people, a block each."""
    blocks = []
    for problem in problems:
        lines = [f"{problem.level.upper()} {problem.id}: {problem.title}"]
        lines += [f"  at:     {problem.diagnosis}"] if problem.diagnosis else []
        lines += [f"  why:    {problem.description}"] if problem.description else []
        lines += [f"  remedy: {problem.remediation}"] if problem.remediation else []
        blocks.append("\n".join(lines) + "\n")
    return "".join(blocks)

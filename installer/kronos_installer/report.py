"""Plans, problems and states as text for people and as records for programs. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, TypedDict

from kronos_installer.plan import NETWORK_NOTICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.facts import FactsRecord
    from kronos_installer.plan import Plan
    from kronos_installer.problem import Problem


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


def render_plan(plan: Plan) -> str:
    """Return the plan for people: each step with its reason, its diff, its commands."""
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
        NETWORK_NOTICE,
        "A reboot is needed." if plan.needs_reboot else "No reboot is needed.",
    ]
    return "\n\n".join([*parts, "\n".join(summary)]) + "\n"


def render_facts(record: FactsRecord) -> str:
    """Return the facts as `name: value` lines, those about the system one by one."""
    plain = {name: value for name, value in record.items() if name != "system"} | dict(record["system"])
    return "".join(f"{name}: {value}\n" for name, value in plain.items())


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

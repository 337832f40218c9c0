"""The commands: what each looks at, does and answers. Each returns its exit status."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_installer import executor
from kronos_installer.boot_checks import LASTING
from kronos_installer.checks import check
from kronos_installer.facts import facts_record, read_facts
from kronos_installer.interview import interview, terminal
from kronos_installer.journal import Journal, Phase, State
from kronos_installer.planning import plan_for, wishes_for
from kronos_installer.problem import Level
from kronos_installer.report import plan_record, render_facts, render_plan, render_problems
from kronos_installer.saved_plan import save_plan, saved_wishes
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.facts import Facts
    from kronos_installer.flags import Asked
    from kronos_installer.host import Host
    from kronos_installer.plan import Plan
    from xapi_shim.base.progress import Reporter


class Exit(IntEnum):
    """The exit statuses of xapi-host-setup; 2 is argparse's for wrong usage."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    DECLINED = 4
    ATTENTION = 5


class UsageError(KronosError):
    """The command cannot be meant like this here."""

    exit_status = 2


@dataclass(frozen=True)
class Options:
    """The command line, as far as the commands care."""

    json: bool = False
    yes: bool = False
    force: bool = False
    asked: Asked = field(default_factory=dict)
    save: str = ""
    plan_file: str = ""


@dataclass(frozen=True)
class Commands:
    """All commands on one host."""

    host: Host
    options: Options
    reporter: Reporter

    def check(self) -> Exit:
        """Print facts and problems."""
        state = Journal(self.host).load()
        facts = read_facts(self.host, self.host.runner)
        _, problems = check(facts, wishes_for(self.options.asked))
        if state.phase is not Phase.CLEAN:
            # The set-up itself is what most checks would now stumble over.
            problems = tuple(problem for problem in problems if problem.id in LASTING)
            self.reporter.line(
                f"this host is set up ({state.phase}); 'xapi-host-setup status' tells how it is"
            )
        errors = [problem for problem in problems if problem.level is Level.ERROR]
        if self.options.json:
            found = [problem.to_json() for problem in problems]
            print_json({"format": 1, "phase": state.phase, "facts": facts_record(facts), "problems": found})
        else:
            print(render_facts(facts_record(facts)) + render_problems(problems), end="")
        if not self.options.json and not errors and state.phase is Phase.CLEAN:
            print("This host can be set up.")
        return Exit.REFUSED if errors else Exit.OK

    def plan(self) -> Exit:
        """Print what apply would do."""
        state = Journal(self.host).load()
        if state.phase is not Phase.CLEAN:
            self._say(
                {"outcome": "nothing to plan", "phase": state.phase},
                f"Nothing to plan: {_SETTLED[state.phase]}",
            )
            return Exit.OK if state.phase is Phase.APPLIED else Exit.ATTENTION
        plan = plan_for(self.host, self.options.asked)
        if self.options.save:
            save_plan(plan, self.host, Path(self.options.save))
        self._show(plan)
        return Exit.OK

    def apply(self) -> Exit:
        """Set the host up, or go on where an earlier apply was cut off."""
        self._need_root()
        if self.options.plan_file and self.options.asked:
            raise UsageError("the saved plan has its own wishes", resolution="give --plan alone")
        with executor.exclusive(self.host):
            state = Journal(self.host).load()
            if state.phase is Phase.APPLIED:
                return self._already_applied(state)
            if state.phase is Phase.APPLYING:
                self.reporter.line("going on with an apply that was interrupted")
                executor.resume_apply(self.host, self.reporter)
                return self._applied()
            if state.phase is Phase.ROLLING_BACK:
                self.reporter.line("first ending a rollback that was interrupted")
                executor.rollback(self.host, self.reporter)
            plan = plan_for(self.host, self.options.asked, self.options.plan_file, self._interview())
            # With --json the one document on stdout is the outcome.
            if not self.options.json:
                self._show(plan)
            if not self._agreed("Set this host up so?"):
                return self._declined()
            executor.apply(plan, self.host, self.reporter)
        return self._applied()

    def status(self) -> Exit:
        """Print how far the host is and what is no longer as set up."""
        state = Journal(self.host).load()
        applied = state.phase is Phase.APPLIED
        missing = executor.not_in_place(self.host, state) if applied else []
        changed = executor.changed_since(self.host, state) if applied else []
        boot_id = self.host.read("/proc/sys/kernel/random/boot_id").strip()
        reboot = applied and bool(boot_id) and boot_id == state.boot_id
        under_xen = self.host.read("/sys/hypervisor/type").strip() == "xen"
        text = [_SETTLED[state.phase]]
        text += ["Reboot to start Xen and the management bridge."] if reboot else []
        text += ["The host does not run under Xen."] if applied and not reboot and not under_xen else []
        text += [f"No longer in place: {what}." for what in missing]
        text += [f"Changed since: {path}." for path in changed]
        record = {"format": 1, "phase": state.phase, "reboot_needed": reboot, "under_xen": under_xen,
                  "not_in_place": missing, "changed": changed}  # fmt: skip
        self._say(record, "\n".join(text))
        settled = state.phase in (Phase.CLEAN, Phase.APPLIED) and not missing and not changed
        return Exit.OK if settled else Exit.ATTENTION

    def rollback(self) -> Exit:
        """Take the set-up back."""
        state = Journal(self.host).load()
        if state.phase is Phase.CLEAN:
            self._say(
                {"outcome": "nothing to roll back"}, "This host is not set up; there is nothing to roll back."
            )
            return Exit.OK
        self._need_root()
        with executor.exclusive(self.host):
            state = Journal(self.host).load()
            if not self.options.json:
                for place in sorted(set(state.intents) - state.undone, reverse=True):
                    print(f"- {state.steps[place].describe_undo()}")
            if not self._agreed("Take the set-up back?"):
                return self._declined()
            executor.rollback(self.host, self.reporter, force=self.options.force)
        self._say({"outcome": "rolled back", "reboot_needed": True},
                  "The host's files are as before the set-up. Reboot to bring the old network back.")  # fmt: skip
        return Exit.OK

    def _interview(self) -> Callable[[Facts], Asked] | None:
        """Return what asks the operator, where one sits at a terminal and has not said anything yet."""
        on = None if self.options.yes or self.options.json or self.options.asked else terminal()
        return partial(interview, terminal=on) if on else None

    def _already_applied(self, state: State) -> Exit:
        asked = (
            vars(saved_wishes(Path(self.options.plan_file))) if self.options.plan_file else self.options.asked
        )
        other = [name for name, value in asked.items() if value != getattr(state.wishes, name)]
        if other:
            raise UsageError(f"this host is set up already, with another {', '.join(other)}",
                             resolution="run 'xapi-host-setup rollback' first")  # fmt: skip
        missing = executor.not_in_place(self.host, state)
        if missing:
            self._say({"outcome": "already applied", "not_in_place": missing},
                      "Already set up, but no longer in place: " + "; ".join(missing) + ".")  # fmt: skip
            return Exit.ATTENTION
        self._say({"outcome": "already applied", "not_in_place": []}, "Already set up; nothing was changed.")
        return Exit.OK

    def _applied(self) -> Exit:
        self._say({"outcome": "applied", "reboot_needed": True}, "The host is set up. Reboot to start Xen.")
        return Exit.OK

    def _declined(self) -> Exit:
        self._say({"outcome": "declined"}, "Nothing was changed.")
        return Exit.DECLINED

    def _show(self, plan: Plan) -> None:
        if self.options.json:
            print_json(plan_record(plan))
        else:
            print(render_problems(plan.problems) + render_plan(plan), end="")

    def _say(self, record: object, text: str) -> None:
        if self.options.json:
            print_json(record)
        else:
            print(text)

    def _agreed(self, question: str) -> bool:
        if self.options.yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask on", resolution="give --yes")
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _need_root(self) -> None:
        if os.geteuid() != 0 and self.host.root == Path("/"):
            raise UsageError("only root can set up a host", resolution="use sudo")


_SETTLED = {
    Phase.CLEAN: "This host is not set up.",
    Phase.APPLIED: "This host is set up.",
    Phase.APPLYING: "An apply was interrupted: run 'xapi-host-setup apply' to go on, or 'rollback' to go back.",
    Phase.ROLLING_BACK: "A rollback was interrupted: run 'xapi-host-setup rollback' to end it.",
}


def print_json(record: object) -> None:
    """Print the one document of --json."""
    print(json.dumps(record, indent=2))

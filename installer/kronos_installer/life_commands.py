"""The commands of a host that is set up: how it is, other wishes, leaving its pool."""

from __future__ import annotations

from kronos_installer.command import Exit, print_json
from kronos_installer.commands import Commands
from kronos_installer.doctor.examine import findings, not_set_up, read_all
from kronos_installer.journal import Journal
from kronos_installer.problem import Level
from kronos_installer.report import render_problems


class LifeCommands(Commands):
    """All commands: those of the set-up, and those of the life after it."""

    def doctor(self) -> Exit:
        """Check every assumption of a host that is set up, and say how to mend each."""
        state = Journal(self.host).load()
        if state.phase.is_set_up:
            problems = findings(read_all(self.host, state))
        else:
            problems = (not_set_up(state.phase),)
        well = all(problem.level is Level.INFO for problem in problems)
        if self.options.json:
            found = [problem.to_json() for problem in problems]
            print_json({"format": 1, "outcome": "well" if well else "findings", "findings": found})
        else:
            print(render_problems(problems) + ("All is well.\n" if well else ""), end="")
        return Exit.OK if well else Exit.ATTENTION

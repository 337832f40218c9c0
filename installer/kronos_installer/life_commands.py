"""The commands of a host that is set up: how it is, other wishes, leaving its pool."""

from __future__ import annotations

from kronos_installer import executor, leave_pool, reconfigure
from kronos_installer.command import Exit, UsageError, print_json
from kronos_installer.commands import Commands
from kronos_installer.doctor.examine import findings, not_set_up, read_all
from kronos_installer.facts import read_facts
from kronos_installer.journal import Journal, Phase
from kronos_installer.patience import Patience
from kronos_installer.pool_membership import leave, session_of, uuid_of
from kronos_installer.problem import Level, RefusedError
from kronos_installer.report import render_problems
from kronos_installer.status import PHASES
from kronos_installer.steps.pool_join_step import PoolJoinStep


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

    def reconfigure(self) -> Exit:
        """Carry other wishes out on a host that is set up, or go on where an earlier reconfigure was cut off."""
        self._need_root()
        with executor.exclusive(self.host):
            return self._reconfigure()

    def _reconfigure(self) -> Exit:
        state = Journal(self.host).load()
        interrupted = state.phase in (Phase.RECONFIGURING, Phase.CHANGING_BACK)
        if interrupted:
            self.reporter.line("first ending a reconfigure that was interrupted")
            reconfigure.resume(self.host, self.reporter)
            state = Journal(self.host).load()
        if state.phase is not Phase.FINISHED or state.wishes is None:
            raise UsageError(
                PHASES[state.phase], resolution="a host is reconfigured when its set-up is finished"
            )
        if not self.options.asked and not interrupted:
            raise UsageError(
                "nothing is asked for", resolution="give --dom0-mem, --dom0-vcpus, --hostname or --ntp-server"
            )
        plan = reconfigure.plan_changes(
            read_facts(self.host, self.host.runner), state.wishes, self.options.asked
        )
        if not plan.steps:
            outcome = "reconfigured" if interrupted else "unchanged"
            self._say({"outcome": outcome, "reboot_needed": interrupted}, "The host is as asked for.")
            return Exit.OK
        if not self.options.json:
            self._show(plan)
        if not self._agreed("Change this host so?"):
            return self._declined()
        reconfigure.begin(self.host, plan, self.reporter)
        self._say({"outcome": "reconfigured", "reboot_needed": True},
                  "The host is reconfigured. The changes take effect at the next reboot.")  # fmt: skip
        return Exit.OK

    def leave_pool(self) -> Exit:
        """Take the host out of its pool, and wait until it has one of its own."""
        self._need_root()
        with executor.exclusive(self.host):
            return self._leave_pool()

    def _leave_pool(self) -> Exit:
        with session_of(self.host) as session:
            membership = leave_pool.read_membership(session, uuid_of(self.host))
        if leave_pool.is_alone(membership):
            self._note_left()
            self._say(
                {"outcome": "alone"}, "This host is alone in a pool of its own; there is nothing to leave."
            )
            return Exit.OK
        problems = tuple(leave_pool.leave_problems(membership))
        if problems:
            raise RefusedError(problems)
        if not self.options.json:
            print(leave_pool.announcement(membership))
        if not self._agreed("Leave the pool?"):
            return self._declined()
        with self.reporter.stage("leaving the pool"):
            leave(self.host, Patience(), self.host.say)
        self._note_left()
        self._say({"outcome": "left"}, "The host has left its pool, and is the master of one of its own.")
        return Exit.OK

    def _note_left(self) -> None:
        """Write down that the pool that the set-up joined is left: nobody misses it, and a rollback has less to do."""
        journal = Journal(self.host)
        state = journal.load()
        for place in sorted(state.done - state.undone):
            if isinstance(state.steps[place], PoolJoinStep):
                journal.add({"record": "undone", "step": place})

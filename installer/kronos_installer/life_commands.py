"""The commands of a host that is set up: how it is, other wishes, leaving its pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer import executor, leave_pool, reconfigure
from kronos_installer.at_work import is_at_work
from kronos_installer.change_back import change_back
from kronos_installer.command import Exit, UsageError, print_json
from kronos_installer.commands import Commands
from kronos_installer.detect.pool_conf import read_pool_conf
from kronos_installer.doctor.examine import findings, not_set_up, read_all
from kronos_installer.facts import read_facts
from kronos_installer.journal import Journal, Phase
from kronos_installer.patience import Patience
from kronos_installer.pool_membership import leave, session_of, uuid_of
from kronos_installer.problem import Level, RefusedError
from kronos_installer.report import render_problems
from kronos_installer.status import PHASES
from kronos_installer.steps.pool_join_step import PoolJoinStep
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.flags import Asked
    from kronos_installer.journal import State
    from kronos_installer.plan import Plan


class LifeCommands(Commands):
    """All commands: those of the set-up, and those of the life after it."""

    def doctor(self) -> Exit:
        """Check every assumption of a host that is set up, and say how to mend each."""
        state = Journal(self.host).load()
        if state.phase.is_set_up or state.is_back_but_default:
            problems = findings(read_all(self.host, state))
        else:
            problems = (not_set_up(state.phase, at_work=is_at_work(self.host)),)
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
            return self._reconfigure(self.options.asked)

    def _reconfigure(self, asked: Asked, *, taken_back: bool = False) -> Exit:
        """Reconfigure under the lock; `taken_back`: what has not been seen to work is, for this."""
        state = Journal(self.host).load()
        if state.is_back_but_default and asked:
            return self._change_untried(state, asked)
        interrupted = state.phase in (Phase.RECONFIGURING, Phase.CHANGING_BACK)
        if interrupted:
            self.reporter.line("first ending a reconfigure that was interrupted")
            back = state.phase is Phase.CHANGING_BACK
            reconfigure.resume(self.host, self.reporter)
            if back and not asked:
                return self._taken_back()
            state = Journal(self.host).load()
        if state.is_trying_options:
            return self._reconfigured() if interrupted and not asked else self._change_untried(state, asked)
        if state.phase is not Phase.FINISHED or state.wishes is None:
            raise UsageError(
                PHASES[state.phase], resolution="a host is reconfigured when its set-up is finished"
            )
        if not asked and not interrupted:
            raise UsageError(
                "nothing is asked for", resolution="give --dom0-mem, --dom0-vcpus, --hostname or --ntp-server"
            )
        plan = reconfigure.plan_changes(read_facts(self.host, self.host.runner), state.wishes, asked)
        if not plan.steps:
            return self._as_asked(plan, state, ended=interrupted or taken_back)
        if not self.options.json:
            self._show(plan)
        if not self._agreed("Change this host so?"):
            return self._declined(
                "The former reconfigure is taken back, nothing else was changed." if taken_back else ""
            )
        reconfigure.begin(self.host, plan, self.reporter)
        return self._reconfigured()

    def _as_asked(self, plan: Plan, state: State, *, ended: bool) -> Exit:
        """Say that there is nothing to do; `ended`: a former reconfigure has been ended for this."""
        if plan.wishes != state.wishes:
            # Others made the host so; an apply with the same wishes is to know them.
            reconfigure.begin(self.host, plan, self.reporter)
        outcome = "reconfigured" if ended else "unchanged"
        self._say({"outcome": outcome, "reboot_needed": ended}, "The host is as asked for.")
        return Exit.OK

    def _change_untried(self, state: State, asked: Asked) -> Exit:
        """Take back what has not been seen to work; then plan it anew with what is asked for, if anything is."""
        reconfigure.check_unchanged(self.host, state, state.section)
        back = state.phase is Phase.CHANGING_BACK
        wanted = asked if back else reconfigure.untried_wishes(state) | asked
        if asked and state.former and state.former.wishes:
            # What is refused is refused before anything is taken back.
            reconfigure.plan_changes(read_facts(self.host, self.host.runner), state.former.wishes, wanted)
        first = (
            "let Xen boot by itself again"
            if back
            else "take back the reconfigure that has not been seen to work yet"
        )
        if not self._agreed(f"First {first}?"):
            return self._declined()
        change_back(self.host, self.reporter, state.why_changed_back)
        if asked:
            return self._reconfigure(wanted, taken_back=True)
        return self._taken_back()

    def _taken_back(self) -> Exit:
        self._say({"outcome": "taken back", "reboot_needed": True},
                  "The reconfigure is taken back. The next boot is one with the options of before.")  # fmt: skip
        return Exit.OK

    def _reconfigured(self) -> Exit:
        tried = Journal(self.host).load().phase is Phase.TRYING
        how = ("The next boot alone tries it: the old options come back by themselves unless Xen runs then and the network "
               "is confirmed under it." if tried else "The changes take effect at the next reboot.")  # fmt: skip
        self._say(
            {"outcome": "reconfigured", "reboot_needed": True, "tried_once": tried},
            f"The host is reconfigured. {how}",
        )
        return Exit.OK

    def leave_pool(self) -> Exit:
        """Take the host out of its pool, and wait until it has one of its own."""
        self._need_root()
        with executor.exclusive(self.host):
            return self._leave_pool()

    def _leave_pool(self) -> Exit:
        try:
            with session_of(self.host) as session:
                membership = leave_pool.read_membership(session, uuid_of(self.host))
        except KronosError as error:
            raise RefusedError((leave_pool.not_known(error, read_pool_conf(self.host).master),)) from error
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

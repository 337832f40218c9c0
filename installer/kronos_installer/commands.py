"""The commands: what each looks at, does and answers. Each returns its exit status."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_installer import executor, live_switch
from kronos_installer.asked import differing
from kronos_installer.boot_checks import LASTING
from kronos_installer.boot_commands import BootCommands
from kronos_installer.checks import check
from kronos_installer.command import Exit, Options, UsageError, print_json
from kronos_installer.confirm import is_awaited, is_xen_awaited
from kronos_installer.facts import facts_record, read_facts
from kronos_installer.journal import Journal, Phase, State
from kronos_installer.leave_pool import rollback_problems
from kronos_installer.package_removal import pending_packages, remove_packages
from kronos_installer.planning import (
    place_problems,
    plan_for,
    wishes_for,
    with_compared_master,
    with_pool_master,
)
from kronos_installer.pool_membership import look
from kronos_installer.problem import Level, RefusedError
from kronos_installer.reconfigure import CHANGEABLE
from kronos_installer.report import plan_record, render_facts, render_plan, render_problems
from kronos_installer.saved_plan import save_plan, saved_wishes
from kronos_installer.settle import Surroundings
from kronos_installer.status import PHASES, is_settled, read_status, status_record, status_text
from kronos_installer.steps.pool_join_step import PoolJoinStep

if TYPE_CHECKING:
    from kronos_installer.executor import RolledBack
    from kronos_installer.plan import Plan

__all__ = ["Commands", "Exit", "Options", "UsageError"]


@dataclass(frozen=True)
class Commands(BootCommands):
    """All commands on one host."""

    def check(self) -> Exit:
        """Print facts and problems."""
        state = Journal(self.host).load()
        facts = read_facts(self.host, self.host.runner)
        wishes = with_compared_master(wishes_for(self.options.asked), facts, self._compare())
        _, problems = check(with_pool_master(facts, wishes, self.host), wishes)
        if state.phase is Phase.CLEAN:
            problems = (*problems, *place_problems(wishes, self.host))
        else:
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
        if state.phase.is_set_up:
            self._check_same(state, "rollback' first")
        if state.phase is not Phase.CLEAN:
            self._say(
                {"outcome": "nothing to plan", "phase": state.phase},
                f"Nothing to plan: {PHASES[state.phase]}",
            )
            settled = (Phase.APPLIED, Phase.FINISHED, Phase.TRYING)
            return Exit.OK if state.phase in settled else Exit.ATTENTION
        plan = plan_for(self.host, self.options.asked, compare=self._compare())
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
            status = self._apply()
        return self._await_switch() if status is None else status

    def _apply(self) -> Exit | None:
        """Apply under the lock; return None when a switch of the running network was begun."""
        state = Journal(self.host).load()
        if state.phase.is_set_up:
            return self._already_applied(state)
        if state.phase is Phase.APPLYING:
            self._check_same(state, "apply' without wishes to go on, or 'xapi-host-setup rollback' first")
            self.reporter.line("going on with an apply that was interrupted")
            self._check_switch(state)
            executor.resume_apply(self.host, self.reporter)
            return self._applied()
        if state.phase is Phase.ROLLING_BACK:
            self.reporter.line("first ending a rollback that was interrupted")
            executor.rollback(self.host, self.reporter)
        if state.phase is not Phase.CLEAN and state.phase is not Phase.ROLLING_BACK:
            raise UsageError(PHASES[state.phase], resolution="nothing was changed")
        plan = plan_for(
            self.host, self.options.asked, self.options.plan_file, self._interview(), compare=self._compare()
        )
        self._check_switch(State(steps=plan.steps))
        # With --json the one document on stdout is the outcome.
        if not self.options.json:
            self._show(plan)
        if not self._agreed("Set this host up so?"):
            return self._declined()
        executor.apply(plan, self.host, self.reporter)
        return self._applied()

    def status(self) -> Exit:
        """Print how far the host is, by what it is confirmed, and what is no longer as set up."""
        seen = read_status(self.host, Surroundings())
        self._say(status_record(seen), status_text(seen))
        return Exit.OK if is_settled(seen) else Exit.ATTENTION

    def rollback(self) -> Exit:
        """Take the set-up back."""
        state = Journal(self.host).load()
        if state.phase is Phase.CLEAN and self.options.remove_packages:
            return self._remove_packages()
        if state.phase is Phase.CLEAN:
            if state.steps:
                self._need_root()
                with executor.exclusive(self.host):
                    executor.put_away(self.host)
            return self._nothing_to_roll_back()
        self._need_root()
        self._check_pool(state)
        if not self.options.json:
            for place in state.to_undo:
                print(f"- {state.steps[place].describe_undo()}")
        # Not under the lock: the dead-man switch does not wait for an answer that never comes.
        if not self._agreed("Take the set-up back?"):
            return self._declined()
        with executor.exclusive(self.host):
            status = self._roll_back(asked=state.to_undo)
        return self._roll_back_apart() if status is None else status

    def _roll_back(self, asked: tuple[int, ...]) -> Exit | None:
        """Roll back under the lock what was asked for; return None where that must not be in the operator's session."""
        state = Journal(self.host).load()
        if state.phase is Phase.CLEAN:
            executor.put_away(self.host)
            return self._nothing_to_roll_back()
        if not set(state.to_undo) <= set(asked):
            raise UsageError("the set-up has gone on meanwhile: there is more to take back",
                             resolution="run 'xapi-host-setup rollback' again")  # fmt: skip
        if self.options.here or not executor.switches_back(self.host, state):
            return self._rolled_back(executor.rollback(self.host, self.reporter, force=self.options.force))
        if not self.options.force:
            executor.check_unchanged(self.host, state)
        return None

    def _roll_back_apart(self) -> Exit:
        """Roll back without the lock, which it needs; the running network changes, and our session with it."""
        live_switch.rollback_apart(self.host, force=self.options.force)
        self._say({"outcome": "rolled back", "reboot_needed": self.host.runs_xen()},
                  "The host's files are as before the set-up, and the network follows them.")  # fmt: skip
        return Exit.OK

    def _nothing_to_roll_back(self) -> Exit:
        self._say(
            {"outcome": "nothing to roll back"}, "This host is not set up; there is nothing to roll back."
        )
        return Exit.OK

    def _check_pool(self, state: State) -> None:
        """Raise RefusedError where a pool would lose this host without knowing; `--force` is asked for to do that."""
        if self.options.force or state.phase is Phase.ROLLING_BACK:
            return
        leaves = any(isinstance(state.steps[place], PoolJoinStep) for place in state.to_undo)
        if problems := tuple(rollback_problems(look(self.host), leaves=leaves)):
            raise RefusedError(problems)

    def _remove_packages(self) -> Exit:
        """Remove what the set-up that was rolled back had installed."""
        self._need_root()
        with executor.exclusive(self.host):
            pending = pending_packages(self.host)
            if pending and not self._agreed(f"Remove {', '.join(pending)}?"):
                return self._declined()
            remove_packages(self.host, self.reporter)
        self._say({"outcome": "packages removed", "packages": pending},
                  f"Removed: {', '.join(pending)}." if pending else "There is no package to remove.")  # fmt: skip
        return Exit.OK

    def _already_applied(self, state: State) -> Exit | None:
        self._check_same(state, "rollback' first")
        xen = self.host.runs_xen()
        awaited = is_xen_awaited(state, self.host.boot_id(), runs_xen=xen)
        if state.phase is Phase.CONFIRMED and not awaited:
            return self._go_on()
        missing = executor.not_in_place(self.host, state)
        if missing:
            self._say({"outcome": "already applied", "not_in_place": missing},
                      "Already set up, but no longer in place: " + "; ".join(missing) + ".")  # fmt: skip
            return Exit.ATTENTION
        # Later than that the new network runs, and what waits to be confirmed is no switch.
        waits = state.phase is Phase.APPLIED and not is_awaited(state, self.host.boot_id())
        if self.options.switch_network_now and waits:
            self._check_switch(state)
            return self._applied()
        self._say({"outcome": "already applied", "not_in_place": []}, "Already set up; nothing was changed.")
        return Exit.OK

    def _check_same(self, state: State, otherwise: str) -> None:
        """Raise UsageError where another set-up is asked for than the one that is there; `otherwise`: the way to it."""
        asked = (
            vars(saved_wishes(Path(self.options.plan_file))) if self.options.plan_file else self.options.asked
        )
        assert state.wishes is not None
        in_force = state.phase in (Phase.FINISHED, Phase.TRYING)
        joins = [step.fingerprint for step in state.steps if isinstance(step, PoolJoinStep)]
        if other := differing(asked, state.wishes, *([] if in_force else joins)):
            changeable = in_force and set(other) <= set(CHANGEABLE)
            way = "reconfigure' with the same flags" if changeable else otherwise
            begun = "has begun to be set up" if state.phase is Phase.APPLYING else "is set up already"
            raise UsageError(f"this host {begun}, with another {', '.join(other)}",
                             resolution=f"run 'xapi-host-setup {way}")  # fmt: skip

    def _go_on(self) -> Exit:
        """Do what waits for Xen, under Xen; otherwise let the next boot try Xen once more."""
        if self.host.runs_xen():
            executor.finish(self.host, self.reporter)
            self._say({"outcome": "finished", "reboot_needed": False}, "The set-up is finished.")
            return Exit.OK
        again = executor.repeat_one_time(self.host, self.reporter)
        self._say({"outcome": "applied again", "reboot_needed": True, "again": again},
                  "The host does not run under Xen. Reboot to try it again.")  # fmt: skip
        return Exit.OK

    def _check_switch(self, state: State) -> None:
        if self.options.switch_network_now:
            live_switch.check_can_switch(state)

    def _applied(self) -> Exit | None:
        if self.options.switch_network_now:
            live_switch.start_switch(self.host, Surroundings(), self.reporter)
            self.reporter.line("switching the network; it comes back by itself unless it is confirmed")
            return None
        self._say({"outcome": "applied", "reboot_needed": True}, "The host is set up. Reboot to start Xen.")
        return Exit.OK

    def _await_switch(self) -> Exit:
        """Wait for what comes of the switch, which goes on without us, too."""
        state = live_switch.wait_for_outcome(self.host, Surroundings())
        if state.phase.is_set_up:
            self._say({"outcome": "applied", "reboot_needed": True, "confirmed_by": state.confirmed_by},
                      f"The network is switched, confirmed by: {state.confirmed_by}. Reboot to start Xen.")  # fmt: skip
            return Exit.OK
        why = state.why_rolled_back or Journal(self.host).load_finished().why_rolled_back
        self._say({"outcome": "taken back", "why": why}, f"The set-up was taken back: {why}.")
        return Exit.FAILED

    def _rolled_back(self, outcome: RolledBack) -> Exit:
        record = {"outcome": "rolled back", "reboot_needed": True, "given_up": list(outcome.given_up),
                  "failed_commands": list(outcome.failed_commands)}  # fmt: skip
        lines = ["The host's files are as before the set-up. Reboot to bring the old network back."]
        lines += [f"Given up: {what}." for what in outcome.given_up]
        lines += [f"The running network was not switched back: {what}." for what in outcome.failed_commands]
        self._say(record, "\n".join(lines))
        return Exit.OK

    def _declined(self, what: str = "") -> Exit:
        self._say({"outcome": "declined"}, what or "Nothing was changed.")
        return Exit.DECLINED

    def _show(self, plan: Plan) -> None:
        if self.options.json:
            print_json(plan_record(plan))
        else:
            text = render_plan(plan, switch_now=self.options.switch_network_now)
            print(render_problems(plan.problems) + text, end="")

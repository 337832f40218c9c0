"""The commands of the dead-man switch: those of its units, and the operator's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer import executor, live_switch
from kronos_installer.change_back import end_change_back
from kronos_installer.command import Command, Exit, UsageError
from kronos_installer.confirm import is_awaited, is_xen_awaited
from kronos_installer.early_network import notice
from kronos_installer.guard import guard
from kronos_installer.journal import Journal, Phase
from kronos_installer.settle import Surroundings, settle
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.journal import State


class BootCommands(Command):
    """Run by systemd at boot and around a switch of the running network; `confirm` by the operator."""

    def guard(self) -> Exit:
        """Put back what a crash left of the network step. Always OK: the boot goes on."""
        back = guard(self.host, self.reporter)
        self._say({"outcome": "guarded", "put_back": list(back)},
                  "\n".join(back) or "Nothing to put back.")  # fmt: skip
        return Exit.OK

    def settle(self) -> Exit:
        """Wait for the confirmation, then end the set-up; without it take all back and reboot."""
        self._need_root()
        around = Surroundings()
        self._notice_early_network(around)
        state = Journal(self.host).load()
        if state.is_switched_under(self.host.boot_id()) and live_switch.is_waited_for(self.host):
            # The switch has units of its own that wait; its bridge has started us.
            return self._settled(state)
        return self._settled(self._after_reboot(lambda: settle(self.host, around, self.reporter)))

    def _notice_early_network(self, around: Surroundings) -> None:
        try:
            notice(self.host, around, self.reporter)
        except (KronosError, OSError) as error:
            # Of what there is to wait for the rest goes on.
            self.reporter.line(f"failed: {error}")

    def switch(self) -> Exit:
        """Switch the running network, then wait as `settle` does."""
        self._need_root()
        around = Surroundings()
        return self._settled(self._after_reboot(lambda: live_switch.switch(self.host, around, self.reporter)))

    def switch_back(self) -> Exit:
        """Take a switched network back that nobody has confirmed."""
        self._need_root()
        around = Surroundings()
        return self._settled(
            self._after_reboot(lambda: live_switch.switch_back(self.host, around, self.reporter))
        )

    def confirm(self) -> Exit:
        """Say that the host is reachable on its new network."""
        self._need_root()
        state = Journal(self.host).load()
        boot_id = self.host.boot_id()
        xen = self.host.runs_xen()
        kept = state.phase is Phase.FINISHED and not state.why_changed_back
        confirmed = kept or state.phase is Phase.CONFIRMED
        if confirmed and not is_xen_awaited(state, boot_id, runs_xen=xen):
            self._say({"outcome": "already confirmed", "by": state.confirmed_by},
                      f"The network is confirmed already, by {state.confirmed_by}.")  # fmt: skip
            return Exit.OK
        with executor.exclusive(self.host):
            state = Journal(self.host).load()
            awaited = is_awaited(state, boot_id) or is_xen_awaited(state, boot_id, runs_xen=xen)
            if not awaited or (state.is_switched_under(boot_id) and not state.switched):
                raise UsageError(self._nothing_to_confirm(state),
                                 resolution="'xapi-host-setup status' tells how far the host is")  # fmt: skip
            if state.phase is Phase.CHANGING_BACK:
                end_change_back(self.host, state, self.reporter)
            else:
                Journal(self.host).add({"record": "confirmed", "by": "the operator", "xen": xen})
        what = {Phase.TRYING: "new options for Xen", Phase.CHANGING_BACK: "old options for Xen"}
        self._say(
            {"outcome": "confirmed"},
            f"Confirmed: this host keeps its {what.get(state.phase, 'new network')}.",
        )
        return Exit.OK

    def _nothing_to_confirm(self, state: State) -> str:
        if state.phase is Phase.ROLLING_BACK:
            return "too late: the set-up is being taken back"
        if state.why_changed_back:
            return f"too late: the reconfigure was taken back, {state.why_changed_back}"
        last = "" if state.steps else Journal(self.host).load_finished().why_rolled_back
        return (
            f"too late: the set-up was taken back, {last}"
            if last
            else "there is no new network to confirm yet"
        )

    def _after_reboot(self, act: Callable[[], State]) -> State | None:
        try:
            return act()
        except executor.AfterRebootError as error:
            # Not to be tried again at once (the unit's RestartPreventExitStatus): somebody has to mend it.
            self.reporter.line(f"failed: {error}")
            return None

    def _settled(self, state: State | None) -> Exit:
        if state is None:
            self._say({"outcome": "failed"}, "A step that waited for the reboot failed.")
            return Exit.ATTENTION
        self._say({"outcome": "settled", "phase": state.phase}, f"This host is {state.phase}.")
        return Exit.OK

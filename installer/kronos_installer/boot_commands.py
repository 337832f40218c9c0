"""The commands of the dead-man switch: those of its units, and the operator's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer import executor, live_switch
from kronos_installer.command import Command, Exit, UsageError
from kronos_installer.confirm import is_awaited
from kronos_installer.guard import guard
from kronos_installer.journal import Journal, Phase
from kronos_installer.settle import Surroundings, settle

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
        return self._settled(self._after_reboot(lambda: settle(self.host, Surroundings(), self.reporter)))

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
        if state.phase in (Phase.CONFIRMED, Phase.FINISHED):
            self._say({"outcome": "already confirmed", "by": state.confirmed_by},
                      f"The network is confirmed already, by {state.confirmed_by}.")  # fmt: skip
            return Exit.OK
        with executor.exclusive(self.host):
            state = Journal(self.host).load()
            if not is_awaited(state, boot_id) or (state.is_switched_under(boot_id) and not state.switched):
                raise UsageError("there is no new network to confirm yet",
                                 resolution="'xapi-host-setup status' tells how far the host is")  # fmt: skip
            Journal(self.host).add({"record": "confirmed", "by": "the operator"})
        self._say({"outcome": "confirmed"}, "Confirmed: this host keeps its new network.")
        return Exit.OK

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

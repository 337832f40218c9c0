"""The new network that comes up before its reboot: an update, or somebody, restarted what makes the network.

Nobody has planned that, and nobody would wait for its confirmation. systemd starts the service that does as soon as the
bridge is there (xapi-host-settle.service, systemd.device(5)); from then on it is as after a reboot.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

from kronos_installer.confirm import answer_of_gateways
from kronos_installer.detect.gateways import read_gateways
from kronos_installer.executor import BusyError, exclusive, rollback
from kronos_installer.journal import Journal, Phase
from kronos_installer.network.stack import BRIDGE

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.journal import State
    from kronos_installer.settle import Surroundings
    from xapi_shim.base.progress import Reporter

_CUT_OFF = "the new network came up under an apply that was cut off, and no gateway answered"


def notice(host: Host, around: Surroundings, reporter: Reporter) -> None:
    """Have the confirmation awaited as after a reboot where the new network came up without one.

    Waits for an `apply` that is at work. One that was cut off is not through: the guard takes it back at the next boot, and
    where no gateway answers for as long as a confirmation may take, that boot is brought about.
    Raises JournalDamagedError, KronosError, OSError.
    """
    end = math.inf
    while _is_early(host, state := Journal(host).load()):
        # Not under the lock, which an operator may want.
        answered = state.phase is Phase.APPLYING and _gateways_answer(host, state)
        with suppress(BusyError), exclusive(host):
            state = Journal(host).load()
            if state.phase is Phase.APPLIED:
                Journal(host).add({"record": "applied", "boot_id": ""})
            if state.phase is not Phase.APPLYING or answered:
                return
            assert state.wishes is not None
            end = min(end, around.now() + 60 * state.wishes.confirm_minutes)
            if around.now() >= end:
                rollback(host, reporter, force=True, why=_CUT_OFF, reboot=True)
                return
        around.pause()


def _is_early(host: Host, state: State) -> bool:
    """Tell whether the new network runs, or comes up while it is being written, without a reboot or a switch."""
    written = state.phase in (Phase.APPLYING, Phase.APPLIED) and state.is_written_under(host.boot_id())
    return written and host.exists(f"/sys/class/net/{BRIDGE}")


def _gateways_answer(host: Host, state: State) -> bool:
    # Whatever goes wrong in asking: nobody has answered.
    with suppress(Exception):
        return bool(answer_of_gateways(state, read_gateways(host.runner, now_only=True)))
    return False

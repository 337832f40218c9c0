"""The new network that comes up before its reboot: an update, or somebody, restarted what makes the network.

Nobody has planned that, and nobody would wait for its confirmation. systemd starts the service that does as soon as the
bridge is there (xapi-host-settle.service, systemd.device(5)); from then on it is as after a reboot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.executor import BusyError, exclusive
from kronos_installer.journal import Journal, Phase
from kronos_installer.network.stack import BRIDGE

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.journal import State
    from kronos_installer.settle import Surroundings


def is_early(state: State, boot_id: str, *, has_bridge: bool) -> bool:
    """Tell whether the new network runs, or comes up while it is being written, without a reboot or a switch. Pure."""
    return has_bridge and state.phase in (Phase.APPLYING, Phase.APPLIED) and state.is_written_under(boot_id)


def notice(host: Host, around: Surroundings) -> None:
    """Have the confirmation awaited as after a reboot where the new network came up without one.

    Waits for an `apply` that is at work. Raises JournalDamagedError, KronosError, OSError.
    """
    boot_id = host.boot_id()
    while is_early(Journal(host).load(), boot_id, has_bridge=host.exists(f"/sys/class/net/{BRIDGE}")):
        try:
            with exclusive(host):
                # One that was cut off is not through: the guard takes it back at the next boot.
                if Journal(host).load().phase is Phase.APPLIED:
                    Journal(host).add({"record": "applied", "boot_id": ""})
                return
        except BusyError:
            around.pause()

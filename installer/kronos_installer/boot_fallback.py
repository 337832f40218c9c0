"""The way back from a Xen that nobody has seen to work: the next boot is one without it.

A rollback puts GRUB's menu back to the byte. On Debian that menu's default is Xen as soon as its package is there:
a host that has just come back from a Xen that did not work would reboot into it, and nobody looks on.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kronos_installer.detect.boot import environment_obstacle
from kronos_installer.detect.grub import read_grub
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Host


def choose_linux_once(host: Host) -> str:
    """Make the next boot one without Xen if the default is Xen; return the entry's title, "" where nothing was done.

    Raises KronosError. Nothing is done where GRUB could not forget the choice.
    """
    grub = read_grub(host)
    default = grub.parsed.default_entry(grub.environment)
    if grub.layout is None or not grub.can_choose_once or environment_obstacle(host, grub):
        return ""
    if default is None or not default.boots_xen:
        return ""
    entry = grub.parsed.entries[grub.parsed.first_linux]
    if not entry.boots_linux:
        return ""
    name = (entry.id or entry.title).replace(">", ">>")
    host.run(grub.layout.locked(grub.layout.choose_once, name))
    return entry.title


def reboot(host: Host, *, into_xen: bool = False) -> None:
    """Reboot the host without waiting for it: by GRUB's default, or into a kernel without Xen. Raises KronosError."""
    if not into_xen:
        # What cannot be chosen must not keep the old network from coming back.
        with suppress(Exception):
            choose_linux_once(host)
    # Without asking logind, then without asking systemd.
    for force in ((), ("--force",)):
        with suppress(KronosError):
            host.run(("systemctl", "reboot", *force))
            return
    host.run(("systemctl", "reboot", "--force", "--force"))

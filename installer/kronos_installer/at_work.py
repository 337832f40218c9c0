"""Whether another xapi-host-setup is changing the host just now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.journal import STATE_DIRECTORY

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles


def is_at_work(files: HostFiles) -> bool:
    """Tell whether somebody has the lock of executor.exclusive, by the kernel's list (proc_locks(5)).

    To try the lock would be to have it for a moment, and who begins then would be refused.
    """
    try:
        inode = str(files.at(STATE_DIRECTORY).stat().st_ino)
        rows = [line.split() for line in files.read("/proc/locks").splitlines()]
    except OSError:
        return False
    # `1: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF`; who waits for one has an arrow before FLOCK.
    held = (row[5] for row in rows if len(row) > 5 and row[1] == "FLOCK" and row[3] == "WRITE")
    return any(place.rpartition(":")[2] == inode for place in held)

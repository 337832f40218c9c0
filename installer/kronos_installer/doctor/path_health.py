"""The places of the path table: what must be there, whose it is, and who must not read or write it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.doctor.answer import error
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem

_SECRET, _OURS = 0o077, 0o022
_PATHS = Paths()


@dataclass(frozen=True)
class Place:
    """`forbidden` are the permission bits that nobody may have; `made_by` is how it comes back, "" where it may be missing.

    `if_empty` is how a file gets its content back that must have some.
    """

    path: str
    forbidden: int
    made_by: str = ""
    if_empty: str = ""


@dataclass(frozen=True)
class Seen:
    """What is at a place: permission bits, the owner's uid (0 for whoever runs this, too), whether it is an empty file."""

    mode: int
    owner: int = 0
    empty: bool = False


_DAEMON, _PACKAGE = "systemctl restart xapi.service", "reinstall xapi-toolstack"
_BACKUP = "put it back from a backup; without one: xapi-host-setup rollback --force, and set up anew"
_ANEW = "rm {0} && systemctl restart xapi.service, which makes another"
_JOURNAL, _INVENTORY = str(_PATHS.host_setup_state), str(_PATHS.inventory)
_POOL_CONF, _DATABASE, _SECRET_FILE = (
    str(path) for path in (_PATHS.pool_conf, _PATHS.database, _PATHS.pool_secret)
)
_GUEST = str(_PATHS.guest_boot_files[0])
PLACES = (
    Place(_JOURNAL, _SECRET, _BACKUP),
    Place(_INVENTORY, _OURS, _BACKUP, _BACKUP),
    Place(_POOL_CONF, _OURS, f"echo -n master > {_POOL_CONF}, for a pool of its own, and systemctl restart xapi.service"),
    Place(_GUEST, _OURS, f"mkdir -m 0755 {_GUEST}"),
    Place(str(_PATHS.state), _SECRET, _DAEMON),
    Place(_DATABASE, _SECRET, _DAEMON, f"systemctl stop xapi.service, put a backup of {_DATABASE} there, and start it; without "
          "a backup all records are lost"),
    Place(str(_PATHS.unix_socket), _SECRET, _DAEMON),
    Place(str(_PATHS.init_complete), _OURS, _DAEMON),
    Place(_SECRET_FILE, _SECRET, _DAEMON, f"of a member: the master's {_SECRET_FILE}; else {_ANEW.format(_SECRET_FILE)}"),
    Place(str(_PATHS.server_certificate), _SECRET, _DAEMON),
    Place(str(_PATHS.pool_certificate), _SECRET, _DAEMON),
    Place(str(_PATHS.plugins), _OURS, _PACKAGE),
    Place(str(_PATHS.extensions), _OURS, _PACKAGE),
    Place(str(_PATHS.local_sr), _OURS),
    Place(str(_PATHS.audit_log), _OURS),
    Place(str(_PATHS.trusted_certificates), _OURS),
    Place(str(_PATHS.config), _OURS),
)  # fmt: skip


def read_places(files: HostFiles) -> dict[str, Seen | None]:
    """Return what is at each place, None where there is nothing."""
    return {place.path: _seen(files, place.path) for place in PLACES}


def _seen(files: HostFiles, path: str) -> Seen | None:
    try:
        found = files.at(path).stat()
    except OSError:
        return None
    owner = 0 if found.st_uid == os.geteuid() else found.st_uid
    return Seen(stat.S_IMODE(found.st_mode), owner, stat.S_ISREG(found.st_mode) and found.st_size == 0)


def path_findings(places: dict[str, Seen | None], *, running: bool) -> Iterator[Problem]:
    """Yield what is missing, empty, another's or too open. What the daemon makes is missed only where it runs."""
    for place in PLACES:
        seen = places[place.path]
        if seen is None:
            if place.made_by and (running or place.made_by != _DAEMON):
                yield error("path-missing", "a place that programs of the toolstack rely on is not there", place.path,
                            place.made_by)  # fmt: skip
            continue
        if seen.empty and place.if_empty:
            yield error("path-empty", "it is empty, and must not be", place.path, place.if_empty)
        if seen.owner and place.made_by:
            yield error("path-owner", f"it is not root's, but of the user {seen.owner}", place.path,
                        f"chown root:root {place.path}, and see who did that")  # fmt: skip
        if seen.mode & place.forbidden:
            who = "go-rwx" if place.forbidden == _SECRET else "go-w"
            yield error(
                "path-mode",
                f"others may reach it: mode {seen.mode:04o}",
                place.path,
                f"chmod {who} {place.path}",
            )


def inventory_findings(uuid: str, set_up: str) -> Iterator[Problem]:
    """Yield whether the inventory says another host, or none, than when the host was `set_up`."""
    if set_up and uuid != set_up:
        yield error("inventory-uuid", f"the inventory says that this is the host {uuid}, which it is not" if uuid else
                    "the inventory does not say which host this is", f"{_INVENTORY}: INSTALLATION_UUID",
                    f"set INSTALLATION_UUID='{set_up}', and systemctl restart xapi.service")  # fmt: skip

"""The places of the path table: what must be there, and who must not read or write it."""

from __future__ import annotations

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
    """`forbidden` are the permission bits that nobody may have; `made_by` is who makes it, "" where it may be missing."""

    path: str
    forbidden: int
    made_by: str = ""


_SET_UP, _DAEMON, _PACKAGE = (
    "run 'xapi-host-setup apply'",
    "systemctl restart xapi.service",
    "reinstall xapi-toolstack",
)
PLACES = (
    Place(str(_PATHS.host_setup_state), _SECRET, _SET_UP),
    Place(str(_PATHS.inventory), _OURS, _SET_UP),
    Place(str(_PATHS.pool_conf), _OURS, _SET_UP),
    Place(str(_PATHS.guest_boot_files[0]), _OURS, _SET_UP),
    Place(str(_PATHS.state), _SECRET, _DAEMON),
    Place(str(_PATHS.database), _SECRET, _DAEMON),
    Place(str(_PATHS.unix_socket), _SECRET, _DAEMON),
    Place(str(_PATHS.init_complete), _OURS, _DAEMON),
    Place(str(_PATHS.pool_secret), _SECRET, _DAEMON),
    Place(str(_PATHS.server_certificate), _SECRET, _DAEMON),
    Place(str(_PATHS.pool_certificate), _SECRET, _DAEMON),
    Place(str(_PATHS.plugins), _OURS, _PACKAGE),
    Place(str(_PATHS.extensions), _OURS, _PACKAGE),
    Place(str(_PATHS.local_sr), _OURS),
    Place(str(_PATHS.audit_log), _OURS),
    Place(str(_PATHS.trusted_certificates), _OURS),
    Place(str(_PATHS.config), _OURS),
)


def read_modes(files: HostFiles) -> dict[str, int | None]:
    """Return the permission bits of each place, None where there is nothing."""
    return {place.path: _mode(files, place.path) for place in PLACES}


def _mode(files: HostFiles, path: str) -> int | None:
    try:
        return stat.S_IMODE(files.at(path).stat().st_mode)
    except OSError:
        return None


def path_findings(modes: dict[str, int | None], *, running: bool) -> Iterator[Problem]:
    """Yield what is missing or too open. What the daemon makes is missed only where it runs."""
    for place in PLACES:
        mode = modes[place.path]
        if mode is None:
            if place.made_by and (running or place.made_by != _DAEMON):
                yield error("path-missing", "a place that programs of the toolstack rely on is not there", place.path,
                            place.made_by)  # fmt: skip
        elif mode & place.forbidden:
            who = "go-rwx" if place.forbidden == _SECRET else "go-w"
            yield error(
                "path-mode", f"others may reach it: mode {mode:04o}", place.path, f"chmod {who} {place.path}"
            )

"""A LUN as the operator names it, RFC 4173's `server:protocol:port:LUN:target`, and what is wrong with that. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.password_file import is_lasting
from kronos_installer.problem import Level, Problem
from kronos_installer.server_name import SERVER, read_server
from kronos_installer.wishes import StorageType
from xapi_shim.base.iscsi_names import ISCSI_PORT, is_target_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.wishes import StorageWish

FORM = "SERVER::PORT:LUN:TARGET"
# RFC 4173, section 5: TCP is protocol 6; what is left out is TCP, 3260, LUN 0. LUNs are hexadecimal.
_LOCATION = re.compile(rf"{SERVER}:6?:(?P<port>[0-9]{{0,5}}):(?P<lun>[0-9a-fA-F]{{0,4}}):(?P<target>.+)")


@dataclass(frozen=True)
class IscsiPlace:
    """A LUN of a target; `server` has no brackets."""

    server: str
    port: int
    lun: int
    target: str


def iscsi_place(location: str) -> IscsiPlace | None:
    """Read `server::3260:0:iqn...`; None for what is not one."""
    found = _LOCATION.fullmatch(location)
    if found is None or not is_target_name(found["target"]):
        return None
    server, port = read_server(found["server"]), int(found["port"] or ISCSI_PORT)
    if server is None or not 0 < port < 1 << 16:
        return None
    return IscsiPlace(server, port, int(found["lun"] or "0", 16), found["target"])


def location_problems(wish: StorageWish) -> Iterator[Problem]:
    """Yield whether the location is no LUN's."""
    if iscsi_place(wish.location) is None:
        yield _error("storage-location", f"not a LUN of an iSCSI target: {wish.location}", wish.location,
                     f"write {FORM}, as san.example::3260:0:iqn.2001-05.example:disks")  # fmt: skip


def chap_problems(wish: StorageWish) -> Iterator[Problem]:
    """Yield what is wrong with a user's name and a password for the storage."""
    if wish.type is not StorageType.ISCSI:
        if wish.username or wish.password_file:
            yield _error("storage-chap", f"nobody logs in to {wish.type} storage", wish.location,
                         "leave the user's name and the password out")  # fmt: skip
    elif bool(wish.username) != bool(wish.password_file):
        yield _error("storage-chap", "CHAP needs a user's name and a password", wish.location,
                     "give --storage-username and --storage-password-file")  # fmt: skip
    elif wish.password_file and not is_lasting(wish.password_file):
        yield _error("storage-password-file", f"{wish.password_file} is gone after the reboot, when it is needed",
                     wish.password_file, "keep it on a disk until then: in /root")  # fmt: skip


def _error(id_: str, title: str, at: str, remedy: str) -> Problem:
    return Problem(Level.ERROR, id_, title, "", at, remedy)

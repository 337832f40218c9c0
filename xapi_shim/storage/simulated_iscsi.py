"""iSCSI targets that are directories, for the simulator and for tests.

`servers/<server>/<name of the target>/<number>` is a LUN: a directory with `lun.json`, {"scsi_id", "size", "vendor",
"serial"}. A target's file `chap` has the user and the password that it asks for. Every server has the usual port.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from xapi_shim.base.iscsi_names import ISCSI_PORT
from xapi_shim.storage.iscsi import IscsiError, Lun, Portal, Target

if TYPE_CHECKING:
    from pathlib import Path

    from xapi_shim.storage.iscsi import Chap

LUN = "lun.json"
CHAP = "chap"


class SimulatedIscsi:
    """The servers of the directory `servers`; `sessions` is where those of this host are kept, a file a user."""

    def __init__(self, servers: Path, sessions: Path) -> None:
        self._servers, self._sessions = servers, sessions

    async def discover(self, portal: Portal, chap: Chap | None) -> tuple[Target, ...]:  # noqa: ARG002
        names = sorted(path.name for path in self._server(portal).iterdir() if path.is_dir())
        return tuple(Target(portal, name) for name in names)

    async def open(self, target: Target, chap: Chap | None, user: str) -> None:
        served = self._server(target.portal) / target.name
        if not served.is_dir():
            raise IscsiError(str(target), "no such target", code=68)
        asked = (served / CHAP).read_text().split() if (served / CHAP).exists() else []
        if asked and (chap is None or asked != [chap.user, chap.password]):
            raise IscsiError(str(target), "the target refuses the user", code=68)
        session = self._session(target)
        session.mkdir(parents=True, exist_ok=True)
        (session / user).touch()

    async def close(self, target: Target, user: str) -> None:
        session = self._session(target)
        (session / user).unlink(missing_ok=True)
        with suppress(OSError):  # it is not there, or has other users
            session.rmdir()

    async def luns(self, target: Target) -> tuple[Lun, ...]:
        if not self._session(target).is_dir():
            return ()
        served = self._servers / target.portal.server / target.name
        return tuple(_lun(path) for path in sorted(served.iterdir()) if (path / LUN).exists())

    def _session(self, target: Target) -> Path:
        return self._sessions / f"{target.name},{target.portal.server}"

    def _server(self, portal: Portal) -> Path:
        folder = self._servers / portal.server
        if portal.port != ISCSI_PORT or not folder.is_dir():
            raise IscsiError(str(portal), "it does not answer", code=141)
        return folder


def _lun(folder: Path) -> Lun:
    told = json.loads((folder / LUN).read_text())
    return Lun(int(folder.name), told["vendor"], told["serial"], told["size"], told["scsi_id"], folder)

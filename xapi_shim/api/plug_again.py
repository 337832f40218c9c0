"""Plugging what was plugged when the daemon starts: mounts are gone after a reboot, and a server may be away.

SRs of this host are plugged before the first call is answered. Those of servers are waited for a
little only, and tried again in the background until they are there:
after a power cut the host is often up before what keeps its disks.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from xapi_shim.api.pbd import plug_pbd
from xapi_shim.api.storage_access import driver_of_pbd
from xapi_shim.base.errors import KronosError
from xapi_shim.datamodel.errors import XenAPIError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Toolstack

log = logging.getLogger(__name__)

# A server that is there is mounted in far less; one that is not must not keep callers waiting.
PATIENCE_S = 5.0
AGAIN_S = 30.0


async def plug_all(tools: Toolstack) -> None:
    """Plug all PBDs of this host. One that cannot be plugged does not stop the daemon."""
    db = tools.db
    remote = []
    for pbd in db.items("host", tools.host, "PBDs"):
        db.set("PBD", pbd, "currently_attached", value=False)
        if _is_remote(tools, pbd):
            remote.append(asyncio.create_task(_plug_until_there(tools, pbd)))
        elif wrong := await _plug(tools, pbd):
            _say(tools, pbd, wrong)
    for task in remote:
        tools.background.add(task)
        task.add_done_callback(tools.background.discard)
    if remote:
        await asyncio.wait(remote, timeout=PATIENCE_S)


def _is_remote(tools: Toolstack, pbd: str) -> bool:
    try:
        return driver_of_pbd(tools, pbd).driver_info().remote
    except XenAPIError:
        return False  # plugging it says why


async def _plug_until_there(tools: Toolstack, pbd: str) -> None:
    wrong = ""
    while (now := await _plug(tools, pbd)) is not None:
        if now != wrong:
            _say(tools, pbd, now)
        wrong = now
        await asyncio.sleep(AGAIN_S)
        if not tools.db.exists("PBD", pbd) or tools.db.flag("PBD", pbd, "currently_attached"):
            return  # somebody else took it away, or plugged it


async def _plug(tools: Toolstack, pbd: str) -> str | None:
    """Plug a PBD. Return why it cannot be, None when it is."""
    try:
        await plug_pbd(tools, pbd)
    except (KronosError, XenAPIError) as error:
        return str(error)
    return None


def _say(tools: Toolstack, pbd: str, wrong: str) -> None:
    uuid = tools.db.text("PBD", pbd, "uuid") if tools.db.exists("PBD", pbd) else pbd
    log.error("cannot plug PBD %s: %s", uuid, wrong)

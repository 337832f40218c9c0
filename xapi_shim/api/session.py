"""session.*: who may come in, and out again."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from xapi_shim.api.client_certificate import open_session
from xapi_shim.datamodel.errors import HostIsSlaveError, SessionAuthenticationFailedError
from xapi_shim.datamodel.model import Role
from xapi_shim.rpc.sessions import Door

if TYPE_CHECKING:
    from pathlib import Path

    from xapi_shim.api.toolstack import Call

log = logging.getLogger(__name__)

SUPERUSER = "root"


def master_address(pool_conf: Path) -> str:
    """Return the master's address from pool.conf (`master`, or `slave:ADDRESS`), "" where this host is it."""
    try:
        role, _, address = pool_conf.read_text().strip().partition(":")
    except OSError:
        return ""
    return address.strip() if role == "slave" else ""


async def login_with_password(call: Call, uname: str, pwd: str, version: str, originator: str) -> str:  # noqa: ARG001
    """Return a new session. Over the unix socket the caller is root already.

    Only root comes in so far: other users need subjects and roles.
    Raises HOST_IS_SLAVE [the master's bare address] on a pool's other hosts, and
    SESSION_AUTHENTICATION_FAILED [user; message], after a delay.
    """
    tools, origin = call.tools, call.info.origin
    if origin.door is not Door.UNIX and (master := master_address(tools.paths.pool_conf)):
        raise HostIsSlaveError(master)
    if origin.client_certificate:
        return open_session(tools, uname, originator[:64])
    if origin.door is not Door.UNIX and (
        uname != SUPERUSER or "\0" in pwd or not await tools.authenticate(uname, pwd)
    ):
        log.warning("login refused for %r from %s", uname[:64], origin.address)
        await asyncio.sleep(tools.login_delay_s)
        raise SessionAuthenticationFailedError(uname, "Authentication failure")
    user = uname or SUPERUSER
    return tools.sessions.open(user, Role.LOCAL_ROOT, originator=originator[:64], host=tools.host, local=True)


async def logout(call: Call) -> None:
    """Close the caller's session; its waiting event calls end with SESSION_INVALID."""
    call.tools.sessions.close(call.info.session)
    call.tools.events.wake()


MESSAGES = {
    "session.login_with_password": login_with_password,
    "session.logout": logout,
    "session.local_logout": logout,
}

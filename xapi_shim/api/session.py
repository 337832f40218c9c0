"""session.*: who may come in, and out again."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.api.client_certificate import open_session
from xapi_shim.api.external_auth import WRONG, end_sessions, external_login, is_enabled
from xapi_shim.api.pass_on import check_master
from xapi_shim.api.password import change_password
from xapi_shim.api.pool_role import master_address
from xapi_shim.api.pool_secret import is_pool_secret
from xapi_shim.database.dump import DumpError, parse, problems
from xapi_shim.datamodel.errors import (
    HostIsSlaveError,
    InvalidValueError,
    SessionAuthenticationFailedError,
    UserIsNotLocalSuperuserError,
    XenAPIError,
)
from xapi_shim.datamodel.model import Role
from xapi_shim.rpc.saved import open_dump
from xapi_shim.rpc.sessions import Door

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.database.dump import Dump

log = logging.getLogger(__name__)

SUPERUSER = "root"
# The longest dump of a database that is read, in bytes.
MAX_DUMP = 256 << 20


async def login_with_password(call: Call, uname: str, pwd: str, version: str, originator: str) -> str:  # noqa: ARG001
    """Return a new session. Over the unix socket the caller is root already.

    Root is known to the host itself; where the pool has a directory of users, so are those of them
    who are subjects, or in a group that is one. Raises HOST_IS_SLAVE [the master's bare address] on
    a pool's other hosts; after a delay SESSION_AUTHENTICATION_FAILED [user; why],
    SESSION_AUTHORIZATION_FAILED [user; why] to a user who is no subject, and RBAC_PERMISSION_DENIED
    [session.login_with_password; why] to one without a role.
    """
    tools, origin = call.tools, call.info.origin
    if origin.door is Door.UNIX:
        return _open_root(tools, uname or SUPERUSER, originator)
    if master := master_address(tools.paths.pool_conf):
        raise HostIsSlaveError(master)
    if origin.client_certificate:
        return open_session(tools, uname, originator[:64])
    try:
        if uname == SUPERUSER or not is_enabled(tools):
            await _check_superuser(tools, uname, pwd)
            return _open_root(tools, uname, originator)
        name, admission = await external_login(tools, uname, pwd)
    except XenAPIError as error:
        log.warning("login refused for %r from %s: %s", uname[:64], origin.address, error.description()[0])
        await asyncio.sleep(tools.login_delay_s)
        raise
    return tools.sessions.open(
        name,
        admission.role,
        originator=originator[:64],
        host=tools.host,
        local=False,
        external=admission.external,
    )


def _open_root(tools: Toolstack, user: str, originator: str) -> str:
    return tools.sessions.open(user, Role.LOCAL_ROOT, originator=originator[:64], host=tools.host, local=True)


async def _check_superuser(tools: Toolstack, uname: str, pwd: str) -> None:
    """Raises SESSION_AUTHENTICATION_FAILED [user; why]."""
    limit = tools.db.number("pool", tools.pool, "local_auth_max_threads")
    async with tools.local_throttle.within(limit):
        if uname != SUPERUSER or "\0" in pwd or not await tools.authenticate(uname, pwd):
            raise SessionAuthenticationFailedError(uname, WRONG)


async def _check_pool_secret(tools: Toolstack, secret: str) -> None:
    """Raises SESSION_AUTHENTICATION_FAILED, after a delay."""
    if not is_pool_secret(tools.paths.pool_secret, secret):
        await asyncio.sleep(tools.login_delay_s)
        raise SessionAuthenticationFailedError("", "The pool secret is wrong")


async def slave_login(call: Call, host: str, psecret: str) -> str:
    """Return a session for another host of the pool. Raises HOST_IS_SLAVE [address], SESSION_AUTHENTICATION_FAILED."""
    check_master(call.tools)
    await _check_pool_secret(call.tools, psecret)
    return call.tools.sessions.open("", Role.LOCAL_ROOT, originator="xapi", host=host, local=True, pool=True)


async def slave_local_login(call: Call, psecret: str) -> str:
    """Return a session for what this host answers in an emergency. Raises SESSION_AUTHENTICATION_FAILED."""
    await _check_pool_secret(call.tools, psecret)
    return call.tools.sessions.open_emergency()


async def slave_local_login_with_password(call: Call, uname: str, pwd: str) -> str:
    """Return a session for what this host answers in an emergency: to root only, on every host of a pool.

    Raises SESSION_AUTHENTICATION_FAILED [user; why], after a delay.
    """
    if call.info.origin.door is not Door.UNIX:
        try:
            await _check_superuser(call.tools, uname, pwd)
        except SessionAuthenticationFailedError:
            await asyncio.sleep(call.tools.login_delay_s)
            raise
    return call.tools.sessions.open_emergency()


async def create_from_db_file(call: Call, filename: str) -> str:
    """Return a session that reads the database saved in a file of this host, and nothing else.

    Raises INVALID_VALUE [filename; why].
    """
    tools = call.tools
    try:
        saved = await asyncio.to_thread(_read_dump, Path(filename))
    except (OSError, ValueError, DumpError) as error:
        raise InvalidValueError("filename", str(error)) from error
    if wrong := problems(tools.db, saved):
        raise InvalidValueError("filename", wrong[0])
    ref = tools.sessions.open("db-from-file", Role.READ_ONLY, originator="xapi", host=tools.host, local=False)
    tools.sessions.saved.put(ref, open_dump(tools.db.model, saved))
    return ref


def _read_dump(path: Path) -> Dump:
    """Raises OSError, DumpError, ValueError for what is no path."""
    with path.open("rb") as file:
        return parse(file.read(MAX_DUMP))


async def logout(call: Call) -> None:
    """Close the caller's session; its waiting event calls end with SESSION_INVALID."""
    call.tools.sessions.close(call.info.session)
    call.tools.events.wake()


async def change_own_password(call: Call, old_pwd: str, new_pwd: str) -> None:
    """Give root another password. Who comes by the unix socket is root and need not know the old one.

    Raises USER_IS_NOT_LOCAL_SUPERUSER [why], SESSION_AUTHENTICATION_FAILED [user; why], after a delay,
    for a wrong old password, CHANGE_PASSWORD_REJECTED [why].
    """
    tools, info = call.tools, call.info
    if not tools.db.flag("session", info.session, "is_local_superuser") or tools.sessions.is_pool(
        info.session
    ):
        raise UserIsNotLocalSuperuserError(
            "Only the local superuser can change the local superuser's password"
        )
    if info.origin.door is not Door.UNIX:
        try:
            await _check_superuser(tools, SUPERUSER, old_pwd)
        except SessionAuthenticationFailedError:
            await asyncio.sleep(tools.login_delay_s)
            raise
    await change_password(SUPERUSER, new_pwd)


async def get_all_subject_identifiers(call: Call) -> list[str]:
    """Return who of the directory's users is logged in, by identifier."""
    return sorted({external.sid for external in call.tools.sessions.external().values()})


async def logout_subject_identifier(call: Call, subject_identifier: str) -> None:
    """End the sessions of a user, or of everybody who came in by a group; the caller's own goes on."""
    db, going = call.db, []
    for ref, external in call.tools.sessions.external().items():
        subject = external.subject
        by = db.text("subject", subject, "subject_identifier") if db.exists("subject", subject) else ""
        if subject_identifier in (external.sid, by) and ref != call.info.session:
            going.append(ref)
    end_sessions(call.tools, going)


MESSAGES = {
    "session.login_with_password": login_with_password,
    "session.slave_login": slave_login,
    "session.slave_local_login": slave_local_login,
    "session.slave_local_login_with_password": slave_local_login_with_password,
    "session.create_from_db_file": create_from_db_file,
    "session.logout": logout,
    "session.local_logout": logout,
    "session.change_password": change_own_password,
    "session.get_all_subject_identifiers": get_all_subject_identifiers,
    "session.logout_subject_identifier": logout_subject_identifier,
}

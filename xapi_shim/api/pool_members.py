"""pool.join and pool.eject: a host becomes a member of another's pool, and the master of its own again."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import xmlrpc.client
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from xapi_shim.api.allowed import update_all
from xapi_shim.api.operations import update_vm
from xapi_shim.api.pbd import plug, unplug
from xapi_shim.api.pool_join_rules import check_join
from xapi_shim.api.pool_leave import check_eject, leave_operations
from xapi_shim.api.pool_merge import join_operations
from xapi_shim.api.pool_role import become_master, become_member, master_address, read_master_to_join
from xapi_shim.database.database import Database
from xapi_shim.database.replication import ReplicationError, perform
from xapi_shim.datamodel.errors import (
    CannotContactHostError,
    HostIsSlaveError,
    InternalErrorError,
    OperationNotAllowedError,
    PoolJoiningHostMustHaveSameProductVersionError,
    XenAPIError,
)
from xapi_shim.pool.link import Link, LinkError
from xapi_shim.pool.remote_error import remote_error
from xapi_shim.pool.replica import Replica
from xapi_shim.rpc.roles import fill_roles

if TYPE_CHECKING:
    from collections.abc import Collection

    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.database.replication import Operation

log = logging.getLogger(__name__)

# How long the other host may take to say whether a password is right.
LOGIN_S = 60.0
# What xmlrpc.client and expat raise for bytes that are no answer.
NOT_AN_ANSWER = (xmlrpc.client.Error, ExpatError, ValueError, TypeError, LookupError)
# So long the daemon answers as what it was, for whoever asked to hear it, in seconds.
TOLD_S = 2.0


async def join(call: Call, master_address: str, master_username: str, master_password: str) -> None:
    """Become a member of the pool of the host at `master_address`; the daemon starts anew a moment later.

    This host's records move to the other pool in one commit: its local storage with the disks, its halted VMs.
    Raises CANNOT_CONTACT_HOST [address], HOST_IS_SLAVE [its master's address], SESSION_AUTHENTICATION_FAILED,
    and of check_join the first precondition that does not hold; then nothing is changed.
    """
    async with call.tools.role_lock:
        await _join(call, master_address, (master_username, master_password), force=False)


async def join_force(call: Call, master_address: str, master_username: str, master_password: str) -> None:
    """`join`, to hosts with other processors, too."""
    async with call.tools.role_lock:
        await _join(call, master_address, (master_username, master_password), force=True)


async def _join(call: Call, master: str, login: tuple[str, str], *, force: bool) -> None:
    tools = call.tools
    _check_not_joined(tools)
    address = await asyncio.to_thread(_resolved, master)
    known = read_master_to_join(tools.paths, address)
    if known is not None:
        log.info("%s must show one of the certificates of %s", address, tools.paths.master_to_join)
    secret, shown = await asyncio.to_thread(_pool_secret, address, tools.port, login, known)
    remote = Database(tools.db.model)
    fill_roles(remote)
    link = Link(address, tools.port, lambda: {shown}, lambda: secret)
    replica = Replica(remote, link, "")
    try:
        await replica.catch_up()
        check_join(tools.db, tools.host, remote, force=force)
        operations = join_operations(tools.db, tools.host, remote)
        remote.upstream = replica
        # Of the joining alone: nothing else on this host's event loop touches that database.
        await asyncio.to_thread(_perform, remote, operations)
    except LinkError as error:
        raise CannotContactHostError(address) from error
    except ReplicationError as error:
        raise PoolJoiningHostMustHaveSameProductVersionError from error
    finally:
        replica.close()
    # A crash before the last of this leaves the host the master of its own pool, and the other pool with a host
    # that does not live: joining once more mends it.
    become_member(tools.paths, address, secret, {shown})
    log.info("this host is a member of the pool of %s now", address)
    _restart_soon(tools)


def _check_not_joined(tools: Toolstack) -> None:
    """Raise HOST_IS_SLAVE [address] for a host that has joined a pool already, and is about to start anew."""
    if master := master_address(tools.paths.pool_conf):
        raise HostIsSlaveError(master)


def _perform(db: Database, operations: list[Operation]) -> None:
    """Do `operations`, and tell what may be done afterwards, in one commit. Raises XenAPIError."""
    with db.transaction():
        perform(db, operations)
        for vm in db.refs("VM"):
            update_vm(db, vm)
        update_all(db)


def _resolved(master: str) -> str:
    """Return the IP address of a name. Raises CANNOT_CONTACT_HOST [name]."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(master))
    try:
        return str(socket.getaddrinfo(master, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError) as error:
        raise CannotContactHostError(master[:255]) from error


def _pool_secret(
    address: str, port: int, login: tuple[str, str], known: Collection[str] | None
) -> tuple[str, str]:
    """Return the secret of the pool of `address`, and the fingerprint of the certificate that it showed.

    That is one of the `known`; for None it is believed at this first contact. Raises as `join`.
    """
    shown: set[str] = set()
    # Once a certificate was shown, no other is spoken to.
    link = Link(address, port, lambda: shown or known, lambda: "")
    try:
        session = _asked(link, "session.login_with_password", *login, "1.0", "xapi")
        shown.add(link.shown)
        try:
            secret = _asked(link, "pool.initial_auth", session)
        finally:
            with contextlib.suppress(LinkError, XenAPIError):
                _asked(link, "session.logout", session)
    except LinkError as error:
        log.warning("cannot join: %s", error)
        raise CannotContactHostError(address) from error
    if not isinstance(secret, str) or not secret:
        raise InternalErrorError("the master has no secret for its pool")
    return secret, link.shown


def _asked(link: Link, method: str, *params: Any) -> Any:  # noqa: ANN401 -- any XenAPI value
    """Call a message of another host by XML-RPC. Raises LinkError, XenAPIError."""
    body = xmlrpc.client.dumps(params, method).encode()
    answer = link.send("POST", "/", body, {"Content-Type": "text/xml"}, timeout_s=LOGIN_S, repeatable=False)
    try:
        (document,), _ = xmlrpc.client.loads(answer)
        match document:
            case {"Status": "Success", "Value": value}:
                return value
            case {"Status": "Failure", "ErrorDescription": [code, *params_]}:
                raise remote_error(str(code), *map(str, params_))
            case _:
                raise LinkError(link.address, f"{method}: no answer of a XenAPI")
    except NOT_AN_ANSWER as error:
        raise LinkError(link.address, f"{method}: no answer of a XenAPI ({error})") from error


async def initial_auth(call: Call) -> str:
    """Return the pool's secret, for a host that joins."""
    return call.tools.paths.pool_secret.read_text().strip()


async def eject(call: Call, host: str) -> None:
    """Take a host out of the pool: it is the master of a pool of its own again, and begins with no records.

    What only it has goes from the pool's records with it; the files of its local storage stay on its disks, and its
    new pool finds them. Raises what check_eject raises; then nothing is changed.
    """
    async with call.tools.role_lock:
        check_eject(call.db, host)
        _check_not_left(call.tools)
        plugged = [
            p for p in call.db.items("host", host, "PBDs") if call.db.flag("PBD", p, "currently_attached")
        ]
        try:
            for pbd in plugged:
                await unplug(call, pbd)
            # Guests may have been started here meanwhile.
            check_eject(call.db, host)
            _leave(call.tools, host)
        except XenAPIError:
            if not call.tools.paths.leaving_pool.exists():
                await _plug_again(call, plugged)
            raise


def _check_not_left(tools: Toolstack) -> None:
    """Raise OPERATION_NOT_ALLOWED [why] for a host that is leaving already."""
    if not master_address(tools.paths.pool_conf) or tools.paths.leaving_pool.exists():
        raise OperationNotAllowedError("the host is leaving its pool already")


def _leave(tools: Toolstack, host: str) -> None:
    """Commit that this host leaves, and become a master. Raises XenAPIError; then it is a member as it was.

    After CANNOT_CONTACT_HOST nobody here knows whether the master has done it: the next start, at once, finds out.
    """
    tools.paths.leaving_pool.touch()
    try:
        _perform(tools.db, leave_operations(tools.db, host))
    except CannotContactHostError:
        _restart_soon(tools)
        raise
    except XenAPIError:
        tools.paths.leaving_pool.unlink()
        raise
    become_master(tools.paths)
    log.info("this host has left its pool")
    _restart_soon(tools)


async def _plug_again(call: Call, pbds: list[str]) -> None:
    for pbd in pbds:
        try:
            await plug(call, pbd)
        except XenAPIError as error:
            log.error("PBD %s cannot be plugged again: %s", pbd, error)


def _restart_soon(tools: Toolstack) -> None:
    tools.timers["end"] = asyncio.get_running_loop().call_later(TOLD_S, tools.restart)


MESSAGES = {
    "pool.join": join,
    "pool.join_force": join_force,
    "pool.initial_auth": initial_auth,
    "pool.eject": eject,
}

"""HTTP actions beside the RPC doors: who calls (query, cookie, Basic, unix socket), with which role, and what."""

from __future__ import annotations

import asyncio
import base64
import binascii
import itertools
import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from xapi_shim.api.pool_secret import is_pool_secret
from xapi_shim.database import dump
from xapi_shim.datamodel.errors import InternalErrorError, XenAPIError
from xapi_shim.datamodel.model import Role
from xapi_shim.rpc.audit import Caller, Entry
from xapi_shim.rpc.call import CallInfo
from xapi_shim.rpc.sessions import Door, Origin
from xapi_shim.web.cookies import cookies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from xapi_shim.api.toolstack import Toolstack

    Login = Callable[[CallInfo, str, str], Awaitable[str]]

log = logging.getLogger(__name__)

MAX_DUMP = 256 << 20
# So long the daemon goes on after a restore, for xe to ask how it went, in seconds.
TOLD_S = 2.0
NO_CACHE = {"Cache-Control": "no-cache, no-store"}


def moment(text: str) -> datetime:
    """Return the time that `text` names, in any of ISO 8601's forms; one without a zone is UTC. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def basic_login(header: str) -> tuple[str, str] | None:
    """Return name and password of a Basic Authorization header, None for anything else (RFC 7617)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None


class HttpActions:
    """Serves the actions; `login` opens a session as session.login_with_password does."""

    def __init__(self, tools: Toolstack, login: Login, restart: Callable[[], None]) -> None:
        self._tools, self._login, self._restart = tools, login, restart
        # What hosts of a pool ask of each other, by the HTTPS door.
        self.for_hosts: Sequence[web.RouteDef] = ()

    @property
    def paths(self) -> frozenset[str]:
        """The paths that are served, by whichever door."""
        return frozenset(route.path for route in self.routes(Door.TLS))

    def routes(self, door: Door) -> list[web.RouteDef]:
        """Return the routes for connections that come in by `door`."""
        return [
            *(self.for_hosts if door is Door.TLS else ()),
            web.get("/pool/xmldbdump", self._guarded(door, Role.POOL_ADMIN, self._dump)),
            web.put("/pool/xmldbdump", self._guarded(door, Role.POOL_ADMIN, self._restore)),
            web.get("/audit_log", self._guarded(door, Role.READ_ONLY, self._audit_log)),
        ]

    def _guarded(
        self, door: Door, least: Role, serve: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Answer 401 to nobody, 403 to a role that is too low, else serve."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                role, caller = await self._caller(door, request)
            except XenAPIError as error:
                log.info("%s refused to %s: %s", request.path, request.remote, error.description()[0])
                return web.Response(
                    status=HTTPStatus.UNAUTHORIZED,
                    headers={"WWW-Authenticate": 'Basic realm="xapi"', **NO_CACHE},
                )
            allowed = role.allows(least)
            if least is not Role.READ_ONLY:
                entry = Entry(caller, "HTTP", f"{request.method} {request.path}", allowed=allowed)
                self._tools.audit.add(entry)
            if not allowed:
                return web.Response(status=HTTPStatus.FORBIDDEN, headers=NO_CACHE)
            return await serve(request)

        return handle

    async def _caller(self, door: Door, request: web.Request) -> tuple[Role, Caller]:
        """Return the caller's role and who he is. Raises the errors of a login, SESSION_INVALID."""
        sessions, origin = self._tools.sessions, Origin(door, request.remote or "")
        if door is Door.UNIX:
            return Role.LOCAL_ROOT, Caller("", "root", "", local_superuser=True, origin=origin)
        sent = {**cookies(request.headers.get("Cookie", "")), **request.query}
        if is_pool_secret(self._tools.paths.pool_secret, sent.get("pool_secret", "")):
            return Role.LOCAL_ROOT, Caller("", "", "", local_superuser=True, origin=origin)
        basic = basic_login(request.headers.get("Authorization", ""))
        if basic is None:
            session = sent.get("session_id", "")
            return sessions.role(session), sessions.caller(session, origin)
        info = CallInfo("session.login_with_password", "", Role.READ_ONLY, origin)
        session = await self._login(info, *basic)
        try:
            return sessions.role(session), sessions.caller(session, origin)
        finally:
            sessions.close(session)

    async def _audit_log(self, request: web.Request) -> web.StreamResponse:
        """Send the lines of the audit log, all or those written at or after `since` (ISO 8601)."""
        try:
            since = moment(request.query["since"]) if request.query.get("since") else None
        except ValueError:
            return web.Response(status=HTTPStatus.BAD_REQUEST, text="since= is a time\n", headers=NO_CACHE)
        answer = web.StreamResponse(headers={"Content-Type": "text/plain", **NO_CACHE})
        await answer.prepare(request)
        lines = self._tools.audit.lines(since)
        while piece := await asyncio.to_thread(_joined, lines):
            await answer.write(piece)
        await answer.write_eof()
        return answer

    async def _dump(self, request: web.Request) -> web.StreamResponse:
        """Stream the database; what is told is one moment's, read before the first byte goes out."""
        pieces = list(dump.write(self._tools.db))
        answer = web.StreamResponse(headers={"Content-Type": "text/xml", **NO_CACHE})
        await answer.prepare(request)
        for at in range(0, len(pieces), 256):
            await answer.write("".join(pieces[at : at + 256]).encode())
        await answer.write_eof()
        return answer

    async def _restore(self, request: web.Request) -> web.StreamResponse:
        """Check a dump; unless `dry_run=true`, put it in place and end the daemon: systemd starts it anew.

        xe sends its file when it is told that it may: a request with a `task_id` is answered before
        its body comes, and the task tells how it ended.
        """
        task = request.query.get("task_id", "")
        if not task:
            status, text = await self._restored(request)
            if status is HTTPStatus.OK and not _is_dry(request):
                self._restart()
            return web.Response(status=status, text=text, headers=NO_CACHE)
        answer = web.StreamResponse(headers=NO_CACHE)
        await answer.prepare(request)
        try:
            status, text = await self._restored(request)
        except OSError as error:
            status, text = HTTPStatus.BAD_REQUEST, f"the file did not come whole: {error}"
        if status is not HTTPStatus.OK:
            self._tools.tasks.fail(task, InternalErrorError(text.strip()).description())
        else:
            self._tools.tasks.finish(task, "")
            if not _is_dry(request):
                asyncio.get_running_loop().call_later(TOLD_S, self._restart)
        return answer

    async def _restored(self, request: web.Request) -> tuple[HTTPStatus, str]:
        """Read a dump and put it in place, if it is good and meant so; return what to say. Raises OSError."""
        body = bytearray()
        async for chunk in request.content.iter_chunked(1 << 16):
            body += chunk
            if len(body) > MAX_DUMP:
                return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a dump has at most {MAX_DUMP} bytes\n"
        if master := self._tools.master_address:
            return HTTPStatus.BAD_REQUEST, f"the pool's database is its master's, {master}\n"
        try:
            parsed = dump.parse(bytes(body))
        except dump.DumpError as error:
            return HTTPStatus.BAD_REQUEST, f"{error}\n"
        if wrong := dump.problems(self._tools.db, parsed):
            return HTTPStatus.BAD_REQUEST, "\n".join(wrong[:100])
        if not _is_dry(request):
            self._tools.db.replace_stored(parsed.rows, parsed.generation)
        return HTTPStatus.OK, f"{len(parsed.rows)} objects\n"


def _is_dry(request: web.Request) -> bool:
    return request.query.get("dry_run") == "true"


def _joined(lines: Iterator[str]) -> bytes:
    """Return the next lines as bytes, empty at the end."""
    return "".join(itertools.islice(lines, 512)).encode(errors="replace")

"""The server: HTTPS for everybody, a unix socket for root; the only room that knows aiohttp."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from xapi_shim.rpc.sessions import Door, Origin
from xapi_shim.rpc.wire import MalformedCallError
from xapi_shim.web.guard import DoorLimits, guarded, noting
from xapi_shim.web.listening import ANY, listening_on_all

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from xapi_shim.rpc.endpoint import Endpoint
    from xapi_shim.web.cli_endpoint import CliEndpoint
    from xapi_shim.web.guard import Guard
    from xapi_shim.web.http_actions import HttpActions

    Middleware = Callable[..., Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)

# Limits of the reference (protocol facts, section 2.1).
MAX_BODY = 300 * 1024
MAX_LINE = 8190
MAX_CONNECTIONS = {Door.TLS: 800, Door.UNIX: 1024}
HANDSHAKE_S = 30.0
BACKLOG = 128
MAX_USER_AGENT = 256
# So many bytes of an answer are handed on at once.
AT_ONCE = 256 << 10
# So long may the calls that are being served take when the daemon ends.
LAST_CALLS_S = 10.0
NO_CACHE = {"Cache-Control": "no-cache, no-store"}
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-Requested-With",
    "Access-Control-Allow-Methods": "PUT",
}


@dataclass(frozen=True)
class Listen:
    """Where to listen; None for not at all, ANY for all addresses."""

    unix_socket: Path | None
    address: str | None
    port: int
    tls: ssl.SSLContext | None
    # Whether a certificate that a client has shown, and TLS verified, is of one that is let in.
    is_known_client: Callable[[Mapping[str, object] | None], bool] = lambda _: False


class Server:
    """Runs an Endpoint behind the doors of `listen`, and with it HTTP actions and what serves xe."""

    def __init__(
        self,
        endpoint: Endpoint,
        listen: Listen,
        actions: HttpActions | None = None,
        cli: CliEndpoint | None = None,
        requests: Counter[tuple[str, str]] | None = None,
    ) -> None:
        self._requests = Counter() if requests is None else requests
        self._actions = actions
        self._endpoint = endpoint
        self._cli = cli
        self._listen = listen
        self._runners: list[web.AppRunner] = []
        self._doors: list[asyncio.Server] = []
        self._tls_doors: list[asyncio.Server] = []
        self._tls_factory: Callable[[], Guard] | None = None
        self.limits = {door: DoorLimits(count) for door, count in MAX_CONNECTIONS.items()}
        self.port = listen.port

    async def start(self) -> None:
        """Open the doors. Raises OSError when an address cannot be had."""
        if self._listen.unix_socket is not None:
            await self._start_unix(self._listen.unix_socket)
        if self._listen.address is not None:
            self._tls_doors = await self._open_tls(self._listen.address, await self._factory(Door.TLS))
            self.port = self._tls_doors[0].sockets[0].getsockname()[1]

    async def _open_tls(self, address: str, factory: Callable[[], Guard]) -> list[asyncio.Server]:
        self._tls_factory = factory
        open_door = _door_opener(factory, self._listen.tls)
        if address == ANY:
            return [await open_door(sock=one) for one in listening_on_all(self._listen.port, BACKLOG)]
        return [await open_door(address, self._listen.port)]

    async def renew_tls(self, tls: ssl.SSLContext) -> None:
        """Serve who connects from now on by `tls`. Nobody is turned away: the listening socket stays the same."""
        assert self._tls_factory is not None
        old, self._tls_doors = self._tls_doors, []
        open_door = _door_opener(self._tls_factory, tls)
        # A name with several addresses has a socket for each.
        for listening in [one for door in old for one in door.sockets]:
            self._tls_doors.append(await open_door(sock=listening.dup()))
        for door in old:
            door.close()

    async def stop(self) -> None:
        for opened in (*self._doors, *self._tls_doors):
            opened.close()
        if self._cli is not None:
            self._cli.close()
        for runner in self._runners:
            # As a runner with sites does; before aiohttp 3.9 (Debian 12 has 3.8) one without waits for no call,
            # and idle connections are not let go apart.
            if runner.server is not None:
                if hasattr(runner.server, "pre_shutdown"):
                    runner.server.pre_shutdown()
                await runner.server.shutdown(LAST_CALLS_S)
            await runner.cleanup()

    async def _start_unix(self, path: Path) -> None:
        """Listen on `path`, mode 0600: who can open it is root."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            factory, loop = await self._factory(Door.UNIX), asyncio.get_running_loop()
            self._doors.append(await loop.create_unix_server(factory, os.fspath(path), backlog=BACKLOG))
        finally:
            os.umask(before)

    async def _factory(self, door: Door) -> Callable[[], Guard]:
        limits = self.limits[door]
        app = web.Application(client_max_size=MAX_BODY, middlewares=[noting(limits), self._counting()])
        xml, json = (
            self._serve(door, self._endpoint.xml, "text/xml"),
            self._serve(door, self._endpoint.json, "application/json"),
        )
        for path in ("/", "/RPC2", "/xmlrpc", "/json"):
            app.router.add_post(path, xml)
        app.router.add_post("/jsonrpc", json)
        for path in ("/", "/json", "/jsonrpc"):
            app.router.add_route("OPTIONS", path, _options)
        if self._cli is not None:
            app.router.add_post("/cli", self._cli.handler(partial(self._origin, door), limits))
        app.router.add_get("/", _front)
        if self._actions is not None:
            app.add_routes(self._actions.routes(door))
        runner = web.AppRunner(app, access_log=None, max_line_size=MAX_LINE, max_field_size=MAX_LINE)
        await runner.setup()
        self._runners.append(runner)
        assert runner.server is not None
        return guarded(runner.server, limits)

    def _counting(self) -> Middleware:
        """Return the middleware that counts requests by method and path, those for nothing all as one."""

        @web.middleware
        async def count(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            served = request.match_info.route.resource
            self._requests[(request.method, served.canonical) if served is not None else ("", "")] += 1
            return await handler(request)

        return count

    def _origin(self, door: Door, request: web.Request) -> Origin:
        transport = request.transport
        shown = transport.get_extra_info("peercert") if transport is not None and door is Door.TLS else None
        agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT]
        parent = request.headers.get("traceparent", "")
        return Origin(door, request.remote or "", self._listen.is_known_client(shown), agent, parent)

    def _serve(
        self, door: Door, answer: Callable[[bytes, Origin], Awaitable[list[bytes]]], content_type: str
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if request.content_length is None:
                return _page(HTTPStatus.LENGTH_REQUIRED, "a request has a Content-Length")
            if request.content_length > MAX_BODY:
                return _page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {MAX_BODY} bytes")
            try:
                body = await asyncio.wait_for(request.read(), self.limits[door].body_s)
            except TimeoutError:
                return _page(HTTPStatus.REQUEST_TIMEOUT, "the body did not come")
            try:
                answered = await answer(body, self._origin(door, request))
            except MalformedCallError as error:
                log.info("malformed call from %s: %s", request.remote, error)
                return _page(HTTPStatus.INTERNAL_SERVER_ERROR, "the request is malformed")
            # Clients compare the type for equality: no charset is added.
            headers = {"Content-Type": content_type, **NO_CACHE}
            if content_type == "application/json":
                headers["Access-Control-Allow-Origin"] = "*"
            return await _send(request, answered, headers)

        return handle


def _door_opener(
    factory: Callable[[], Guard], tls: ssl.SSLContext | None
) -> Callable[..., Awaitable[asyncio.Server]]:
    """Return create_server (asyncio) for our doors; what is left to say is where."""
    return partial(
        asyncio.get_running_loop().create_server, factory, ssl=tls, backlog=BACKLOG,
        ssl_handshake_timeout=HANDSHAKE_S if tls else None,
    )  # fmt: skip


async def _send(request: web.Request, pieces: list[bytes], headers: Mapping[str, str]) -> web.StreamResponse:
    """Answer with `pieces`; of a long answer no more is put together than the client is about to take."""
    size = sum(map(len, pieces))
    if size <= AT_ONCE:
        return web.Response(body=b"".join(pieces), headers=headers)
    response = web.StreamResponse(headers=headers)
    response.content_length = size
    await response.prepare(request)
    waiting: list[bytes] = []
    held = 0
    for piece in pieces:
        waiting.append(piece)
        held += len(piece)
        if held >= AT_ONCE:
            await response.write(b"".join(waiting))
            waiting, held = [], 0
    await response.write(b"".join(waiting))
    await response.write_eof()
    return response


def _page(status: HTTPStatus, text: str) -> web.Response:
    body = f"<html><body><h1>HTTP {status.value} {status.phrase}</h1>{text}</body></html>"
    return web.Response(status=status.value, text=body, content_type="text/html", headers=NO_CACHE)


async def _options(_: web.Request) -> web.Response:
    return web.Response(headers=CORS)


async def _front(_: web.Request) -> web.Response:
    return web.Response(
        text="<html><head><title>Kronos</title></head><body>"
        "<h1>Kronos</h1><p>This host speaks XenAPI: POST XML-RPC to / or JSON-RPC to /jsonrpc.</p>"
        "</body></html>",
        content_type="text/html",
    )

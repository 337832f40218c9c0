"""POST /cli: xe's words come in, and after that the connection is the thin CLI protocol's.

The commands themselves run in threads, one for each xe: they are written as calls one after
the other. Whatever touches the daemon or the connection is done on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from xapi_shim.base.errors import KronosError
from xapi_shim.cli import protocol
from xapi_shim.cli.engine.command import ApiError, CommandError
from xapi_shim.cli.engine.help import run_help
from xapi_shim.cli.engine.interpreter import Line, parse_lines, run
from xapi_shim.datamodel.types import Kind
from xapi_shim.rpc.dispatch import Failure, Success
from xapi_shim.rpc.events import EventBatch
from xapi_shim.rpc.records import Records
from xapi_shim.rpc.wire import Request
from xapi_shim.web.cli_connection import Connection, HungUpError, RemoteTerminal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from xapi_shim.rpc.dispatch import Dispatcher
    from xapi_shim.rpc.sessions import Origin
    from xapi_shim.web.guard import DoorLimits

log = logging.getLogger(__name__)

# As many commands of xe at once by each door: the reference's limit of connections is 800, most of them not xe's.
MAX_COMMANDS = 64
# How long xe may take to greet.
GREETING_S = 30.0


class InProcessApi:
    """A session with this very daemon; calls take the same road as those from outside."""

    def __init__(self, dispatcher: Dispatcher, connection: Connection, origin: Origin) -> None:
        self._dispatcher, self._connection, self._origin = dispatcher, connection, origin
        self.session = ""

    def login(self, line: Line) -> None:
        """Open the session, unless the request brought one. Raises ApiError."""
        if line.session:
            self.session = line.session
            return
        who = (line.user or "root", line.password, "1.0", "xe")
        self.session = str(self._connection.wait(self._serve("session.login_with_password", who)))

    def logout(self) -> None:
        self._connection.wait(self._serve("session.logout", (self.session,)))

    def call(self, method: str, *args: Any) -> Any:  # noqa: ANN401 -- any XenAPI value
        return self._connection.wait(self._serve(method, (self.session, *args)))

    async def _serve(self, method: str, params: tuple[Any, ...]) -> Any:  # noqa: ANN401
        outcome = await self._dispatcher.serve(Request(method, list(params)), self._origin)
        if isinstance(outcome, Failure):
            code, *rest = outcome.description
            raise ApiError(code, tuple(rest))
        return self._value(outcome)

    @staticmethod
    def _value(outcome: Success) -> Any:  # noqa: ANN401
        if isinstance(outcome.value, EventBatch):
            return {"token": outcome.value.token}
        if isinstance(outcome.value, Records):
            return {ref: dict(row.values) for ref, row in outcome.value.rows.items()}
        # Records are copied here, on the loop, where nothing changes them meanwhile: shallowly, as
        # the database puts a new value in a field's place and leaves the old one as it was.
        value: Any = outcome.value
        match outcome.type.kind:
            case Kind.VOID:
                return ""
            case Kind.SET if outcome.type.of[0].kind is Kind.RECORD:
                return [dict(row) for row in value]
            case Kind.RECORD:
                return dict(value)
            case _:
                return value


class _Takeover(asyncio.StreamReaderProtocol):
    """Takes a connection over from the HTTP server and its guard, and gives its end back to them."""

    def __init__(self, reader: asyncio.StreamReader, http: asyncio.BaseProtocol) -> None:
        super().__init__(reader)
        self._http = http

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._http.connection_lost(exc)


class _NoResponse(web.StreamResponse):
    """What the HTTP server is told to answer once the connection is no longer HTTP: nothing."""

    async def prepare(self, request: web.BaseRequest) -> None:
        del request

    async def write_eof(self, data: bytes = b"") -> None:
        del data


class CliEndpoint:
    """Serves xe; one for the daemon."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        # One for each door: strangers who are busy logging in do not keep this host's own xe waiting.
        self._threads: list[ThreadPoolExecutor] = []
        self._connections: set[Connection] = set()

    def close(self) -> None:
        """End the commands that run. On the event loop."""
        for connection in self._connections:
            connection.abort()
        for threads in self._threads:
            threads.shutdown(wait=False, cancel_futures=True)

    def handler(
        self, origin_of: Callable[[web.Request], Origin], limits: DoorLimits
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return what serves POST /cli behind one door."""
        threads = ThreadPoolExecutor(MAX_COMMANDS, "xe")
        self._threads.append(threads)

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                async with asyncio.timeout(limits.body_s):
                    body = await request.read()
            except TimeoutError:
                return web.Response(status=HTTPStatus.REQUEST_TIMEOUT)
            await self._converse(request, body.decode(errors="replace"), origin_of(request), threads)
            response = _NoResponse()
            response.force_close()
            return response

        return handle

    async def _converse(
        self, request: web.Request, body: str, origin: Origin, threads: ThreadPoolExecutor
    ) -> None:
        transport = request.transport
        if transport is None:
            return
        # The guard of the door, which passes everything on to aiohttp.
        http = transport.get_protocol()
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        taken = _Takeover(reader, http)
        transport.set_protocol(taken)
        taken.connection_made(transport)
        writer = asyncio.StreamWriter(transport, taken, reader, loop)
        connection = Connection(loop, reader, writer)
        self._connections.add(connection)
        try:
            if await self.serve_xe(reader, writer, body, origin):
                return
            await connection.write(protocol.HELLO)
            async with asyncio.timeout(GREETING_S):
                protocol.check_hello(await reader.readexactly(len(protocol.HELLO)))
            await loop.run_in_executor(threads, self._work, connection, body, origin)
            await connection.flush()
        except (
            TimeoutError,
            EOFError,
            protocol.ProtocolError,
            ConnectionError,
            HungUpError,
            KronosError,
        ) as error:
            log.info("xe at %s: %s", origin.address or origin.door, error)
        finally:
            self._connections.discard(connection)
            # One that is closed has let go of its protocols: those are told by the one that took it over.
            if not transport.is_closing():
                transport.set_protocol(http)
                transport.close()

    async def serve_xe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: str, origin: Origin
    ) -> bool:
        """Say whether somebody else has served this xe: here nobody does."""
        del reader, writer, body, origin
        return False

    def _work(self, connection: Connection, body: str, origin: Origin) -> None:
        """Run a command in its thread, and tell xe with which status to exit."""
        try:
            connection.send(protocol.EXIT, self._status(connection, body, origin))
        except HungUpError as error:
            log.info("xe at %s hung up: %s", origin.address or origin.door, error)

    def _status(self, connection: Connection, body: str, origin: Origin) -> int:
        """Run a command and return its status. Raises HungUpError."""
        terminal = RemoteTerminal(connection)
        try:
            line = parse_lines(body.split("\n"))
            if line.name == "help":
                return run_help(line.args, minimal=False, terminal=terminal)
            return self._session(line, connection, terminal, origin)
        except CommandError as error:
            terminal.print_error(f"Syntax error: {error}\nFor usage run: 'xe help'\n")
        except HungUpError:
            raise
        except Exception as error:  # the boundary: a user is answered, whatever broke
            log.exception("xe command failed")
            terminal.error("INTERNAL_ERROR", (f"{type(error).__name__}: {error}",))
        return 1

    def _session(self, line: Line, connection: Connection, terminal: RemoteTerminal, origin: Origin) -> int:
        api = InProcessApi(self._dispatcher, connection, origin)
        try:
            api.login(line)
        except ApiError as error:
            terminal.error(error.code, error.params)
            return 1
        try:
            return run(line, api, terminal)
        finally:
            if not line.session:
                api.logout()

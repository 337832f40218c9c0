"""A member's unix socket: what root asks there, the pool's master is asked, and answers.

Only what a host answers for itself when it has no master (protocol facts, section 2.6) stays here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import CannotContactHostError
from xapi_shim.datamodel.permissions import EMERGENCY_CALLS
from xapi_shim.pool.link import LinkError, open_stream
from xapi_shim.rpc import jsonrpc
from xapi_shim.rpc import xmlrpc as xml
from xapi_shim.rpc.dispatch import Failure
from xapi_shim.rpc.endpoint import Endpoint
from xapi_shim.rpc.sessions import Door
from xapi_shim.web.cli_connection import RemoteTerminal
from xapi_shim.web.cli_endpoint import CliEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from xapi_shim.datamodel.model import DataModel
    from xapi_shim.pool.link import Link
    from xapi_shim.rpc.dispatch import Dispatcher
    from xapi_shim.rpc.sessions import Origin, Sessions
    from xapi_shim.rpc.wire import Request
    from xapi_shim.web.cli_connection import Connection

log = logging.getLogger(__name__)

LOGIN, LOGOUT = "session.login_with_password", "session.logout"
SLAVE_LOGIN = "session.slave_login"
# They open, and end, a session with this host alone.
OWN = frozenset(
    {"session.slave_local_login", "session.slave_local_login_with_password", "session.local_logout"}
)
# So many calls wait for the master at once.
MAX_CALLS = 256
AT_ONCE = 64 << 10


class Relay:
    """The way to the master; `own_host` is this host's ref, `secret` the pool's."""

    def __init__(
        self, link: Link, known: Callable[[], set[str]], secret: Callable[[], str], own_host: str
    ) -> None:
        self.link, self.known, self.secret, self.own_host = link, known, secret, own_host
        self._threads = ThreadPoolExecutor(MAX_CALLS, "relay")

    async def send(self, path: str, body: bytes, content_type: str) -> bytes:
        """Post a call to the master and return what it answers. Raises LinkError."""
        headers = {"Content-Type": content_type}
        return await asyncio.get_running_loop().run_in_executor(
            self._threads,
            lambda: self.link.send("POST", path, body, headers, timeout_s=None, repeatable=False),
        )

    async def login(self) -> str:
        """Open a session with the master for root on this host. Raises LinkError, KeyError and ValueError for a refusal."""
        answered = await self.send("/jsonrpc", self.json_login(1, 2), "application/json")
        return str(json.loads(answered)["result"])

    async def logout(self, session: str) -> None:
        """End a session with the master; one that cannot be ended dies of age."""
        call = {"jsonrpc": "2.0", "id": 1, "method": LOGOUT, "params": [session]}
        with contextlib.suppress(LinkError):
            await self.send("/jsonrpc", json.dumps(call).encode(), "application/json")

    def json_login(self, identity: object, version: int) -> bytes:
        """Return root's login as hosts of a pool log in, for JSON-RPC."""
        call = {"id": identity, "method": SLAVE_LOGIN, "params": [self.own_host, self.secret()]}
        return json.dumps({**call, **({"jsonrpc": "2.0"} if version == 2 else {})}).encode()

    def xml_login(self) -> bytes:
        return xmlrpc.client.dumps((self.own_host, self.secret()), SLAVE_LOGIN).encode()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class RelayingEndpoint(Endpoint):
    """Answers what comes by the unix socket with what the master says."""

    def __init__(self, model: DataModel, dispatcher: Dispatcher, sessions: Sessions, relay: Relay) -> None:
        super().__init__(model, dispatcher)
        self._sessions, self._relay = sessions, relay

    async def xml(self, body: bytes, origin: Origin) -> list[bytes]:
        """See Endpoint. Raises MalformedCallError."""
        request = xml.parse_call(body) if origin.door is Door.UNIX else None
        if request is None or self._is_own(request):
            return await super().xml(body, origin)
        if request.method == LOGIN:
            body = self._relay.xml_login()
        try:
            return [await self._relay.send("/", body, "text/xml")]
        except LinkError as error:
            log.warning("%s", error)
            return self.xml_answer(self._unreachable())

    async def json(self, body: bytes, origin: Origin) -> list[bytes]:
        """See Endpoint. Raises MalformedCallError."""
        request = jsonrpc.parse_call(body) if origin.door is Door.UNIX else None
        if request is None or self._is_own(request):
            return await super().json(body, origin)
        if request.method == LOGIN:
            body = self._relay.json_login(request.id, request.version)
        try:
            return [await self._relay.send("/jsonrpc", body, "application/json")]
        except LinkError as error:
            log.warning("%s", error)
            return [jsonrpc.failure(request, self._unreachable().description).encode()]

    def _is_own(self, request: Request) -> bool:
        """Say whether this host answers by itself: what opens an emergency's session, and what comes with one."""
        if request.method in OWN:
            return True
        first = request.params[0] if request.params else ""
        return (
            request.method in EMERGENCY_CALLS
            and isinstance(first, str)
            and self._sessions.is_emergency(first)
        )

    def _unreachable(self) -> Failure:
        return Failure(CannotContactHostError(self._relay.link.address).description())


class RelayingCli(CliEndpoint):
    """Hands xe's connections by the unix socket over to the master."""

    def __init__(self, dispatcher: Dispatcher, relay: Relay) -> None:
        super().__init__(dispatcher)
        self._relay = relay

    async def serve_xe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: str, origin: Origin
    ) -> bool:
        """See CliEndpoint."""
        if origin.door is not Door.UNIX:
            return False
        relay = self._relay
        try:
            session = await relay.login()
        except (LinkError, KeyError, ValueError) as error:
            log.warning("xe: %s", error)
            return False
        try:
            there, back = await open_stream(relay.link.address, relay.link.port, relay.known())
            with contextlib.closing(back):
                lines = [line for line in body.split("\n") if not line.startswith("session_id=")]
                words = "\n".join([f"session_id={session}", *lines]).encode()
                head = f"POST /cli HTTP/1.0\r\nHost: pool\r\nContent-Length: {len(words)}\r\n\r\n"
                back.write(head.encode() + words)
                await _both_ways((reader, back), (there, writer))
        finally:
            await relay.logout(session)
        return True

    def _status(self, connection: Connection, body: str, origin: Origin) -> int:
        """Tell xe at this host's own door, whom the master did not take, that there is none."""
        if origin.door is not Door.UNIX:
            return super()._status(connection, body, origin)
        error = CannotContactHostError(self._relay.link.address)
        RemoteTerminal(connection).error(error.code, error.params)
        return 1


async def _both_ways(*pairs: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Pass bytes on from each reader to its writer, until one of the two sides ends."""
    running = [asyncio.create_task(_pass(*pair)) for pair in pairs]
    done, rest = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for one in rest:
        one.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for one in done:
        one.result()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(AT_ONCE):
        writer.write(data)
        await writer.drain()

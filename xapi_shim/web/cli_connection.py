"""The thin CLI protocol on one connection, as a command's thread sees it."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any, TypeVar

from xapi_shim.cli import protocol
from xapi_shim.cli.engine.command import CommandError, ExitWithError

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")
# The longest file that a command loads at once (certificates, licences).
MAX_LOADED = 16 << 20
# How long xe may leave what it is sent unread.
STALLED_S = 300.0


class HungUpError(Exception):
    """xe is gone."""


class Connection:
    """The protocol on one connection, for a command's thread: every method waits for the event loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._loop, self._reader, self._writer = loop, reader, writer
        self._pending: Future[Any] | None = None

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the event loop and return its result. Raises HungUpError once xe is gone."""
        if self._writer.is_closing():
            work.close()
            raise HungUpError("the connection is closed")
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._pending = future
        try:
            return future.result()
        except CancelledError as error:
            raise HungUpError("the daemon stops") from error

    def abort(self) -> None:
        """Have the command's thread end: what it waits for is cancelled, and what it asks for next."""
        self._writer.close()
        if self._pending is not None:
            self._pending.cancel()

    def send(self, tag: int, *parts: protocol.Part) -> None:
        """Send a command. Raises HungUpError."""
        self.wait(self.write(protocol.encode(protocol.COMMAND, tag, *parts)))

    async def write(self, data: bytes) -> None:
        """Write, on the event loop, no faster than xe reads. Raises HungUpError."""
        try:
            self._writer.write(data)
            async with asyncio.timeout(STALLED_S):
                await self._writer.drain()
        except (ConnectionError, TimeoutError) as error:
            raise HungUpError(str(error) or "xe does not read") from error

    async def flush(self) -> None:
        """Wait, on the event loop, until all is sent. Raises HungUpError."""
        if self._writer.is_closing():
            raise HungUpError("the connection is closed")
        # Not 0: asyncio's TLS transport would count an empty buffer as full.
        self._writer.transport.set_write_buffer_limits(high=1, low=0)
        await self.write(b"")

    def receive(self) -> protocol.Message:
        """Return xe's next message. Raises HungUpError."""
        return self.wait(self._receive())

    async def _receive(self) -> protocol.Message:
        try:
            size = protocol.length(await self._reader.readexactly(4))
            return protocol.decode(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, protocol.ProtocolError, ConnectionError) as error:
            raise HungUpError(str(error)) from error

    def blob(self) -> bytes:
        """Return what xe sends in chunks. Raises HungUpError, CommandError for too much of it."""
        data = b""
        while True:
            message = self.receive()
            if message.kind != protocol.BLOB:
                raise HungUpError("a blob expected")
            if message.tag == protocol.END:
                return data
            size = int(str(message.parts[0]))
            if not 0 <= size <= MAX_LOADED - len(data):
                raise CommandError(f"a file of at most {MAX_LOADED >> 20} MiB expected")
            data += self.wait(self._exactly(size))

    async def _exactly(self, size: int) -> bytes:
        try:
            return await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise HungUpError(str(error)) from error


class RemoteTerminal:
    """The user's end of the line, by the thin CLI protocol."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def print(self, text: str) -> None:
        self._connection.send(protocol.PRINT, text)

    def print_error(self, text: str) -> None:
        self._connection.send(protocol.PRINT_STDERR, text)

    def error(self, code: str, params: tuple[str, ...]) -> None:
        self._connection.send(protocol.ERROR, code, list(params))

    def prompt(self) -> str:
        self._connection.send(protocol.PROMPT)
        return self._connection.blob().decode(errors="replace")

    def load(self, name: str) -> bytes:
        self._connection.send(protocol.LOAD, name)
        self._succeed()
        return self._connection.blob()

    def get(self, name: str, path: str) -> None:
        self._connection.send(protocol.HTTP_GET, name, path)
        self._succeed()

    def put(self, name: str, path: str) -> None:
        self._connection.send(protocol.HTTP_PUT, name, path)
        self._succeed()

    def console(self, path: str) -> None:
        self._connection.send(protocol.HTTP_CONNECT, path)
        self._succeed()

    def _succeed(self) -> None:
        """Wait for xe's answer. Raises ExitWithError when it failed, and said why to the user."""
        while True:
            message = self._connection.receive()
            if message.kind != protocol.RESPONSE:
                raise HungUpError("a response expected")
            if message.tag == protocol.FAILED:
                raise ExitWithError(1)
            if message.tag == protocol.OK:
                return

"""Stands between a connection and aiohttp: no more connections than a door holds, no request that never comes,
no answer that is never read.

aiohttp limits a header's size and the time between two requests, but waits for ever for the
rest of a header that has begun (the slow loris), and for a client to read.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


@dataclass
class DoorLimits:
    """How many connections a door holds, and for how many seconds a request's header or body may dawdle.

    `answer_s` is for how long a client may take nothing of what is sent to him.
    """

    connections: int
    header_s: float = 60.0
    body_s: float = 60.0
    answer_s: float = 60.0
    open: dict[asyncio.Protocol, Guard] = field(default_factory=dict)


class _Deadline:
    """Calls `late` a while after `start`, unless stopped before then."""

    def __init__(self, late: Callable[[], None]) -> None:
        self._late = late
        self._timer: asyncio.TimerHandle | None = None

    def start(self, after_s: float) -> None:
        """Begin to wait; a wait that has begun goes on as it is."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(after_s, self._pass)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pass(self) -> None:
        self._timer = None
        self._late()


class Guard(asyncio.Protocol):
    """One connection; everything goes on to aiohttp's own handler."""

    def __init__(self, inner: asyncio.Protocol, limits: DoorLimits) -> None:
        self._inner, self._limits = inner, limits
        self._header = _Deadline(self._give_up)
        self._reader = _Deadline(self._drop)
        self._transport: asyncio.BaseTransport | None = None
        self._serving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        if len(self._limits.open) >= self._limits.connections:
            log.warning("too many connections: one more is refused")
            transport.close()
            return
        self._limits.open[self._inner] = self
        self._inner.connection_made(transport)
        self._header.start(self._limits.header_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._header.stop()
        self._reader.stop()
        if self._limits.open.pop(self._inner, None) is not None:
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._inner in self._limits.open:
            if not self._serving:
                self._header.start(self._limits.header_s)
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner in self._limits.open else None

    def pause_writing(self) -> None:
        self._reader.start(self._limits.answer_s)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._reader.stop()
        self._inner.resume_writing()

    def _drop(self) -> None:
        if isinstance(self._transport, asyncio.WriteTransport):
            log.info("a connection that does not read its answer is dropped")
            # Not closed: that would wait for the rest to be read.
            self._transport.abort()

    def begun(self) -> None:
        """Note that a whole header is there."""
        self._serving = True
        self._header.stop()

    def ended(self) -> None:
        """Note that the request is answered: the next may come, or not."""
        self._serving = False

    def _give_up(self) -> None:
        if self._transport is not None:
            log.info("a connection without a request is closed")
            self._transport.close()


def guarded(server: web.Server, limits: DoorLimits) -> Callable[[], Guard]:
    """Return a protocol factory for asyncio's servers."""
    return lambda: Guard(server(), limits)


def noting(limits: DoorLimits) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Return the middleware that tells a connection's Guard of each request."""

    @web.middleware
    async def note(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        guard = limits.open.get(request.protocol)
        if guard is not None:
            guard.begun()
        try:
            return await handler(request)
        finally:
            if guard is not None:
                guard.ended()

    return note

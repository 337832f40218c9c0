"""One signal to any number of listeners, coalesced: a slow listener misses none, and sees few."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ChangeSignal:
    """`notify` wakes every listener; however often it is called meanwhile, each then looks once."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Event] = set()
        self._closed = False

    def notify(self) -> None:
        """Say that something may have changed."""
        for event in self._listeners:
            event.set()

    async def listen(self) -> AsyncIterator[None]:
        """Yield at once and after every `notify`, until `close`."""
        event = asyncio.Event()
        event.set()
        self._listeners.add(event)
        try:
            while True:
                await event.wait()
                if self._closed:
                    return
                event.clear()
                yield
        finally:
            self._listeners.discard(event)

    def close(self) -> None:
        """End every `listen`, also those to come."""
        self._closed = True
        self.notify()

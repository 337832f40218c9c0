"""The kernel's word that a device came or changed (kobject uevents, netlink(7)): something to wait for."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NETLINK_KOBJECT_UEVENT = 15
_FROM_KERNEL = 1
_BYTES = 1 << 16


@contextmanager
def listening() -> Iterator[socket.socket]:
    """Yield a socket that hears of every event from now on. Raises OSError."""
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _NETLINK_KOBJECT_UEVENT
    ) as wire:
        wire.bind((0, _FROM_KERNEL))
        yield wire


async def wait_until(check: Callable[[], bool], wire: socket.socket, timeout_s: float) -> bool:
    """Look at each event until `check` holds; say whether it did in time."""
    try:
        async with asyncio.timeout(timeout_s):
            while not check():
                await _next(wire)
    except TimeoutError:
        return check()
    return True


async def _next(wire: socket.socket) -> None:
    try:
        await asyncio.get_running_loop().sock_recv(wire, _BYTES)
    except OSError as error:
        # ENOBUFS: some were lost, which is a reason to look, too.
        if error.errno != errno.ENOBUFS:
            raise

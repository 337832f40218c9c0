"""File system calls that may never return, kept away from the event loop.

On a hard NFS mount a call waits until the server answers (nfs(5)), perhaps for ever. Each call
gets a daemon thread of its own: threads of a pool would all be taken soon, and the process
could not end. While one call to a place hangs, the next ones to it are refused at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from xapi_shim.storage.interface import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    P = ParamSpec("P")
T = TypeVar("T")

TIMEOUT_S = 20.0

# How many calls hang, by place. The kernel's state, in effect, so the process's.
_HANGING: Counter[str] = Counter()


class NotAnsweringError(StorageError):
    """What keeps the files of a place does not answer."""

    code = 47  # SRUnavailable

    def __init__(self, location: str) -> None:
        super().__init__(
            f"the storage of {location} does not answer",
            resolution="see that its server runs and can be reached",
        )
        self.location = location


async def off_loop(place: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return `function(...)`, which reads or writes files of `place`. Raises NotAnsweringError, and what it raises."""
    return await off_loop_within(TIMEOUT_S, place, partial(function, *args, **kwargs))


async def off_loop_within(timeout_s: float, place: str, function: Callable[[], T]) -> T:
    """Do `off_loop` for what may take long, as writing an image back to its disk does."""
    if _HANGING[place]:
        raise NotAnsweringError(place)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001 -- it is raised where it is awaited
            _tell(loop, done, error=error)
        else:
            _tell(loop, done, result=result)

    threading.Thread(target=work, daemon=True, name=f"files of {place}").start()
    finished, _ = await asyncio.wait({done}, timeout=timeout_s)
    if not finished:
        _HANGING[place] += 1
        done.add_done_callback(partial(_returned, place))
        raise NotAnsweringError(place)
    return done.result()


def _returned(place: str, done: asyncio.Future[Any]) -> None:
    _HANGING[place] -= 1
    done.exception()  # nobody waits for it any more


def _tell(
    loop: asyncio.AbstractEventLoop,
    done: asyncio.Future[Any],
    *,
    result: object = None,
    error: BaseException | None = None,
) -> None:
    def settle() -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    # RuntimeError: the loop has ended meanwhile, and with it whoever waited.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)

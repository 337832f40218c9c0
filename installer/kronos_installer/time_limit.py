"""A limit for what asks others and has no limit of its own as a whole: names, headers that come letter by letter."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def within(seconds: float, act: Callable[[], T]) -> T:
    """Return what `act` returns, raise what it raises. TimeoutError: it takes longer, and is left to itself."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(act())
        except BaseException as error:  # noqa: BLE001 -- raised again, by whoever waits
            done.set_exception(error)

    # Nothing stops getaddrinfo(3): a daemon thread keeps nobody from ending.
    threading.Thread(target=run, daemon=True).start()
    try:
        return done.result(seconds)
    except TimeoutError as error:
        if done.done():
            raise
        raise TimeoutError(f"no answer within {seconds:.0f} s") from error

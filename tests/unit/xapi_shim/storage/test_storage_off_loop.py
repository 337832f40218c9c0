"""Calls that may hang: those who wait are told, and the next ones do not wait."""

import asyncio
import threading

import pytest

from xapi_shim.storage.off_loop import NotAnsweringError, off_loop, off_loop_within


async def test_what_it_returns_and_raises():
    assert await off_loop("here", divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await off_loop("here", divmod, 7, 0)
    with pytest.raises(TimeoutError):  # an OSError of the function's own (ETIMEDOUT), not a call that hangs
        await off_loop("here", _time_out)
    assert await off_loop("here", int, "7") == 7


def _time_out():
    raise TimeoutError(110, "Connection timed out")


async def test_a_call_that_hangs_is_given_up_and_the_next_is_refused_at_once():
    answer, calls = threading.Event(), []
    with pytest.raises(NotAnsweringError, match="/dead"):
        await off_loop_within(0.05, "/dead", answer.wait)
    with pytest.raises(NotAnsweringError):
        await off_loop("/dead", calls.append, 1)
    assert calls == []
    assert await off_loop("/alive", int, "1") == 1
    answer.set()
    while True:  # until the thread has told the loop
        try:
            await off_loop("/dead", calls.append, 2)
        except NotAnsweringError:
            await asyncio.sleep(0)
        else:
            break
    assert calls == [2]


async def test_who_is_cancelled_leaves_nothing_behind():
    answer = threading.Event()
    task = asyncio.create_task(off_loop("/slow", answer.wait))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    answer.set()
    assert await off_loop("/slow", int, "1") == 1

"""Event fan-out: many listeners, many changes, how late each is told."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kronos_packaging.bench import Row, Times

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_lab.bench_daemon import Client, ServerProcess

LISTENERS = 100
RATE = 1000
LASTS_S = 5.0
OBJECTS = 50
# Writers take turns: each waits for its answer before its next change.
WRITERS = 8
# What a listener does with an answer is to cost little: it is the daemon that is measured.
TOKEN = re.compile(rb'"token":"(\d+,\d+)"')
STAMP = re.compile(rb'"result":"at (\d+) (\d+)"')


@dataclass
class Wire:
    """One connection of raw JSON-RPC."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def post(self, method: str, *params: object) -> bytes:
        """Return the answer's body."""
        body = json.dumps({"method": method, "params": params, "id": 1}).encode()
        head = f"POST /jsonrpc HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"(?i)content-length: (\d+)", answer)
        assert found is not None, answer
        return await self.reader.readexactly(int(found[1]))


@dataclass
class Heard:
    """What one listener was told: how late, in seconds, and the last number of each object."""

    late: list[float] = field(default_factory=list)
    last: int = -1


async def fan_out(running: ServerProcess, client: Client) -> Row:
    """Return a row whose times are the delays between a change's request and its news."""
    # Tasks change often and are not stored: what is measured is not the disk (that is a row of its own).
    refs = [str(client.call("task.create", f"n{number}", "")) for number in range(OBJECTS)]
    token = str(client.call("event.inject", "task", refs[0]))
    heard = [Heard() for _ in range(LISTENERS)]
    last = int(RATE * LASTS_S) - 1
    before, started = running.cpu_s, time.perf_counter()
    listening = [
        asyncio.create_task(_listen(running.socket, client.session, token, one, last)) for one in heard
    ]
    made = await _change(running.socket, client.session, refs, last)
    await asyncio.wait_for(asyncio.gather(*listening), 60)
    took, used = time.perf_counter() - started, running.cpu_s - before
    late = sorted(delay for one in heard for delay in one.late)
    p99 = late[int(len(late) * 0.99)]
    for ref in refs:
        client.call("task.destroy", ref)
    note = (
        f"{LISTENERS} of {LISTENERS} told the last change; {(last + 1) / made:.0f} changes/s made, p99 {p99:.3f} s"
        f" late, daemon's CPU {used / took:.0%}"
    )
    return Row(
        f"event fan-out, {LISTENERS} listeners, {RATE} changes/s",
        Times(tuple(late)),
        "",
        None,
        "p99 < 1 s",
        note,
    )


async def _open(path: Path) -> Wire:
    return Wire(*await asyncio.open_unix_connection(path, limit=2**26))


async def _listen(path: Path, session: str, token: str, heard: Heard, last: int) -> None:
    wire = await _open(path)
    while heard.last < last:
        answer = await wire.post("event.from", session, ["task", "pool"], token, 30.0)
        now = time.monotonic_ns()
        for number, at in STAMP.findall(answer):
            if int(number) > heard.last - OBJECTS:
                heard.late.append((now - int(at)) / 1e9)
            heard.last = max(heard.last, int(number))
        token = TOKEN.findall(answer)[-1].decode()
    wire.writer.close()


async def _change(path: Path, session: str, refs: list[str], last: int) -> float:
    """Make the changes at RATE, or as fast as they are answered; return how long it took, in seconds."""
    started = time.perf_counter()
    numbers = iter(range(last + 1))

    async def write() -> None:
        wire = await _open(path)
        for number in numbers:
            await asyncio.sleep(max(0.0, started + number / RATE - time.perf_counter()))
            stamp = f"at {number} {time.monotonic_ns()}"
            await wire.post("task.set_result", session, refs[number % OBJECTS], stamp)
        wire.writer.close()

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    return time.perf_counter() - started

"""Diagnostics.* and host.*: questions about the daemon itself."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import resource
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import InvalidValueError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call

MAX_STACKS = 500


async def gc_compact(call: Call, host: str) -> None:  # noqa: ARG001
    """Collect what nothing refers to any more."""
    gc.collect()


async def gc_stats(call: Call, host: str) -> dict[str, str]:  # noqa: ARG001
    """Return Python's figures of its garbage collector, and the most memory that the daemon had, in KiB."""
    told = {"objects_waiting": ",".join(map(str, gc.get_count()))}
    for generation, figures in enumerate(gc.get_stats()):
        told |= {f"generation_{generation}_{name}": str(value) for name, value in figures.items()}
    told["max_resident_kib"] = str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return told


async def db_stats(call: Call) -> dict[str, str]:
    """Return how many objects of each class there are, and how many changes there were."""
    counts = {name: str(len(table.rows)) for name, table in sorted(call.db.tables.items()) if table.rows}
    return {**counts, "generation": str(call.db.generation)}


async def network_stats(call: Call, host: str, params: dict[str, str]) -> list[list[str]]:  # noqa: ARG001
    """Return method, path and number of the requests that came, those of a `method` or `uri` only if asked.

    Raises INVALID_VALUE [params; key].
    """
    if unknown := params.keys() - {"method", "uri", "params"}:
        raise InvalidValueError("params", min(unknown))
    return [
        [method, path, str(count)]
        for (method, path), count in sorted(call.tools.requests.items())
        if params.get("method", method).upper() == method and params.get("uri", path) == path
    ]


async def get_diagnostic_timing_stats(call: Call, host: str, counts: bool) -> dict[str, str]:  # noqa: ARG001, FBT001
    """Return how many seconds messages took on average, and how far they are spread, by message."""
    return call.tools.timings.told(counts=counts)


async def get_thread_diagnostics(call: Call, host: str) -> str:  # noqa: ARG001
    """Return what the daemon's threads and tasks are doing, as JSON: name and stack of each."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    threads = [
        {"name": names.get(ident, ""), "stack": traceback.format_stack(frame)}
        for ident, frame in sys._current_frames().items()  # noqa: SLF001 -- there is no other way
    ]
    tasks = [
        {"name": task.get_name(), "stack": _stack(task)} for task in list(asyncio.all_tasks())[:MAX_STACKS]
    ]
    return json.dumps({"threads": threads, "tasks": tasks})


def _stack(task: asyncio.Task[object]) -> list[str]:
    text = io.StringIO()
    task.print_stack(file=text)
    return text.getvalue().splitlines()


MESSAGES = {
    "Diagnostics.gc_compact": gc_compact,
    "Diagnostics.gc_stats": gc_stats,
    "Diagnostics.db_stats": db_stats,
    "Diagnostics.network_stats": network_stats,
    "host.get_diagnostic_timing_stats": get_diagnostic_timing_stats,
    "host.get_thread_diagnostics": get_thread_diagnostics,
}

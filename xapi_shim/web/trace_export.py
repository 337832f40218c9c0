"""Sends spans where the observers want them: to files of the host, or by HTTP to collectors (Zipkin, v2 API)."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from typing import TYPE_CHECKING

import aiohttp

from xapi_shim.api.observer import BUGTOOL
from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.host.tls import client_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xapi_shim.base.paths import Paths
    from xapi_shim.rpc.tracing import Tracer

log = logging.getLogger(__name__)

MAX_FILES = 100
POST_TIMEOUT_S = 10.0


async def export(tracer: Tracer, paths: Paths) -> None:
    """Send all that waits; what an endpoint does not take is lost, and logged."""
    sendings = []
    for observer in tracer.observers.values():
        spans = list(observer.waiting)
        observer.waiting.clear()
        if spans:
            sendings += [_send(paths, observer.uuid, one, spans) for one in observer.endpoints]
    await asyncio.gather(*sendings)


async def _send(paths: Paths, observer: str, endpoint: str, spans: Sequence[dict[str, object]]) -> None:
    try:
        if endpoint == BUGTOOL:
            _keep(paths, observer, spans)
        else:
            await _post(paths, endpoint, spans)
    except (OSError, ssl.SSLError, aiohttp.ClientError, TimeoutError) as error:
        log.warning("%d spans are lost: %s: %s", len(spans), endpoint, str(error) or type(error).__name__)


def _keep(paths: Paths, observer: str, spans: Sequence[dict[str, object]]) -> None:
    """Write one line for each span to a file of its own; the oldest files go when there are too many."""
    folder = paths.traces
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = "".join(f"{json.dumps(span)}\n" for span in spans)
    write_atomic(folder / f"{time.time_ns():020d}-{observer}.ndjson", text.encode(), mode=0o600)
    for old in sorted(folder.glob("[0-9]*.ndjson"))[:-MAX_FILES]:
        old.unlink(missing_ok=True)


async def _post(paths: Paths, url: str, spans: Sequence[dict[str, object]]) -> None:
    context = client_context(paths) if url.startswith("https:") else None
    timeout = aiohttp.ClientTimeout(total=POST_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(
            url, json=list(spans), ssl=True if context is None else context, allow_redirects=False
        ) as answer,
    ):
        answer.raise_for_status()

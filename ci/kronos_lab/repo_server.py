"""Serves dist/apt to lab machines over HTTP, as a mirror would."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# How a machine on QEMU's user network reaches this host's loopback.
HOST_AS_SEEN_INSIDE = "10.0.2.2"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        """Log nothing: apt tells what it could not get."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve `folder` on the loopback; yield the URI by which lab machines reach it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST_AS_SEEN_INSIDE}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

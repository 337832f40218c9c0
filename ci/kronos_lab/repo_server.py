"""Serves dist/apt to lab machines over HTTP, as a mirror would."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kronos_packaging.repository.serve import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# How a machine on QEMU's user network reaches this host's loopback.
HOST_AS_SEEN_INSIDE = "10.0.2.2"


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve `folder` on the loopback; yield the URI by which lab machines reach it."""
    with serving(folder) as port:
        yield f"http://{HOST_AS_SEEN_INSIDE}:{port}"

"""A lock between processes (flock(2)) that dies with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def held_lock(path: Path) -> Iterator[None]:
    """Hold the lock on a folder, or on a file that is made where there is none; wait for whoever holds it now.

    Raises OSError.
    """
    flags = os.O_RDONLY if path.is_dir() else os.O_RDONLY | os.O_CREAT
    fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)

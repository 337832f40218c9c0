"""The mark that says that the daemon answers: a file with a lock on it (flock(2)), which a killed daemon holds no more."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ReadyMark:
    """Made by `set`, gone with `clear`. `xapi-wait-init-complete` waits for the file and for the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held = -1

    def set(self) -> None:
        """Say so. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(self.path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Shared: whoever looks takes the other kind, for a moment.
        fcntl.flock(held, fcntl.LOCK_SH)
        self._held = held

    def clear(self) -> None:
        """Say so no more; may be called without `set`. Raises OSError."""
        self.path.unlink(missing_ok=True)
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

"""Waiting for what the host brings about by itself: bounded, and said aloud."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE_S = 2.0


class GaveUpError(KronosError):
    """It did not come about in time."""

    def __init__(self, what: str, seconds: float, missing: str) -> None:
        super().__init__(
            f"waited {seconds:.0f} s until {what}: {missing}",
            resolution="journalctl -u xapi.service -b tells what the daemon does",
        )


def _pause() -> None:
    time.sleep(_PAUSE_S)


@dataclass(frozen=True)
class Patience:
    """How many seconds to wait, on which clock, and what passes the time between two looks."""

    seconds: float = 300.0
    now: Callable[[], float] = time.monotonic
    pause: Callable[[], None] = _pause

    def wait_until(self, what: str, missing: Callable[[], str], say: Callable[[str], None]) -> None:
        """Return when `missing` returns "": it says what is still not there, and `say` is told when that changes.

        Raises GaveUpError, with the last of what was missing.
        """
        end = self.now() + self.seconds
        told = ""
        while found := missing():
            if self.now() >= end:
                raise GaveUpError(what, self.seconds, found)
            if found != told:
                say(f"waiting until {what}: {found}")
                told = found
            self.pause()

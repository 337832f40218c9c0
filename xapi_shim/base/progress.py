"""Progress on stderr for people, and as JSON lines for programs; stdout carries results only."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Reporter:
    """Reports stages, nested by indentation; `as_json` prints one JSON object a line instead."""

    stream: IO[str] = field(default_factory=lambda: sys.stderr)
    as_json: bool = False
    _depth: int = 0

    def line(self, text: str) -> None:
        """Report one fact."""
        self._print({"event": "info", "text": text}, text)

    @contextmanager
    def stage(self, text: str, *, number: int = 0, total: int = 0) -> Iterator[None]:
        """Report the start and the end of a stage, and how long it took, in seconds.

        `number` of `total` counts stages from 1 where it is known how many there are.
        """
        started = time.monotonic()
        counted = {"number": number, "total": total} if total else {}
        self._print({"event": "start", "text": text, **counted}, f"{text} ...")
        self._depth += 1
        outcome = "failed"
        try:
            yield
            outcome = "done"
        finally:
            self._depth -= 1
            seconds = round(time.monotonic() - started, 1)
            self._print(
                {"event": outcome, "text": text, **counted, "seconds": seconds},
                f"{text}: {outcome}, {seconds} s",
            )

    def _print(self, record: dict[str, object], text: str) -> None:
        # Work that is half done must not end because nobody reads of it any more.
        with suppress(OSError):
            print(
                json.dumps(record) if self.as_json else "  " * self._depth + text,
                file=self.stream,
                flush=True,
            )

"""Times of ours and of a peer, taken in turn in one run, with the machine's own noise beside them."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Hashed for one calibration: a fifth of a second on a machine of 2024.
CALIBRATION_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Times:
    """The times of one thing, in seconds, in the order in which they were taken."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """The longest less the shortest, as a part of the median."""
        return (max(self.seconds) - min(self.seconds)) / self.median

    def __str__(self) -> str:
        return f"{min(self.seconds):.3g} / {self.median:.3g} s, ±{self.spread / 2:.0%}"


@dataclass(frozen=True)
class Row:
    """One comparison; `note` says why there is no `peer` or nothing of ours, or how to read it."""

    what: str
    ours: Times | None
    peer: str = ""
    theirs: Times | None = None
    wanted: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours for one of theirs."""
        return self.ours.median / self.theirs.median if self.ours and self.theirs else None


def seconds(act: Callable[[], object]) -> float:
    """Return how long `act` takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def in_turn(runs: int, ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[Times, Times]:
    """Time both `runs` times, one after the other, so that a busy minute meets both."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(runs)]
    return Times(tuple(pair[0] for pair in pairs)), Times(tuple(pair[1] for pair in pairs))


def repeated(runs: int, act: Callable[[], object]) -> Times:
    """Time `act` `runs` times."""
    return Times(tuple(seconds(act) for _ in range(runs)))


def calibrate(runs: int = 5) -> Times:
    """Time the same work again and again: what differs is the machine's noise."""
    block = bytes(CALIBRATION_BYTES)
    return repeated(runs, lambda: hashlib.sha256(block).digest())


def table(rows: Sequence[Row], noise: Sequence[Times]) -> str:
    """Return the comparison for people."""
    shown = Table(title="min / median seconds, half the spread", title_justify="left")
    for column in ("what", "kronos", "peer", "peer's", "ratio", "wanted", "note"):
        shown.add_column(column)
    for row in rows:
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        ours, theirs = (str(times) if times else "" for times in (row.ours, row.theirs))
        shown.add_row(row.what, ours, row.peer, theirs, ratio, row.wanted, row.note)
    console = Console(width=180)
    with console.capture() as captured:
        console.print(shown)
    every = Times(tuple(one for times in noise for one in times.seconds))
    return captured.get() + f"the machine's noise: the same work took {every}, between the rows\n"


def as_json(rows: Sequence[Row], noise: Sequence[Times]) -> str:
    """Return all times for scripts, in seconds."""
    told = [{**asdict(row), "ratio": row.ratio} for row in rows]
    return json.dumps({"rows": told, "noise": [asdict(times) for times in noise]}, indent=1)

"""From one Kronos version's rows to the next one's.

Most changes need nothing here: a field that is new has its default, one that went is dropped when its
row is next written, a class that is new has no rows yet. A step is for a field that got another name
or meaning, so that its value has to be carried over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Body = dict[str, object]
    # Class, ref and body as the store keeps them.
    StoredRow = tuple[str, str, Body]


@dataclass(frozen=True)
class Step:
    """One change of format: `change(class, body)` returns the row's new body, None to drop the row."""

    what: str
    change: Callable[[str, Body], Body | None]


# Oldest first; the store's format is one more than their number. Never changed once released.
STEPS: tuple[Step, ...] = ()


def upgraded(rows: Iterable[StoredRow], steps: Sequence[Step]) -> Iterator[tuple[str, str, Body | None]]:
    """Yield (class, ref, new body or None) of the rows that `steps` change, in their order."""
    for cls, ref, old in rows:
        body: Body | None = old
        for step in steps:
            body = None if body is None else step.change(cls, dict(body))
        if body != old:
            yield cls, ref, body

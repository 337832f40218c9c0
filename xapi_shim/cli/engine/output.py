"""What xe prints: records as aligned lines, or values only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Cell(NamedTuple):
    """One parameter of a record: its name, its marker such as ( RW) or (MRO), its value as text."""

    name: str
    marker: str
    value: str


def render_records(records: Sequence[Sequence[Cell]]) -> str:
    """Return records as xe prints them: the first key flush left, the others right, blank lines between."""
    return "\n\n\n".join(map(_render, records)) + ("\n\n" if records else "")


def _render(record: Sequence[Cell]) -> str:
    keys = [f"{cell.name} {cell.marker}" for cell in record]
    width = max(map(len, keys), default=0) + 4
    lines = [
        f"{key.rjust(width) if at else key.ljust(width)}: {cell.value}"
        for at, (key, cell) in enumerate(zip(keys, record, strict=True))
    ]
    return "\n".join(lines)


def render_minimal(values: Sequence[str]) -> str:
    """Return values joined by commas, commas in them escaped."""
    return ",".join(value.replace("\\", "\\\\").replace(",", "\\,") for value in values)


def map_text(value: Mapping[str, object]) -> str:
    """Return a map as xe prints it: `key: value`, semicolons between."""
    return "; ".join(f"{key}: {one}" for key, one in sorted(value.items()))

"""What readers of programs' outputs share: JSON that may be anything, programs that may be missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kronos_installer.problem import Level, Problem
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import ProgramMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.host import Runner


_MOST_DIGITS = 20  # those of 2**64


class UnreadableError(KronosError):
    """A program's output is not what its manual page promises."""


def json_object(text: str, what: str) -> dict[str, Any]:
    """Parse a JSON object. Raises UnreadableError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{what} does not print JSON: {error}") from error
    if not isinstance(found, dict):
        raise UnreadableError(f"{what} prints no JSON object")
    return found


def json_list(found: object, what: str) -> list[dict[str, Any]]:
    """Return a list of objects. Raises UnreadableError."""
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise UnreadableError(f"{what} prints no list of objects")
    return found


def text_of(found: object) -> str:
    """Return a JSON value as text, "" for null: columns are texts in some releases of a tool, numbers in others."""
    return "" if found is None else str(found)


def number_of(found: object) -> int:
    """Return a JSON number, or a text of digits, as an int; 0 for anything else, and for more digits than int() takes."""
    text = text_of(found).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def ask(query: Runner, argv: Sequence[str]) -> str | None:
    """Return what a program prints, None where it is not installed. Raises KronosError when it fails."""
    try:
        return query(argv)
    except ProgramMissingError:
        return None


def unknown(id_: str, title: str, error: object, remedy: str) -> Problem:
    """Return the warning of a fact that could not be read."""
    return Problem(Level.WARNING, id_, title, "", str(error), remedy)

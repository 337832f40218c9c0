"""A program's answer, or why there is none: readings stay data, whatever happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.problem import Level, Problem
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import ProgramMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.host import Runner


@dataclass(frozen=True)
class Answer:
    """`text` is what the program printed; `error` says why it failed, "" where it did not."""

    text: str = ""
    error: str = ""
    missing: bool = False


def ask(query: Runner, argv: Sequence[str]) -> Answer:
    """Run a program that only looks."""
    try:
        return Answer(query(argv))
    except ProgramMissingError as error:
        return Answer(error=str(error), missing=True)
    except KronosError as error:
        return Answer(error=str(error))


def error(id_: str, title: str, at: str, remedy: str, description: str = "") -> Problem:
    """Return a finding that keeps the host from its work, or soon will."""
    return Problem(Level.ERROR, id_, title, description, at, remedy)


def warning(id_: str, title: str, at: str, remedy: str, description: str = "") -> Problem:
    """Return a finding that deserves a look."""
    return Problem(Level.WARNING, id_, title, description, at, remedy)


def info(id_: str, title: str, at: str, remedy: str = "") -> Problem:
    """Return what is worth knowing and no fault of the host's."""
    return Problem(Level.INFO, id_, title, "", at, remedy)

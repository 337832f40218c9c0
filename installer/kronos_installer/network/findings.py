"""Short forms of the Problems that a network stack finds."""

from __future__ import annotations

from kronos_installer.problem import Level, Problem


def error(id_: str, title: str, at: str, remedy: str, description: str = "") -> Problem:
    """Return what refuses the set-up, found `at` a file and line."""
    return Problem(Level.ERROR, id_, title, description, at, remedy)


def warning(id_: str, title: str, at: str, remedy: str = "", description: str = "") -> Problem:
    """Return what deserves a look, found `at` a file and line."""
    return Problem(Level.WARNING, id_, title, description, at, remedy)

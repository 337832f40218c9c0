"""The root of every error that Kronos raises on purpose."""

from __future__ import annotations


class KronosError(Exception):
    """One sentence saying what is wrong, and one saying how to mend it.

    Only a program's ``main`` turns it into an exit status and a line on stderr.
    """

    exit_status = 1

    def __init__(self, message: str, *, resolution: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.resolution = resolution

    def __str__(self) -> str:
        return f"{self.message} ({self.resolution})" if self.resolution else self.message

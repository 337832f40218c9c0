"""stdin, stdout and stderr as a caller may leave them: closed, full, a pipe that nobody reads, of another encoding."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO


def prepare() -> None:
    """Have all three, and no text that cannot be read or written in the caller's encoding.

    The next file to be opened would take the number of one that is closed, and be what programs inherit as such.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 -- for good
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace" if name == "stdin" else "backslashreplace")


_lost: list[OSError] = []


def answer(text: str) -> None:
    """Print on stdout. What cannot be printed changes nothing of what was done: `finish` tells of it."""
    try:
        print(text, flush=True)
    except OSError as error:
        _lost.append(error)


def complain(text: str) -> None:
    """Print on stderr, if anybody reads that."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def finish(status: int, unsaid: int) -> int:
    """Return the exit status: `unsaid` in place of 0 where stdout could not be written; a reader that left is no fault."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _lost.append(error)
    if _lost:
        why = _lost[-1]
        _lost.clear()
        _abandon(sys.stdout)
        if not isinstance(why, BrokenPipeError):
            complain(f"xapi-host-setup: the answer could not be written: {why.strerror}")
            status = status or unsaid
    try:
        sys.stderr.flush()
    except OSError:
        _abandon(sys.stderr)
    return status


def _abandon(stream: TextIO) -> None:
    """Have nothing of a stream left to fail: the interpreter tries once more when it ends, with an exit status of its own."""
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), stream.fileno())

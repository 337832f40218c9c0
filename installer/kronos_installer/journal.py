"""The write-ahead journal: one ordered log of what is about to be done and what has been.

JSON lines in /var/lib/xapi-host-setup/journal.jsonl. The first holds the whole plan; then for
each step an `intent` with the originals, written and fsynced before anything is touched, and a
`done` after; `applied` ends what is done before the reboot, `confirmed` says by what the new network
was found to work and whether under Xen, `left-xen` that it did not work there, and after the steps that waited for it `finished` ends all. `switching` comes before the
running network is changed, `switched` after; `guarded` says that the boot guard put a network step's originals back.
A `reconfigure` adds steps of its own, and what answers by then; `reconfigured` ends those before the reboot. What changes
how Xen boots is then tried: `confirmed` and `finished` end it as they end a set-up, or `change-back` (why, and the boot that
must end after it), an `undone` for each step and `unchanged` take it back; `try-back` comes before the last of them where
Xen with the old options was chosen for one boot first, `confirmed-back` when it was seen to work.
`rollback`, an `undone` (or `given-up`) for each step from the last to the first, and `rolled-back`
are the way back; the file is then renamed to rolled-back.jsonl. `reserve`, beside it, is room on the disk for
that way: it is given back when the way begins.

A line that a crash cut off is the last one and was not yet acted on; it is dropped.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.journal_state import FORMAT, Phase, State, fold
from kronos_installer.steps.step import Record, step_to_json
from kronos_installer.wishes_record import wishes_to_record
from xapi_shim.base.atomic_file import fsync_directory
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.plan import Plan

__all__ = [
    "DEADLINE",
    "FINISHED",
    "JOURNAL",
    "RESERVE",
    "STATE_DIRECTORY",
    "Journal",
    "JournalDamagedError",
    "Phase",
    "State",
]

STATE_DIRECTORY = str(Paths().host_setup_state)
JOURNAL = f"{STATE_DIRECTORY}/journal.jsonl"
FINISHED = f"{STATE_DIRECTORY}/rolled-back.jsonl"
RESERVE = f"{STATE_DIRECTORY}/reserve"
# Until when the new network must be confirmed under this boot (kronos_installer.settle).
DEADLINE = "/run/xapi-host-setup/deadline"
# The records of the way back, and each file's original, written beside what it replaces: a menu of GRUB's is the largest.
_RESERVE_BYTES = 256 * 1024


class JournalDamagedError(KronosError):
    """The journal is not what this program wrote."""

    def __init__(self, path: str, line: int, what: str) -> None:
        super().__init__(
            f"{path}:{line}: {what}", resolution="nothing was changed; restore the file from a backup"
        )


class JournalForbiddenError(KronosError):
    """Whoever asks may not read the journal: the originals in it may hold secrets."""

    # As of a command that only root may give.
    exit_status = 2

    def __init__(self, path: str) -> None:
        super().__init__(
            f"only root can see how far this host is: {path} is root's alone", resolution="use sudo"
        )


@dataclass(frozen=True)
class Journal:
    """The journal of one host."""

    host: Host

    def load(self) -> State:
        """Return the state. Raises JournalDamagedError, JournalForbiddenError, OSError."""
        return self._load(JOURNAL)

    def load_finished(self) -> State:
        """Return what the last rollback left: why, and whether it waits for a reboot. Raises JournalDamagedError."""
        return self._load(FINISHED)

    def _load(self, path: str) -> State:
        try:
            data = self.host.at(path).read_bytes()
        except FileNotFoundError:
            return State()
        except PermissionError as error:
            raise JournalForbiddenError(path) from error
        state = State()
        lines = data.split(b"\n")
        if len(lines) == 1:
            # It takes its name when the plan is whole in it, so this is no crash of ours; the originals were in it.
            raise JournalDamagedError(path, 1, "it was cut off: not even the plan is whole")
        for number, line in enumerate(lines[:-1], 1):
            try:
                fold(state, json.loads(line))
            except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
                raise JournalDamagedError(path, number, f"not a record of this program: {error!r}") from error
        return state

    def begin(self, plan: Plan) -> None:
        """Start a journal with a plan. A crash leaves no journal or one that holds the whole plan. Raises OSError.

        What an earlier set-up was waited for under this boot is over, and no deadline of this one.
        """
        with suppress(OSError):
            self.host.at(DEADLINE).unlink(missing_ok=True)
        record = {
            "record": "plan",
            "format": FORMAT,
            "boot_id": self.host.boot_id(),
            "wishes": wishes_to_record(plan.wishes),
            "gateways": list(plan.gateways),
            "steps": [step_to_json(step) for step in plan.steps],
        }
        self.host.make_directory(STATE_DIRECTORY)
        # The originals may hold secrets (keys in network configurations).
        self.host.at(STATE_DIRECTORY).chmod(0o700)
        aside = self.host.temporary(JOURNAL)
        aside.unlink(missing_ok=True)
        try:
            self.reserve()
            self._write(aside, record, os.O_CREAT | os.O_EXCL)
        except OSError:
            aside.unlink(missing_ok=True)
            self.release()
            raise
        aside.rename(self.host.at(JOURNAL))
        fsync_directory(aside.parent)
        self.host.on_effect("after beginning the journal")

    def reserve(self) -> None:
        """Keep room for the way back, which must not fail on a disk that the way forth has filled. Raises OSError."""
        with self.host.at(RESERVE).open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, _RESERVE_BYTES)

    def release(self) -> None:
        """Give that room back: what follows is the way back."""
        # On a file system that is read-only by now there is none to be had.
        with suppress(OSError):
            self.host.at(RESERVE).unlink(missing_ok=True)

    def add(self, record: Record) -> None:
        """Append a record and make it durable."""
        self._drop_torn_line()
        self._write(self.host.at(JOURNAL), record, os.O_APPEND)

    def finish(self) -> None:
        """Put the journal of a finished rollback away."""
        journal = self.host.at(JOURNAL)
        self.host.on_effect("before finishing the journal")
        journal.replace(self.host.at(FINISHED))
        self.host.on_effect("after finishing the journal")
        fsync_directory(journal.parent)

    def _write(self, path: os.PathLike[str], record: Record, flags: int) -> None:
        line = json.dumps(record).encode() + b"\n"
        fd = os.open(path, os.O_WRONLY | flags, 0o600)
        try:
            self.host.on_effect(f"before recording {record['record']}")
            half = len(line) // 2
            _write_whole(fd, line[:half])
            self.host.on_effect(f"half-way through recording {record['record']}")
            _write_whole(fd, line[half:])
            os.fsync(fd)
            self.host.on_effect(f"after recording {record['record']}")
        finally:
            os.close(fd)

    def _drop_torn_line(self) -> None:
        data = self.host.at(JOURNAL).read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            os.truncate(self.host.at(JOURNAL), whole)


def _write_whole(fd: int, data: bytes) -> None:
    """Write all of it: on a disk that fills up write(2) takes a part and says no word of an error. Raises OSError."""
    while data:
        data = data[os.write(fd, data) :]

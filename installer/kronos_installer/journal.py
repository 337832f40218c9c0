"""The write-ahead journal: one ordered log of what is about to be done and what has been.

JSON lines in /var/lib/xapi-host-setup/journal.jsonl. The first holds the whole plan; then for
each step an `intent` with the originals, written and fsynced before anything is touched, and a
`done` after; `applied` ends what is done before the reboot, `confirmed` says by what the new network
was found to work, and after the steps that waited for it `finished` ends all. `switching` comes before the
running network is changed, `switched` after; `guarded` says that the boot guard put a network step's originals back.
`rollback`, an `undone` (or `given-up`) for each step from the last to the first, and `rolled-back`
are the way back; the file is then renamed to rolled-back.jsonl.

A line that a crash cut off is the last one and was not yet acted on; it is dropped.
"""

from __future__ import annotations

import json
import os
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

__all__ = ["FINISHED", "JOURNAL", "STATE_DIRECTORY", "Journal", "JournalDamagedError", "Phase", "State"]

STATE_DIRECTORY = str(Paths().host_setup_state)
JOURNAL = f"{STATE_DIRECTORY}/journal.jsonl"
FINISHED = f"{STATE_DIRECTORY}/rolled-back.jsonl"


class JournalDamagedError(KronosError):
    """The journal is not what this program wrote."""

    def __init__(self, path: str, line: int, what: str) -> None:
        super().__init__(
            f"{path}:{line}: {what}", resolution="nothing was changed; restore the file from a backup"
        )


@dataclass(frozen=True)
class Journal:
    """The journal of one host."""

    host: Host

    def load(self) -> State:
        """Return the state. Raises JournalDamagedError."""
        return self._load(JOURNAL)

    def load_finished(self) -> State:
        """Return what the last rollback left: why, and whether it waits for a reboot. Raises JournalDamagedError."""
        return self._load(FINISHED)

    def _load(self, path: str) -> State:
        try:
            data = self.host.at(path).read_bytes()
        except FileNotFoundError:
            return State()
        state = State()
        lines = data.split(b"\n")
        for number, line in enumerate(lines[:-1], 1):
            try:
                fold(state, json.loads(line))
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise JournalDamagedError(path, number, f"not a record of this program: {error!r}") from error
        return state

    def begin(self, plan: Plan) -> None:
        """Start a journal with a plan. A crash leaves no journal or one that holds the whole plan."""
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
        self._write(aside, record, os.O_CREAT | os.O_EXCL)
        aside.rename(self.host.at(JOURNAL))
        fsync_directory(aside.parent)
        self.host.on_effect("after beginning the journal")

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
            os.write(fd, line[:half])
            self.host.on_effect(f"half-way through recording {record['record']}")
            os.write(fd, line[half:])
            os.fsync(fd)
            self.host.on_effect(f"after recording {record['record']}")
        finally:
            os.close(fd)

    def _drop_torn_line(self) -> None:
        data = self.host.at(JOURNAL).read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            os.truncate(self.host.at(JOURNAL), whole)

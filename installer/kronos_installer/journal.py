"""The write-ahead journal: one ordered log of what is about to be done and what has been.

JSON lines in /var/lib/xapi-host-setup/journal.jsonl. The first holds the whole plan; then for
each step an `intent` with the originals, written and fsynced before anything is touched, and a
`done` after; `applied` ends an apply. `rollback`, an `undone` for each step from the last to the
first, and `rolled-back` are the way back; the file is then renamed to rolled-back.jsonl.

A line that a crash cut off is the last one and was not yet acted on; it is dropped.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from kronos_installer.steps.step import Record, Step, step_from_json, step_to_json
from kronos_installer.wishes_record import wishes_from_record, wishes_to_record
from xapi_shim.base.atomic_file import fsync_directory
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.plan import Plan
    from kronos_installer.wishes import Wishes

FORMAT = 2
STATE_DIRECTORY = str(Paths().host_setup_state)
JOURNAL = f"{STATE_DIRECTORY}/journal.jsonl"
FINISHED = f"{STATE_DIRECTORY}/rolled-back.jsonl"


class Phase(StrEnum):
    """How far the host is."""

    CLEAN = "clean"
    APPLYING = "apply interrupted"
    APPLIED = "applied"
    ROLLING_BACK = "rollback interrupted"


class JournalDamagedError(KronosError):
    """The journal is not what this program wrote."""

    def __init__(self, path: str, line: int, what: str) -> None:
        super().__init__(
            f"{path}:{line}: {what}", resolution="nothing was changed; restore the file from a backup"
        )


@dataclass
class State:
    """What the journal says. Keys of the mappings are places in `steps`; `wishes` is None without a plan.

    `boot_id` is of the boot that the plan was carried out under.
    """

    phase: Phase = Phase.CLEAN
    steps: tuple[Step, ...] = ()
    intents: dict[int, Record] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    undone: set[int] = field(default_factory=set)
    wishes: Wishes | None = None
    boot_id: str = ""


@dataclass(frozen=True)
class Journal:
    """The journal of one host."""

    host: Host

    def load(self) -> State:
        """Return the state. Raises JournalDamagedError."""
        try:
            data = self.host.at(JOURNAL).read_bytes()
        except FileNotFoundError:
            return State()
        state = State()
        lines = data.split(b"\n")
        for number, line in enumerate(lines[:-1], 1):
            try:
                _fold(state, json.loads(line))
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise JournalDamagedError(
                    JOURNAL, number, f"not a record of this program: {error!r}"
                ) from error
        return state

    def begin(self, plan: Plan) -> None:
        """Start a journal with a plan. A crash leaves no journal or one that holds the whole plan."""
        record = {
            "record": "plan",
            "format": FORMAT,
            "boot_id": self.host.read("/proc/sys/kernel/random/boot_id").strip(),
            "wishes": wishes_to_record(plan.wishes),
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


def _fold(state: State, record: Record) -> None:
    """Add one record to the state. Raises KeyError, ValueError, IndexError for what cannot follow."""
    kind = record["record"]
    if kind == "plan":
        if record["format"] != FORMAT:
            raise ValueError(f"format {record['format']}")
        state.steps = tuple(step_from_json(step) for step in record["steps"])
        state.wishes = wishes_from_record(record["wishes"])
        state.boot_id = record["boot_id"]
        state.phase = Phase.APPLYING
    elif kind == "intent":
        state.intents[_place(state, record)] = record["original"]
    elif kind == "done":
        state.done.add(_place(state, record))
    elif kind == "undone":
        state.undone.add(_place(state, record))
    else:
        ends = {"applied": Phase.APPLIED, "rollback": Phase.ROLLING_BACK, "rolled-back": Phase.CLEAN}
        state.phase = ends[kind]


def _place(state: State, record: Record) -> int:
    place = record["step"]
    if not isinstance(place, int) or not 0 <= place < len(state.steps):
        raise IndexError(f"step {place}")
    return place

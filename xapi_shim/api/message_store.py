"""Where the messages for people are kept: one file each, in the order in which they were sent.

They are no rows of the database: the reference keeps them in files too, at most 10,000, and
forgets the oldest.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections import deque
from typing import TYPE_CHECKING

from xapi_shim.base.atomic_file import fsync_directory, write_atomic
from xapi_shim.database.database import new_ref
from xapi_shim.database.table import DELETED_ROWS_KEPT, Deleted
from xapi_shim.datamodel.errors import HandleInvalidError, UuidInvalidError
from xapi_shim.rpc.dates import now_text
from xapi_shim.rpc.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from xapi_shim.datamodel.model import Value

    Record = dict[str, Value]

log = logging.getLogger(__name__)

MOST = 10_000


class MessageStore:
    """The messages by ref, oldest first."""

    def __init__(self, folder: Path, most: int = MOST, advance: Callable[[], int] = lambda: 0) -> None:
        """Read what is there. Raises OSError; a file that cannot be read as a message is passed over.

        `advance` gives a new generation for each change.
        """
        self._folder, self._most, self._advance = folder, most, advance
        # By ref the generation that each message came with; those of before this start came with the first.
        self._since: dict[str, int] = {}
        self._start = self._newest = advance()
        self._gone: deque[Deleted] = deque(maxlen=DELETED_ROWS_KEPT)
        self._records: dict[str, Record] = {}
        self._files: dict[str, Path] = {}
        self._next = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("[0-9]*.json")):
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            ref, record = json.loads(path.read_bytes())
            self._next = max(self._next, int(path.stem) + 1)
        except ValueError as error:
            log.warning("%s is no message: %s", path, error)
            return
        self._records[ref], self._files[ref] = record, path

    def add(self, name: str, priority: int, cls: str, obj_uuid: str, body: str) -> str:
        """Keep a new message, durably, and return its ref. Raises OSError."""
        ref, path = new_ref(), self._folder / f"{self._next:020d}.json"
        record: Record = {
            "uuid": str(uuid.uuid4()),
            "name": name,
            "priority": priority,
            "cls": cls,
            "obj_uuid": obj_uuid,
            "timestamp": now_text(),
            "body": body,
        }
        write_atomic(path, json.dumps([ref, record]).encode(), mode=0o600)
        self._next += 1
        self._records[ref], self._files[ref] = record, path
        self._since[ref] = self._newest = self._advance()
        self.remove(list(self._records)[: max(0, len(self._records) - self._most)])
        return ref

    def remove(self, refs: Iterable[str]) -> None:
        """Forget messages, all of them or none. Raises HANDLE_INVALID [message; ref], OSError."""
        gone = list(dict.fromkeys(refs))
        for ref in gone:
            self.get(ref)
        for ref in gone:
            self._files.pop(ref).unlink(missing_ok=True)
            del self._records[ref]
            self._newest = self._advance()
            self._gone.append(Deleted(ref, self._since.pop(ref, self._start), self._newest))
        if gone:
            fsync_directory(self._folder)

    def get(self, ref: str) -> Record:
        """Return a message. Raises HANDLE_INVALID [message; ref]."""
        try:
            return self._records[ref]
        except KeyError:
            raise HandleInvalidError("message", ref) from None

    def events_since(self, generation: int) -> list[Event]:
        """Return which messages came after a generation, and which went that were there before it."""
        if generation >= self._newest:
            return []
        came = ((ref, record, self._since.get(ref, self._start)) for ref, record in self._records.items())
        added = [Event("add", "message", ref, at, record) for ref, record, at in came if at > generation]
        gone = [one for one in self._gone if one.deleted > generation >= one.created]
        return [*added, *(Event("del", "message", one.ref, one.deleted, None) for one in gone)]

    def with_uuid(self, wanted: str) -> str:
        """Return the ref. Raises UUID_INVALID [message; uuid]."""
        for ref, record in self._records.items():
            if record["uuid"] == wanted:
                return ref
        raise UuidInvalidError("message", wanted)

    def all(self) -> dict[str, Record]:
        """Return the messages, oldest first."""
        return dict(self._records)

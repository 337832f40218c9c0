"""event.from: what changed since a token, seen from the database's generations."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import (
    EventFromTokenParseFailureError,
    EventsLostError,
    EventSubscriptionParseFailureError,
    SessionInvalidError,
    SessionNotRegisteredError,
)
from xapi_shim.datamodel.types import REF_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value
    from xapi_shim.rpc.sessions import Sessions

# Changes are gathered this long before they are told, so that a burst is one answer.
BATCH_S = 0.05
# The same for event.next, which is on its way out.
NEXT_BATCH_S = 0.2
LONGEST_S = 24 * 3600.0
_TOKEN = re.compile(r"(\d{1,20}),(\d{1,20})")


@dataclass(frozen=True)
class Event:
    """One change; `snapshot` is the row's values, None for a deletion."""

    operation: str
    cls: str
    ref: str
    generation: int
    snapshot: Mapping[str, Value] | None


@dataclass(frozen=True)
class EventBatch:
    """An answer of event.from, in the order in which clients are told: adds, mods, dels.

    `listed` answers (event.next) are the events alone.
    """

    events: tuple[Event, ...]
    valid_ref_counts: Mapping[str, int]
    token: str
    listed: bool = False


@dataclass(frozen=True)
class Subscription:
    """What a caller wants to hear of: class names in lower case to refs, None for all of a class."""

    refs: Mapping[str, frozenset[str] | None]
    everything: bool = False

    def wants(self, cls: str) -> bool:
        return self.everything or cls.lower() in self.refs

    def picks(self, cls: str, ref: str) -> bool:
        if self.everything:
            return True
        only = self.refs[cls.lower()]
        return only is None or ref in only


def parse_subscription(classes: Iterable[str]) -> Subscription:
    """Parse `*`, `class` (any case) and `class/OpaqueRef:...`.

    Raises EventSubscriptionParseFailureError [text].
    """
    refs: dict[str, frozenset[str] | None] = {}
    everything = False
    for text in classes:
        cls, slash, ref = text.partition("/")
        if text == "*":
            everything = True
        elif not re.fullmatch(r"[A-Za-z_]+", cls) or (slash and not ref.startswith(REF_PREFIX)):
            raise EventSubscriptionParseFailureError(text)
        elif slash:
            have = refs.get(cls.lower(), frozenset())
            refs[cls.lower()] = None if have is None else have | {ref}
        else:
            refs[cls.lower()] = None
    return Subscription(refs, everything)


def parse_token(token: str) -> int:
    """Return the generation of a token, -1 for the empty one. Raises EventFromTokenParseFailureError."""
    if not token:
        return -1
    found = _TOKEN.fullmatch(token)
    if not found:
        raise EventFromTokenParseFailureError(token)
    return int(found[1])


def make_token(generation: int) -> str:
    """Return the token of a generation; tokens compare as text."""
    return f"{generation:020d},{0:020d}"


def collect(db: Database, wanted: Subscription, since: int) -> tuple[Event, ...]:
    """Return what changed in the database after generation `since`: adds, then mods, then deletions."""
    told: dict[str, list[Event]] = {"add": [], "mod": [], "del": []}
    for name, table in db.tables.items():
        if not table.cls.events or not wanted.wants(name):
            continue
        changes = db.changes_since(name, since)
        for operation, refs in (("add", changes.created), ("mod", changes.modified)):
            for ref in refs:
                if wanted.picks(name, ref):
                    row = table.rows[ref]
                    told[operation].append(Event(operation, name, ref, row.modified, dict(row.values)))
        told["del"] += [
            Event("del", name, ref, db.generation, None) for ref in changes.deleted if wanted.picks(name, ref)
        ]
    return tuple(told["add"] + told["mod"] + told["del"])


@dataclass
class _Registered:
    """What a session asked event.register for, and the generation up to which it has been told."""

    classes: tuple[str, ...]
    told: int


def _nothing_beside(_: int) -> Sequence[Event]:
    """Tell of nothing: all objects are in tables."""
    return ()


@dataclass
class Events:
    """Waits for changes on behalf of callers."""

    db: Database
    sessions: Sessions
    # What happened after a generation to the objects that are in no table: the messages.
    beside: Callable[[int], Sequence[Event]] = _nothing_beside
    _registered: dict[str, _Registered] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False

    def __post_init__(self) -> None:
        self.db.on_change(self.wake)

    def wake(self) -> None:
        """Let every waiting call look again (a change, or a session closed)."""
        self._changed.set()
        self._changed = asyncio.Event()

    def end(self) -> None:
        """End every waiting call, and those to come, with SESSION_INVALID: sessions end with the daemon."""
        self._ended = True
        self.wake()

    def _assert_goes_on(self, session: str) -> None:
        if self._ended or not self.sessions.alive(session):
            self._registered.pop(session, None)
            raise SessionInvalidError(session)

    async def wait_from(self, session: str, classes: list[str], token: str, timeout_s: float) -> EventBatch:
        """Return what `classes` saw since `token`, waiting up to `timeout_s` for something.

        Raises the errors of parse_subscription and parse_token, and SessionInvalidError
        when the session is closed meanwhile.
        """
        wanted = parse_subscription(classes)
        since = parse_token(token)
        deadline = asyncio.get_running_loop().time() + min(max(timeout_s, 0.0), LONGEST_S)
        while True:
            changed = self._changed
            self._assert_goes_on(session)
            events = self._collect(wanted, since)
            if events:
                return self._batch(events)
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(changed.wait(), max(left, 0))
                if not wanted.refs.keys() <= {"task"} or wanted.everything:
                    await asyncio.sleep(min(BATCH_S, max(left, 0)))
            except TimeoutError:
                return self._batch(())

    def register(self, session: str, classes: list[str]) -> None:
        """Queue changes of `classes` for event.next from now on. Raises as parse_subscription does."""
        parse_subscription(classes)
        self._registered = {ref: one for ref, one in self._registered.items() if self.sessions.alive(ref)}
        mine = self._registered.setdefault(session, _Registered((), self.db.generation))
        mine.classes = tuple(dict.fromkeys([*mine.classes, *classes]))

    def unregister(self, session: str, classes: list[str]) -> None:
        """Queue changes of `classes` no longer. Raises as parse_subscription does."""
        parse_subscription(classes)
        if session in self._registered:
            mine, gone = self._registered[session], {name.lower() for name in classes}
            mine.classes = tuple(name for name in mine.classes if name.lower() not in gone)

    async def wait_next(self, session: str) -> EventBatch:
        """Return what was queued since the last call, waiting until there is something.

        Raises SessionNotRegisteredError [session], EventsLostError when more was deleted than
        is remembered, SessionInvalidError when the session is closed meanwhile.
        """
        mine = self._registered.get(session)
        if mine is None or not mine.classes:
            raise SessionNotRegisteredError(session)
        while True:
            changed = self._changed
            self._assert_goes_on(session)
            wanted, since, upto = parse_subscription(mine.classes), mine.told, self.db.generation
            mine.told = upto
            if any(t.forgotten > since for name, t in self.db.tables.items() if wanted.wants(name)):
                raise EventsLostError
            if events := self._collect(wanted, since):
                return EventBatch(events, {}, make_token(upto), listed=True)
            await changed.wait()
            await asyncio.sleep(NEXT_BATCH_S)

    def _collect(self, wanted: Subscription, since: int) -> tuple[Event, ...]:
        """Return what happened after `since`: messages first, as the reference tells them."""
        beside = [e for e in self.beside(since) if wanted.wants(e.cls) and wanted.picks(e.cls, e.ref)]
        return (*beside, *collect(self.db, wanted, since))

    def _batch(self, events: tuple[Event, ...]) -> EventBatch:
        counts = {name.lower(): table.changing for name, table in self.db.tables.items() if table.cls.events}
        return EventBatch(events, counts, make_token(self.db.generation))

    def inject(self, cls: str, ref: str) -> str:
        """Tell everybody that an object changed, and return a token from before. Raises HandleInvalidError."""
        before = self.db.generation
        self.db.touch(cls, ref)
        return make_token(before)

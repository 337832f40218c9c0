"""Traces of calls: which message took how long as part of whose work, for the observers that are switched on.

A span is told in Zipkin's second format; a caller says what it is part of by W3C's traceparent header.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xapi_shim.database.database import Database

COMPONENT = "xapi"
# Not yet exported, for each observer; the oldest are dropped.
MAX_WAITING = 10_000
_PARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(frozen=True)
class Begun:
    """A call at work: ids in hex, and when it began, by the clock in µs and by a steady one in s."""

    name: str
    trace: str
    span: str
    parent: str
    at_us: int
    started: float


@dataclass
class Traced:
    """An observer that is on here: where its spans go, what is put on each, and those that wait."""

    uuid: str
    endpoints: tuple[str, ...]
    attributes: dict[str, str]
    waiting: deque[dict[str, object]] = field(default_factory=lambda: deque(maxlen=MAX_WAITING))


@dataclass
class Tracer:
    """The observers that are on at this host, and the spans of its calls."""

    db: Database
    observers: dict[str, Traced] = field(default_factory=dict)

    def refresh(self, host: str) -> None:
        """Read the Observer rows: those that are on, for this host and for this program. What waits is kept."""
        former, self.observers = self.observers, {}
        db = self.db
        for ref in db.refs("Observer"):
            hosts, components = (db.items("Observer", ref, name) for name in ("hosts", "components"))
            if not db.flag("Observer", ref, "enabled") or (hosts and host not in hosts):
                continue
            if components and COMPONENT not in components:
                continue
            made = Traced(
                db.text("Observer", ref, "uuid"),
                tuple(db.items("Observer", ref, "endpoints")),
                db.mapping("Observer", ref, "attributes"),
            )
            if ref in former:
                made.waiting = former[ref].waiting
            self.observers[ref] = made

    def begin(self, name: str, traceparent: str) -> Begun | None:
        """Note that a call begins, as a part of what `traceparent` names; None while nobody observes."""
        if not self.observers:
            return None
        found = _PARENT.fullmatch(traceparent)
        trace, parent = (found[1], found[2]) if found else (secrets.token_hex(16), "")
        return Begun(name, trace, secrets.token_hex(8), parent, time.time_ns() // 1000, time.perf_counter())

    def end(self, begun: Begun, error: str) -> None:
        """Keep the span of a call that ended, with its error's code where it failed."""
        span: dict[str, object] = {
            "id": begun.span,
            "traceId": begun.trace,
            **({"parentId": begun.parent} if begun.parent else {}),
            "name": begun.name,
            "kind": "SERVER",
            "timestamp": begun.at_us,
            "duration": max(1, round((time.perf_counter() - begun.started) * 1e6)),
            "localEndpoint": {"serviceName": COMPONENT},
        }
        for observer in self.observers.values():
            tags = {**observer.attributes, **({"error": error} if error else {})}
            observer.waiting.append({**span, "tags": tags})

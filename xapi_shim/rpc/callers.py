"""Clients that the daemon knows apart, by what they call themselves and where they call from; how much each may ask.

Usage is counted over the last minute and lives in memory. A limit is a token bucket: what is
asked beyond it waits, in the order in which it came, and is then served.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc.dates import now_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xapi_shim.database.database import Database

WINDOW_S = 60
MAX_WAIT_S = 60.0
# Clients recorded because they logged in, not by hand: no more than these.
MAX_REGISTERED = 256


@dataclass
class Bucket:
    """A limit's tokens: `level` of at most `burst`, `rate` more each second; below 0 is owed."""

    burst: float
    rate: float
    level: float
    at: float

    def take(self, tokens: float, now: float) -> float:
        """Take tokens, and return for how many seconds to wait until they are there."""
        filled = min(self.burst, self.level + (now - self.at) * self.rate)
        # Who asks on and on must not keep others that are taken for him waiting for ever.
        self.level = max(filled - tokens, -self.rate * MAX_WAIT_S)
        self.at = now
        return max(0.0, -self.level / self.rate)


@dataclass
class _Second:
    at: int
    calls: int = 0
    tokens: float = 0.0


@dataclass
class Callers:
    """The Caller and Rate_limit rows, with what they did of late."""

    db: Database
    clock: Callable[[], float] = time.monotonic
    _known: dict[tuple[str, str], str] | None = None
    _usage: defaultdict[str, deque[_Second]] = field(default_factory=lambda: defaultdict(deque))
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Read the callers anew: rows came or went."""
        self._known = None

    def find(self, user_agent: str, address: str) -> str | None:
        """Return the Caller that fits best: by both, by its name for itself, by its address."""
        if self._known is None:
            rows = ((ref, self.db.values("Caller", ref)) for ref in self.db.refs("Caller"))
            # The eldest of two alike counts.
            self._known = {
                (str(r["user_agent"]), str(r["client_ip"])): ref for ref, r in reversed(list(rows))
            }
        known = self._known
        return known.get((user_agent, address)) or known.get((user_agent, "")) or known.get(("", address))

    def register(self, user_agent: str, address: str) -> None:
        """Record a client that nobody recorded; the longest unused of its kind goes when there are too many."""
        if not user_agent or self.find(user_agent, address) is not None:
            return
        db = self.db
        with db.transaction():
            old = [
                ref
                for ref in db.refs("Caller")
                if db.flag("Caller", ref, "auto_registered") and not self._is_used(ref)
            ]
            old.sort(key=lambda ref: db.text("Caller", ref, "last_access"))
            for ref in old[: max(0, len(old) - MAX_REGISTERED + 1)]:
                db.destroy("Caller", ref)
            db.create(
                "Caller",
                {
                    "name_label": user_agent,
                    "user_agent": user_agent,
                    "client_ip": address,
                    "auto_registered": True,
                    "last_access": now_text(),
                },
            )
        self.forget()

    def _is_used(self, ref: str) -> bool:
        """Say whether somebody made more of an automatic record."""
        return (
            bool(self.db.items("Caller", ref, "groups"))
            or self.db.text("Caller", ref, "rate_limit") != NULL_REF
        )

    def admit(self, ref: str, tokens: float) -> float:
        """Count a call, and return for how many seconds it is to wait."""
        now = self.clock()
        self._seen.add(ref)
        seconds = self._recent(ref, now)
        if not seconds or seconds[-1].at != int(now):
            seconds.append(_Second(int(now)))
        seconds[-1].calls += 1
        seconds[-1].tokens += tokens
        limit = self.db.text("Caller", ref, "rate_limit")
        if not self.db.exists("Rate_limit", limit):
            return 0.0
        if limit not in self._buckets:
            row = self.db.values("Rate_limit", limit)
            burst, rate = row["burst_size"], row["fill_rate"]
            assert isinstance(burst, float)
            assert isinstance(rate, float)
            self._buckets[limit] = Bucket(burst, rate, burst, now)
        return self._buckets[limit].take(tokens, now)

    def changed(self, limit: str) -> None:
        """Begin a limit's bucket anew, full."""
        self._buckets.pop(limit, None)

    def usage(self, refs: Iterable[str]) -> tuple[int, float]:
        """Return calls and tokens of the last minute."""
        now = self.clock()
        seconds = [one for ref in refs for one in self._recent(ref, now)]
        return sum(one.calls for one in seconds), sum(one.tokens for one in seconds)

    def _recent(self, ref: str, now: float) -> deque[_Second]:
        seconds = self._usage[ref]
        while seconds and seconds[0].at <= int(now) - WINDOW_S:
            seconds.popleft()
        return seconds

    def write_access(self) -> None:
        """Note in the rows who called since the last time."""
        seen, self._seen = self._seen, set()
        now = now_text()
        with self.db.transaction():
            for ref in seen:
                if self.db.exists("Caller", ref):
                    self.db.set("Caller", ref, "last_access", now)
        for ref in [ref for ref in self._usage if not self.db.exists("Caller", ref)]:
            del self._usage[ref]

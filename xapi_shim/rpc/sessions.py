"""Sessions: who is calling, with which role; limits and idle time as the reference has them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import SessionInvalidError
from xapi_shim.rpc.dates import now_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Role

PER_NAME = 500
ANONYMOUS = 400
POOL = 400
IDLE_S = 24 * 3600
# last_active is written at most this often: it is an event for everybody.
ACTIVE_STEP_S = 600


class Door(StrEnum):
    """By which door a call came in."""

    UNIX = "unix"
    TLS = "tls"


@dataclass(frozen=True)
class Origin:
    """Where a call comes from; `address` is text for logs.

    `user_agent` is what the client calls itself, in short, `traceparent` what of its work the call is part of.
    `client_certificate` is whether the connection proved by one to be a client that is let in.
    """

    door: Door
    address: str = ""
    client_certificate: bool = False
    user_agent: str = ""
    traceparent: str = ""


@dataclass
class _Live:
    role: Role
    user: str
    originator: str
    pool: bool
    active: float
    written: float


@dataclass
class Sessions:
    """The sessions of this daemon's life (they are not stored)."""

    db: Database
    clock: Callable[[], float] = time.monotonic
    _live: dict[str, _Live] = field(default_factory=dict)

    def open(
        self, user: str, role: Role, *, originator: str, host: str, local: bool, pool: bool = False
    ) -> str:
        """Make a session and return its ref; the longest unused of its kind goes when there are too many."""
        self._make_room(user, originator, pool=pool)
        now = now_text()
        ref = self.db.create(
            "session",
            {
                "this_host": host,
                "last_active": now,
                "validation_time": now,
                "is_local_superuser": local,
                "auth_user_name": user,
                "originator": originator,
                "pool": pool,
            },
        )
        at = self.clock()
        self._live[ref] = _Live(role, user, originator, pool, at, at)
        return ref

    def role(self, ref: str) -> Role:
        """Return the session's role and note that it is in use. Raises SessionInvalidError."""
        live = self._live.get(ref)
        if live is None:
            raise SessionInvalidError(ref)
        live.active = self.clock()
        if live.active - live.written > ACTIVE_STEP_S:
            live.written = live.active
            self.db.set("session", ref, "last_active", now_text())
        return live.role

    def user(self, ref: str) -> str:
        """Return the user's name. Raises SessionInvalidError."""
        if ref not in self._live:
            raise SessionInvalidError(ref)
        return self._live[ref].user

    def alive(self, ref: str) -> bool:
        return ref in self._live

    def close(self, ref: str) -> None:
        """Forget a session. Raises SessionInvalidError."""
        if self._live.pop(ref, None) is None:
            raise SessionInvalidError(ref)
        self.db.destroy("session", ref)

    def drop_idle(self) -> int:
        """Close what nobody used for IDLE_S; return how many."""
        idle = [ref for ref, live in self._live.items() if self.clock() - live.active > IDLE_S]
        for ref in idle:
            self.close(ref)
        return len(idle)

    def _make_room(self, user: str, originator: str, *, pool: bool) -> None:
        for mine, limit in self._kin(user, originator, pool=pool):
            for ref in sorted(mine, key=lambda r: self._live[r].active)[: max(0, len(mine) - limit + 1)]:
                if ref in self._live:
                    self.close(ref)

    def _kin(self, user: str, originator: str, *, pool: bool) -> list[tuple[list[str], int]]:
        """Return the groups that a new session would join, each with its limit."""
        if pool:
            return [([r for r, live in self._live.items() if live.pool], POOL)]
        users = [(r, live) for r, live in self._live.items() if not live.pool]
        kin = []
        if originator:
            kin.append(([r for r, live in users if live.originator == originator], PER_NAME))
        if user:
            kin.append(([r for r, live in users if live.user == user], PER_NAME))
        if not kin:
            kin.append(([r for r, live in users if not live.user and not live.originator], ANONYMOUS))
        return kin

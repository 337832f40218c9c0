"""Sessions: who is calling, with which role; limits and idle time as the reference has them."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import SessionInvalidError
from xapi_shim.datamodel.types import NULL_REF, REF_PREFIX
from xapi_shim.rpc.audit import Caller
from xapi_shim.rpc.dates import now_text
from xapi_shim.rpc.roles import permissions_of
from xapi_shim.rpc.saved import SavedDatabases

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


@dataclass(frozen=True)
class External:
    """Whom a directory knows the caller as: himself and his groups by identifier, and the subject among them."""

    sid: str
    identifiers: frozenset[str]
    subject: str


@dataclass
class _Live:
    role: Role
    user: str
    originator: str
    pool: bool
    active: float
    written: float
    confirmed: float
    external: External | None = None


@dataclass
class Sessions:
    """The sessions of this daemon's life (they are not stored)."""

    db: Database
    clock: Callable[[], float] = time.monotonic
    _live: dict[str, _Live] = field(default_factory=dict)
    saved: SavedDatabases = field(default_factory=SavedDatabases)
    # Those known to this host alone, for emergencies: they are no objects. By ref, when last used.
    _emergency: dict[str, float] = field(default_factory=dict)

    def open(
        self,
        user: str,
        role: Role,
        *,
        originator: str,
        host: str,
        local: bool,
        pool: bool = False,
        external: External | None = None,
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
                "subject": external.subject if external else NULL_REF,
                "auth_user_sid": external.sid if external else "",
                "rbac_permissions": permissions_of().get(role, ()),
            },
        )
        at = self.clock()
        self._live[ref] = _Live(role, user, originator, pool, at, at, at, external)
        return ref

    def open_child(self, parent: str, originator: str) -> str:
        """Make a session that may do what `parent` may. Raises SessionInvalidError."""
        live = self._get(parent)
        ref = self.open(
            live.user,
            live.role,
            originator=originator,
            host=self.db.text("session", parent, "this_host"),
            local=self.db.flag("session", parent, "is_local_superuser"),
            pool=live.pool,
            external=live.external,
        )
        self.db.set("session", ref, "parent", parent)
        return ref

    def open_emergency(self) -> str:
        """Make a session for what a host answers while its pool is out of reach, and return its ref."""
        ref = f"{REF_PREFIX}{uuid.uuid4()}"
        self._emergency[ref] = self.clock()
        while len(self._emergency) > POOL:
            del self._emergency[min(self._emergency, key=lambda one: self._emergency[one])]
        return ref

    def is_emergency(self, ref: str) -> bool:
        """Say whether `ref` is such a session, and note that it is in use."""
        if ref not in self._emergency:
            return False
        self._emergency[ref] = self.clock()
        return True

    def _get(self, ref: str) -> _Live:
        try:
            return self._live[ref]
        except KeyError:
            raise SessionInvalidError(ref) from None

    def role(self, ref: str) -> Role:
        """Return the session's role and note that it is in use. Raises SessionInvalidError."""
        live = self._get(ref)
        live.active = self.clock()
        if live.active - live.written > ACTIVE_STEP_S:
            live.written = live.active
            self.db.set("session", ref, "last_active", now_text())
        return live.role

    def user(self, ref: str) -> str:
        """Return the user's name. Raises SessionInvalidError."""
        return self._get(ref).user

    def same_user(self, ref: str, other: str) -> bool:
        """Say whether both sessions are alive and one user's: by their records, which all hosts of a pool have."""
        if not self.db.exists("session", ref) or not self.db.exists("session", other):
            return False
        names = ("auth_user_name", "auth_user_sid")
        return all(self.db.text("session", ref, n) == self.db.text("session", other, n) for n in names)

    def is_pool(self, ref: str) -> bool:
        """Say whether the session is one of hosts among themselves. Raises SessionInvalidError."""
        return self._get(ref).pool

    def external(self) -> dict[str, External]:
        """Return the sessions of a directory's users."""
        return {ref: live.external for ref, live in self._live.items() if live.external is not None}

    def caller(self, ref: str, origin: Origin) -> Caller:
        """Return whom the audit log names for a session. Raises SessionInvalidError."""
        if ref in self._emergency:
            return Caller(ref, "", "", local_superuser=True, origin=origin)
        live = self._get(ref)
        sid = live.external.sid if live.external else ""
        local = self.db.flag("session", ref, "is_local_superuser")
        return Caller(ref, live.user, sid, local_superuser=local, origin=origin)

    def unconfirmed(self, older_s: float) -> list[str]:
        """Return those sessions of a directory's users that it last confirmed more than `older_s` ago."""
        now = self.clock()
        return [ref for ref in self.external() if now - self._live[ref].confirmed >= older_s]

    def confirm(self, ref: str, role: Role, external: External, *, asked: bool) -> None:
        """Note what subjects say of a session's user now, and whether the directory was `asked` too.

        Raises SessionInvalidError.
        """
        live = self._get(ref)
        if (live.role, live.external) != (role, external):
            live.role, live.external = role, external
            self.db.update("session", ref, subject=external.subject, rbac_permissions=permissions_of()[role])
        if asked:
            live.confirmed = self.clock()
            self.db.set("session", ref, "validation_time", now_text())

    def alive(self, ref: str) -> bool:
        return ref in self._live

    def close(self, ref: str) -> None:
        """Forget a session. Raises SessionInvalidError."""
        if self._emergency.pop(ref, None) is not None:
            return
        if self._live.pop(ref, None) is None:
            raise SessionInvalidError(ref)
        self.saved.drop(ref)
        self.db.destroy("session", ref)

    def drop_idle(self) -> int:
        """Close what nobody used for IDLE_S; return how many."""
        idle = [ref for ref, live in self._live.items() if self.clock() - live.active > IDLE_S]
        idle += [ref for ref, active in self._emergency.items() if self.clock() - active > IDLE_S]
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

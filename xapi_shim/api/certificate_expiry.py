"""Tells people of certificates that are about to expire, or have: a pure rule, and the messages it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from xapi_shim.api.own_host import is_master
from xapi_shim.rpc.dates import from_text

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Toolstack

# The stem of a message's name, and what its text calls the certificate, by the certificate's type.
_KINDS = {
    "host": ("HOST_SERVER_CERTIFICATE", "TLS server certificate"),
    "host_internal": ("HOST_INTERNAL_CERTIFICATE", "internal TLS server certificate"),
    "ca": ("POOL_CA_CERTIFICATE", "CA pool certificate"),
    "pinned": ("POOL_PINNED_CERTIFICATE", "pinned certificate"),
}
CHECK_EVERY = timedelta(days=1)


@dataclass(frozen=True)
class Warning_:
    """A message for people: its name, priority and body."""

    name: str
    priority: int
    body: str


def warning(kind: str, not_after: str, now: datetime) -> Warning_ | None:
    """Return what to tell of a certificate of a type that ends at `not_after`, None while it is young enough."""
    stem, called = _KINDS[kind]
    end = from_text(not_after)
    date = end.strftime("%Y%m%dT%H:%M:%SZ")
    if now > end:
        return Warning_(f"{stem}_EXPIRED", 1, _body(f"The {called} has expired.", date))
    left = end - now
    if left > timedelta(days=30):
        return None
    days, priority = (7, 2) if left < timedelta(days=8) else (14, 3) if left < timedelta(days=15) else (30, 4)
    body = _body(f"The {called} is expiring soon.", date)
    return Warning_(f"{stem}_EXPIRING_{days:02}", priority, body)


def _body(text: str, date: str) -> str:
    return f"<body><message>{text}</message><date>{date}</date></body>"


def check_expiry(tools: Toolstack, now: datetime | None = None) -> None:
    """Send each certificate's warning once, and forget those that are true no more.

    The master does it for the whole pool: messages for people are kept there.
    """
    if not is_master(tools):
        return
    db, store = tools.db, tools.messages
    wanted: dict[tuple[str, str, str, str], Warning_] = {}
    for ref in db.refs("Certificate"):
        told = warning(
            db.text("Certificate", ref, "type"),
            db.text("Certificate", ref, "not_after"),
            now or datetime.now(UTC),
        )
        if told is not None:
            host = db.text("Certificate", ref, "host")
            about = (
                ("Host", db.text("host", host, "uuid"))
                if db.exists("host", host)
                else ("Certificate", db.text("Certificate", ref, "uuid"))
            )
            wanted[told.name, *about, told.body] = told
    stems = tuple(stem for stem, _ in _KINDS.values())
    stale = []
    for ref, one in store.all().items():
        key = (str(one["name"]), str(one["cls"]), str(one["obj_uuid"]), str(one["body"]))
        if key in wanted:
            del wanted[key]
        elif key[0].startswith(stems):
            stale.append(ref)
    store.remove(stale)
    for (name, cls, uuid, body), told in wanted.items():
        store.add(name, told.priority, cls, uuid, body)

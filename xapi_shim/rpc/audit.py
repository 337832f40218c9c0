"""What the audit log says of a call: who asked for what, whether that was allowed, and how it ended.

A line is `[time|audit|host|origin|call|audit] (words)`, UTC, in the reference's order of words:
the session's track id, LOCAL_SUPERUSER or the directory's identifier, the user's name, ALLOWED or
DENIED, OK or ERROR with its code, API or HTTP, the call, and its parameters, each as (name, value or
object's name, object's uuid, object's ref). Secrets are left out; a session is told by a hash of its
ref, which would let the reader act as its user.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Protocol, cast

from xapi_shim.datamodel.model import Kin, Role
from xapi_shim.datamodel.types import NULL_REF, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import ApiClass, Message, Value
    from xapi_shim.datamodel.types import Type
    from xapi_shim.rpc.sessions import Origin

LEFT_OUT = "***"
LONGEST = 128
_SECRET = re.compile(r"pass|pwd|secret|token|credential|private|unattend|chap", re.IGNORECASE)
# Names and passwords in URLs (RFC 3986, userinfo).
_USERINFO = re.compile(r"//[^/@\s]+@")
# Whose values may be anything: of maps the keys are told, of texts nothing.
_OPAQUE = frozenset(
    {
        "host.call_plugin",
        "host.call_extension",
        "VM.call_plugin",
        "VM.call_host_plugin",
        "VM.set_xenstore_data",
        "VM.add_to_xenstore_data",
        "VM.set_NVRAM",
        "VM.add_to_NVRAM",
    }
)
# By which a record that is about to be made is known.
_NAMES = ("name_label", "subject_identifier", "userdevice", "device")


@dataclass(frozen=True)
class Told:
    """One parameter: its name; its value, or the object's name, uuid and ref."""

    name: str
    value: str
    uuid: str = ""
    ref: str = ""


@dataclass(frozen=True)
class Caller:
    """Who asks: the session's ref is never written."""

    session: str
    user: str
    sid: str
    local_superuser: bool
    origin: Origin


@dataclass(frozen=True)
class Entry:
    """One call and its end: `error` is empty, or the code of what was raised."""

    caller: Caller
    kind: str
    call: str
    params: tuple[Told, ...] = ()
    allowed: bool = True
    error: str = ""


class AuditLog(Protocol):
    """Where entries go."""

    def add(self, entry: Entry) -> None: ...


class NoAuditLog:
    """Keeps nothing."""

    def add(self, entry: Entry) -> None:
        del entry


def is_audited(cls: ApiClass, message: Message) -> bool:
    """Say whether a call of `message` is worth a line: it changes something, or reads what not everybody may."""
    if message.role is not Role.READ_ONLY:
        return True
    if message.kin is not Kin.CUSTOM or message.name.startswith("get_"):
        return False
    return cls.name in ("session", "task") or message.name == "recover"


def params_told(db: Database, cls: ApiClass, message: Message, args: Sequence[Value]) -> tuple[Told, ...]:
    """Return a call's parameters as the log has them; to be asked before the call, which may destroy them."""
    opaque = f"{cls.name}.{message.name}" in _OPAQUE or cls.name == "secret"
    hidden_key = any(
        param.name == "key" and _SECRET.search(str(arg))
        for param, arg in zip(message.params, args, strict=False)
    )
    told = []
    for param, arg in zip(message.params, args, strict=False):
        if param.type.kind is Kind.REF:
            told.append(_object(db, param.name, param.type.name, cast("str", arg)))
            continue
        hidden = bool(_SECRET.search(param.name)) or param.type.kind is Kind.SECRET
        hidden = hidden or (hidden_key and param.name == "value")
        told.append(Told(param.name, LEFT_OUT if hidden else _value(param.type, arg, opaque=opaque)))
    return tuple(told)


def _object(db: Database, name: str, cls: str, ref: str) -> Told:
    if cls == "session":
        return Told(name, "", "", track_id(ref))
    if ref == NULL_REF or not db.exists(cls, ref):
        return Told(name, "", "", ref)
    values = db.values(cls, ref)
    return Told(name, str(values.get("name_label", "")), str(values.get("uuid", "")), ref)


def _value(of: Type, value: Value, *, opaque: bool) -> str:
    match of.kind:
        case Kind.RECORD:
            record = cast("Mapping[str, Value]", value)
            text = next((str(record[name]) for name in _NAMES if record.get(name)), "")
        case Kind.MAP:
            text = ", ".join(
                _pair(key, item, opaque=opaque) for key, item in cast("Mapping[str, Value]", value).items()
            )
        case Kind.SET:
            text = LEFT_OUT if opaque else ", ".join(map(str, cast("Sequence[Value]", value)))
        case Kind.BOOL:
            text = "true" if value else "false"
        case Kind.STRING if opaque:
            text = LEFT_OUT
        case _:
            text = str(value)
    return _USERINFO.sub(f"//{LEFT_OUT}@", text)


def _pair(key: str, value: Value, *, opaque: bool) -> str:
    return f"{key}={LEFT_OUT if opaque or _SECRET.search(key) else value}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def track_id(session: str) -> str:
    """Return by what a session is known in logs."""
    return hashlib.sha256(session.encode(errors="replace")).hexdigest()[:32] if session else ""


def stamp(moment: datetime) -> str:
    """Return the time a line begins with, UTC, to the millisecond."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y%m%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def header(moment: datetime, host: str, origin: str, call: str) -> str:
    """Return what stands before a line's words."""
    return f"[{stamp(moment)}|audit|{_bare(host)}|{_bare(origin)}|{_bare(call)}|audit]"


def words(entry: Entry) -> str:
    """Return an entry's words, in brackets."""
    caller = entry.caller
    who = "LOCAL_SUPERUSER" if caller.local_superuser else caller.sid
    outcome = "OK" if not entry.error else f"ERROR:{entry.error}"
    params = " ".join(f"({_quoted(p.name, p.value, p.uuid, p.ref)})" for p in entry.params)
    head = _quoted(
        f"trackid={track_id(caller.session)}",
        who,
        caller.user,
        "ALLOWED" if entry.allowed else "DENIED",
        outcome,
        entry.kind,
        entry.call,
    )
    return f"({head} ({params}))"


def printable(text: str) -> str:
    """Return `text` in one line: what is no visible character is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _bare(text: str) -> str:
    return re.sub(r"[|\[\]]", "_", printable(_short(text)))


def _quoted(*texts: str) -> str:
    """Return words that no caller can make look like others, nor long enough to fill the log."""
    escaped = (printable(_short(text).replace("\\", "\\\\")).replace("'", "\\'") for text in texts)
    return " ".join(f"'{text}'" for text in escaped)

"""Tells the audit log of calls: who, what, and how it ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from xapi_shim.datamodel.errors import InternalErrorError, TaskCancelledError, XenAPIError
from xapi_shim.rpc.audit import Caller, Entry, NoAuditLog, params_told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import ApiClass, Message, Value
    from xapi_shim.rpc.audit import AuditLog
    from xapi_shim.rpc.sessions import Origin, Sessions

T = TypeVar("T")


class Auditor:
    """Makes entries of calls; `log` takes them, nothing does until it is set."""

    def __init__(self, db: Database, sessions: Sessions) -> None:
        self.log: AuditLog = NoAuditLog()
        self._db, self._sessions = db, sessions

    def entry(
        self, cls: ApiClass, message: Message, session: str, args: Sequence[Value], origin: Origin
    ) -> Entry:
        """Return what the log says of a call, before it is known how it ends."""
        if message.session:
            caller = self._sessions.caller(session, origin)
        else:
            name = str(args[0]) if message.params[0].name == "uname" else ""
            caller = Caller("", name, "", local_superuser=False, origin=origin)
        return Entry(caller, "API", f"{cls.name}.{message.name}", params_told(self._db, cls, message, args))

    def entry_of_others(self, name: str, session: str, origin: Origin) -> Entry:
        """`entry` for a message that a program of others serves."""
        return Entry(self._sessions.caller(session, origin), "API", name)

    def refused(self, entry: Entry) -> None:
        """Tell of a call that the caller's role does not permit."""
        self.log.add(replace(entry, allowed=False))

    async def noted(self, entry: Entry | None, work: Awaitable[T]) -> T:
        """Return what `work` does, and tell how it ended."""
        error, result = "", None
        try:
            result = await work
        except XenAPIError as failure:
            error = failure.description()[0]
            raise
        except asyncio.CancelledError:
            error = TaskCancelledError.code
            raise
        except Exception:
            error = InternalErrorError.code
            raise
        finally:
            if entry is not None:
                self.log.add(replace(entry, error=error, caller=self._known(entry.caller, result)))
        return result

    def _known(self, caller: Caller, result: object) -> Caller:
        """Return who called; for a login that is known by the session that it made."""
        if caller.session or not isinstance(result, str):
            return caller
        return self._sessions.caller(result, caller.origin)

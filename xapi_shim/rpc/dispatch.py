"""From a decoded request to an outcome: name, session, arity, role, types, task, handler.

The order is the reference's, and so are the errors. Nothing here knows a socket, a wire
format or what a message does.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.errors import (
    ExtensionProtocolFailureError,
    HostIsSlaveError,
    InternalErrorError,
    MessageMethodUnknownError,
    MessageParameterCountMismatchError,
    MessageRemovedError,
    NotImplementedError_,
    SessionInvalidError,
    TaskCancelledError,
    XenAPIError,
)
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.permissions import EMERGENCY_CALLS
from xapi_shim.datamodel.types import NULL_REF, Kind, Type, parse_type
from xapi_shim.rpc.audit import is_audited
from xapi_shim.rpc.auditor import Auditor
from xapi_shim.rpc.call import CallInfo
from xapi_shim.rpc.generic import GenericMessages
from xapi_shim.rpc.roles import denied, missing_key_permission, missing_permission
from xapi_shim.rpc.saved import saved_handler
from xapi_shim.rpc.sessions import Door
from xapi_shim.rpc.values import Coercion, type_of
from xapi_shim.rpc.xmlrpc import XmlEncoder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import ApiClass, Message, Value
    from xapi_shim.rpc.audit import Entry
    from xapi_shim.rpc.call import Handler
    from xapi_shim.rpc.events import EventBatch
    from xapi_shim.rpc.records import Records
    from xapi_shim.rpc.sessions import Origin, Sessions
    from xapi_shim.rpc.tasks import Tasks
    from xapi_shim.rpc.wire import Request

    Extension = Callable[[str, list[object]], Awaitable[object]]

log = logging.getLogger(__name__)

TASK_REF = parse_type("ref(task)")
NAMES = parse_type("set(string)")
ASYNC_PREFIXES = ("Async", "InternalAsync")
# Their waiting is not work: no task is made for them.
NO_TASK_CLASSES = ("task", "event", "session")


@dataclass(frozen=True)
class Success:
    """A value and its type; `bare` answers carry no status (system.listMethods)."""

    type: Type
    value: Value | EventBatch | Records
    bare: bool = False


@dataclass(frozen=True)
class Failure:
    """An error code and its parameters."""

    description: list[str]


@dataclass(frozen=True)
class Bound:
    """A message with its class and what serves it (None: not implemented)."""

    cls: ApiClass
    message: Message
    handler: Handler | None
    audited: bool

    @property
    def name(self) -> str:
        return f"{self.cls.name}.{self.message.name}"


class Dispatcher:
    """Serves requests. `handlers` are the implementations by `Class.message`."""

    def __init__(
        self,
        db: Database,
        sessions: Sessions,
        tasks: Tasks,
        handlers: Mapping[str, Handler],
        extension: Extension | None = None,
    ) -> None:
        """`extension` serves messages that nobody declared, or raises MessageMethodUnknownError.

        Raise KeyError when a handler is for a message that nobody declared.
        """
        self._extension = extension
        # Tells of each call that changes something.
        self.audit = Auditor(db, sessions)
        self.db, self.sessions, self.tasks = db, sessions, tasks
        self._coercion = Coercion(db.model)
        self._encoder = XmlEncoder(db.model)
        generic = GenericMessages(db)
        declared = all_messages(db.model)
        if unknown := handlers.keys() - declared.keys():
            raise KeyError(f"implementations of undeclared messages: {sorted(unknown)}")
        self.bound = {
            key: Bound(
                cls, message, handlers.get(key) or generic.handler(cls, message), is_audited(cls, message)
            )
            for key, (cls, message) in declared.items()
        }
        self._names = {key.replace(".", "_", 1): key for key in self.bound}
        self._running: set[asyncio.Task[None]] = set()
        # Where the pool's master is, on a host that is not it: sessions are the master's.
        self.master_address = ""

    def unimplemented(self) -> list[str]:
        """Return the declared messages that answer NOT_IMPLEMENTED, sorted."""
        return sorted(k for k, b in self.bound.items() if b.handler is None and not b.message.removed)

    async def serve(self, request: Request, origin: Origin) -> Success | Failure:
        """Return the outcome of one request; never raises, except when cancelled."""
        try:
            if request.method == "system.listMethods":
                return Success(NAMES, cast("Value", self._list_methods()), bare=True)
            if request.method.startswith("system.isAlive:"):
                return Success(parse_type("string"), request.method.partition(":")[2])
            if self._extension is not None and request.params and self._is_foreign(request.method):
                return await self._extended(self._extension, request, origin)
            return await self._call(request, origin)
        except XenAPIError as error:
            return Failure(error.description())
        except Exception as error:  # the boundary: a client is answered, whatever broke
            log.exception("%s failed", request.method)
            return Failure(InternalErrorError(f"{type(error).__name__}: {error}").description())

    def _list_methods(self) -> list[str]:
        names = [k for k, b in self.bound.items() if not b.message.hidden and k != "session.get_all_records"]
        return sorted([*names, *(f"Async.{n}" for n in names if self.bound[n].message.is_async)])

    def _find(self, name: str) -> Bound | None:
        """Return the message `Class.message` or `Class_message`."""
        return self.bound.get(name) or self.bound.get(self._names.get(name, ""))

    def _is_foreign(self, name: str) -> bool:
        return self._find(name) is None and name.partition(".")[0] not in ASYNC_PREFIXES

    async def _extended(self, extension: Extension, request: Request, origin: Origin) -> Success:
        """Serve a message by a program of others: for pool-admin, as host.call_extension."""
        sent = request.params[0]
        if not isinstance(sent, str):
            raise SessionInvalidError(str(sent)[:64])
        role = self._role(sent)
        entry = self.audit.entry_of_others(request.method, sent, origin)
        if not role.allows(Role.POOL_ADMIN):
            self.audit.refused(entry)
            raise denied("host.call_extension")
        value = await self.audit.noted(entry, extension(request.method, request.params))
        try:
            return Success(type_of(value), cast("Value", value))
        except TypeError as error:
            raise ExtensionProtocolFailureError(str(error)) from error

    def _resolve(self, method: str) -> tuple[Bound, bool]:
        """Return what a method's name means and whether it is to run in the background."""
        prefix, dot, rest = method.partition(".")
        is_async = bool(dot) and prefix in ASYNC_PREFIXES
        name = rest if is_async else method
        bound = self._find(name)
        if bound is None or (is_async and not bound.message.is_async):
            raise MessageMethodUnknownError(method)
        if bound.message.removed:
            raise MessageRemovedError
        return bound, is_async

    async def _call(self, request: Request, origin: Origin) -> Success | Failure:
        bound, is_async = self._resolve(request.method)
        message, sent = bound.message, list(request.params)
        session, role = "", Role.READ_ONLY
        if message.session:
            if not sent:
                raise MessageParameterCountMismatchError(bound.name, str(len(message.params)), "0")
            session, role = self._session(bound, sent.pop(0))
        required = sum(p.required for p in message.params)
        if not required <= len(sent) <= len(message.params):
            expected = str(len(message.params) if len(sent) > len(message.params) else required)
            raise MessageParameterCountMismatchError(bound.name, expected, str(len(sent)))
        saved = self.sessions.saved.get(session)
        args = self._arguments(message, sent)
        entry = self.audit.entry(bound.cls, message, session, args, origin) if bound.audited else None
        if message.session and (missing := self._missing(bound, role, args)):
            if entry is not None:
                self.audit.refused(entry)
            raise denied(missing)
        # Only now: who may not call it is not told either what there is.
        self._assert_known(message, args[: len(sent)], saved or self.db)
        if saved is not None:
            bound = replace(bound, handler=saved_handler(saved, bound.cls, message, bound.handler))
        if bound.handler is None:
            raise NotImplementedError_(bound.name)
        if message.pool_internal and origin.door is not Door.UNIX and not self._is_hosts(session):
            raise InternalErrorError(f"{bound.name} is for hosts of the pool among themselves")
        info = CallInfo(bound.name, session, role, origin)
        if is_async:
            return Success(TASK_REF, self._background(bound, info, args, entry))
        return Success(message.result, await self.audit.noted(entry, self._foreground(bound, info, args)))

    def _session(self, bound: Bound, sent: object) -> tuple[str, Role]:
        """Return the session and its role. Raises SessionInvalidError, HostIsSlaveError."""
        if not isinstance(sent, str):
            raise SessionInvalidError(str(sent)[:64])
        if bound.name in EMERGENCY_CALLS and self.sessions.is_emergency(sent):
            return sent, Role.LOCAL_ROOT
        return sent, self._role(sent)

    def _role(self, session: str) -> Role:
        try:
            return self.sessions.role(session)
        except SessionInvalidError:
            if self.master_address:
                raise HostIsSlaveError(self.master_address) from None
            raise

    def _missing(self, bound: Bound, role: Role, args: list[Value]) -> str:
        """Return the permission for a call that `role` lacks, "" for none."""
        return missing_permission(bound.name, bound.message, role, args) or missing_key_permission(
            self.db, bound.name, role, args
        )

    def _is_hosts(self, session: str) -> bool:
        return self.sessions.is_emergency(session) or self.sessions.is_pool(session)

    def _arguments(self, message: Message, sent: list[object]) -> list[Value]:
        return [
            self._coercion.value(param.type, sent[at], param.name)
            if at < len(sent)
            else cast("Value", param.default)
            for at, param in enumerate(message.params)
        ]

    def _assert_known(self, message: Message, args: list[Value], db: Database) -> None:
        """Raise HandleInvalidError for a ref among the arguments that is dead or another class's."""
        for param, value in zip(message.params, args, strict=False):
            if param.type.kind is Kind.REF:
                of = param.type.name
                _known(self.db if of == "session" else db, of, cast("str", value))

    async def _foreground(self, bound: Bound, info: CallInfo, args: list[Value]) -> Value:
        assert bound.handler is not None
        if not bound.message.is_async or bound.cls.name in NO_TASK_CLASSES:
            return await bound.handler(info, args)
        task = self.tasks.create(bound.name, "", info.session, cancellable=False)
        try:
            result = await bound.handler(replace(info, task=task), args)
            self.tasks.finish(task, self._encoded(bound.message.result, result))
        except XenAPIError as error:
            self.tasks.fail(task, error.description())
            raise
        finally:
            if self.db.exists("task", task):
                self.db.destroy("task", task)
        return result

    def _background(self, bound: Bound, info: CallInfo, args: list[Value], entry: Entry | None) -> str:
        task = self.tasks.create(f"Async.{bound.name}", "", info.session)
        running = asyncio.create_task(self._run(bound, replace(info, task=task), args, entry))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        self.tasks.attach(task, running)
        return task

    async def _run(self, bound: Bound, info: CallInfo, args: list[Value], entry: Entry | None) -> None:
        assert bound.handler is not None
        try:
            result = await self.audit.noted(entry, bound.handler(info, args))
        except XenAPIError as error:
            self.tasks.fail(info.task, error.description())
        except asyncio.CancelledError:
            self.tasks.fail(info.task, TaskCancelledError(info.task).description())
        except Exception as error:  # the boundary: the task says what broke
            log.exception("%s failed", bound.name)
            self.tasks.fail(info.task, InternalErrorError(f"{type(error).__name__}: {error}").description())
        else:
            self.tasks.finish(info.task, self._encoded(bound.message.result, result))

    def _encoded(self, of: Type, result: Value) -> str:
        """Return the task's result: a value as XML-RPC, nothing for void."""
        return "" if of.kind is Kind.VOID else self._encoder.value(of, result)


def _known(db: Database, cls: str, ref: str) -> None:
    """Raise HandleInvalidError for a ref that is dead or another class's. Null is the callee's business."""
    if ref != NULL_REF and cls in db.tables:
        db.assert_exists(cls, ref)

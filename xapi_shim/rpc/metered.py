"""A Dispatcher that knows its callers, holds them to their limits, and notes and traces how long messages take."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from xapi_shim.datamodel.model import Role
from xapi_shim.rpc.dispatch import Dispatcher, Failure, Success
from xapi_shim.rpc.sessions import Door

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.database.database import Database
    from xapi_shim.rpc.call import Handler
    from xapi_shim.rpc.callers import Callers
    from xapi_shim.rpc.dispatch import Extension
    from xapi_shim.rpc.sessions import Origin, Sessions
    from xapi_shim.rpc.tasks import Tasks
    from xapi_shim.rpc.timings import Timings
    from xapi_shim.rpc.tracing import Tracer
    from xapi_shim.rpc.wire import Request

# What a call costs of a caller's allowance: a question, and what may change something.
QUESTION, CHANGE = 1.0, 10.0


class MeteredDispatcher(Dispatcher):
    """See the module. Calls over the unix socket are this host's own, and count as nobody's."""

    def __init__(
        self, db: Database, sessions: Sessions, tasks: Tasks, handlers: Mapping[str, Handler],
        extension: Extension | None, callers: Callers, timings: Timings,
        tracer: Tracer,
    ) -> None:  # fmt: skip
        super().__init__(db, sessions, tasks, handlers, extension)
        self._callers, self._timings, self._tracer = callers, timings, tracer

    async def serve(self, request: Request, origin: Origin) -> Success | Failure:
        """Return the outcome of one request, as Dispatcher.serve; it may have to wait for its turn."""
        name = request.method.removeprefix("Async.")
        bound = self._find(name)
        remote = origin.door is Door.TLS
        if remote and (caller := self._callers.find(origin.user_agent, origin.address)):
            question = bound is None or bound.message.role is Role.READ_ONLY
            wait = self._callers.admit(caller, QUESTION if question else CHANGE)
            if wait > 0:
                await asyncio.sleep(wait)
        started = time.perf_counter()
        begun = self._tracer.begin(bound.name if bound else request.method[:64], origin.traceparent)
        outcome = await super().serve(request, origin)
        if begun is not None:
            self._tracer.end(begun, outcome.description[0] if isinstance(outcome, Failure) else "")
        if bound is not None:
            self._timings.add(bound.name, time.perf_counter() - started)
            if remote and bound.name == "session.login_with_password" and isinstance(outcome, Success):
                self._callers.register(origin.user_agent, origin.address)
        return outcome

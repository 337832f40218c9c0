"""What hosts of a pool ask of each other over HTTP: the database's replicas, and calls that are passed on."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from xapi_shim.api.pool_secret import is_pool_secret
from xapi_shim.datamodel.errors import HostIsSlaveError, InternalErrorError, XenAPIError
from xapi_shim.pool.members import PERFORM
from xapi_shim.pool.remote_error import error_document
from xapi_shim.pool.replica import PATH
from xapi_shim.web.cookies import cookies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from xapi_shim.api.toolstack import Toolstack

    Answer = Callable[[object], Awaitable[object]]

log = logging.getLogger(__name__)

# A host that joins brings all of its records at once.
MAX_DOCUMENT = 256 << 20
NO_CACHE = {"Cache-Control": "no-cache, no-store"}


class PoolActions:
    """Serves the other hosts of the pool, who know its secret; `passed_on` does a call that came to the master."""

    def __init__(self, tools: Toolstack, passed_on: Answer) -> None:
        self._tools, self._passed_on = tools, passed_on

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(PATH, self._for_hosts(self._database)),
            web.post(PERFORM, self._for_hosts(self._passed_on)),
        ]

    async def _database(self, document: object) -> object:
        if self._tools.members is None:
            raise HostIsSlaveError(self._tools.master_address)
        return await self._tools.members.serve(document)

    def _for_hosts(self, serve: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Answer 401 to who does not know the secret, else what `serve` returns or raises, as JSON."""

        async def handle(request: web.Request) -> web.StreamResponse:
            secret = cookies(request.headers.get("Cookie", "")).get("pool_secret", "")
            if not is_pool_secret(self._tools.paths.pool_secret, secret):
                log.info("%s refused to %s", request.path, request.remote)
                return web.Response(status=HTTPStatus.UNAUTHORIZED, headers=NO_CACHE)
            body = bytearray()
            async for chunk in request.content.iter_chunked(1 << 16):
                body += chunk
                if len(body) > MAX_DOCUMENT:
                    return web.Response(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, headers=NO_CACHE)
            return web.Response(
                text=json.dumps(await _answer(serve, bytes(body)), separators=(",", ":")),
                content_type="application/json",
                headers=NO_CACHE,
            )

        return handle


async def _answer(serve: Answer, body: bytes) -> object:
    try:
        return await serve(json.loads(body))
    except XenAPIError as error:
        return error_document(error)
    except ValueError as error:
        return error_document(InternalErrorError(f"the question is no JSON: {error}"))
    except Exception as error:  # the boundary: the other host is answered, whatever broke
        log.exception("a question of another host failed")
        return error_document(InternalErrorError(f"{type(error).__name__}: {error}"))

"""The peer of a cheap call: the same HTTP library answering a constant, over a unix socket."""

from __future__ import annotations

import asyncio
import sys

import sdnotify
from aiohttp import web

ANSWER = b'{"result":"Halted","error":null,"id":1}'


async def _constant(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=ANSWER, headers={"Content-Type": "application/json"})


async def _serve(path: str) -> None:
    app = web.Application()
    app.router.add_post("/jsonrpc", _constant)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, path).start()
    sdnotify.SystemdNotifier().notify("READY=1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))

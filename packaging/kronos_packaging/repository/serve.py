"""A published dist folder over HTTP: aiohttp's file responses, with ranges and conditional requests."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from kronos_packaging.repository.errors import RepositoryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp.abc import AbstractStreamWriter

# By the end of the name. Never a content encoding: an index's compression is part of the file that is signed.
TYPES = {
    ".deb": "application/vnd.debian.binary-package",
    ".rpm": "application/x-rpm",
    ".gz": "application/gzip",
    ".xz": "application/x-xz",
    ".zst": "application/zstd",
    ".xml": "application/xml",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".gpg": "application/pgp-signature",
    ".asc": "application/pgp-signature",
    ".pgp": "application/pgp-keys",
    ".dsc": "text/plain; charset=utf-8",
    ".sources": "text/plain; charset=utf-8",
    ".repo": "text/plain; charset=utf-8",
    ".buildinfo": "text/plain; charset=utf-8",
}
TEXT = ("InRelease", "Release", "Packages", "Sources", "Translation-en", "SHA256SUMS")
# What never changes under its name may be kept for ever; all else is asked for again.
UNCHANGING = ("/by-hash/", "/pool/")


def content_type(name: str) -> str:
    """Return the media type of a file by its name."""
    if name in TEXT or (name.startswith("Contents-") and "." not in name):
        return "text/plain; charset=utf-8"
    return TYPES.get(Path(name).suffix, "application/octet-stream")


class _AsItIs(web.FileResponse):
    """Answers a request for Packages with Packages, never with the Packages.gz beside it.

    aiohttp looks for such a file when the host accepts it; the signature is of the one that was asked for.
    """

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        headers = {
            name: value for name, value in request.headers.items() if name.lower() != "accept-encoding"
        }
        return await super().prepare(request.clone(headers=headers))


def application(folder: Path) -> web.Application:
    """Return a server of the files below `folder`: no listings, nothing hidden, nothing outside."""
    root = folder.resolve()

    async def get(request: web.Request) -> web.StreamResponse:
        parts = [part for part in request.match_info["path"].split("/") if part] or ["index.html"]
        path = root.joinpath(*parts)
        if any(part.startswith(".") for part in parts) or not path.resolve().is_relative_to(root):
            raise web.HTTPNotFound
        if not path.is_file():
            raise web.HTTPNotFound
        keep = any(mark in request.path for mark in UNCHANGING)
        headers = {
            "Content-Type": content_type(path.name),
            "Cache-Control": "public, max-age=31536000, immutable" if keep else "no-cache",
            "X-Content-Type-Options": "nosniff",
        }
        return _AsItIs(path, headers=headers)

    app = web.Application()
    app.router.add_get("/{path:.*}", get)
    return app


@contextmanager
def serving(folder: Path, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Serve `folder` in a thread of its own; give the port, a free one unless named. Raises RepositoryError."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(application(folder), access_log=None)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(runner.setup(), loop).result()
        site = web.TCPSite(runner, host, port)
        try:
            asyncio.run_coroutine_threadsafe(site.start(), loop).result()
        except OSError as error:
            raise RepositoryError(f"cannot serve on {host} port {port}: {error.strerror}") from error
        yield int(runner.addresses[0][1])
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def serve_forever(folder: Path, host: str, port: int) -> None:
    """Serve `folder` until interrupted. Raises RepositoryError."""
    with serving(folder, host=host, port=port) as found:
        print(f"http://{host}:{found}/", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return

"""Files that xe sends to a host or fetches from it, and consoles: HTTP beside the command's connection."""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from urllib.parse import parse_qs, urlsplit

from xapi_shim.cli.thin import open_tcp, open_unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Callable
    from typing import IO

MEGABYTE = 1 << 20
HEARTBEAT_S = 10.0
ESCAPE = b"\x1d"  # Ctrl-]


class TransferError(Exception):
    """The host refused the transfer, or it broke off."""


def connect(path: str, beside: socket.socket) -> socket.socket:
    """Connect for `path`: to the host it names, or to where `beside` is connected to.

    Raises ConnectionFailedError.
    """
    parts = urlsplit(path)
    if parts.hostname:
        secure = parts.scheme == "https"
        return open_tcp(parts.hostname, parts.port or (443 if secure else 80), tls=secure)
    if beside.family == socket.AF_UNIX:
        return open_unix(beside.getpeername())
    host, port = beside.getpeername()[:2]
    return open_tcp(host, port, tls=hasattr(beside, "version"))


def domain_of(path: str) -> str:
    """Return the number of the Xen domain that a console's path names, "" for none that runs."""
    (number, *_) = parse_qs(urlsplit(path).query).get("domid", [""])
    return number if number.isdecimal() else ""


def _target(path: str) -> str:
    parts = urlsplit(path)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _ask(connection: socket.socket, method: str, path: str, headers: tuple[str, ...] = ()) -> io.RawIOBase:
    """Send a request and return the answer's body. Raises TransferError unless it is 200."""
    lines = (f"{method} {_target(path)} HTTP/1.0", "User-agent: xe-cli/Unix/0.2", *headers, "", "")
    connection.sendall("\r\n".join(lines).encode())
    # Unbuffered: on a console what follows the headers is for the terminal.
    reader = connection.makefile("rb", buffering=0)
    status = reader.readline(8192).decode(errors="replace").split(None, 2)
    while reader.readline(8192) not in (b"\r\n", b"\n", b""):
        pass
    if len(status) < 2 or status[1] != "200":
        raise TransferError(f"the host refused the transfer: {' '.join(status).strip() or 'no answer'}")
    return reader


def get(connection: socket.socket, name: str, path: str) -> None:
    """Fetch `path` into a new file `name`, or to standard output for "".

    An unfinished file does not stay. Raises TransferError, FileExistsError and other OSErrors.
    """
    if not name:
        body = _ask(connection, "GET", path)
        _copy(body, sys.stdout.buffer)
        return
    with open(name, "xb") as file:  # noqa: PTH123 -- fails when the file exists, as in the reference
        try:
            _copy(_ask(connection, "GET", path), file)
        except BaseException:
            os.unlink(name)
            raise


def _copy(source: io.RawIOBase, target: IO[bytes]) -> None:
    while data := source.read(MEGABYTE):
        target.write(data)
    target.flush()


def put(connection: socket.socket, name: str, path: str, wait: Callable[[], None] | None) -> None:
    """Send the file `name` to `path`; `wait` is called now and then. Raises TransferError, OSError."""
    with open(name, "rb") as file:  # noqa: PTH123 -- "" names nothing, and fails
        size = os.fstat(file.fileno()).st_size
        _ask(connection, "PUT", path, (f"Content-Length: {size}",))
        told = time.monotonic()
        while data := file.read(MEGABYTE):
            connection.sendall(data)
            if wait is not None and time.monotonic() - told > HEARTBEAT_S:
                wait()
                told = time.monotonic()
    connection.shutdown(socket.SHUT_WR)


def console(connection: socket.socket, path: str) -> None:
    """Join the terminal to a guest's console until Ctrl-] or its end. Raises TransferError."""
    import termios
    import tty

    _ask(connection, "CONNECT", path)
    keys = sys.stdin.fileno()
    before = termios.tcgetattr(keys) if os.isatty(keys) else None
    if before is not None:
        tty.setraw(keys)
    try:
        _join(connection, keys)
    finally:
        if before is not None:
            termios.tcsetattr(keys, termios.TCSADRAIN, before)


def _join(connection: socket.socket, keys: int) -> None:
    while True:
        ready, _, _ = select.select([connection.fileno(), keys], [], [])
        if connection.fileno() in ready:
            data = connection.recv(4096)
            if not data:
                return
            os.write(1, data)
        if keys in ready:
            data = os.read(keys, 4096)
            if not data or ESCAPE in data:
                return
            connection.sendall(data)

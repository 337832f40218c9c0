"""From one host of a pool to another: HTTPS whose certificate is known, with the pool's secret.

Hosts ask for each other by the name `pool` (RFC 6066) and are shown the pool's own certificate. It is
self-signed: what says that it is the right one is its fingerprint, which the pool's records tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import json
import socket
import ssl
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError
from xapi_shim.host.tls import POOL_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

CONNECT_S = 10.0
# A host that does not take what is sent to it for so long is not there any more (tcp(7), TCP_USER_TIMEOUT).
SILENCE_S = 60
# Connections that nobody uses just now are kept for the next, so many of them.
IDLE = 4


class LinkError(KronosError):
    """The other host cannot be reached, is not the one it should be, or does not answer as one."""

    def __init__(self, address: str, why: object) -> None:
        super().__init__(f"host {address}: {why}")
        self.address = address


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a certificate (DER), as Certificate records say it: `AB:CD:...`."""
    return hashlib.sha256(certificate).digest().hex(":").upper()


def _unverified() -> ssl.SSLContext:
    """Return a context for certificates that no authority has signed: they are compared before anything is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _check_shown(address: str, certificate: bytes | None, known: Collection[str] | None) -> str:
    """Return the fingerprint of what a host has shown; it is among `known`, or any for None. Raises LinkError."""
    shown = fingerprint(certificate or b"")
    if known is not None and shown not in known:
        raise LinkError(address, f"shows a certificate that the pool does not know ({shown})")
    return shown


def open_tls(address: str, port: int, known: Collection[str] | None) -> tuple[ssl.SSLSocket, str]:
    """Connect to a host whose certificate's fingerprint is among `known`, or any for None. Blocks.

    Return the connection and the fingerprint. Raises OSError, LinkError.
    """
    wire = socket.create_connection((address, port), CONNECT_S)
    try:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENCE_S // 2)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_S * 1000)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secured = wire = _unverified().wrap_socket(wire, server_hostname=POOL_NAME)
        return secured, _check_shown(address, secured.getpeercert(binary_form=True), known)
    except BaseException:
        wire.close()
        raise


class _Connection(http.client.HTTPConnection):
    """A connection over `open_tls`; `shown` is the certificate's fingerprint once there is one."""

    def __init__(self, address: str, port: int, known: Collection[str] | None) -> None:
        super().__init__(address, port)
        self._known = known
        self.shown = ""

    def connect(self) -> None:
        self.sock, self.shown = open_tls(self.host, self.port, self._known)


class Link:
    """Requests to one host, from any thread. `known` and `secret` are asked for each connection and request."""

    def __init__(
        self, address: str, port: int, known: Callable[[], Collection[str] | None], secret: Callable[[], str]
    ) -> None:
        self.address, self.port = address, port
        self._known, self._secret = known, secret
        self._idle: deque[_Connection] = deque(maxlen=IDLE)
        self._busy: set[_Connection] = set()
        # The fingerprint of the certificate that was shown last.
        self.shown = ""

    def post(self, path: str, document: object, *, timeout_s: float | None, repeatable: bool) -> object:
        """Post JSON and return the JSON of the answer. Blocks.

        `repeatable` is what may be done twice: it may go over a connection that was kept, and is sent
        once more if that proves dead. Raises LinkError.
        """
        body = json.dumps(document, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"}
        answer = self.send("POST", path, body, headers, timeout_s=timeout_s, repeatable=repeatable)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise LinkError(self.address, f"{path}: the answer is no JSON ({error})") from error

    def send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float | None, repeatable: bool
    ) -> bytes:  # fmt: skip
        """Send a request and return the answer's body. Blocks. Raises LinkError."""
        kept = self._kept() if repeatable else None
        if kept is not None:
            try:
                return self._exchange(kept, method, path, body, headers, timeout_s)
            except TimeoutError as error:
                # It is there and does not answer: asking once more would be to wait once more.
                kept.close()
                raise LinkError(self.address, f"{path}: {error}") from error
            except (OSError, http.client.HTTPException):
                kept.close()
        connection = _Connection(self.address, self.port, self._known())
        try:
            return self._exchange(connection, method, path, body, headers, timeout_s)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise LinkError(self.address, f"{path}: {str(error) or type(error).__name__}") from error
        except BaseException:
            connection.close()
            raise

    def _kept(self) -> _Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _exchange(
        self, connection: _Connection, method: str, path: str, body: bytes, headers: Mapping[str, str], timeout_s: float | None
    ) -> bytes:  # fmt: skip
        if connection.sock is None:
            connection.connect()
            self.shown = connection.shown
        self._busy.add(connection)
        try:
            return self._asked(connection, method, path, body, headers, timeout_s)
        finally:
            self._busy.discard(connection)

    def _asked(
        self, connection: _Connection, method: str, path: str, body: bytes, headers: Mapping[str, str], timeout_s: float | None
    ) -> bytes:  # fmt: skip
        connection.sock.settimeout(timeout_s)
        secret = self._secret()
        cookie = {"Cookie": f"pool_secret={secret}"} if secret else {}
        connection.request(method, path, body, {**headers, **cookie})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != HTTPStatus.OK:
            connection.close()
            raise LinkError(
                self.address, f"{path}: HTTP {answer.status} {data[:200].decode(errors='replace')}"
            )
        if answer.will_close or len(self._idle) == IDLE:
            connection.close()
        else:
            self._idle.append(connection)
        return data

    def close(self) -> None:
        """Let go of all connections: who waits for an answer gets none."""
        for busy in tuple(self._busy):
            with contextlib.suppress(OSError, AttributeError):
                busy.sock.shutdown(socket.SHUT_RDWR)
        while (kept := self._kept()) is not None:
            kept.close()


async def open_stream(
    address: str, port: int, known: Collection[str]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a host as `open_tls` does, for asyncio. Raises LinkError."""
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(
                address, port, ssl=_unverified(), server_hostname=POOL_NAME
            )
    except (OSError, TimeoutError) as error:
        raise LinkError(address, str(error) or type(error).__name__) from error
    try:
        _check_shown(address, writer.get_extra_info("ssl_object").getpeercert(binary_form=True), known)
    except LinkError:
        writer.close()
        raise
    return reader, writer

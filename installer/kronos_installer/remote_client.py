"""XenAPI of another host, over TLS, as the first contact with a pool: its certificate is shown, not verified.

A pool's master signs its certificate itself, and before the join nothing on this host vouches for it but the operator,
who has its fingerprint or compares it. It goes into the plan, and the join is bound to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ipaddress
import socket
import ssl
import xmlrpc.client
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kronos_installer.override import override
from kronos_installer.xenapi_client import ORIGINATOR, VERSION, Session, call
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Iterator

HTTPS_PORT = 443
# A silence of that many seconds is as no answer. A wrong password is answered after five.
_TIMEOUT_S = 8.0
# A pool of 64 hosts tells less than a megabyte of them.
_MOST_BYTES = 16 << 20


class _TooMuchError(ValueError):
    """An answer longer than any that is asked for."""


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def fingerprint_of(certificate: bytes) -> str:
    """Return the SHA-256 of a certificate (DER) as openssl-x509(1) prints it: AB:CD:..."""
    return hashlib.sha256(certificate).digest().hex(":").upper()


@dataclass(frozen=True)
class Shown:
    """Who answered: the IP address, and the fingerprint of the certificate that it shows."""

    address: str
    fingerprint: str


def look_at(address: str, port: int = HTTPS_PORT) -> Shown:
    """Connect to a host by its name or address. Raises OSError, UnicodeError."""
    with (
        socket.create_connection((address, port), timeout=_TIMEOUT_S) as plain,
        _context().wrap_socket(plain) as secure,
    ):
        peer = ipaddress.ip_address(secure.getpeername()[0])
        return Shown(str(peer), fingerprint_of(secure.getpeercert(binary_form=True) or b""))


class OtherCertificateError(OSError):
    """A host shows another certificate, of the fingerprint `shown`, than the one that it is to show."""

    def __init__(self, address: str, shown: str, expected: str) -> None:
        super().__init__(
            f"{address} shows another certificate now, of the fingerprint {shown}, not {expected}"
        )
        self.shown, self.expected = shown, expected


class _Connection(http.client.HTTPSConnection):
    def __init__(self, address: str, port: int, fingerprint: str) -> None:
        super().__init__(address, port, timeout=_TIMEOUT_S, context=_context())
        self._fingerprint = fingerprint

    @override
    def connect(self) -> None:
        super().connect()
        shown = fingerprint_of(self.sock.getpeercert(binary_form=True) or b"")
        if shown != self._fingerprint:
            self.close()
            raise OtherCertificateError(self.host, shown, self._fingerprint)


class TlsTransport(xmlrpc.client.Transport):
    """xmlrpc.client's transport to `address`, if it shows the certificate of `fingerprint`; answers have a greatest length."""

    accept_gzip_encoding = False

    def __init__(self, address: str, port: int, fingerprint: str) -> None:
        super().__init__()
        self._address, self._port, self._fingerprint = address, port, fingerprint

    @override
    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ANN401 -- xmlrpc.client's
        connection = self._connection[1]
        if not isinstance(connection, http.client.HTTPConnection):
            connection = _Connection(self._address, self._port, self._fingerprint)
            self._connection = (str(host), connection)
        return connection

    @override
    def parse_response(self, response: Any) -> Any:  # noqa: ANN401 -- xmlrpc.client's
        parser, unmarshaller = self.getparser()
        data = response.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise _TooMuchError(f"an answer of more than {_MOST_BYTES} bytes")
        parser.feed(data)
        parser.close()
        return unmarshaller.close()


@contextmanager
def remote_session(
    address: str, username: str, password: str, fingerprint: str, port: int = HTTPS_PORT
) -> Iterator[Session]:
    """Log in on another host, and out at the end. Nothing is sent to one that shows another certificate.

    Raises XenApiUnreachableError, XenApiFailureError (SESSION_AUTHENTICATION_FAILED, HOST_IS_SLAVE [master], ...).
    """
    transport = TlsTransport(address, port, fingerprint)
    with contextlib.closing(transport):
        proxy = xmlrpc.client.ServerProxy("https://localhost/", transport=transport)
        reference = call(
            proxy, address, "session.login_with_password", username, password, VERSION, ORIGINATOR
        )
        session = Session(proxy, str(reference), address)
        try:
            yield session
        finally:
            # A session that cannot be ended dies of age.
            with contextlib.suppress(KronosError):
                session.call("session.logout")

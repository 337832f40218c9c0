"""XenAPI from the host itself: XML-RPC over the daemon's unix socket, where whoever may connect is root.

Used as

    with local_session() as session:
        pools = session.call("pool.get_all_records")

The wire format is the XML-RPC of the XenAPI: each answer is a struct with `Status`, and `Value` or `ErrorDescription`.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import xmlrpc.client
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from kronos_installer.override import override
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORIGINATOR = "xapi-host-setup"
TIMEOUT_S = 60.0
VERSION = "1.0"
# What xmlrpc.client and expat raise for bytes that are no answer.
_NOT_AN_ANSWER = (
    xmlrpc.client.Fault, xmlrpc.client.ResponseError, ExpatError, ValueError, TypeError, LookupError, AttributeError,
)  # fmt: skip


class XenApiUnreachableError(KronosError):
    """The daemon does not answer: it does not run, starts, or is not what listens there."""

    def __init__(self, where: str, why: object) -> None:
        super().__init__(
            f"the toolstack's daemon does not answer at {where}: {why}",
            resolution="see 'systemctl status xapi.service'",
        )


class XenApiFailureError(KronosError):
    """The daemon refused a call, with an error code and parameters of the XenAPI."""

    def __init__(self, method: str, description: list[str]) -> None:
        super().__init__(f"{method} failed: {': '.join(description)}")
        self.method, self.code, self.params = method, description[0], tuple(description[1:])


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    @override
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class UnixTransport(xmlrpc.client.Transport):
    """xmlrpc.client's transport over the unix socket at `path`; the connection is kept between calls."""

    def __init__(self, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__()
        self._path, self._timeout_s = str(path), timeout_s

    @override
    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ANN401 -- xmlrpc.client's
        connection = self._connection[1]
        if not isinstance(connection, http.client.HTTPConnection):
            connection = _Connection(self._path, self._timeout_s)
            self._connection = (str(host), connection)
        return connection


@dataclass(frozen=True)
class Session:
    """A session with the daemon on this host."""

    proxy: xmlrpc.client.ServerProxy
    reference: str
    where: str

    def call(self, method: str, *args: object) -> Any:  # noqa: ANN401 -- any XenAPI value
        """Call a message, `args` without the session. Raises XenApiUnreachableError, XenApiFailureError."""
        return call(self.proxy, self.where, method, self.reference, *args)


@contextmanager
def local_session(path: Path | None = None, *, timeout_s: float = TIMEOUT_S) -> Iterator[Session]:
    """Log in as root at the socket `path`, and out at the end. No answer within `timeout_s` is as none.

    Raises XenApiUnreachableError, XenApiFailureError.
    """
    where = path or Paths().unix_socket
    transport = UnixTransport(where, timeout_s)
    with contextlib.closing(transport):
        proxy = xmlrpc.client.ServerProxy("http://localhost/", transport=transport)
        reference = call(proxy, str(where), "session.login_with_password", "", "", VERSION, ORIGINATOR)
        session = Session(proxy, str(reference), str(where))
        try:
            yield session
        finally:
            # A session that cannot be ended dies with the daemon, or of age.
            with contextlib.suppress(KronosError):
                session.call("session.logout")


def call(proxy: xmlrpc.client.ServerProxy, where: str, method: str, *args: object) -> Any:  # noqa: ANN401
    """Call a message with all its arguments. Raises XenApiUnreachableError, XenApiFailureError."""
    try:
        answer: Any = getattr(proxy, method)(*args)
    except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
        raise XenApiUnreachableError(where, error) from error
    except _NOT_AN_ANSWER as error:
        raise XenApiUnreachableError(where, f"what it says is not XenAPI ({error})") from error
    status = answer.get("Status") if isinstance(answer, dict) else None
    if status == "Success" and "Value" in answer:
        return answer["Value"]
    description = answer.get("ErrorDescription") if status == "Failure" else None
    if not isinstance(description, list) or not description:
        raise XenApiUnreachableError(where, "what it says is not XenAPI")
    raise XenApiFailureError(method, [str(part) for part in description])

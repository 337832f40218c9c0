"""A XenAPI connection for xe: XML-RPC over the host's unix socket, or over TLS to another host."""

from __future__ import annotations

import http.client
import socket
import ssl
import xmlrpc.client
from typing import TYPE_CHECKING, Any

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from pathlib import Path

ORIGINATOR = "xe"
VERSION = "1.0"


class ConnectionFailedError(KronosError):
    """The daemon cannot be reached."""


class ApiFailureError(KronosError):
    """The daemon answered with an error code and parameters."""

    def __init__(self, description: list[str]) -> None:
        super().__init__(": ".join(description))
        self.code, self.params = description[0], description[1:]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = str(path)

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ANN401, ARG002
        if self._connection[1] is None:
            self._connection = ("localhost", _UnixConnection(self._path))
        connection = self._connection[1]
        assert isinstance(connection, http.client.HTTPConnection)
        return connection


class Client:
    """One session; `call` takes a message's name and its arguments after the session."""

    def __init__(self, proxy: xmlrpc.client.ServerProxy) -> None:
        self._proxy = proxy
        self._session = ""

    @classmethod
    def local(cls, path: Path) -> Client:
        """Connect to the unix socket; whoever may open it is root."""
        return cls(xmlrpc.client.ServerProxy("http://localhost/", transport=_UnixTransport(path)))

    @classmethod
    def remote(cls, host: str, port: int) -> Client:
        """Connect over TLS. As with the reference's xe, the host's self-made certificate is not verified."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        name = f"[{host}]" if ":" in host else host
        return cls(xmlrpc.client.ServerProxy(f"https://{name}:{port}/", context=context))

    def login(self, user: str, password: str) -> None:
        """Open the session. Raises ConnectionFailedError, ApiFailureError."""
        self._session = self._raw("session.login_with_password", user, password, VERSION, ORIGINATOR)

    def logout(self) -> None:
        self.call("session.logout")

    def call(self, method: str, *args: Any) -> Any:  # noqa: ANN401 -- any XenAPI value
        """Call a message. Raises ConnectionFailedError, ApiFailureError."""
        return self._raw(method, self._session, *args)

    def _raw(self, method: str, *args: Any) -> Any:  # noqa: ANN401
        try:
            answer: Any = getattr(self._proxy, method)(*args)
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise ConnectionFailedError(f"cannot reach the XenAPI daemon: {error}") from error
        except (xmlrpc.client.Fault, xmlrpc.client.ResponseError, ValueError) as error:
            raise ConnectionFailedError(f"the daemon's answer is not XenAPI: {error}") from error
        if not isinstance(answer, dict) or answer.get("Status") not in ("Success", "Failure"):
            raise ConnectionFailedError("the daemon's answer is not XenAPI")
        if answer["Status"] == "Failure":
            raise ApiFailureError([str(part) for part in answer["ErrorDescription"]])
        return answer["Value"]

# ruff: noqa: N999 -- the name that plugins import
"""For programs in /etc/xapi.d/plugins: a table of functions, called by host.call_plugin.

    import XenAPIPlugin

    def main(session, args):
        return "done"

    XenAPIPlugin.dispatch({"main": main})

A function takes a session over the host's own socket and a dict of texts, and returns a
text. It raises Failure to answer with an error of its own. This module uses nothing of
ours: plugins are programs by themselves.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
import traceback
import xmlrpc.client
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Function = Callable[[Any, dict[str, str]], str]

SOCKET = "/var/lib/xcp/xapi"


class Failure(Exception):
    """An error of the plugin's own: a code and parameters."""

    def __init__(self, code: str, params: list[str]) -> None:
        super().__init__(code, params)
        self.params = [code, *params]

    def __str__(self) -> str:
        return str(self.params)


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(os.environ.get("XAPI_SOCKET", SOCKET))


class _Transport(xmlrpc.client.Transport):
    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ANN401, ARG002 -- xmlrpc's
        return _Connection("localhost")

    def add_extra_header(self, key: str, value: str) -> None:
        """Take what XenAPI's own transports take."""


class _Calls:
    """`session.xenapi` where the XenAPI module is not installed: names to calls."""

    def __init__(self, server: xmlrpc.client.ServerProxy, session: str, name: str = "") -> None:
        self._server, self._session, self._name = server, session, name

    def __getattr__(self, name: str) -> _Calls:
        return _Calls(self._server, self._session, f"{self._name}.{name}" if self._name else name)

    def __call__(self, *args: Any) -> Any:  # noqa: ANN401 -- whatever the message takes and returns
        answer: Any = getattr(self._server, self._name)(self._session, *args)
        if answer["Status"] != "Success":
            code, *params = answer["ErrorDescription"]
            raise Failure(code, params)
        return answer["Value"]


class _Session:
    def __init__(self, ref: str) -> None:
        self._session = self.handle = ref
        self.xenapi = _Calls(xmlrpc.client.ServerProxy("http://localhost", _Transport()), ref)


def _connect(ref: str) -> Any:  # noqa: ANN401 -- XenAPI.Session has no types
    try:
        import XenAPI
    except ImportError:
        return _Session(ref)
    session = XenAPI.Session("http://localhost", transport=_Transport())
    session._session = ref  # noqa: SLF001 -- as plugins have always done
    return session


def success_message(result: str) -> str:
    """Return the response document of a result."""
    return xmlrpc.client.dumps(({"Status": "Success", "Value": result},), "", methodresponse=True)


def failure_message(description: list[str]) -> str:
    """Return the response document of an error code and its parameters."""
    return xmlrpc.client.dumps(
        ({"Status": "Failure", "ErrorDescription": description},), "", methodresponse=True
    )


def _answer(functions: Mapping[str, Function], request: str) -> str:
    sent, name = xmlrpc.client.loads(request)
    function = functions.get(name or "")
    if function is None:
        return failure_message(["UNKNOWN_XENAPI_PLUGIN_FUNCTION", str(name)])
    session, args = cast("tuple[str, dict[str, str]]", sent)
    try:
        return success_message(function(_connect(session), args))
    except Exception as error:  # noqa: BLE001 -- the caller is answered, whatever broke
        told: object = getattr(error, "params", None) or getattr(error, "details", None)
        if isinstance(told, list):
            return failure_message([str(one) for one in told])
        traceback.print_exc(file=sys.stderr)
        return failure_message(["XENAPI_PLUGIN_FAILURE", str(name), type(error).__name__, str(error)])


def dispatch(fn_table: Mapping[str, Function]) -> None:
    """Answer the call in the first argument by a function of the table, and print the response."""
    if len(sys.argv) != 2:
        sys.exit("this program is called by host.call_plugin: its argument is an XML-RPC call")
    print(_answer(fn_table, sys.argv[1]))

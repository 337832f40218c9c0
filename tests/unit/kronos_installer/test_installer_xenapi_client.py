"""The set-up's XenAPI client against a socket that answers well, badly and not at all."""

from __future__ import annotations

import socket
import tempfile
import threading
import xmlrpc.client
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kronos_installer.xenapi_client import XenApiFailureError, XenApiUnreachableError, local_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Answer = dict[str, object]


@contextmanager
def answering(reply: Callable[[str, tuple[object, ...]], bytes]) -> Iterator[Path]:
    """Serve one connection at a time at a unix socket; `reply` gives an answer's body for a method and arguments."""
    # A unix socket's path is short (unix(7)); pytest's folders can be long.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "xapi")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_serve, args=(listener, reply), daemon=True)
        thread.start()
        try:
            yield path
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(10)


def _serve(listener: socket.socket, reply: Callable[[str, tuple[object, ...]], bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as stream:
            while stream.readline():
                length = 0
                while (line := stream.readline().strip()) != b"":
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                params, method = xmlrpc.client.loads(stream.read(length))
                body = reply(str(method), params)
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)


def xml(answer: object) -> bytes:
    return xmlrpc.client.dumps((answer,), methodresponse=True, allow_none=True).encode()


def test_a_session_is_opened_used_and_closed() -> None:
    seen: list[tuple[str, tuple[object, ...]]] = []

    def reply(method: str, params: tuple[object, ...]) -> bytes:
        seen.append((method, params))
        value = {"session.login_with_password": "OpaqueRef:s", "session.logout": ""}.get(method, ["a", "b"])
        return xml({"Status": "Success", "Value": value})

    with answering(reply) as path, local_session(path) as session:
        assert session.call("SR.get_by_name_label", "Local storage") == ["a", "b"]
    assert seen == [
        ("session.login_with_password", ("", "", "1.0", "xapi-host-setup")),
        ("SR.get_by_name_label", ("OpaqueRef:s", "Local storage")),
        ("session.logout", ("OpaqueRef:s",)),
    ]


def test_a_refused_call_says_its_code_and_the_session_is_closed_all_the_same() -> None:
    seen: list[str] = []

    def reply(method: str, _params: tuple[object, ...]) -> bytes:
        seen.append(method)
        if method == "pool.eject":
            return xml({"Status": "Failure", "ErrorDescription": ["NOT_IMPLEMENTED", "pool.eject"]})
        return xml({"Status": "Success", "Value": "OpaqueRef:s"})

    with answering(reply) as path:
        with pytest.raises(XenApiFailureError, match=r"pool\.eject failed: NOT_IMPLEMENTED") as caught, local_session(path) as s:  # fmt: skip
            s.call("pool.eject", "OpaqueRef:h")
        assert (caught.value.code, caught.value.params) == ("NOT_IMPLEMENTED", ("pool.eject",))
    assert seen[-1] == "session.logout"


HOSTILE = {
    "no xml": b"\x00\xff<",
    "html": b"<html><body>It works</body></html>",
    "another struct": xml({"result": 1}),
    "no struct": xml("hello"),
    "status alone": xml({"Status": "Success"}),
    "failure without a reason": xml({"Status": "Failure", "ErrorDescription": []}),
    "a fault": xmlrpc.client.dumps(xmlrpc.client.Fault(1, "no"), methodresponse=True).encode(),
    "a broken number": b"<methodResponse><params><param><value><int>x</int></value></param></params></methodResponse>",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_answer_is_a_daemon_that_does_not_answer(body: bytes) -> None:
    with (
        answering(lambda _method, _params: body) as path,
        pytest.raises(XenApiUnreachableError, match="does not answer"),
        local_session(path),
    ):
        pass


def test_a_socket_that_is_not_there_is_a_daemon_that_does_not_answer(tmp_path: Path) -> None:
    with (
        pytest.raises(XenApiUnreachableError, match="systemctl status xapi"),
        local_session(tmp_path / "xapi"),
    ):
        pass


def test_a_daemon_that_says_nothing_is_given_up() -> None:
    # It takes the connection (the kernel does) and never reads it.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{folder}/xapi")
        silent.listen()
        with pytest.raises(XenApiUnreachableError, match="timed out"), local_session(Path(folder, "xapi"), timeout_s=0.05):  # fmt: skip
            pass

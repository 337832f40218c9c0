"""xe's side of the thin CLI protocol: prints, asks, reads and writes files when the host says so."""

from __future__ import annotations

import os
import socket
import sys

from xapi_shim.cli import protocol
from xapi_shim.cli.protocol import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from xapi_shim.cli.protocol import Message

USER_AGENT = "xe-cli/Unix/0.2"


class ConnectionFailedError(Exception):
    """The daemon cannot be reached, or it hung up."""


class OutputClosedError(Exception):
    """Nobody reads standard output any more."""


class ThinClient:
    """One command of xe over one connection; `words` are its arguments as typed."""

    def __init__(self, connection: socket.socket, words: list[str], *, debug: bool = False) -> None:
        self._connection = connection
        self._reader = connection.makefile("rb")
        self._words = words
        self._debug = debug

    def run(self, body: str) -> int:
        """Send the request and serve the host until it says with which status to exit.

        Raises ConnectionFailedError, ProtocolError.
        """
        raw = body.encode(errors="surrogateescape")
        head = (
            f"POST /cli HTTP/1.0\r\nUser-agent: {USER_AGENT}\r\noriginator: cli\r\n"
            f"content-length: {len(raw)}\r\n\r\n"
        )
        try:
            self._connection.sendall(head.encode() + raw)
            protocol.check_hello(self._exactly(len(protocol.HELLO), greeting=True))
            self._connection.sendall(protocol.HELLO)
            while True:
                message = protocol.decode(self._exactly(protocol.length(self._exactly(4))))
                if message.kind != protocol.COMMAND:
                    raise ProtocolError("the host sends only commands")
                if message.tag == protocol.EXIT:
                    return int(str(message.parts[0]))
                self._serve(message)
        except OSError as error:
            self._lost(error)

    @staticmethod
    def _lost(error: OSError) -> NoReturn:
        raise ConnectionFailedError(f"lost connection to the server: {error}") from error

    def _exactly(self, size: int, *, greeting: bool = False) -> bytes:
        data = self._reader.read(size)
        if len(data) == size:
            return data
        if greeting and data.startswith(b"HTTP/"):
            raise ProtocolError(
                f"the host answered: {data.split(chr(13).encode())[0].decode(errors='replace')}"
            )
        raise ConnectionFailedError("lost connection to the server")

    def _send(self, kind: int, tag: int, *parts: protocol.Part) -> None:
        self._connection.sendall(protocol.encode(kind, tag, *parts))

    def _serve(self, message: Message) -> None:
        texts = [part for part in message.parts if isinstance(part, str)]
        match message.tag:
            case protocol.PRINT:
                _write_line(texts[0])
            case protocol.PRINT_STDERR:
                sys.stderr.write(texts[0])
                sys.stderr.flush()
            case protocol.DEBUG:
                if self._debug:
                    print(texts[0], file=sys.stderr)
            case protocol.ERROR:
                params = message.parts[1]
                assert isinstance(params, list)
                print(f"Error code: {texts[0]}", file=sys.stderr)
                print(f"Error parameters: {', '.join(params)}", file=sys.stderr)
            case protocol.PROMPT:
                self._prompt()
            case protocol.LOAD:
                self._load(texts[0])
            case protocol.HTTP_GET | protocol.HTTP_PUT:
                self._transfer(message.tag, texts[0], texts[1])
            case _:
                self._console(texts[0])

    def _prompt(self) -> None:
        sys.stdout.flush()
        self._send_blob(sys.stdin.readline().rstrip("\n").encode(errors="surrogateescape"))

    def _send_blob(self, data: bytes) -> None:
        self._send(protocol.BLOB, protocol.CHUNK, len(data))
        self._connection.sendall(data)
        self._send(protocol.BLOB, protocol.END)

    def _named(self, name: str) -> bool:
        """Say whether the user named this file: a host gets no other."""
        return any(name in (word, word.partition("=")[2]) for word in self._words)

    def _load(self, name: str) -> None:
        if not self._named(name):
            self._refuse(f"the host asks for a file that the command does not name: {name}")
            return
        try:
            with open(name, "rb") as file:  # noqa: PTH123 -- pathlib costs start-up time
                data = file.read()
        except OSError as error:
            self._refuse(f"{name}: {error.strerror}")
            return
        self._send(protocol.RESPONSE, protocol.OK)
        self._send_blob(data)

    def _refuse(self, why: str) -> None:
        print(f"Error: {why}", file=sys.stderr)
        self._send(protocol.RESPONSE, protocol.FAILED)

    def _transfer(self, tag: int, name: str, path: str) -> None:
        """Fetch a file from the host, or send it one; the answer says how it went."""
        from xapi_shim.cli import transfer

        if name and not self._named(name):
            self._refuse(f"the host asks for a file that the command does not name: {name}")
            return
        try:
            with transfer.connect(path, self._connection) as connection:
                waiting = self._wait if tag == protocol.HTTP_PUT else None
                if tag == protocol.HTTP_GET:
                    transfer.get(connection, name, path)
                else:
                    transfer.put(connection, name, path, waiting)
        except (OSError, transfer.TransferError) as error:
            self._refuse(str(error))
            return
        self._send(protocol.RESPONSE, protocol.OK)

    def _wait(self) -> None:
        """Tell the host that the transfer goes on."""
        self._send(protocol.RESPONSE, protocol.WAIT)

    def _console(self, path: str) -> None:
        from xapi_shim.cli import transfer

        domain = transfer.domain_of(path) if self._connection.family == socket.AF_UNIX else ""
        if domain:
            self._own_console(domain)
            return
        try:
            with transfer.connect(path, self._connection) as connection:
                transfer.console(connection, path)
        except (OSError, transfer.TransferError) as error:
            self._refuse(str(error))
            return
        self._send(protocol.RESPONSE, protocol.OK)

    def _own_console(self, domain: str) -> None:
        """Join the terminal to the console of a domain of this very host."""
        from xapi_shim.base.errors import KronosError
        from xapi_shim.base.process import run_in_foreground

        sys.stdout.flush()
        try:
            status = run_in_foreground(["xl", "console", domain])
        except KronosError as error:
            self._refuse(str(error))
            return
        self._send(protocol.RESPONSE, protocol.OK if status == 0 else protocol.FAILED)


def _write_line(text: str) -> None:
    """Print a line. Raises OutputClosedError when nobody reads any more."""
    try:
        sys.stdout.write(text + "\n")
    except BrokenPipeError as error:
        raise OutputClosedError from error


def open_unix(path: str) -> socket.socket:
    """Connect to the host's own daemon. Raises ConnectionFailedError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(os.fspath(path))
    except OSError as error:
        connection.close()
        raise ConnectionFailedError(f"cannot reach the XenAPI daemon at {path}: {error.strerror}") from error
    return connection


def open_tcp(host: str, port: int, *, tls: bool) -> socket.socket:
    """Connect to a host. Its certificate is self-made and not verified, as in the reference.

    Raises ConnectionFailedError.
    """
    try:
        connection = socket.create_connection((host, port))
        if not tls:
            return connection
        import ssl

        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(connection, server_hostname=host)
    except OSError as error:
        raise ConnectionFailedError(
            f"cannot reach the XenAPI daemon at {host}:{port}: {error.strerror or error}"
        ) from error

"""The thin CLI protocol on the wire, byte by byte, from both ends: no code of ours speaks it here.

The client and the host of these tests are written from the protocol's description alone, so that
xe and the daemon are not merely right about each other.
"""

import socket
import ssl
import struct
import sys
import threading

import pytest
from running_daemon import PASSWORD

from xapi_shim.base.process import run

HELLO = b"XenSource thin CLI protocol" + b"\x00\x00\x00\x00" + b"\x02\x00\x00\x00"


def framed(*numbers_and_texts):
    body = b""
    for part in numbers_and_texts:
        if isinstance(part, int):
            body += struct.pack("<i", part)
        else:
            body += struct.pack("<i", len(part)) + part
    return struct.pack("<i", len(body)) + body


class OriginalClient:
    """What the original xe does, no more: answers prompts from a list, and keeps what it is told."""

    def __init__(self, connection, answers=()):
        self.connection, self.reader = connection, connection.makefile("rb")
        self.answers = list(answers)
        self.out, self.err, self.errors = [], [], []

    def run(self, *lines, extra_headers=b"User-agent: xe-cli/Unix/0.2\r\noriginator: cli\r\n"):
        body = "".join(f"{line}\n" for line in lines).encode()
        head = b"POST /cli HTTP/1.0\r\n" + extra_headers + b"content-length: %d\r\n\r\n" % len(body)
        self.connection.sendall(head + body)
        assert self.reader.read(len(HELLO)) == HELLO
        self.connection.sendall(HELLO)
        while True:
            (size,) = struct.unpack("<i", self.reader.read(4))
            body = self.reader.read(size)
            kind, tag = struct.unpack("<ii", body[:8])
            assert kind == 9
            if tag == 4:
                assert self.reader.read(1) == b""
                return struct.unpack("<i", body[8:])[0]
            self.serve(tag, body[8:])

    def serve(self, tag, rest):
        if tag == 3:
            answer = self.answers.pop(0)
            self.connection.sendall(framed(11, 7, len(answer)) + answer + framed(11, 8))
            return
        (size,) = struct.unpack("<i", rest[:4])
        text, rest = rest[4 : 4 + size].decode(), rest[4 + size :]
        if tag == 14:
            (count,), rest = struct.unpack("<i", rest[:4]), rest[4:]
            params = []
            for _ in range(count):
                (size,) = struct.unpack("<i", rest[:4])
                params.append(rest[4 : 4 + size].decode())
                rest = rest[4 + size :]
            self.errors.append((text, params))
        else:
            {0: self.out, 16: self.err}[tag].append(text)
        assert rest == b""


@pytest.fixture
def unix(running):
    opened = []

    def connect(*answers):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        connection.connect(str(running.paths.unix_socket))
        opened.append(connection)
        return OriginalClient(connection, answers)

    yield connect
    for connection in opened:
        connection.close()


def test_an_original_client_over_the_socket(unix):
    client = unix()
    assert client.run("host-list", "--minimal", "username=", "password=") == 0
    assert len(client.out) == 1
    assert len(client.out[0]) == 36


def test_errors_go_as_code_and_parameters(unix):
    client = unix()
    assert client.run("vm-destroy", "uuid=x", "username=root", "password=") == 1
    assert client.errors == [("UUID_INVALID", ["VM", "x"])]
    client = unix()
    assert client.run("vm-fly", "username=root", "password=") == 1
    assert client.err == ["Unknown command: vm-fly\nFor usage run: 'xe help'\n"]


def test_a_prompt_is_answered_by_a_blob(unix):
    client = unix()
    assert client.run("vm-create", "name-label=g") == 0
    (vm,) = client.out
    client = unix(b"yes")
    assert client.run("vm-uninstall", f"uuid={vm}") == 0
    assert client.answers == []


def test_over_tls_a_password_is_asked_for(running):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for password, status in ((PASSWORD, 0), ("wrong", 1)):
        plain = socket.create_connection(("127.0.0.1", running.daemon.port), timeout=60)
        with context.wrap_socket(plain) as connection:
            client = OriginalClient(connection)
            assert client.run("host-list", "username=root", f"password={password}") == status
            assert [code for code, _ in client.errors] == ["SESSION_AUTHENTICATION_FAILED"] * status


def test_a_session_may_come_with_the_request(unix, session):
    client = unix()
    assert client.run(f"session_id={session._session}", "host-list", "--minimal") == 0
    assert session.xenapi.host.get_by_uuid(client.out[0])  # the session goes on


@pytest.mark.parametrize(
    "sent",
    [b"GET / HTTP/1.0\r\n\r\n" + b"x" * 20, HELLO[:27] + b"\x01\0\0\0\0\0\0\0", b""],
    ids=["http", "version", "eof"],
)
def test_who_greets_wrongly_is_hung_up_on(unix, sent, running):
    client = unix()
    client.connection.sendall(b"POST /cli HTTP/1.0\r\ncontent-length: 10\r\n\r\nhost-list\n")
    assert client.reader.read(len(HELLO)) == HELLO
    client.connection.sendall(sent)
    client.connection.shutdown(socket.SHUT_WR)
    assert client.reader.read() == b""
    assert unix().run("host-list") == 0


def test_hanging_up_in_a_prompt_does_nothing(unix, api):
    client = unix()
    assert client.run("vm-create", "name-label=g") == 0
    leaver = unix()
    leaver.answers = None
    body = f"vm-uninstall\nuuid={client.out[0]}\n".encode()
    leaver.connection.sendall(b"POST /cli HTTP/1.0\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    leaver.reader.read(len(HELLO))
    leaver.connection.sendall(HELLO)
    leaver.connection.shutdown(socket.SHUT_WR)
    leaver.reader.read()
    assert api.VM.get_by_uuid(client.out[0])


class OriginalHost(threading.Thread):
    """A host that says to one xe what the test wrote, and keeps what came."""

    def __init__(self, script, answer=b""):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.script, self.answer = script, answer
        self.request = self.got = b""

    def run(self):
        connection, _ = self.listener.accept()
        reader = connection.makefile("rb")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += reader.readline()
        size = int(head.lower().split(b"content-length:")[1].split()[0])
        self.request = head + reader.read(size)
        connection.sendall(HELLO)
        assert reader.read(len(HELLO)) == HELLO
        for message in self.script:
            connection.sendall(message)
        if self.answer:
            transfer, _ = self.listener.accept()
            asked = transfer.makefile("rb")
            while asked.readline() != b"\r\n":
                pass
            transfer.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + self.answer)
            transfer.shutdown(socket.SHUT_WR)
        self.got = reader.read()
        connection.close()


def our_xe(host, *words, stdin=None, tmp_path=None):
    host.start()
    argv = [sys.executable, "-m", "xapi_shim.cli.main", "-s", "127.0.0.1", "-p", str(host.port), "--nossl",
            "-u", "root", "-pw", "p", *words]  # fmt: skip
    done = run(argv, check=False, stdin=stdin or "", env={"HOME": "/nonexistent"})
    host.join(30)
    return done


def exit_with(status):
    return framed(9, 4, status)


def test_our_xe_speaks_to_an_original_host():
    host = OriginalHost([framed(9, 0, b"out"), framed(9, 16, b"err\n"), exit_with(3)])
    done = our_xe(host, "vm-list", "--minimal", "params=uuid")
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    head, _, body = host.request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /cli HTTP/1.0\r\n")
    assert b"User-agent: xe-cli/Unix/0.2" in head
    assert body == b"vm-list\n--minimal\nparams=uuid\nusername=root\npassword=p\n"


def test_our_xe_shows_an_error_of_the_host():
    error = (
        struct.pack("<ii", 9, 14)
        + framed(b"CODE")[4:]
        + struct.pack("<i", 2)
        + framed(b"a")[4:]
        + framed(b"b")[4:]
    )
    done = our_xe(OriginalHost([struct.pack("<i", len(error)) + error, exit_with(1)]), "vm-list")
    assert (done.returncode, done.stderr) == (1, "Error code: CODE\nError parameters: a, b\n")


def test_our_xe_sends_the_file_it_was_told_and_no_other(tmp_path):
    file, other = tmp_path / "a.pem", tmp_path / "b.pem"
    file.write_bytes(b"12345")
    other.write_bytes(b"secret")
    host = OriginalHost([framed(9, 1, str(file).encode()), framed(9, 1, str(other).encode()), exit_with(0)])
    done = our_xe(host, "pool-crl-install", f"filename={file}")
    assert host.got == framed(10, 5) + framed(11, 7, 5) + b"12345" + framed(11, 8) + framed(10, 6)
    assert "does not name" in done.stderr


def test_our_xe_answers_a_prompt():
    host = OriginalHost([framed(9, 3), exit_with(0)])
    our_xe(host, "vm-uninstall", stdin="yes\n")
    assert host.got == framed(11, 7, 3) + b"yes" + framed(11, 8)


def test_our_xe_fetches_a_file(tmp_path):
    file = tmp_path / "dump"
    host = OriginalHost(
        [framed(9, 12, str(file).encode(), b"/dump?session_id=x"), exit_with(0)], answer=b"data"
    )
    assert our_xe(host, "pool-dump-database", f"file-name={file}").returncode == 0
    assert file.read_bytes() == b"data"
    assert host.got == framed(10, 5)


def test_our_xe_does_not_take_another_protocol_for_this_one(running, tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse():
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 404 Not Found\r\n\r\nnothing here, really nothing at all")
        connection.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    port = str(listener.getsockname()[1])
    done = run([sys.executable, "-m", "xapi_shim.cli.main", "-s", "127.0.0.1", "-p", port, "--nossl", "-pw", "p",
                "vm-list"], check=False)  # fmt: skip
    thread.join()
    assert done.returncode == 1
    assert "does not speak the thin CLI protocol" in done.stderr


def test_the_daemon_stops_while_an_xe_waits(unix, running):
    waiting = unix()
    body = b"event-wait\nclass=vm\nname-label=nobody\n"
    waiting.connection.sendall(b"POST /cli HTTP/1.0\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    assert waiting.reader.read(len(HELLO)) == HELLO
    waiting.connection.sendall(HELLO)
    running.stop()  # within its 30 s
    waiting.reader.read()  # to its end: whether it is still told why is a matter of who is faster
    running.start()


def test_a_reader_of_half_a_list_does_not_hinder_the_next(unix, api):
    for name in range(40):
        unix().run("vm-create", f"name-label={name}")
    leaver = unix()
    leaver.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    body = b"vm-list\nparams=all\n"
    leaver.connection.sendall(
        b"POST /cli HTTP/1.0\r\ncontent-length: %d\r\n\r\n" % len(body) + body + HELLO[:0]
    )
    assert leaver.reader.read(len(HELLO)) == HELLO
    leaver.connection.sendall(HELLO)
    leaver.reader.read(100)
    leaver.reader.close()
    leaver.connection.close()
    assert unix().run("vm-list", "--minimal") == 0

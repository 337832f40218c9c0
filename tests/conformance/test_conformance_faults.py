"""Clients that dawdle, come in crowds, hang up half-way or send bombs: the daemon answers the next one."""

import json
import socket
import time

import pytest
from running_daemon import PASSWORD
from test_conformance_wire import rpc

from xapi_shim.rpc.sessions import Door


def request(path=b"/jsonrpc", method="system.isAlive:x"):
    body = json.dumps({"method": method, "params": [], "id": 1}).encode()
    return b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (path, len(body), body)


@pytest.fixture
def connect(running):
    """Open connections to the unix socket; all are closed at the end."""
    opened = []

    def one():
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(20)
        wire.connect(str(running.paths.unix_socket))
        opened.append(wire)
        return wire

    yield one
    for wire in opened:
        wire.close()


@pytest.fixture
def limits(running):
    return running.daemon._server.limits[Door.UNIX]


def told(wire, words):
    """Say whether `words` come before the end; an answer can come in pieces."""
    got = b""
    while words not in got:
        piece = wire.recv(65536)
        if not piece:
            return False
        got += piece
    return True


def answers(wire):
    wire.sendall(request())
    return told(wire, b'"result":"x"')


def wait_for(running, found):
    """Return what `found` finds in the daemon's event loop, once it does; the test fails when that takes long."""
    until = time.monotonic() + 20
    while not (have := running.do(found)):
        assert time.monotonic() < until, "it did not come"
    return have


def closed(wire):
    try:
        return wire.recv(65536) == b""
    except ConnectionError:
        return True


def test_a_connection_without_a_whole_header_is_closed(connect, limits):
    limits.header_s = 0.3
    silent, slow, good = connect(), connect(), connect()
    slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-a: ")
    assert answers(good)
    assert closed(silent)
    assert closed(slow)


def test_a_header_that_trickles_does_not_win_time(connect, limits):
    limits.header_s = 0.3
    wire = connect()
    with pytest.raises(ConnectionError):
        while True:  # every byte comes soon after the last one; the header as a whole does not
            wire.sendall(b"P")
            if select_readable(wire) and wire.recv(1024) == b"":
                raise ConnectionError


def select_readable(wire):
    import select

    return bool(select.select([wire], [], [], 0.02)[0])


@pytest.mark.parametrize("path", [b"/", b"/cli"])
def test_a_body_that_does_not_come_is_given_up(connect, limits, path):
    limits.body_s = 0.3
    wire = connect()
    wire.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<meth")
    assert b" 408 " in wire.recv(65536)
    assert answers(connect())


def test_a_kept_connection_serves_again(connect, limits):
    wire = connect()
    assert answers(wire)
    limits.header_s = 0.3
    assert answers(wire)
    wire.sendall(b"POST / HTTP/1.1\r\n")
    assert closed(wire)


def test_one_connection_too_many_is_refused_and_room_is_made_by_leaving(connect, limits):
    limits.connections = 3
    three = [connect() for _ in range(3)]
    assert all(map(answers, three))
    assert closed(connect())
    three[0].close()
    for _ in range(1000):  # the daemon sees it go in its own time
        wire = connect()
        try:
            if answers(wire):
                break
        except ConnectionError:
            continue
    else:
        pytest.fail("nobody gets in after one has left")


def test_half_closed_connections_are_answered_or_dropped(connect, limits):
    wire = connect()
    wire.sendall(request())
    wire.shutdown(socket.SHUT_WR)
    wire.recv(65536)
    for _ in range(50):
        half = connect()
        half.sendall(request()[:-5])
        half.close()
    assert answers(connect())


@pytest.mark.parametrize(
    "head",
    [b"POST / HTTP/1.1\r\nHost: x\r\nX-a: " + b"a" * 100_000 + b"\r\n\r\n", b"\0" * 5000 + b"\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n123456789",
     b"POST " + b"/" * 20_000 + b" HTTP/1.1\r\n\r\n", b"GET /pool/xmldbdump/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"],
)  # fmt: skip
def test_headers_that_are_none_are_refused(connect, head):
    wire = connect()
    wire.sendall(head)
    first = wire.recv(65536)
    assert b" 40" in first.partition(b"\r\n")[0], first[:100]
    assert answers(connect())


def call(*words):
    """Return a request that calls `words[0]` with the rest."""
    body = json.dumps({"method": words[0], "params": words[1:], "id": 1}).encode()
    return b"POST /jsonrpc HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def test_who_does_not_read_his_answer_costs_little_and_is_dropped(running, connect, limits):
    session = rpc(running, "session.login_with_password", "root", PASSWORD)["result"]
    db = running.daemon.tools.db
    running.do(lambda: [db.create("task", {"name_description": "x" * 10_000}) for _ in range(2000)])
    limits.answer_s = 1.0
    deaf = connect()
    deaf.sendall(call("task.get_all_records", session))
    deaf.sendall(call("task.get_all_records", session))
    guard = wait_for(running, lambda: next(iter(limits.open.values()), None))
    waiting = wait_for(running, guard._transport.get_write_buffer_size)
    # Of the 20 MB no more waits than what is sent at once.
    assert waiting < 1 << 20
    assert answers(connect())
    wait_for(running, lambda: guard not in limits.open.values())
    # Who reads, however slowly, gets all of it.
    slow, got = connect(), 0
    slow.sendall(call("task.get_all_records", session))
    while got < 20_000_000:
        got += len(slow.recv(1 << 20))
    assert answers(connect())


def test_the_daemon_ends_at_once_while_clients_wait_for_events(running, connect):
    session = rpc(running, "session.login_with_password", "root", PASSWORD)["result"]
    token = rpc(running, "event.from", session, ["vm"], "", 0.1)["result"]["token"]
    rpc(running, "event.register", session, ["vm"])
    waiting = [connect() for _ in range(3)]
    for wire in waiting[:2]:
        wire.sendall(call("event.from", session, ["vm"], token, 3600.0))
    waiting[2].sendall(call("event.next", session))
    assert answers(connect())
    began = time.monotonic()
    running.stop()
    assert time.monotonic() - began < 5
    for wire in waiting:
        assert told(wire, b"SESSION_INVALID")
    running.start()

"""Downloads over a real, faulty server: what is at the place is right, and what was got is not got twice."""

import hashlib
import io
import os
import random
import re
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from serving import serving

from kronos_lab.machine import wait_until
from kronos_packaging.declarations import REPO
from kronos_packaging.fetch import CHUNK, ChecksumError, FetchError, Patience, fetch
from xapi_shim.base.process import run, start
from xapi_shim.base.progress import Reporter

CONTENT = random.Random(1).randbytes(5 * CHUNK + 1000)  # the end is smaller than a file's buffer
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER = bytes(byte ^ 1 for byte in CONTENT)
AT_ONCE = Patience(tries=3, backoff_s=0)
FETCH = """
import sys
from pathlib import Path
from kronos_packaging.fetch import Patience, fetch
from xapi_shim.base.errors import KronosError
from xapi_shim.base.progress import Reporter
try:
    fetch(sys.argv[1], Path(sys.argv[2]), Reporter(), sha256=sys.argv[3], patience=Patience(tries=0))
except KronosError as error:
    sys.exit(str(error))
"""


@dataclass
class Server:
    """What the server has, and its faults: one of `faults` is used up by each request, then it is well.

    A fault is a status to answer with, or how many bytes to send before the connection is closed. While `held` is
    clear, a cut connection stays open instead. `asked` has the Range of every request.
    """

    url: str = ""
    content: bytes = CONTENT
    ranges: bool = True
    faults: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)


def handler_of(server):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            wanted = self.headers["Range"]
            server.asked.append(wanted)
            fault = server.faults.pop(0) if server.faults else None
            if isinstance(fault, Status):
                self.begin(fault.code, 0)
                return
            first = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and server.ranges else 0
            size = len(server.content)
            if first >= size:
                self.begin(416, 0, f"bytes */{size}")
                return
            partial = wanted and server.ranges
            self.begin(
                206 if partial else 200, size - first, f"bytes {first}-{size - 1}/{size}" if partial else ""
            )
            if fault is None:
                self.wfile.write(server.content[first:])
                return
            self.wfile.write(server.content[first : first + fault])
            self.wfile.flush()
            server.held.wait()
            self.close_connection = True

        def begin(self, status, size, content_range=""):
            self.send_response(status)
            self.send_header("Content-Length", str(size))
            if content_range:
                self.send_header("Content-Range", content_range)
            self.end_headers()

        def log_message(self, *_):
            pass

    return Handler


@dataclass(frozen=True)
class Status:
    code: int


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    server.held.set()
    with serving(handler_of(server)) as url:
        server.url = f"{url}/tiny-1.tar.gz"
        try:
            yield server
        finally:
            server.held.set()


@pytest.fixture
def place(tmp_path):
    return tmp_path / "sources/tiny-1.tar.gz"


@pytest.fixture(autouse=True)
def _folder(place):
    place.parent.mkdir()


def part_of(place, sha256=SHA256):
    return place.with_name(f".{place.name}.{sha256[:12]}.part")


def get(server, place, **given):
    """Fetch as the factory does, at once after a failure; return what was said."""
    said = io.StringIO()
    fetch(server.url, place, Reporter(said), **{"sha256": SHA256, "patience": AT_ONCE, **given})
    return said.getvalue()


def left(place):
    return [path.name for path in place.parent.iterdir()]


def test_what_is_there_and_right_is_not_asked_for_again(server, place):
    get(server, place, sha512=hashlib.sha512(CONTENT).hexdigest())
    get(server, place)
    assert place.read_bytes() == CONTENT
    assert (server.asked, left(place)) == ([None], [place.name])


def test_what_is_there_and_wrong_is_replaced(server, place):
    place.write_bytes(OTHER)
    get(server, place)
    assert place.read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["sha256", "sha512"])
def test_a_wrong_checksum_leaves_nothing_at_the_place(server, place, kind):
    wanted = {"sha256": SHA256, "sha512": hashlib.sha512(CONTENT).hexdigest()}
    found = hashlib.new(kind, OTHER).hexdigest()
    server.content = OTHER
    with pytest.raises(ChecksumError, match=f"its {kind} is {found}, declared is {wanted[kind]}"):
        get(server, place, **{"sha256": "", kind: wanted[kind]})
    assert not place.exists()
    server.content = CONTENT
    get(server, place)
    assert place.read_bytes() == CONTENT
    assert server.asked == [None, None]


def test_a_transfer_that_ends_too_soon_is_resumed(server, place):
    server.faults = [2 * CHUNK, CHUNK]
    said = get(server, place)
    assert place.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={2 * CHUNK}-", f"bytes={3 * CHUNK}-"]
    assert f"the transfer ended after {2 * CHUNK} bytes of {len(CONTENT)}: trying again" in said
    assert left(place) == [place.name]


def test_a_server_without_ranges_begins_anew(server, place):
    server.ranges, server.faults = False, [CHUNK]
    get(server, place)
    assert place.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={CHUNK}-"]


def test_a_server_that_is_busy_is_asked_again(server, place):
    server.faults = [Status(503), Status(503)]
    get(server, place)
    assert place.read_bytes() == CONTENT
    assert server.asked == [None] * 3


@pytest.mark.parametrize(
    ("faults", "says", "asked"),
    [
        ([Status(404)], "it is not there (any more)", 1),
        ([Status(403)], "the server answers 403 Forbidden", 1),
        ([Status(503)] * 9, "the server answers 503 Service Unavailable", 4),
        ([0] * 9, "the transfer ended after 0 bytes", 4),
    ],
)
def test_a_server_that_will_not_is_named(server, place, faults, says, asked):
    server.faults = faults
    with pytest.raises(FetchError, match=f"^{re.escape(f'{server.url}: {says}')}"):
        get(server, place)
    assert not place.exists()
    assert len(server.asked) == asked


def test_a_server_that_is_not_there_is_named(server, place):
    server.url = "http://127.0.0.1:1/tiny-1.tar.gz"
    with pytest.raises(FetchError, match=r"^http://127.0.0.1:1/tiny-1.tar.gz: cannot connect"):
        get(server, place)


def test_what_a_killed_run_had_is_resumed(server, place, tmp_path):
    server.faults = [2 * CHUNK]
    server.held.clear()
    with (tmp_path / "log").open("w") as log:
        fetching = start([sys.executable, "-c", FETCH, server.url, place, SHA256], log=log, env=environment())
        try:

            def has_half():
                assert fetching.poll() is None, (tmp_path / "log").read_text()
                return part_of(place).exists() and part_of(place).stat().st_size == 2 * CHUNK

            wait_until("half of it is there", has_half, 60)
        finally:
            os.killpg(fetching.pid, signal.SIGKILL)
            fetching.wait()
    assert left(place) == [part_of(place).name]
    get(server, place)
    assert place.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={2 * CHUNK}-"]


@pytest.mark.parametrize("left_over", [OTHER[:1000], OTHER, OTHER + b"more", CONTENT])
def test_what_was_left_of_other_content_is_not_used(server, place, left_over):
    part_of(place).write_bytes(left_over)
    said = get(server, place)
    assert place.read_bytes() == CONTENT
    anew = left_over != CONTENT
    assert server.asked == [f"bytes={len(left_over)}-", *([None] if anew else [])]
    assert ("does not fit: beginning anew" in said) == anew


def test_two_at_once_download_once(server, place):
    server.faults = [CHUNK]
    server.held.clear()
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(get, server, place) for _ in range(2)]
        wait_until("one waits for the other", lambda: waits_for(part_of(place)), 60)
        server.held.set()
        for one in both:
            one.result()
    assert place.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={CHUNK}-"]
    assert left(place) == [place.name]


@pytest.mark.parametrize("room", [CHUNK + 100, 5 * CHUNK, 5 * CHUNK + 100])
def test_no_room_is_said_in_one_line_and_what_was_got_is_kept(server, place, room):
    limited = ["prlimit", f"--fsize={room}", sys.executable, "-c", FETCH, server.url, place, SHA256]
    failed = run(limited, env=environment(), check=False)
    assert failed.returncode == 1
    assert f"cannot keep {server.url} in {place.parent}: File too large" in failed.stderr.splitlines()[-1]
    assert "Traceback" not in failed.stderr
    assert left(place) == [part_of(place).name]
    get(server, place)
    assert place.read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={room}-"]


def environment():
    return {"PYTHONPATH": f"{REPO}:{REPO / 'packaging'}", "no_proxy": "127.0.0.1"}


def waits_for(path):
    """Whether somebody waits for the lock of a file (proc_locks(5): "->" before who is blocked)."""
    if not path.exists():
        return False
    inode = f":{path.stat().st_ino} "
    return any("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines())

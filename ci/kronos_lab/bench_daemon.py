"""A daemon over the simulator in a process of its own, for benchmarks, and the leanest client of it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_lab.cache import REPO
from kronos_packaging.bench import seconds
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths
from xapi_shim.base.process import start

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from subprocess import Popen  # noqa: TID251 -- the type of what process.start returns

READY_S = 120.0
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class ServerProcess:
    """A started server: `socket` is where it answers, `started_s` how long it took to say so."""

    process: Popen[bytes]
    socket: Path
    started_s: float

    @property
    def resident_bytes(self) -> int:
        """What it holds of memory (proc_pid_statm(5))."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE

    @property
    def cpu_s(self) -> float:
        """What it has computed, user and system (proc_pid_stat(5))."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICKS


@contextmanager
def server(argv: Sequence[str | Path], answers_at: Path) -> Iterator[ServerProcess]:
    """Run a server until the block ends; it says that it is ready as to systemd (sd_notify(3)).

    Raises KronosError when it does not get ready.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready,
        (Path(folder) / "log").open("w+") as log,
    ):
        ready.bind(f"{folder}/ready")
        ready.settimeout(1)
        roots = ":".join(str(REPO / room) for room in (".", "packaging", "installer", "ci"))
        env = {"NOTIFY_SOCKET": f"{folder}/ready", "PYTHONPATH": roots}
        held: list[Popen[bytes]] = []

        def run() -> None:
            held.append(start(argv, log=log, env=env))
            _until_ready(ready, held[0])

        try:
            took = seconds(run)
            yield ServerProcess(held[0], answers_at, took)
        except TimeoutError as error:
            log.seek(0)
            raise KronosError(f"{argv[0]} was not ready in time: {log.read()[-500:]}") from error
        finally:
            for process in held:
                process.terminate()
                process.wait(60)


def _until_ready(ready: socket.socket, process: Popen[bytes]) -> None:
    """Wait for the word on `ready`. Raises TimeoutError, for a process that ended at once."""
    deadline = time.monotonic() + READY_S
    while True:
        try:
            ready.recv(64)
        except TimeoutError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
        else:
            return


def daemon(root: Path) -> tuple[list[str | Path], Path]:
    """Return how to start the daemon with its state below `root`, and its socket."""
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "xapi_shim.web.main",
        "--simulator",
        "--root",
        root,
        "--address",
        "none",
    ]
    return argv, Paths(root).unix_socket


class Client:
    """One connection over a unix socket: JSON-RPC calls, and raw requests to be timed."""

    def __init__(self, path: Path, *, login: bool = True) -> None:
        """Connect, and log in if asked to. Raises OSError."""
        self._http = _UnixConnection(path)
        self.session = ""
        if login:
            self.session = str(self.call("session.login_with_password", "root", "", "1.0", "bench"))

    def call(self, method: str, *params: object) -> object:
        """Return the result. Raises KronosError with the error's code and parameters."""
        sent = [self.session, *params] if self.session else list(params)
        answer = json.loads(
            self.post("/jsonrpc", json.dumps({"method": method, "params": sent, "id": 1}).encode())
        )
        if answer["error"] is not None:
            raise KronosError(f"{method}: {answer['error']}")
        return answer["result"]

    def post(self, path: str, body: bytes) -> bytes:
        """Send one request and return the whole answer's body. Raises OSError, http.client.HTTPException."""
        self._http.request("POST", path, body, {"Content-Type": "application/json"})
        return self._http.getresponse().read()

    def close(self) -> None:
        self._http.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(os.fspath(self._path))

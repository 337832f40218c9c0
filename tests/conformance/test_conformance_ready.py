"""xapi-wait-init-complete, the program itself on another path: it tells who answers now, not who did."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from kronos_lab.bench_daemon import daemon, server
from kronos_lab.cache import REPO
from xapi_shim.base.paths import Paths

MARK = "/run/xapi/init-complete"


@pytest.fixture
def folder():
    # A unix socket's path is short (unix(7)).
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def waited(folder, seconds):
    """Return the status of a wait for the daemon below `folder`."""
    program = (REPO / "packaging/scripts/xapi-wait-init-complete").read_text()
    assert program.count(MARK) == 1
    program = program.replace(MARK, str(Paths(folder).init_complete))
    return subprocess.run(["sh", "-c", program, "wait", str(seconds)], check=False).returncode


def test_a_daemon_that_was_killed_answers_nobody(folder):
    assert waited(folder, 0) == 1
    with server(*daemon(folder)) as running:
        assert waited(folder, 0) == 0
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait(30)
        assert Paths(folder).init_complete.exists()
        assert waited(folder, 0) == 1
    with server(*daemon(folder)):
        assert [waited(folder, 0) for _ in range(3)] == [0, 0, 0]
    assert waited(folder, 0) == 1


def test_what_cannot_be_looked_at_is_not_ready(folder):
    mark = Paths(folder).init_complete
    mark.mkdir(parents=True)
    assert waited(folder, 0) == 1

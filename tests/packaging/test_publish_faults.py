"""A publisher killed or interrupted before any of its changes: what hosts see is whole, and the next run goes on.

strace(1) delivers the signal when the process is about to make its Nth call of a kind (--inject=CALL:when=N).
"""

import fcntl
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest
from tiny_packages import TinyDist, deb_target, make_deb

from kronos_packaging.declarations import REPO
from kronos_packaging.repository.errors import BusyError
from kronos_packaging.repository.verify import verify_tree
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(300)]

PUBLISH = """
import sys
from pathlib import Path
from tiny_packages import TinyDist, deb_target
TinyDist(Path(sys.argv[1])).publish(deb_target())
"""
# What changes a file system: names, and what is brought to the disk.
CALLS = ("rename", "renameat2", "link", "unlink", "unlinkat", "mkdir", "rmdir", "fsync", "fdatasync")
CALL = re.compile(r"(?:\d+ +)?(\w+)\((.*)")


class Publisher:
    """A dist folder with version 1 published and version 2 built, put back before each run of the publisher."""

    def __init__(self, folder):
        self.folder, self.former, self.log = folder / "now", folder / "former", folder / "trace"
        self.tiny = TinyDist(self.folder)
        make_deb(self.tiny.built, "tiny", "1")
        self.tiny.publish(deb_target())
        make_deb(self.tiny.built, "tiny", "2")
        run(["cp", "--archive", self.folder, self.former])
        self.before = self.seen()

    def put_back(self):
        shutil.rmtree(self.folder)
        run(["cp", "--archive", self.former, self.folder])

    def publish(self, *options, check=True):
        """Publish in a process of its own below strace; return how that ended."""
        strace = ["strace", "--quiet=all", f"--output={self.log}", *options]
        env = {
            "PYTHONPATH": f"{REPO}:{REPO / 'packaging'}:{Path(__file__).parent}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return run([*strace, sys.executable, "-c", PUBLISH, self.folder], env=env, check=check, timeout_s=60)

    def calls(self):
        """Return the changes that a whole run makes: call, how many of its kind it is, and its words."""
        self.publish(f"--trace={','.join(CALLS)}")
        count, found = {}, []
        for line in self.log.read_text().splitlines():
            if match := CALL.match(line):
                count[match[1]] = count.get(match[1], 0) + 1
                found.append((match[1], count[match[1]], match[2]))
        return found

    def interrupt(self, call, number, how):
        """Publish, and be sent the signal `how` before a change."""
        done = self.publish(
            f"--trace={call}", f"--inject={call}:signal={how.name}:when={number}", check=False
        )
        assert done.returncode != 0, (call, number)
        return done

    def seen(self):
        """Return what a host sees of the indexes: every file's name and what is in it."""
        top = self.tiny.dist / "apt/dists"
        return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}

    def versions(self):
        (index,) = (self.tiny.dist / "apt/dists").glob("*/main/binary-amd64/Packages")
        return re.findall("(?m)^Version: (.*)$", index.read_text())


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    ensure_packages(["strace"], reporter=Reporter())
    monkeypatch.setenv("KRONOS_CACHE", str(tmp_path / "now/cache"))
    return Publisher(tmp_path)


def spread(points, count):
    """Return `count` of the points, evenly, the first and the last among them."""
    if len(points) <= count:
        return points
    return [points[round(at * (len(points) - 1) / (count - 1))] for at in range(count)]


def check_whole(publisher, where):
    """Check that what is published is the former or the new state; return whether it is the new one."""
    problems, right = verify_tree(publisher.tiny.dist)
    assert right, where
    versions = publisher.versions()
    new = versions != ["1"]
    # A package that no index names yet is seen by nobody; the next run removes it or takes it in.
    surplus = [one for one in problems if "surplus" in one.what and "tiny_2" in one.path and not new]
    assert [str(one) for one in problems if one not in surplus] == [], where
    if not new:
        assert publisher.seen() == publisher.before, where
    assert sorted(versions) in (["1"], ["1", "2"]), where
    return new


@pytest.mark.parametrize(
    ("how", "count"),
    [pytest.param(signal.SIGKILL, 6, id="kill -9"), pytest.param(signal.SIGINT, 3, id="ctrl-C")],
)
def test_interrupted_anywhere_the_tree_is_whole_and_the_next_run_completes(publisher, how, count):
    points = publisher.calls()
    exchange = next(at for at, (call, *_) in enumerate(points) if call == "renameat2")
    # All around the exchange, and some of everything.
    chosen = [*spread(points, count), *points[exchange - 2 : exchange + 3]]
    seen = set()
    for call, number, words in chosen:
        where = f"{how.name} before {call} number {number}: {words}"
        publisher.put_back()
        publisher.interrupt(call, number, how)
        seen.add(check_whole(publisher, where))
        publisher.tiny.publish(deb_target())
        assert verify_tree(publisher.tiny.dist)[0] == [], where
        assert sorted(publisher.versions()) == ["1", "2"], where
        assert [path.name for path in publisher.tiny.dist.iterdir() if path.name.startswith(".")] == [], where
    assert seen == {False, True}


def test_of_two_publishers_the_second_is_refused(publisher):
    held = os.open(publisher.tiny.dist, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match="another publisher is at work"):
            publisher.tiny.publish(deb_target())
    finally:
        os.close(held)
    assert publisher.seen() == publisher.before
    publisher.tiny.publish(deb_target())
    assert verify_tree(publisher.tiny.dist)[0] == []

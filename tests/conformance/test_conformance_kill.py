"""kill -9 of the whole daemon under the writes of several clients: what it acknowledged is there at the next start."""

import http.client
import os
import random
import signal
import tempfile
import threading
from pathlib import Path

import pytest

from kronos_lab.bench_daemon import Client, daemon, server

# How often it is killed: `./inv test.faults --kills 1000` is the long run.
KILLS = int(os.environ.get("KRONOS_KILLS", "5"))
WRITERS = 3
ABSENT = None


class Writer(threading.Thread):
    """Makes, renames and destroys networks until the daemon is gone.

    `known` is what was acknowledged, names by reference, ABSENT for what was destroyed; `meant` the one write that
    was sent and not answered: a reference ("" for a creation) and the name that it would have.
    """

    def __init__(self, number, path, acknowledged, known, dice):
        super().__init__()
        self.number, self.known, self.meant, self.made = number, known, None, 0
        self.client, self.acknowledged, self.dice = Client(path), acknowledged, dice

    def run(self):
        try:
            while True:
                self.write()
                self.meant = None
                self.acknowledged.release()
        except (OSError, http.client.HTTPException):
            self.client.close()

    def write(self):
        there = [ref for ref, name in self.known.items() if name is not ABSENT]
        self.made += 1
        name = f"writer {self.number}: {self.dice.getrandbits(64)}"
        what = self.dice.random()
        if len(there) < 5 or (what < 0.3 and len(there) < 50):
            self.meant = ("", name)
            record = {
                "name_label": name,
                "name_description": "",
                "other_config": {},
                "bridge": "",
                "MTU": "1500",
            }
            self.known[self.client.call("network.create", record)] = name
        elif what < 0.7:
            ref = self.dice.choice(there)
            self.meant = (ref, name)
            self.client.call("network.set_name_label", ref, name)
            self.known[ref] = name
        else:
            ref = self.dice.choice(there)
            self.meant = (ref, ABSENT)
            self.client.call("network.destroy", ref)
            self.known[ref] = ABSENT


def settle(writer, there):
    """Hold the daemon's networks to what `writer` was told, and go on from what is there."""
    doubtful, meant = writer.meant or (None, ABSENT)
    for ref, name in writer.known.items():
        allowed = {name, meant} if ref == doubtful else {name}
        assert there.get(ref, ABSENT) in allowed, (ref, name, writer.meant)
    others = {ref: name for ref, name in there.items() if ref not in writer.known}
    assert list(others.values()) in ([], [meant] if doubtful == "" else [])
    writer.known = dict(there)


def check(path, writers):
    """Hold what a daemon started anew has to what each writer was told by the one before."""
    client = Client(path)
    records = client.call("network.get_all_records")
    client.close()
    for writer in writers:
        mine = f"writer {writer.number}: "
        names = {ref: record["name_label"] for ref, record in records.items()}
        settle(writer, {ref: name for ref, name in names.items() if name.startswith(mine)})


@pytest.mark.timeout(120 + 30 * KILLS)
def test_every_acknowledged_write_survives_kill_9_of_the_daemon():
    dice, written, writers = random.Random(9), 0, []
    known = [{} for _ in range(WRITERS)]
    # A unix socket's path is short (unix(7)).
    with tempfile.TemporaryDirectory() as folder:
        for kill in range(KILLS + 1):
            acknowledged = threading.Semaphore(0)
            with server(*daemon(Path(folder))) as running:
                check(running.socket, writers)
                if kill == KILLS:
                    break
                known = [writer.known for writer in writers] or known
                writers = [
                    Writer(number, running.socket, acknowledged, mine, random.Random(dice.random()))
                    for number, mine in enumerate(known)
                ]
                for writer in writers:
                    writer.start()
                for _ in range(dice.randrange(1, 200)):
                    assert acknowledged.acquire(timeout=30)
                os.kill(running.process.pid, signal.SIGKILL)
                for writer in writers:
                    writer.join()
                written += sum(writer.made for writer in writers)
                if (kill + 1) % 50 == 0:
                    print(f"{kill + 1} kills, {written} writes begun", flush=True)
    assert written > KILLS

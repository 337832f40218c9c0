"""Runs on a lab machine, as root: xapi-host-setup, stopped right after its n-th journal record is on the disk.

    fault_driver.py N kill|wait COMMAND...

`kill` ends it as kill -9 does. `wait` says so in /run/fault-driver.stopped and holds still until the machine is reset.
Without an n-th record it says `ended STATUS` there.
"""

import functools
import json
import os
import signal
import sys
from pathlib import Path

from kronos_installer import main as program
from kronos_installer.journal import JOURNAL
from kronos_installer.steps.step import step_from_json

SAID = Path("/run/fault-driver.stopped")


def last_record():
    """Return the kind of the journal's last record, and what its step does."""
    journal = Path(JOURNAL)
    # The first record is written aside.
    lines = journal.read_text().splitlines() if journal.exists() else ['{"record": "plan"}']
    record = json.loads(lines[-1])
    if "step" not in record:
        return record["record"]
    return f"{record['record']}: {step_from_json(json.loads(lines[0])['steps'][record['step']]).describe()}"


class Stop:
    def __init__(self, number, how):
        self.left, self.how = number, how

    def __call__(self, effect):
        if not effect.startswith("after recording"):
            return
        self.left -= 1
        if self.left == 0:
            self.say(f"stopped after {last_record()}")
            if self.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            while True:
                signal.pause()

    def say(self, text):
        aside = SAID.with_suffix(".new")
        aside.write_text(f"{text}\n")
        aside.rename(SAID)


def run(number, how, *command):
    SAID.unlink(missing_ok=True)
    stop = Stop(int(number), how)
    program.Host = functools.partial(program.Host, on_effect=stop)
    stop.say(f"ended {program.main(command)}")


if __name__ == "__main__":
    run(*sys.argv[1:])

"""How long after Xen knows of a change the API knows it too: the issue allows two seconds."""

import json
from pathlib import Path

NOTICED_WITHIN_S = 2.0
SCRIPT, LINES, UNIT = "/run/lab-observer.py", "/run/lab-observer.jsonl", "lab-observer"


def latency_s(lines, uuid, state):
    """Return the seconds from Xen's first word in `lines` to the API's first of `state`; None without both."""
    told = [json.loads(line) for line in lines]
    xen = [line["at"] for line in told if "xen" in line]
    api = [line["at"] for line in told if line.get("uuid") == uuid and line["state"] == state]
    if not xen or not api:
        return None
    return round(api[0] - xen[0], 2)


class Observer:
    """The script of guest_observer.py at work on a machine."""

    def __init__(self, machine):
        self.machine = machine
        self.seen = 0
        machine.succeed(f"cat > {SCRIPT}", stdin=Path(__file__).with_name("guest_observer.py").read_text())
        machine.succeed(f"systemd-run --quiet --collect --unit={UNIT} python3 {SCRIPT} {LINES}")
        # Xen's watch speaks once by itself; the API's first batch tells of every VM there is.
        machine.wait_until_succeeds(f"grep -q xen {LINES} && grep -q uuid {LINES}")

    def mark(self):
        """What was told until now is of the past."""
        self.seen = int(self.machine.succeed(f"wc -l < {LINES}"))

    def latency_s(self, uuid, state):
        """Return `latency_s` of what was told since the mark, once the API has told `state`."""
        told = f"tail -n +{self.seen + 1} {LINES}"
        wanted = f"{told} | grep '\"{uuid}\"' | grep -q '\"{state}\"'"
        self.machine.wait_until_succeeds(wanted)
        return latency_s(self.machine.succeed(told).splitlines(), uuid, state)

    def stop(self):
        self.machine.succeed(f"systemctl stop {UNIT}; rm -f {SCRIPT} {LINES}")

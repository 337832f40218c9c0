"""kill -9 and a power cut after every journal record of apply and of rollback, on a real machine.

After each the host comes up, is reachable at its address, and whichever way it then goes ends: `apply` completes the
set-up, `rollback` leaves every file as before. One machine walks all cases of its kind; each starts from the clean
host that the case before left. Nothing is booted into Xen here: what a reset leaves on the disk is the question.
"""

import json
from pathlib import Path

import matrix_stages
import pytest
import road_stages as stages

from kronos_lab.cache import REPO
from kronos_lab.rows import ROWS

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(6 * 3600)]

ROW = ROWS["debian-12-hotplug"]
DRIVER = Path(__file__).with_name("fault_driver.py")
# More records than any apply or rollback writes.
MOST = 200


class Cases:
    """Runs cases on one machine and keeps what was seen of each."""

    def __init__(self, machine, name):
        self.machine, self.name, self.seen = machine, name, []
        machine.copy_to([DRIVER], "/root/")
        self.network = matrix_stages.network(machine)
        self.manifest = stages.Road(machine).read_manifest()

    def stop_at(self, command, number, how):
        """Return what the driver says: `stopped ...`, or `ended ...` where there is no such record any more."""
        machine = self.machine
        machine.execute("systemctl reset-failed fault.service; rm -f /run/fault-driver.stopped")
        machine.succeed(
            f"systemd-run --quiet --unit=fault python3 /root/fault_driver.py {command} {number} {how}"
        )
        return machine.wait_until_succeeds("cat /run/fault-driver.stopped", 600).strip()

    def come_back(self, how):
        """Cut the power for `wait`; the machine is reachable again, and seconds later all is as it should be."""
        if how == "wait":
            before = self.machine.boot_id()
            self.machine.reset()
            self.machine.wait_for_new_boot(before)
        matrix_stages.wait_for_network(self.machine, self.network)

    def clean(self):
        self.machine.succeed("xapi-host-setup rollback --yes")
        after = stages.Road(self.machine).read_manifest()
        paths = after.keys() | self.manifest.keys()
        assert not (differing := {p for p in paths if after.get(p) != self.manifest.get(p)}), sorted(
            differing
        )

    def note(self, case, **more):
        self.seen.append({"case": case, **more})
        matrix_stages.RESULTS.parent.mkdir(parents=True, exist_ok=True)
        (REPO / f"dist/fault-matrix-{self.name}.json").write_text(json.dumps(self.seen, indent=1) + "\n")
        print(f"fault: {case}: {more}", flush=True)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    with matrix_stages.prepared(ROW, tmp_path_factory.mktemp("fault") / "m") as machine:
        machine.succeed("update-grub 2>/dev/null")
        yield machine


@pytest.mark.parametrize("command", ["apply", "rollback"])
@pytest.mark.parametrize("how", ["kill", "wait"])
@pytest.mark.parametrize("way", ["apply", "rollback"])
def test_cut_off_after_every_record(machine, command, how, way):
    cases = Cases(machine, f"{command}-{how}-{way}")
    for number in range(1, MOST):
        if command == "rollback":
            machine.succeed("xapi-host-setup apply --yes")
        said = cases.stop_at(command, number, how)
        if said.startswith("ended"):
            assert said == "ended 0"
            break
        cases.come_back(how)
        if way == "apply":
            # What the guard took back at the boot is made anew from a new plan; all else goes on.
            machine.succeed("xapi-host-setup apply --yes")
            assert stages.set_up_phase(machine) == "applied"
        cases.note(f"{command} cut off {said.removeprefix('stopped ')} ({number})", then=way)
        cases.clean()
    else:
        raise AssertionError(f"{command} never ended")
    assert number > 5
    cases.clean()

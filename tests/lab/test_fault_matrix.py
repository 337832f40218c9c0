"""kill -9 and a power cut after every journal record of apply and of rollback, on a real machine.

After each the host comes up, is reachable at its address, and whichever way it then goes ends: `apply` completes the
set-up, `rollback` leaves every file as before. QEMU's snapshots give each case the same start, and both ways the same
host to go on from. A cut late in an apply boots Xen: that entry is tried once by then.
"""

import json
import os
import time
from pathlib import Path

import matrix_stages
import pytest
import road_stages as stages

from kronos_lab.cache import REPO
from kronos_lab.rows import ROWS

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(6 * 3600)]

ROW = ROWS["debian-12-hotplug"]
DRIVER = Path(__file__).with_name("fault_driver.py")
# Which record to begin with, "wait-apply=18 kill-apply=7": for whoever goes on after a break, or looks at one case.
FIRST = dict(one.split("=") for one in os.environ.get("KRONOS_FAULT_FIRST", "").split())
# More records than any apply or rollback writes.
MOST = 200
# Nothing of the set-up goes on by itself any more, and no shutdown is on its way.
QUIET = (
    "systemctl show --property=ActiveState --value xapi-host-settle.service | grep -qxE 'inactive|failed'"
    " && systemctl is-system-running | grep -qE 'running|degraded'"
)


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A machine with the snapshots `clean` and `applied`, and what is seen of it then."""
    with matrix_stages.prepared(ROW, tmp_path_factory.mktemp("fault") / "m") as machine:
        # What is booted a hundred times boots quickly: no wait for a key, no drivers of other machines.
        machine.succeed(
            "sed -i 's/^MODULES=.*/MODULES=dep/' /etc/initramfs-tools/initramfs.conf && update-initramfs -u"
        )
        machine.succeed("sed -i 's/^GRUB_TIMEOUT=.*/GRUB_TIMEOUT=0/' /etc/default/grub && update-grub")
        machine.succeed("systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer man-db.timer")
        machine.reboot()
        machine.copy_to([DRIVER], "/root/")
        machine.wait_until_succeeds(QUIET)
        yield Host(machine)


class Host:
    def __init__(self, machine):
        self.machine = machine
        self.network = matrix_stages.network(machine)
        self.clean = stages.Road(machine).read_manifest()
        machine.save("clean")
        machine.succeed("xapi-host-setup apply --yes")
        self.applied = stages.Road(machine).read_manifest()
        assert stages.set_up_phase(machine) == "applied"
        machine.save("applied")

    def stop_at(self, command, number, how):
        """Return what the driver says: `stopped ...`, or `ended ...` where there is no such record any more."""
        self.machine.load("clean" if command == "apply" else "applied")
        self.machine.succeed(
            f"systemd-run --quiet --unit=fault python3 /root/fault_driver.py {command} {number} {how}"
        )
        return self.machine.wait_until_succeeds("cat /run/fault-driver.stopped", 600).strip()

    def cut_power(self):
        """Return what came of it: the seconds until the host was reachable, and how often it booted until all was quiet."""
        machine, started = self.machine, time.monotonic()
        before, boots = machine.boot_id(), self.boots()
        machine.reset()
        machine.wait_for_new_boot(before)
        reachable = time.monotonic() - started
        machine.wait_until_succeeds(QUIET, stages.SETTLE_S)
        return {
            "reachable after s": round(reachable),
            "boots": self.boots() - boots,
            "Xen": machine.execute("test -e /sys/hypervisor/type").returncode == 0,
        }

    def boots(self):
        """Count the kernels that the console has seen start."""
        return self.machine.spec.console_log.read_text(errors="replace").count("] Linux version ")

    def go(self, way):
        """Go one way to its end, and look at all that there is."""
        machine = self.machine
        machine.succeed(f"xapi-host-setup {way} --yes")
        files = stages.Road(machine).read_manifest()
        if way == "rollback":
            assert matrix_stages.changed_files(self.clean, files) == []
            assert stages.set_up_phase(machine) == "clean"
        else:
            assert stages.set_up_phase(machine) in ("applied", "finished")
            assert self.applied.keys() <= files.keys()
        matrix_stages.wait_for_network(machine, self.network)


class Results:
    """What was seen of each case, kept as it is seen."""

    def __init__(self, name):
        self.path, self.cases = REPO / f"dist/fault-matrix/{name}.json", []
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def note(self, **seen):
        self.cases.append(seen)
        self.path.write_text(json.dumps(self.cases, indent=1) + "\n")
        print(f"fault: {seen}", flush=True)


@pytest.mark.parametrize("command", ["apply", "rollback"])
@pytest.mark.parametrize("how", ["kill", "wait"])
def test_cut_off_after_every_record(host, command, how):
    results = Results(f"{command}-{'killed' if how == 'kill' else 'power-cut'}")
    for number in range(int(FIRST.get(f"{how}-{command}", "1")), MOST):
        said = host.stop_at(command, number, how)
        if said.startswith("ended"):
            assert said == "ended 0"
            break
        seen = host.cut_power() if how == "wait" else {}
        matrix_stages.wait_for_network(host.machine, host.network)
        host.machine.save("cut-off")
        for way in ("apply", "rollback"):
            host.machine.load("cut-off")
            host.go(way)
        results.note(number=number, record=said.removeprefix("stopped after "), **seen)
    else:
        raise AssertionError(f"{command} never ended")
    assert number > 5

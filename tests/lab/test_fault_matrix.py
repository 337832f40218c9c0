"""kill -9 and a power cut after every journal record of apply, of settle and of rollback, on a real machine.

After each the host comes up, is reachable at its address, and whichever way it then goes ends: `apply` completes the
set-up, `rollback` leaves every file as before. QEMU's snapshots give each case the same start, and both ways the same
host to go on from. A cut late in an apply boots Xen: that entry is tried once by then. What is done after the reboot
(settle) is cut off below Xen, booted for each case: from an older snapshot Xen's timers do not come back. A settled host
is taken back below its old kernel, as where Xen does not start any more; below Xen the lab's rows do that.
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
from kronos_lab.set_up import SETTLE_S, boot_without_xen, set_up_phase, wait_until_settled

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(6 * 3600)]

ROW = ROWS["debian-12-hotplug"]
DRIVER = Path(__file__).with_name("fault_driver.py")
# Which record to begin with, "wait-apply=18 kill-apply=7": for whoever goes on after a break, or looks at one case.
FIRST = dict(one.split("=") for one in os.environ.get("KRONOS_FAULT_FIRST", "").split())
# What the set-up is told whose steps after the reboot are cut off: repositories are made by such steps.
REPOSITORIES = "--storage directory:/srv/disks,name=Disks --iso-library directory:/srv/isos,name=ISOs"
# A machine with this file waits after a boot, as if settling had not begun yet.
HOLD = "/root/hold-settle"
HELD = f"""\
mkdir -p /etc/systemd/system/xapi-host-settle.service.d /srv/isos
printf '[Unit]\\nConditionPathExists=!{HOLD}\\n' > /etc/systemd/system/xapi-host-settle.service.d/hold.conf
systemctl daemon-reload
"""
# What is cut off: the command, and the snapshot that it begins from; from `held` Xen is booted first.
WALKS = {
    "apply": ("apply --yes", "clean"),
    "rollback": ("rollback --yes", "applied"),
    "settle": ("settle", "held"),
    # The daemon, which would forget the repositories, does not run below the old kernel.
    "rollback-settled": ("rollback --yes --force", "settled"),
}
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
        machine.succeed(HELD)
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
        assert set_up_phase(machine) == "applied"
        machine.save("applied")

    def set_up_with_repositories(self):
        """Make `held`: set up, with repositories to make after the reboot, and settling held by then; and `settled`."""
        machine = self.machine
        machine.load("clean")
        machine.succeed(f"xapi-host-setup apply --yes {REPOSITORIES} && touch {HOLD}")
        machine.save("held")
        self.boot_into_xen()
        machine.succeed("systemctl start xapi-host-settle.service")
        wait_until_settled(machine)
        machine.wait_until_succeeds(QUIET, SETTLE_S)
        boot_without_xen(machine)
        machine.wait_until_succeeds(QUIET, SETTLE_S)
        machine.save("settled")

    def boot_into_xen(self):
        """Reboot from `held`, to where settling is to begin."""
        machine = self.machine
        machine.reboot()
        machine.succeed(f"test -e /sys/hypervisor/type && rm {HOLD}")
        machine.wait_until_succeeds(QUIET, SETTLE_S)
        assert set_up_phase(machine) == "applied"

    def begin(self, walk):
        """Bring the machine to where the walk's command begins."""
        self.machine.load(WALKS[walk][1])
        if WALKS[walk][1] == "held":
            self.boot_into_xen()

    def stop_at(self, walk, number, how):
        """Return what the driver says: `stopped ...`, or `ended ...` where there is no such record any more."""
        self.begin(walk)
        driver = f"python3 /root/fault_driver.py {number} {how} {WALKS[walk][0]}"
        self.machine.succeed(f"systemd-run --quiet --unit=fault {driver}")
        return self.machine.wait_until_succeeds("cat /run/fault-driver.stopped", 600).strip()

    def cut_power(self):
        """Return what came of it: the seconds until the host was reachable, and how often it booted until all was quiet."""
        machine, started = self.machine, time.monotonic()
        before, boots = machine.boot_id(), self.boots()
        machine.reset()
        machine.wait_for_new_boot(before)
        reachable = time.monotonic() - started
        machine.wait_until_succeeds(QUIET, SETTLE_S)
        return {
            "reachable after s": round(reachable),
            "boots": self.boots() - boots,
            "Xen": machine.execute("test -e /sys/hypervisor/type").returncode == 0,
        }

    def boots(self):
        """Count the kernels that the console has seen start."""
        return self.machine.spec.console_log.read_text(errors="replace").count("] Linux version ")

    def end(self, walk):
        """End what was forced: neither way does that by itself, and the bridge runs until the reboot."""
        if walk == "rollback-settled":
            self.machine.succeed(f"xapi-host-setup {WALKS[walk][0]}")
            self.machine.reboot()

    def go(self, way):
        """Go one way to its end, and look at all that there is."""
        machine = self.machine
        machine.succeed(f"xapi-host-setup {way} --yes")
        files = stages.Road(machine).read_manifest()
        if way == "rollback":
            assert matrix_stages.changed_files(self.clean, files) == []
            assert set_up_phase(machine) == "clean"
        else:
            if set_up_phase(machine) == "confirmed":
                # The boot into Xen is used up: one more is chosen.
                machine.reboot()
                wait_until_settled(machine)
            assert set_up_phase(machine) in ("applied", "finished")
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


@pytest.fixture(scope="module")
def host_with_repositories(host):
    host.set_up_with_repositories()
    return host


@pytest.mark.parametrize("walk", ["apply", "rollback"])
@pytest.mark.parametrize("how", ["kill", "wait"])
def test_cut_off_after_every_record(host, walk, how):
    cut_off_after_every_record(host, walk, how)


@pytest.mark.parametrize("walk", ["settle", "rollback-settled"])
@pytest.mark.parametrize("how", ["kill", "wait"])
def test_cut_off_after_the_reboot(host_with_repositories, walk, how):
    cut_off_after_every_record(host_with_repositories, walk, how)


def cut_off_after_every_record(host, walk, how):
    results = Results(f"{walk}-{'killed' if how == 'kill' else 'power-cut'}")
    for number in range(int(FIRST.get(f"{how}-{walk}", "1")), MOST):
        seen = cut_off(host, walk, number, how)
        if seen is None:
            break
        host.end(walk)
        host.machine.save("cut-off")
        host.go("apply")
        host.machine.load("cut-off")
        host.go("rollback")
        results.note(number=number, **seen)
    else:
        raise AssertionError(f"{walk} never ended")
    assert number > 5


def cut_off(host, walk, number, how):
    """Cut the walk off after a record, and return what was seen: the host is up, at its address. None: no such record."""
    said = host.stop_at(walk, number, how)
    if said.startswith("ended"):
        assert said == "ended 0"
        return None
    seen = host.cut_power() if how == "wait" else {}
    matrix_stages.wait_for_network(host.machine, host.network)
    return {"record": said.removeprefix("stopped after "), **seen}

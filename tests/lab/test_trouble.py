"""What goes wrong on a real machine is refused, or taken back: never a host off its network, never a file changed."""

import json
from pathlib import Path

import matrix_stages
import pytest
import road_stages as stages

from kronos_lab.rows import ROWS
from kronos_lab.set_up import SETTLE_S, set_up_phase

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(7200)]

ROW = ROWS["debian-12-hotplug"]
INTERFACES = "/etc/network/interfaces"
# Every interfaces file of the golden cases that is refused by itself; their NIC is the lab's, too.
CASES = Path(__file__).parents[1] / "unit/kronos_installer/cases"
TRAPS = sorted(
    refused.parent
    for refused in CASES.glob("*/refused.txt")
    if [path for path in (refused.parent / "host").rglob("*") if path.is_file()]
    == [refused.parent / f"host{INTERFACES}"]
)
ANSWERS = {
    "management_interfaces: enp0s3\n": "answers.yaml:1",
    "hostname: xen1\ndom0_vcpus: many\n": "answers.yaml:2",
    "hostname: [\n": "answers.yaml",
    "confirm: nobody\n": "answers.yaml:1",
    "management_interface: enp0s5\n": "enp0s5",
    "storage: {type: device, location: /dev/vda}\n": "/dev/vda",
}
FLAGS = {
    # There, and without addresses.
    "--management-interface enp0s5": "enp0s5",
    "--management-interface nonsense0": "nonsense0",
    "--join 192.0.2.99 --password-file /root/none": "192.0.2.99",
    "--storage device:/dev/vdz": "/dev/vdz",
    "--storage nfs:10.0.2.2:/nothing": "10.0.2.2",
    "--answers /root/none.yaml": "/root/none.yaml",
    "--dom0-mem 64G": "dom0",
    "--dom0-mem lots": "lots",
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    with matrix_stages.prepared(ROW, tmp_path_factory.mktemp("t") / "m", segment="trouble") as machine:
        machine.succeed("update-grub 2>/dev/null")
        machine.wait_until_succeeds("systemctl is-system-running --wait | grep -qE 'running|degraded'")
        yield machine


@pytest.fixture
def start(machine):
    """What the host is like; it is like that again in the end."""
    start = Start(machine)
    yield start
    try:
        start.check()
    finally:
        # One test's failure is not the next one's.
        machine.execute("xapi-host-setup rollback --yes")


class Start:
    def __init__(self, machine):
        self.machine = machine
        self.network = matrix_stages.network(machine)
        self.manifest = stages.Road(machine).read_manifest()

    def check(self):
        matrix_stages.wait_for_network(self.machine, self.network)
        now = stages.Road(self.machine).read_manifest()
        assert matrix_stages.changed_files(self.manifest, now) == []
        assert set_up_phase(self.machine) == "clean"

    def refused(self, flags, status=3):
        """Return the document of an apply that is refused."""
        done = self.machine.execute(f"xapi-host-setup apply --yes --json {flags}")
        assert done.returncode == status, (flags, done)
        return json.loads(done.stdout or "{}") or {"error": done.stderr}

    def comes_back(self, timeout_s=1800.0):
        """The set-up is taken back by the host itself, and the host runs without Xen."""
        self.machine.wait_until_succeeds(
            "test ! -e /sys/hypervisor/type && systemctl is-system-running | grep -qE 'running|degraded'"
            ' && xapi-host-setup status --json | grep -q \'"phase": "clean"\'',
            timeout_s,
        )


@pytest.mark.parametrize("case", TRAPS, ids=lambda case: case.name)
def test_a_trap_in_the_interfaces_file_is_refused(start, case):
    machine = start.machine
    machine.succeed(f"cp -a {INTERFACES} /root/interfaces.saved")
    machine.succeed(f"cat > {INTERFACES}", stdin=(case / f"host{INTERFACES}").read_text())
    try:
        problems = start.refused("")["problems"]
    finally:
        machine.succeed(f"mv /root/interfaces.saved {INTERFACES}")
    seen = {f"{one['diagnosis']}: {one['id']}" for one in problems if one["level"] == "error"}
    expected = {": ".join(line.split(": ")[:2]) for line in (case / "refused.txt").read_text().splitlines()}
    assert expected <= seen


def test_wrong_answers_and_flags_are_refused(start):
    for text, named in ANSWERS.items():
        start.machine.succeed("cat > /root/answers.yaml", stdin=text)
        assert named in start.refused("--answers /root/answers.yaml")["error"]
    for flags, named in FLAGS.items():
        assert named in start.refused(flags)["error"]


@pytest.mark.parametrize("path", ["/boot", "/etc"])
def test_a_read_only_file_system_is_refused(start, path):
    start.machine.succeed(f"mount --bind {path} {path} && mount -o remount,bind,ro {path}")
    try:
        (problem,) = [one for one in start.refused("")["problems"] if one["level"] == "error"]
    finally:
        start.machine.succeed(f"umount {path}")
    assert problem["id"] == "filesystem-read-only"


def test_a_place_for_the_journal_that_cannot_be_written_is_refused(start):
    start.machine.succeed("mount --bind /var/lib /var/lib && mount -o remount,bind,ro /var/lib")
    try:
        said = start.refused("")["error"]
    finally:
        start.machine.succeed("umount /var/lib")
    assert "nothing was changed: /var/lib/xapi-host-setup cannot be made: Read-only file system" in said


def test_a_full_boot_is_refused(start):
    # Less than 128 KiB are left, which is enough for the journal's folder.
    sizes = " ".join(f"{1 << power}K" for power in range(23, 6, -1))
    fill = (
        f"for s in {sizes}; do fallocate -l $s /boot/fill.$s || rm -f /boot/fill.$s; done;"
        " n=0; while fallocate -l 128K /boot/fill.more.$n; do n=$((n+1)); done; rm -f /boot/fill.more.$n"
    )
    try:
        start.machine.succeed(f"({fill}) 2>&1")
        problems = [one["id"] for one in start.refused("")["problems"] if one["level"] == "error"]
    finally:
        start.machine.succeed("rm -f /boot/fill.*")
    assert problems == ["boot-full"]


@pytest.mark.parametrize("path", [INTERFACES, "/boot/grub/grub.cfg", "/etc/default/grub.d"])
def test_what_fails_half_way_is_undone(start, path):
    start.machine.succeed(f"chattr +i {path}")
    try:
        said = start.refused("", status=1)["error"]
    finally:
        start.machine.succeed(f"chattr -i {path}")
    assert "was undone, the host is as before" in said
    assert path in said


def test_an_unconfirmed_network_comes_back_by_itself_after_the_reboot(start):
    start.machine.succeed("xapi-host-setup apply --yes --confirm operator --confirm-minutes 1")
    start.machine.reboot()
    start.comes_back()
    assert "nobody ran 'xapi-host-setup confirm'" in start.machine.execute("xapi-host-setup status").stdout


def test_a_network_that_is_restarted_before_the_reboot_comes_back_unless_it_is_confirmed(start):
    machine = start.machine
    boot = machine.boot_id()
    machine.succeed("xapi-host-setup apply --yes --confirm operator --confirm-minutes 1")
    # As an update of what makes the network does.
    machine.succeed("systemd-run --quiet --collect --unit=update systemctl restart networking.service")
    machine.wait_until_succeeds("test -e /sys/class/net/xenbr0")
    machine.wait_for_new_boot(boot)
    start.comes_back()
    assert "nobody ran 'xapi-host-setup confirm'" in machine.execute("xapi-host-setup status").stdout


def test_a_switch_whose_program_dies_comes_back_by_itself(start):
    machine = start.machine
    boot = machine.boot_id()
    machine.succeed(
        "systemd-run --quiet --collect --unit=operator "
        "xapi-host-setup apply --yes --switch-network-now --confirm operator --confirm-minutes 1"
    )
    machine.wait_until_succeeds("test -e /sys/class/net/xenbr0")
    machine.succeed("systemctl kill --signal=SIGKILL xapi-host-switch.service operator.service")
    machine.wait_until_succeeds("! test -e /sys/class/net/xenbr0")
    start.comes_back()
    assert machine.boot_id() == boot


def test_a_xen_whose_file_is_gone_gives_way_to_the_old_kernel(start):
    machine = start.machine
    machine.succeed("xapi-host-setup apply --yes")
    # GRUB has an entry for it still: without a fallback it would wait at its menu.
    machine.succeed("mkdir /root/aside && mv /boot/xen-*.gz /root/aside/ && sync")
    try:
        machine.reboot()
        machine.fail("test -e /sys/hypervisor/type")
        matrix_stages.wait_for_network(machine, start.network)
        machine.wait_until_succeeds('xapi-host-setup status --json | grep -q \'"phase": "confirmed"\'')
    finally:
        machine.succeed("mv /root/aside/* /boot/ && rmdir /root/aside")
    machine.succeed("xapi-host-setup rollback --yes")
    machine.reboot()


def test_a_xen_that_does_not_boot_gives_way_to_the_old_kernel(start):
    machine = start.machine
    machine.succeed("xapi-host-setup apply --yes")
    matrix_stages.break_xens_entries(machine)
    machine.reboot()
    machine.fail("test -e /sys/hypervisor/type")
    machine.wait_until_succeeds('xapi-host-setup status --json | grep -q \'"phase": "confirmed"\'')
    matrix_stages.wait_for_network(machine, start.network)
    assert machine.execute("xapi-host-setup status").returncode == 5
    machine.succeed("update-grub 2>/dev/null")
    machine.succeed("xapi-host-setup apply --yes")
    machine.reboot()
    machine.succeed("test -e /sys/hypervisor/type")
    machine.wait_until_succeeds('xapi-host-setup status --json | grep -q \'"phase": "finished"\'', SETTLE_S)
    machine.succeed("xapi-host-setup rollback --yes")
    machine.reboot()

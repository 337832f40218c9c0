"""Other options for dom0 on a set-up host: tried once, kept where they work; what does not boot gives way by itself."""

import json

import matrix_stages
import pytest
import road_stages as stages

from kronos_lab.rows import ROWS
from kronos_lab.set_up import SETTLE_S, set_up_phase

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(2 * 3600)]

ROW = ROWS["debian-12-hotplug"]
TRYING = "trying a reconfigure"


class Host:
    def __init__(self, machine):
        self.machine, self.road = machine, stages.Road(machine)
        self.network = matrix_stages.network(machine)

    def dom0(self):
        """Return dom0's MiB and virtual processors."""
        return self.machine.succeed("xl list 0 | awk 'NR==2 {print $3, $4}'").split()

    def comes_up_finished(self):
        matrix_stages.wait_until_up_in_xen(self.machine, self.network)


def test_other_options_are_tried_once(tmp_path):
    with matrix_stages.prepared(ROW, tmp_path / "m") as machine:
        machine.succeed("update-grub 2>/dev/null")
        host = Host(machine)
        start = host.road.read_manifest()
        with host.road.stage("set up"):
            machine.succeed("xapi-host-setup apply --yes")
            machine.reboot()
            host.comes_up_finished()
        with host.road.stage("options that work"):
            assert host.dom0() != ["1300", "1"]
            machine.succeed("xapi-host-setup reconfigure --yes --dom0-mem 1300M --dom0-vcpus 1")
            assert set_up_phase(machine) == TRYING
            machine.reboot()
            host.comes_up_finished()
            assert host.dom0() == ["1300", "1"]
        with host.road.stage("they are what boots by itself"):
            machine.reboot()
            host.comes_up_finished()
            assert host.dom0() == ["1300", "1"]
        with host.road.stage("options that do not boot"):
            they_give_way(host)
        with host.road.stage("rollback"):
            machine.succeed("xapi-host-setup rollback --yes")
            machine.reboot()
            machine.fail("test -e /sys/hypervisor/type")
            matrix_stages.wait_for_network(machine, host.network)
            assert matrix_stages.changed_files(start, host.road.read_manifest()) == []


def they_give_way(host):
    machine, before = host.machine, host.road.read_manifest()
    machine.succeed("xapi-host-setup reconfigure --yes --dom0-mem 1200M --hostname other")
    # As a dom0 that is too small would: its kernel gives up.
    matrix_stages.break_xens_entries(machine)
    machine.reboot()
    # By itself: into the old kernel, where it is taken back, and from there into Xen as it was, which is tried once, too.
    machine.wait_until_succeeds("test -e /sys/hypervisor/type", SETTLE_S)
    host.comes_up_finished()
    status = json.loads(machine.execute("xapi-host-setup status --json").stdout)
    assert status["phase"] == "finished"
    assert status["last_change_back"] == "the host came back without Xen"
    told = json.loads(machine.execute("xapi-host-setup doctor --json").stdout)["findings"]
    assert "reconfigure-taken-back" in [one["id"] for one in told]
    assert host.dom0() == ["1300", "1"]
    assert matrix_stages.changed_files(before, host.road.read_manifest()) == []

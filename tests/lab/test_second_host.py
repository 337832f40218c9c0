"""A host that is not set up yet joins a pool as a part of its set-up; the matrix's rows have the way by xe."""

import matrix_stages
import pool_stages
import pytest
import road_stages as stages

from kronos_lab.rows import ROWS
from kronos_lab.second_host import ensure_prepared, second_host_for
from kronos_lab.set_up import wait_until_settled

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(7200)]

ROW = ROWS["debian-12-hotplug"]


def test_a_host_joins_as_a_part_of_its_set_up(tmp_path):
    with matrix_stages.prepared(ROW, tmp_path / "m", ensure_prepared) as machine:
        road = stages.Road(machine)
        with road.stage("the master's set-up"):
            machine.succeed("chpasswd", stdin=f"root:{road.password}\n")
            machine.succeed("xapi-host-setup apply --yes")
            machine.reboot()
            wait_until_settled(machine)
        join = pool_stages.join_with_set_up(second_host_for(ROW).setup)
        with road.stage("second host joins"), machine.neighbour:
            pool_stages.a_second_host(road, matrix_stages.management_address(machine), join)

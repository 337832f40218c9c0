"""The lab matrix: each way a host's network and boot may be configured, set up and taken back on real Xen."""

import matrix_stages
import pytest
import road_stages

from kronos_lab.rows import ROWS
from kronos_lab.second_host import ensure_joiner

# What every change walks, with one host; `./inv lab.matrix` walks all rows, with two.
IN_CI = ROWS["debian-13-networkd"]

pytestmark = [pytest.mark.lab, pytest.mark.timeout(7200)]


def test_one_row_with_one_host(tmp_path):
    with matrix_stages.prepared(IN_CI, tmp_path / "m", extra_ports=(443,)) as machine:
        matrix_stages.walk(IN_CI, machine, a_client_uses_it)


def a_client_uses_it(road):
    """The shortest of what test_whole_road.py does: every change has to keep that much."""
    address = "10.0.2.61"
    with road.stage("a PV guest with XenAPI over TLS"):
        session = road.session()
        ref = road_stages.create_guest_from_outside(road, session, "g-tls", "pv", address)
        session.xenapi.VM.start(ref, False, False)
        guest = session.xenapi.VM.get_uuid(ref)
        road_stages.check_guest(road, guest, "g-tls", address)
    with road.stage("live migration: done, or refused clearly"):
        road_stages.migrate_live(road, session, guest)
    with road.stage("kill -9 the daemon while the guest runs"):
        road_stages.kill_daemon(road, guest, address)
        road.xe(f"vm-uninstall uuid={guest} force=true")


@pytest.mark.long
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_row(row, tmp_path):
    second = ensure_joiner if row.joins else None
    with matrix_stages.prepared(row, tmp_path / "m", second) as machine:
        matrix_stages.walk(row, machine)

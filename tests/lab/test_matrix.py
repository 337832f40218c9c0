"""The lab matrix: each way a host's network and boot may be configured, set up and taken back on real Xen."""

import matrix_stages
import pytest

from kronos_lab.rows import ROWS
from kronos_lab.second_host import ensure_joiner

# What every change walks, with one host; `./inv lab.matrix` walks all rows, with two.
IN_CI = ROWS["debian-13-networkd"]

pytestmark = [pytest.mark.lab, pytest.mark.timeout(7200)]


def test_one_row_with_one_host(tmp_path):
    with matrix_stages.prepared(IN_CI, tmp_path / "m") as machine:
        matrix_stages.walk(IN_CI, machine)


@pytest.mark.long
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_row(row, tmp_path):
    second = ensure_joiner if row.joins else None
    with matrix_stages.prepared(row, tmp_path / "m", second) as machine:
        matrix_stages.walk(row, machine)

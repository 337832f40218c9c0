"""The lab matrix: each way a host's network and boot may be configured, set up and taken back on real Xen."""

import matrix_stages
import pytest

from kronos_lab.rows import ROWS
from kronos_lab.second_host import ensure_joiner

# The row that every change walks; `./inv lab.matrix` walks the others.
IN_CI = "debian-13-networkd"

pytestmark = [pytest.mark.lab, pytest.mark.timeout(7200)]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=name, marks=() if name == IN_CI else pytest.mark.long)
        for name, row in ROWS.items()
    ],
)
def test_row(row, tmp_path):
    second = ensure_joiner if row.joins else None
    with matrix_stages.prepared(row, tmp_path / "m", second) as machine:
        matrix_stages.walk(row, machine)

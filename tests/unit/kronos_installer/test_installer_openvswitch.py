"""/etc/default/openvswitch-switch gets the database's place, unless it has one already."""

from __future__ import annotations

import pytest

from kronos_installer.network.openvswitch import DEFAULTS, keep_database_in_run
from kronos_installer.problem import ProblemError


@pytest.mark.parametrize("defaults", ["", "# OVS_DBDIR=/srv\n", ' ; OVS_CTL_OPTS="--db-file=/srv/x"\n',
                                      "OVS_CTL_OPTS='--delete-bridges'", "FORCE_COREFILES=yes\r\n"])  # fmt: skip
def test_the_database_is_in_run_and_all_else_stays(defaults: str) -> None:
    found = keep_database_in_run(defaults)
    assert found.startswith(defaults)
    assert found.splitlines()[-1] == "OVS_DBDIR=/run/openvswitch"


@pytest.mark.parametrize(
    ("defaults", "line"),
    [
        ("\n OVS_DBDIR = /srv\n", 2),
        ("export OVS_DBDIR=/srv\n", 1),
        ('OVS_CTL_OPTS="--delete-bridges --db-file=/srv/x"\n', 1),
        ('OVS_CTL_OPTS="--delete-bridges \\\n --db-file=/srv/x"\n', 2),
        ("# a comment\nOVS_CTL_OPTS=--delete-bridges \\", 2),
    ],
)
def test_another_place_is_refused_by_line(defaults: str, line: int) -> None:
    with pytest.raises(ProblemError) as refused:
        keep_database_in_run(defaults)
    assert refused.value.problem.diagnosis == f"{DEFAULTS}:{line}"

"""The second host is like the row's in what a pool asks for, and made anew when what it is made of changes."""

from dataclasses import replace

import pytest

from kronos_lab import second_host
from kronos_lab.machine import Machine
from kronos_lab.rows import ROWS, Wiring
from kronos_lab.second_host import HOSTNAME, ensure_joiner, second_host_for
from xapi_shim.base.progress import Reporter


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_second_host_is_of_the_rows_wire_and_network_backend(row):
    host = second_host_for(row)
    assert host.wiring is row.wiring
    assert ("openvswitch" in host.setup) == ("openvswitch" in " ".join(row.setup))
    assert host.address != row.address
    assert f"address {host.address}/" in host.prepare
    assert ("enp0s3.5" in host.prepare) == (row.wiring is Wiring.CABLE4)
    assert HOSTNAME in host.prepare


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The disks that were made, instead of making them."""
    made = []

    def make(host, below, folder):
        made.append((host, below))
        machine = Machine(below, folder=folder, ports={22: 1})
        machine.spec.disk.write_text("a disk")
        return machine

    monkeypatch.setattr(second_host, "lab_dir", lambda: tmp_path)
    monkeypatch.setattr(second_host, "_prepare", make)
    monkeypatch.setattr(second_host, "_set_up", make)
    return made


def test_it_is_made_once_and_again_only_when_something_in_it_changes(tmp_path, made):
    host, base = second_host_for(ROWS["debian-12-hotplug"]), tmp_path / "current-1.qcow2"
    base.touch()
    first = ensure_joiner(Reporter(), base, host)
    assert ensure_joiner(Reporter(), base, host) == first
    assert [below for _, below in made] == [base, made[1][1]]
    assert first.exists()
    # Other flags of the set-up need no other prepared disk; another network or base does.
    assert ensure_joiner(Reporter(), base, replace(host, setup="--no-firewall")) != first
    assert len(made) == 3
    ensure_joiner(Reporter(), base, replace(host, interfaces="auto lo\n"))
    assert len(made) == 5
    other = tmp_path / "current-2.qcow2"
    other.touch()
    ensure_joiner(Reporter(), other, host)
    assert len(made) == 7

"""Units and packages that a set-up host lives by, one fault at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from doctor_kit import (
    PACKAGES,
    PROGRAMS,
    UNITS,
    WISHES,
    ids,
    readings,
    well_host,
)

from kronos_installer.doctor.answer import Answer
from kronos_installer.doctor.examine import findings
from kronos_installer.doctor.package_health import package_findings
from kronos_installer.doctor.unit_health import Needed, needed_units, unit_findings
from kronos_installer.journal import State
from kronos_installer.steps.network_step import FileChange, NetworkStep

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return well_host(tmp_path)


UNIT_FAULTS = {
    "service-missing": ("Id=xapi.service\nLoadState=loaded", "Id=xapi.service\nLoadState=masked"),
    "service-disabled": ("UnitFileState=enabled", "UnitFileState=disabled"),
    "service-not-running": ("ActiveState=active", "ActiveState=failed"),
    "unit-failed": (
        "Id=xenstored.service\nLoadState=loaded\nActiveState=active",
        "Id=xenstored.service\nActiveState=failed",
    ),
}


@pytest.mark.parametrize("fault", UNIT_FAULTS)
def test_units(fault: str) -> None:
    assert ids(unit_findings(Answer(UNITS))) == []
    assert ids(unit_findings(Answer(UNITS.replace(*UNIT_FAULTS[fault], 1)))) == [fault]


def changed_unit(name: str, **changes: str) -> Answer:
    """Return the units with properties of one of them changed."""
    block = next(block for block in UNITS.split("\n\n") if block.startswith(f"Id={name}\n"))
    values = dict(line.split("=", 1) for line in block.splitlines()) | changes
    return Answer(UNITS.replace(block, "\n".join(f"{key}={value}" for key, value in values.items())))


UNUSED_UNITS = {
    "Xen's, masked": ("xenstored.service", {"LoadState": "masked", "ActiveState": "inactive"}, "unit-masked"),
    "Xen's, stopped": ("xenstored.service", {"ActiveState": "inactive"}, "unit-not-running"),
    "the network's, masked": ("networking.service", {"LoadState": "masked"}, "unit-masked"),
    "the network's, disabled": ("networking.service", {"UnitFileState": "disabled"}, "unit-disabled"),
    "the network's, stopped": ("networking.service", {"ActiveState": "inactive"}, "unit-not-running"),
    "the guard, masked": ("xapi-host-guard.service", {"LoadState": "masked"}, "unit-masked"),
    "the clock's, failed": ("systemd-timesyncd.service", {"ActiveState": "failed"}, "time-not-running"),
    "the clock's, masked": ("systemd-timesyncd.service", {"LoadState": "masked", "ActiveState": "inactive"}, "time-not-running"),
}  # fmt: skip


@pytest.mark.parametrize("fault", UNUSED_UNITS)
def test_units_that_this_host_lives_by(host: Host, fault: str) -> None:
    name, changes, expected = UNUSED_UNITS[fault]
    well = readings(host)
    assert "networking.service" in needed_units(well.state).network
    told = {p.id: p for p in findings(replace(well, units=changed_unit(name, **changes)))}
    assert set(told) == {expected}
    assert name in told[expected].title


def test_units_of_others_may_be_masked_or_idle(host: Host) -> None:
    well = readings(host)
    idle = UNITS.replace(
        "Id=firewalld.service\nLoadState=not-found", "Id=firewalld.service\nLoadState=masked"
    )
    more = "\nId=NetworkManager.service\nLoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n"
    assert findings(replace(well, units=Answer(idle + more))) == ()
    asleep = changed_unit("xenstored.service", ActiveState="inactive")
    assert ids(unit_findings(asleep, needed_units(well.state), under_xen=False)) == []


def test_what_netplan_starts_need_not_be_enabled(host: Host) -> None:
    netplan = replace(needed_units(readings(host).state), by_generator=True)
    disabled = changed_unit("networking.service", UnitFileState="disabled")
    assert ids(unit_findings(disabled, netplan)) == []
    stopped = changed_unit("networking.service", ActiveState="inactive")
    assert ids(unit_findings(stopped, netplan)) == ["unit-not-running"]
    change = FileChange("/etc/netplan/99-xapi.yaml", b"", None)
    drop_in = FileChange("/etc/systemd/network/10-netplan-xenbr0.network.d/10-xapi.conf", b"", None)
    step = NetworkStep(reason="", files=(change, drop_in), interface="enp0s3")
    needed = needed_units(State(steps=(step,), wishes=WISHES))
    assert needed == Needed((), ("systemd-networkd.service",), by_generator=True)
    guests = FileChange("/etc/systemd/network/05-xenguests.network", b"", None)
    profile = FileChange("/etc/NetworkManager/system-connections/xenbr0.nmconnection", b"", None)
    step = NetworkStep(reason="", files=(guests, profile), interface="enp0s3")
    assert needed_units(State(steps=(step,), wishes=WISHES)) == Needed((), ("NetworkManager.service",))


def test_what_is_said_of_a_daemon_that_cannot_start() -> None:
    for state, remedy in {
        "masked": "systemctl unmask",
        "not-found": "install",
        "bad-setting": "reinstall",
    }.items():
        (problem,) = unit_findings(changed_unit("xapi.service", LoadState=state))
        assert (problem.id, remedy in problem.remediation) == ("service-missing", True)


def test_packages_that_do_not_belong_together() -> None:
    mixed = PACKAGES.replace("xapi-toolstack 0.1", "xapi-toolstack 0.2")
    assert ids(package_findings(Answer(mixed), "4.17.5")) == ["packages-mixed"]
    half = PACKAGES.replace("common 4.17.5", "common 4.17.6")
    assert ids(package_findings(Answer(half), "")) == ["packages-mixed"]
    assert ids(package_findings(Answer(PACKAGES), "4.17.4")) == ["xen-restart"]
    assert ids(package_findings(Answer(PACKAGES), "4.17.6-pre")) == []  # a snapshot of after 4.17.5
    assert ids(package_findings(Answer(PACKAGES), "4.17.5-pre")) == ["xen-restart"]
    assert ids(package_findings(Answer("bash 1 installed\n"), "")) == ["package-missing"]


@pytest.mark.parametrize("status", ["half-configured", "unpacked", "half-installed"])
@pytest.mark.parametrize("name", ["xapi-toolstack", "xen-hypervisor-common"])
def test_a_package_that_is_half_installed(name: str, status: str) -> None:
    half = re.sub(rf"^({name} \S+) installed", rf"\1 {status} install", PACKAGES, flags=re.MULTILINE)
    (problem,) = package_findings(Answer(half), "4.17.5")
    assert (problem.id, name in problem.title, "--configure" in problem.remediation) == (
        "package-half-installed",
        True,
        True,
    )
    assert ids(package_findings(Answer(half.replace(status, "triggers-pending")), "4.17.5")) == []


def test_a_held_package_is_told_and_named_where_it_mixes_versions() -> None:
    held = PACKAGES.replace("xapi-toolstack 0.1 installed", "xapi-toolstack 0.1 installed hold")
    (problem,) = package_findings(Answer(held), "")
    assert (problem.id, problem.level) == ("package-held", "info")
    mixed = held.replace("xapi 0.1", "xapi 0.2")
    told = {p.id: p for p in package_findings(Answer(mixed), "")}
    assert told["packages-mixed"].remediation.startswith("apt-mark unhold xapi-toolstack; ")


def test_what_a_release_upgrade_leaves_of_the_former_xen_is_no_mixture() -> None:
    new = "4.20.2+7-g1badcf5035-0+deb13u1"
    after = PACKAGES.replace(
        "xen-hypervisor-common 4.17.5+23-ga4e5191dc0-1+kronos1", f"xen-hypervisor-common {new}"
    )
    after += f"libxen-misc-not 1 config-files\nlibxenmisc4.20 {new} installed\nxen-hypervisor-4.20-amd64 {new} installed\n"
    assert ids(package_findings(Answer(after), "4.20.2")) == []
    assert ids(package_findings(Answer(after), "4.17.5")) == ["xen-restart"]


@pytest.mark.parametrize("path", PROGRAMS)
def test_a_program_that_somebody_removed(host: Host, path: str) -> None:
    host.at(path).unlink()
    (problem,) = findings(readings(host))
    assert (problem.id, path in problem.title, "apt-get install --reinstall" in problem.remediation) == (
        "program-missing",
        True,
        True,
    )

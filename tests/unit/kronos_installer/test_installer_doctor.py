"""doctor: a host that is well, and one thing wrong at a time; outputs that are not understood."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from doctor_kit import (
    NOW,
    RECORDS,
    WISHES,
    answers,
    ids,
    readings,
    well_host,
)
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import MENUS, make_host, put

from kronos_installer.detect.time_sync import TimeService, TimeSync
from kronos_installer.doctor.answer import Answer
from kronos_installer.doctor.bridge_health import addresses_of
from kronos_installer.doctor.certificate_health import (
    SERVER,
    certificate_findings,
)
from kronos_installer.doctor.clock_health import clock_findings
from kronos_installer.doctor.examine import findings, read_all
from kronos_installer.doctor.hypervisor_health import hypervisor_findings
from kronos_installer.doctor.package_health import package_findings
from kronos_installer.doctor.path_health import Seen, path_findings
from kronos_installer.doctor.space_health import Space, kernel_findings, space_findings
from kronos_installer.doctor.toolstack_health import ToolstackReading
from kronos_installer.doctor.unit_health import unit_findings
from kronos_installer.journal import Journal, Phase
from kronos_installer.main import main
from xapi_shim.base.process import ProcessError, ProgramMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kronos_installer.host import Host
    from kronos_installer.problem import Problem


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return well_host(tmp_path)


def test_a_host_that_is_well_has_no_findings(host: Host) -> None:
    assert Journal(host).load().phase is Phase.FINISHED
    assert [p for p in findings(readings(host)) if p.id not in ("space-low", "boot-full")] == []


def test_a_host_that_is_not_set_up_is_told_so(tmp_path: Path, capsys) -> None:
    host = make_host(tmp_path)
    assert main(["doctor", "--json", "--root", str(host.root)], runner=host.runner) == 5
    assert [p["id"] for p in json.loads(capsys.readouterr().out)["findings"]] == ["not-set-up"]


def test_a_host_before_its_reboot_waits_for_it(tmp_path: Path, capsys) -> None:
    host = make_host(tmp_path)
    assert main(["apply", "--yes", "--root", str(host.root)], runner=host.runner) == 0
    capsys.readouterr()
    assert main(["doctor", "--root", str(host.root)], runner=host.runner) == 5
    told = capsys.readouterr().out
    assert "not-under-xen" in told
    assert "set-up-unfinished" in told
    assert "bridge-missing" in told


def test_what_others_changed_is_told(host: Host) -> None:
    put(host, "/etc/network/interfaces", "auto lo\n")
    told = ids(findings(readings(host)))
    assert "step-not-in-place" in told
    assert "changed-since" in told


def test_programs_that_fail_or_are_missing_are_findings_not_faults(host: Host) -> None:
    def failing(argv: Sequence[str]) -> str:
        if argv[0] in ("lsblk", "vgs", "dpkg-query"):
            raise ProgramMissingError(argv[0])
        raise ProcessError(argv, 1, "", "Failed to connect to bus: Host is down")

    told = ids(findings(replace(read_all(replace(host, runner=failing), Journal(host).load()), now=NOW)))
    assert {
        "units-unknown",
        "packages-unknown",
        "addresses-unknown",
        "xl-fails",
        "routes-unknown",
        "time-unknown",
        "certificate-unchecked",
    } <= set(told)


@given(st.text(max_size=60))
def test_no_output_makes_a_judge_fail(text: str) -> None:
    ids(unit_findings(Answer(text)))
    ids(package_findings(Answer(text), text))
    addresses_of(text)
    ids(certificate_findings({SERVER: Answer(text)}, ["lab"], NOW))
    for service in TimeService:
        ids(clock_findings(TimeSync(service, (), True), Answer(text)))
    kernel_findings(Answer(text))


def test_json_that_nests_without_end_hides_nothing(host: Host) -> None:
    fallback = host.runner
    deep = replace(
        host, runner=lambda argv: "[" * 100_000 if argv[0] == "ip" else answers(argv) or fallback(argv)
    )
    told = ids(findings(replace(read_all(deep, Journal(host).load()), now=NOW)))
    assert "area-unknown" not in told
    assert "bridge-no-address" in told


def test_a_package_of_the_set_up_that_somebody_removed(host: Host) -> None:
    removed = replace(readings(host), missing=("install bridge-utils, nfs-common",))
    (problem,) = findings(removed)
    assert (problem.id, problem.remediation) == (
        "step-not-in-place",
        "apt-get install bridge-utils nfs-common",
    )


def test_each_step_and_each_repository_is_told(host: Host) -> None:
    for unit in ("xapi-host-guard.service", "xapi-host-settle.service"):
        (link,) = host.glob(f"/etc/systemd/system/*.wants/{unit}")
        host.at(link).unlink()
    assert ids(findings(readings(host))) == ["step-not-in-place"] * 2
    twice = RECORDS | {
        "SR": RECORDS["SR"] | {"OpaqueRef:t": {"uuid": "u-t", "name_label": "Other"}},
        "PBD": {ref: RECORDS["PBD"]["OpaqueRef:b"] | {"SR": sr, "currently_attached": False}
                for ref, sr in (("OpaqueRef:b", "OpaqueRef:s"), ("OpaqueRef:c", "OpaqueRef:t"))},
    }  # fmt: skip
    unplugged = replace(readings(host), toolstack=ToolstackReading(twice, uuid="u-h"))
    assert [p.id for p in findings(unplugged)].count("sr-not-attached") == 2


def test_a_daemon_is_asked_where_systemd_does_not_tell(host: Host) -> None:
    silent = replace(
        readings(host), units=Answer(error="bus"), toolstack=ToolstackReading(error="refused", uuid="u-h")
    )
    assert ids(findings(silent)) == ["units-unknown", "daemon-silent"]


HYPERVISOR_FAULTS: dict[str, dict[str, Any]] = {
    "not-under-xen": {"type": ""}, "not-dom0": {"capabilities": ""}, "xl-fails": {"xl": Answer(error="no")},
    "xen-no-hvm": {"xl": Answer("virt_caps : pv shadow\n")}, "xen-no-hap": {"xl": Answer("virt_caps : pv hvm shadow\n")},
    "xen-no-shadow-paging": {"xl": Answer("virt_caps : pv hvm hap\n")},
}  # fmt: skip


@pytest.mark.parametrize("fault", HYPERVISOR_FAULTS)
def test_the_hypervisor(host: Host, fault: str) -> None:
    found = readings(host).hypervisor
    assert ids(hypervisor_findings(found)) == []
    assert ids(hypervisor_findings(replace(found, **HYPERVISOR_FAULTS[fault]))) == [fault]


def test_places_that_are_missing_or_open(host: Host) -> None:
    places = readings(host).places
    assert ids(path_findings(places, running=True)) == []
    gone = places | {"/etc/xensource-inventory": None, "/var/lib/xcp/xapi": None}
    assert ids(path_findings(gone, running=False)) == ["path-missing"]
    assert ids(path_findings(gone, running=True)) == ["path-missing"] * 2
    (problem,) = path_findings(places | {SERVER: Seen(0o640)}, running=True)
    assert (problem.id, problem.remediation) == ("path-mode", f"chmod go-rwx {SERVER}")
    (problem,) = path_findings(places | {SERVER: Seen(0o600, owner=1000)}, running=True)
    assert (problem.id, "1000" in problem.title) == ("path-owner", True)


@pytest.mark.parametrize("path", ["/var/lib/xapi/state.sqlite", "/etc/xensource/ptoken"])
def test_a_place_that_a_crash_left_empty(host: Host, path: str) -> None:
    host.at(path).write_bytes(b"")
    (problem,) = findings(readings(host))
    assert (problem.id, problem.diagnosis) == ("path-empty", path)


def test_an_inventory_of_another_host_or_of_none(host: Host) -> None:
    def told() -> Problem:
        return next(p for p in findings(readings(host)) if p.id == "inventory-uuid")

    text = host.read("/etc/xensource-inventory")
    put(host, "/etc/xensource-inventory", text.replace(WISHES.installation_uuid, "other"))
    assert "the host other" in told().title
    put(host, "/etc/xensource-inventory", re.sub("^INSTALLATION_UUID.*\n", "", text, flags=re.MULTILINE))
    assert f"INSTALLATION_UUID='{WISHES.installation_uuid}'" in told().remediation


def test_what_has_lost_its_place_at_boot_is_enabled_again(host: Host) -> None:
    (link,) = host.glob("/etc/systemd/system/*.wants/xapi-host-guard.service")
    host.at(link).unlink()
    (problem,) = findings(readings(host))
    assert (problem.id, problem.remediation) == (
        "step-not-in-place",
        "systemctl enable xapi-host-guard.service",
    )


def test_space_and_the_kernel() -> None:
    gib = 1024**3
    assert (
        ids(space_findings((Space("/", 20 * gib, 10 * gib, False), Space("/boot", gib, gib // 2, False))))
        == []
    )
    assert ids(space_findings((Space("/boot", gib, gib // 20, False),))) == ["space-low"]
    assert ids(space_findings((Space("/var/lib/xapi/sr", 100 * gib, 4 * gib, False),))) == ["space-low"]
    assert ids(space_findings((Space("/", gib, gib, True),))) == ["file-system-read-only"]
    log = "[1.0] usb 1-1: device descriptor read/64, error -71\n[2.0] I/O error, dev sda, sector 8\n" * 9
    assert ids(kernel_findings(Answer(log))) == ["kernel-message"] * 5
    assert ids(kernel_findings(Answer("[2.0] blk_update_request: I/O error, dev sr0, sector 0\n"))) == []


def test_a_menu_that_boots_linux_again_is_found(host: Host) -> None:
    host.at("/boot/grub/grub.cfg").write_bytes((MENUS / "tried-once.cfg").read_bytes())
    assert "default-not-xen" in ids(findings(readings(host)))

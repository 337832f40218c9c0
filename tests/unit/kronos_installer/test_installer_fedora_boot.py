"""Fedora's layout: /boot/grub2, kernels in files of their own (BLS), no folder of defaults, a saved default.

The host is constructed after Fedora's documented layout; no Fedora machine has been set up by these tests.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from installer_kit import Countdown, Crash, boot, make_fedora, put, snapshot, start_xen

from kronos_installer import executor
from kronos_installer.boot_checks import boot_findings, boot_problems
from kronos_installer.boot_record import boot_record
from kronos_installer.boot_steps import boot_steps, dom0_size
from kronos_installer.checks import check
from kronos_installer.detect.bls import parse_bls, version_key
from kronos_installer.facts import Facts, read_facts
from kronos_installer.journal import Journal, Phase
from kronos_installer.plan import Plan
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

QUIET = Reporter(io.StringIO())
MACHINE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SAVED = f"{MACHINE}-6.17.4-300.fc44.x86_64"
LINUX = "Fedora Linux (6.17.4-300.fc44.x86_64) 44 (Server Edition)"
NEWEST = "Fedora Linux (6.17.8-300.fc44.x86_64) 44 (Server Edition)"
XEN = "Fedora Linux, with Xen hypervisor"


def facts_of(host: Host) -> Facts:
    return read_facts(host, host.runner)


def plan_for(host: Host) -> Plan:
    """Only what boots: the rest of the plan is for other tests."""
    facts = facts_of(host)
    return Plan(tuple(boot_steps(facts, dom0_size(facts))), (), Wishes("", ""))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_fedora(tmp_path)


def test_facts(host: Host) -> None:
    facts = facts_of(host)
    record = boot_record(facts.grub, facts.boot, facts.cpus)
    assert record["layout"] == "fedora"
    assert record["default"] == record["saved_entry"] == SAVED
    assert record["bls_entries"] == [f"{MACHINE}-6.17.8-300.fc44.x86_64", SAVED, f"{MACHINE}-0-rescue"]
    assert record["grubby"] is True
    assert record["environment_obstacle"] == ""
    assert list(boot_problems(facts)) == []


def test_nobody_is_sent_to_another_distributions_package_manager(host: Host) -> None:
    host.at("/boot/xen-4.20.1.gz").unlink()
    _, problems = check(facts_of(host), Wishes("", ""))
    assert {"service-missing", "xen-missing", "time-not-kept"} <= {problem.id for problem in problems}
    assert [p.id for p in problems if "apt-get" in p.remediation] == []


def test_xen_is_tried_once_then_made_the_default_then_all_is_undone(host: Host) -> None:
    before = snapshot(host)
    assert boot(host) == LINUX
    executor.apply(plan_for(host), host, QUIET)
    assert [boot(host), boot(host)] == [XEN, LINUX]
    start_xen(host)
    executor.finish(host, QUIET)
    assert [boot(host), boot(host)] == [XEN, XEN]
    assert executor.not_in_place(host, Journal(host).load()) == []
    assert [p.id for p in boot_findings(facts_of(host))] == []
    executor.rollback(host, QUIET)
    assert boot(host) == LINUX
    assert {path: was for path, was in snapshot(host).items() if "hypervisor" not in path} == before


def test_a_new_kernel_that_takes_the_saved_default_does_not_take_xens(host: Host) -> None:
    executor.apply(plan_for(host), host, QUIET)
    boot(host)
    start_xen(host)
    executor.finish(host, QUIET)
    environment = host.at("/boot/grub2/grubenv")
    newer = f"{MACHINE}-6.17.8-300.fc44.x86_64".encode()
    environment.write_bytes(environment.read_bytes().replace(SAVED.encode(), newer))
    assert boot(host) == XEN
    executor.rollback(host, QUIET)
    assert boot(host) == NEWEST


def test_apply_cut_off_anywhere_is_undone(tmp_path: Path) -> None:
    for at in range(200):
        host = make_fedora(tmp_path / str(at))
        before = snapshot(host)
        plan = plan_for(host)
        try:
            executor.apply(plan, replace(host, on_effect=Countdown(at)), QUIET)
        except Crash:
            assert boot(host) in (LINUX, XEN)
            if Journal(host).load().phase is not Phase.CLEAN:
                executor.rollback(host, QUIET)
            assert snapshot(host) == before
        else:
            return
    pytest.fail("apply never came to its end")


def test_without_a_saved_entry_the_newest_kernel_is_the_default(host: Host) -> None:
    put(host, "/boot/grub2/grubenv", "# GRUB Environment Block\n".ljust(1024, "#"))
    assert boot(host) == NEWEST
    executor.apply(plan_for(host), host, QUIET)
    assert [boot(host), boot(host)] == [XEN, NEWEST]


def test_an_environment_block_on_the_efi_partition_is_followed(host: Host) -> None:
    block = host.at("/boot/grub2/grubenv")
    real = host.at("/boot/efi/EFI/fedora/grubenv")
    real.parent.mkdir(parents=True)
    block.rename(real)
    block.symlink_to("../efi/EFI/fedora/grubenv")
    before = snapshot(host)
    assert facts_of(host).grub.environment_path == "/boot/efi/EFI/fedora/grubenv"
    executor.apply(plan_for(host), host, QUIET)
    assert [boot(host), boot(host)] == [XEN, LINUX]
    executor.rollback(host, QUIET)
    assert snapshot(host) == before


@pytest.mark.parametrize(
    ("older", "newer"),
    [("6.9.1-1.fc40", "6.10.0-1.fc40"), ("6.10.0-1.fc40", "6.10.0-2.fc40"), ("6.10~rc1", "6.10"), ("0-rescue", "1"),
     ("6.10", "6.10.1"), ("6.fc", "6.1")],
)  # fmt: skip
def test_versions_sort_as_rpms_do(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)


def test_a_file_of_its_own() -> None:
    text = "# a comment\ntitle Fedora Linux 44\n\nlinux\t/vmlinuz-1\noptions root=UUID=x ro\noptions more\n"
    entry = parse_bls("m-1", text)
    assert (entry.id, entry.title, entry.linux, entry.options) == (
        "m-1", "Fedora Linux 44", "/vmlinuz-1", "root=UUID=x ro more",
    )  # fmt: skip

"""Options of Xen that an operator has set: kept, but none with which a host whose Xen crashes stands still."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from installer_kit import make_host, put

from kronos_installer.boot_checks import boot_findings, boot_problems
from kronos_installer.facts import read_facts

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.facts import Facts


def facts_with(folder: Path, line: str) -> Facts:
    host = make_host(folder)
    put(host, "/etc/default/grub.d/local.cfg", f"# ours\n{line}\n")
    return read_facts(host, host.runner)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('GRUB_CMDLINE_XEN="loglvl=all noreboot"', "noreboot"),
        ("GRUB_CMDLINE_XEN_DEFAULT='noreboot=true'", "noreboot=true"),
        ('GRUB_CMDLINE_XEN="$GRUB_CMDLINE_XEN reboot=no"', "reboot=no"),
        ('GRUB_CMDLINE_XEN="reboot=warm,no"', "reboot=warm,no"),
    ],
)
def test_a_xen_that_stays_down_is_refused(tmp_path: Path, line: str, word: str) -> None:
    facts = facts_with(tmp_path, line)
    (problem,) = [one for one in boot_problems(facts) if one.id == "xen-stays-down"]
    assert (problem.level, problem.diagnosis) == ("error", "/etc/default/grub.d/local.cfg:2")
    assert word in problem.title
    assert "xen-stays-down" in [one.id for one in boot_findings(facts)]


def test_a_line_that_goes_on_is_read_to_its_end(tmp_path: Path) -> None:
    facts = facts_with(tmp_path, 'GRUB_CMDLINE_XEN_DEFAULT="loglvl=all \\\n  noreboot dom0_mem=512M"')
    told = {one.id: one.diagnosis for one in boot_problems(facts)}
    assert told["xen-stays-down"] == told["grub-own-dom0"] == "/etc/default/grub.d/local.cfg:2"
    facts = facts_with(tmp_path / "end", 'GRUB_CMDLINE_XEN="noreboot" \\')
    assert "xen-stays-down" in [one.id for one in boot_problems(facts)]
    facts = facts_with(tmp_path / "comment", '# all of it \\\nGRUB_CMDLINE_XEN="noreboot"')
    assert "xen-stays-down" in [one.id for one in boot_problems(facts)]


@pytest.mark.parametrize(
    "line",
    [
        'GRUB_CMDLINE_XEN="noreboot=off reboot=acpi,cold"',
        'GRUB_CMDLINE_XEN="no-noreboot"',
        # Linux' own, which knows no such option.
        'GRUB_CMDLINE_LINUX_XEN_REPLACE="noreboot"',
    ],
)
def test_what_lets_it_reboot_is_kept(tmp_path: Path, line: str) -> None:
    told = [one.id for one in boot_problems(facts_with(tmp_path, line))]
    assert "grub-own-xen-options" in told
    assert "xen-stays-down" not in told


def test_dom0s_share_that_counts_is_named(tmp_path: Path) -> None:
    told = list(boot_problems(facts_with(tmp_path, 'GRUB_CMDLINE_XEN_DEFAULT="dom0_mem=512M"')))
    (problem,) = [one for one in told if one.id == "grub-own-dom0"]
    assert "dom0_mem=512M" in problem.title
    # The set-up's own come after these.
    told = list(boot_problems(facts_with(tmp_path / "other", 'GRUB_CMDLINE_XEN="dom0_mem=512M"')))
    assert "grub-own-dom0" not in [one.id for one in told]

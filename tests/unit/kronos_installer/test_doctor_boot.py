"""doctor: what GRUB would load is gone or empty, and what is chosen for the next boot only."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from doctor_kit import ids, readings, well_host
from installer_kit import MENUS, choose_once, make_fedora, put

from kronos_installer.detect.bls import read_bls
from kronos_installer.detect.grub import XEN_SCRIPT, read_grub
from kronos_installer.doctor.answer import Answer
from kronos_installer.doctor.boot_health import boot_file_findings, read_boot_files
from kronos_installer.doctor.examine import findings
from kronos_installer.doctor.hypervisor_health import HypervisorReading
from kronos_installer.grub_menu import parse_menu

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

LINUX = "gnulinux-simple-7e0f7c50-9f0b-4f4f-9a55-66b0a2b2b7a1"
FILES = ("xen-4.17-amd64.gz", "vmlinuz-6.1.0-56-amd64", "initrd.img-6.1.0-56-amd64")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return well_host(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_next_boot_that_is_empty(host: Host, name: str) -> None:
    host.at(f"/boot/{name}").write_bytes(b"")
    told = {p.id: p for p in findings(readings(host))}
    assert told["boot-file"].diagnosis == f"/boot/{name}"
    assert "is empty" in told["boot-file"].title
    # What the way back needs too is Linux' own.
    assert ("grub-no-way-back" in told) is (not name.startswith("xen"))


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_next_boot_that_is_gone(host: Host, name: str) -> None:
    host.at(f"/boot/{name}").unlink()
    told = {p.id: p for p in findings(readings(host)) if p.diagnosis.startswith("/boot/")}
    assert "is not there" in told["boot-file"].title


def test_the_files_of_an_entry() -> None:
    menu = parse_menu((MENUS / "set-up.cfg").read_text())
    xen, linux = menu.default_entry(), menu.resolve(LINUX)
    assert xen is not None
    assert linux is not None
    assert [path.rpartition("/")[2] for path in xen.files] == list(FILES)
    assert [path.rpartition("/")[2] for path in linux.files] == list(FILES[1:])


def test_a_choice_for_the_next_boot(host: Host) -> None:
    def told() -> list[str]:
        return ids(boot_file_findings(read_boot_files(host, read_grub(host))))

    assert told() == []
    choose_once(host.at("/boot/grub/grubenv"), "xen-gnulinux-simple-7e0f7c50-9f0b-4f4f-9a55-66b0a2b2b7a1")
    assert told() == []
    choose_once(host.at("/boot/grub/grubenv"), LINUX)
    assert told() == ["grub-next-entry"]
    assert ids(boot_file_findings(read_boot_files(host, read_grub(host)), settled=False)) == []


def test_fedora_s_way_back_is_in_files_of_its_own(tmp_path: Path) -> None:
    host = make_fedora(tmp_path)
    host.at("/boot/grub2/grub.cfg").write_bytes((MENUS / "fedora-set-up.cfg").read_bytes())
    host.at(XEN_SCRIPT).chmod(0o755)
    assert read_bls(host)
    assert ids(boot_file_findings(read_boot_files(host, read_grub(host)))) == []
    for path in host.root.glob("boot/vmlinuz-*"):
        path.write_bytes(b"")
    assert ids(boot_file_findings(read_boot_files(host, read_grub(host)))) == [
        "boot-file",
        "grub-no-way-back",
    ]


def test_a_memory_tester_is_no_way_back(host: Host) -> None:
    menu = host.read("/boot/grub/grub.cfg")
    put(host, "/boot/memtest86+x64.bin", "a memory tester")
    tester = "menuentry 'Memory test' {\n\tlinux\t/boot/memtest86+x64.bin console=ttyS0\n}\n"
    put(host, "/boot/grub/grub.cfg", re.sub(r"^\t+linux\t.*\n", "", menu, flags=re.MULTILINE) + tester)
    assert "grub-no-way-back" in ids(findings(readings(host)))


def test_what_xen_was_built_without_is_told_once_and_of_the_one_that_boots(host: Host) -> None:
    put(host, "/boot/xen-4.14-amd64.config", "# CONFIG_SHADOW_PAGING is not set\n# CONFIG_PV is not set\n")
    assert ids(findings(readings(host))) == []
    put(host, "/boot/xen-4.17-amd64.config", "# CONFIG_SHADOW_PAGING is not set\n")
    assert ids(findings(readings(host))) == ["xen-no-shadow-paging"]
    running = replace(
        readings(host), hypervisor=HypervisorReading("xen", "control_d", Answer("virt_caps : pv hvm hap\n"))
    )
    assert [p.diagnosis for p in findings(running) if p.id == "xen-no-shadow-paging"] == [
        "xl info: virt_caps"
    ]


def test_what_the_next_menu_is_made_without(host: Host) -> None:
    host.at(XEN_SCRIPT).chmod(0o644)
    (problem,) = findings(readings(host))
    assert (problem.id, problem.remediation) == ("grub-no-xen", f"chmod 0755 {XEN_SCRIPT}")
    host.at(XEN_SCRIPT).unlink()
    (problem,) = findings(readings(host))
    # dpkg leaves a configuration file out that somebody removed.
    assert (problem.id, "--force-confmiss grub-common" in problem.remediation) == ("grub-no-xen", True)


def test_an_environment_block_that_is_none(host: Host) -> None:
    environment = host.at("/boot/grub/grubenv")
    whole = environment.read_bytes()
    environment.write_bytes(b"\0" * 1024)
    assert ids(findings(readings(host))) == ["grub-environment"]
    environment.unlink()
    assert ids(findings(readings(host))) == []
    environment.write_bytes(whole)
    assert ids(findings(readings(host))) == []

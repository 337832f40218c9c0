"""The interview as an operator meets it: a real terminal, few questions, Enter for the defaults."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest
from installer_kit import HERE, make_host, snapshot

from kronos_installer.journal import Journal
from kronos_installer.main import main
from kronos_installer.wishes import IsoType, IsoWish, StorageType, StorageWish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kronos_installer.host import Host

PROGRAM = """
import json
import sys
from pathlib import Path
from installer_kit import FakeCommands
from kronos_installer.main import main
class Commands(FakeCommands):
    def _told(self, argv):
        if argv[:5] != ("ip", "-json", "-4", "route", "show"):
            return super()._told(argv)
        devices = sys.argv[2].split(",")
        return json.dumps([{"dst": "default", "gateway": f"192.0.2.{n}", "dev": d} for n, d in enumerate(devices)])
root = Path(sys.argv[1])
sys.exit(main([*sys.argv[3:], "--root", str(root)], runner=Commands(root)))
"""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


@pytest.fixture
def started() -> Iterator:
    children: list[pexpect.spawn] = []

    def start(host: Host, *args: str, route: str = "enp0s3") -> pexpect.spawn:
        env = {**os.environ, "PYTHONPATH": ":".join([str(HERE), *sys.path])}
        argv = ["-c", PROGRAM, str(host.root), route, *args]
        child = pexpect.spawn(
            sys.executable, argv, env=env, encoding="utf-8", timeout=60, dimensions=(50, 200)
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.close(force=True)


def end(child: pexpect.spawn) -> int:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_enter_takes_the_defaults(host: Host, started) -> None:
    child = started(host, "apply")
    for question in ("Memory of dom0.*1536M", "Storage", "ISO library", "Join"):
        child.expect(question + r".*\] ")
        child.sendline("")
    child.expect(r"Set this host up so\? \[y/N\] ")
    assert "Management interface (" not in child.before
    child.sendline("y")
    assert end(child) == 0
    wishes = Journal(host).load().wishes
    assert wishes is not None
    assert (wishes.storage, wishes.iso_library, wishes.pool) == (None, None, None)


def test_answers_are_wishes(tmp_path: Path, started) -> None:
    host = make_host(tmp_path, HERE / "cases/several_interfaces/host")
    child = started(host, "apply", route="enp0s3,enp9s0")
    answers = {
        "Management interface .*enp0s3, enp9s0": "enp9s0",
        "Memory of dom0": "1G",
        "Storage": "directory:/srv/guests,name=Fast",
        "ISO library": "directory:/srv/isos",
        "Join": "",
    }
    for question, answer in answers.items():
        child.expect(question + r".*\] ")
        child.sendline(answer)
    child.expect(r"\[y/N\] ")
    child.sendline("y")
    assert end(child) == 0
    wishes = Journal(host).load().wishes
    assert wishes is not None
    assert (wishes.management_interface, wishes.dom0_memory_mib) == ("enp9s0", 1024)
    assert wishes.storage == StorageWish(StorageType.DIRECTORY, "/srv/guests", "Fast")
    assert wishes.iso_library == IsoWish(IsoType.DIRECTORY, "/srv/isos")
    assert wishes.pool is None


def test_the_one_interface_that_would_do_is_no_question(tmp_path: Path, started) -> None:
    host = make_host(tmp_path, HERE / "cases/several_interfaces/host")
    child = started(host, "apply", route="enp9s0")
    child.expect(r"Memory of dom0.*\] ")
    assert "Management interface" not in child.before
    for _ in range(4):
        child.sendline("")
        child.expect(r"\] ")
    child.sendline("y")
    assert end(child) == 0
    wishes = Journal(host).load().wishes
    assert wishes is not None
    assert wishes.management_interface == "enp9s0"


def test_what_cannot_be_meant_is_asked_again(host: Host, started) -> None:
    child = started(host, "apply")
    for answer in ("much", "100M", "900G"):
        child.expect(r"Memory of dom0.*\] ")
        child.sendline(answer)
    child.expect(r"Memory of dom0.*\] ")
    child.sendline("")
    child.expect(r"Storage.*\] ")
    child.sendline("tape:x")
    child.expect("TYPE is one of")
    child.expect(r"Storage.*\] ")
    child.sendline("directory:/srv/my disks")
    child.expect("'/srv/my disks' cannot be meant, give a text .A directory, ")
    child.expect(r"Storage.*\] ")
    child.sendline("")
    child.expect(r"ISO.*\] ")
    child.sendline("directory:/srv/isos,name=a\x1bb")
    child.expect("cannot be meant, give a text .The library's name")
    child.expect(r"ISO.*\] ")
    child.sendline("")
    child.expect(r"Join.*\] ")
    child.sendline("not a host")
    child.expect(r"Join.*\] ")
    child.sendline("")
    child.expect(r"\[y/N\] ")
    child.sendline("n")
    assert end(child) == 4


def test_a_closed_terminal_changes_nothing(host: Host, started) -> None:
    before = snapshot(host)
    child = started(host, "apply")
    child.expect(r"Memory of dom0.*\] ")
    child.sendeof()
    assert end(child) == 4
    assert snapshot(host) == before


@pytest.mark.parametrize("flags", [["--dom0-mem", "1G"], ["--hostname", "xen1"]])
def test_who_has_wished_is_not_asked(host: Host, started, flags: list[str]) -> None:
    child = started(host, "apply", *flags)
    child.expect(r"Set this host up so\? \[y/N\] ")
    assert "Memory of dom0, 768M" not in child.before
    child.sendline("n")
    assert end(child) == 4


def test_yes_asks_nothing(host: Host, started) -> None:
    child = started(host, "apply", "--yes")
    assert end(child) == 0
    assert "[" not in child.before.splitlines()[0]


def test_a_refused_host_is_asked_nothing(tmp_path: Path, started) -> None:
    host = make_host(tmp_path, HERE / "cases/secure_boot/host")
    child = started(host, "apply")
    assert end(child) == 3
    assert "Secure Boot" in child.before
    assert main(["status", "--root", str(host.root)], runner=host.runner) == 0

"""doctor and status on hosts that are broken at one place: all else is looked at, and nothing is waited for for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from doctor_kit import WISHES, answers, ids, readings, well_host
from installer_kit import make_host, put, snapshot

from kronos_installer import journal
from kronos_installer.at_work import is_at_work
from kronos_installer.doctor import careful, toolstack_health
from kronos_installer.doctor.answer import ask
from kronos_installer.doctor.careful import CarefulFiles, CarefulRunner, Look, unread_findings
from kronos_installer.doctor.examine import findings
from kronos_installer.doctor.toolstack_health import read_toolstack, toolstack_findings
from kronos_installer.host import SystemRunner
from kronos_installer.main import main
from xapi_shim.base.process import ProgramMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.host import Host

REPO = Path(__file__).parents[3]
# Run without what lets root read all files (capabilities(7)).
NO_OVERRIDE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return well_host(tmp_path)


def found_on(host: Host, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    """Ask the doctor by its command line; return its findings by id, and see that it changed nothing."""
    fallback, before = host.runner, snapshot(host)
    capsys.readouterr()
    status = main(
        ["doctor", "--json", "--root", str(host.root)], runner=lambda argv: answers(argv) or fallback(argv)
    )
    told = json.loads(capsys.readouterr().out)
    assert (status, told["outcome"]) == (5, "findings")
    assert snapshot(host) == before
    return {one["id"]: one for one in told["findings"]}


ODD = (
    "/boot/grub/grub.cfg", "/etc/default/grub", "/etc/hosts", "/etc/os-release", "/etc/resolv.conf", "/etc/xensource/pool.conf",
    "/proc/cpuinfo", "/etc/xensource-inventory",
)  # fmt: skip


@pytest.mark.parametrize("path", ODD)
def test_a_file_that_cannot_be_read_is_named_and_hides_nothing(host: Host, path: str, capsys) -> None:
    where = host.at(path)
    where.unlink()
    where.symlink_to(where.name)
    host.at("/sys/class/net/xenbr0").rmdir()
    found = found_on(host, capsys)
    assert found["file-unreadable"]["diagnosis"] == path
    assert "symbolic links" in found["file-unreadable"]["title"]
    assert "bridge-missing" in found


def test_a_pipe_in_a_file_s_place_is_not_waited_for(host: Host) -> None:
    host.at("/etc/hosts").unlink()
    os.mkfifo(host.at("/etc/hosts"))
    found = {problem.id: problem for problem in findings(readings(host))}
    assert found["file-unreadable"].diagnosis == "/etc/hosts"


def test_a_folder_in_a_lease_file_s_place(host: Host, capsys) -> None:
    host.at("/var/lib/dhcp/dhclient.enp0s3.leases").unlink()
    host.at("/var/lib/dhcp/dhclient.enp0s3.leases").mkdir()
    assert set(found_on(host, capsys)) == {"daemon-silent"}


def test_a_release_file_with_an_open_quotation(host: Host, capsys) -> None:
    put(host, "/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian's\nVERSION_ID='12\n")
    assert set(found_on(host, capsys)) == {"daemon-silent"}


def test_what_the_kernel_answers_with_errors_is_no_unreadable_file(host: Host) -> None:
    files = CarefulFiles(host.root)
    host.at("/sys/class/net/enp0s3/carrier").unlink()
    host.at("/sys/class/net/enp0s3/carrier").symlink_to("carrier")
    assert files.read("/sys/class/net/enp0s3/carrier") == ""
    assert files.state("/nowhere/at/all") is None
    assert not unread_findings(files)


def test_a_fault_nobody_thought_of_is_a_finding() -> None:
    look = Look()
    assert look.at("the moon", lambda: int("cheese")) is None
    assert look.at("the sun", lambda: 1) == 1
    (problem,) = look.problems
    assert (problem.id, "the moon" in problem.title, "ValueError" in problem.diagnosis) == (
        "area-unknown",
        True,
        True,
    )


def test_a_file_system_that_keeps_whoever_asks_it() -> None:
    never, look = threading.Event(), Look()
    assert look.at("the free space", never.wait, 0.01) is None
    never.set()
    assert [(p.id, "no answer" in p.diagnosis) for p in look.problems] == [("area-unknown", True)]


def test_a_program_that_does_not_end_is_not_waited_for(monkeypatch) -> None:
    monkeypatch.setattr(careful, "_GRACE_S", 0.01)
    never = threading.Event()

    def hanging(_argv: Sequence[str]) -> str:
        never.wait()
        return ""

    answer = ask(CarefulRunner(hanging, 0.01), ("xl", "info"))
    never.set()
    assert answer.error.startswith("xl info: no answer within")


def test_a_real_program_is_ended() -> None:
    answer = ask(CarefulRunner(SystemRunner(Path("/")), 0.2), ("sleep", "600"))
    assert answer.error == "sleep 600: not done after 0.2 s"


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "xl").write_text("no program")
    runner = CarefulRunner(SystemRunner(Path("/")))
    assert "Permission denied" in ask(runner, (str(tmp_path / "xl"),)).error
    with pytest.raises(ProgramMissingError):
        runner((str(tmp_path / "nothing"),))


def test_a_daemon_that_never_answers(host: Host, monkeypatch) -> None:
    monkeypatch.setattr(toolstack_health, "_RECORDS_S", 0.05)
    never = threading.Event()

    @contextmanager
    def login() -> Iterator[Any]:
        never.wait()
        yield None

    reading = read_toolstack(host, login)
    never.set()
    assert ids(toolstack_findings(reading, running=True)) == ["daemon-silent"]


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_who_is_not_root_is_told_so(host: Host, command: str) -> None:
    host.at(journal.JOURNAL).chmod(0)
    argv = [sys.executable, "-m", "kronos_installer.main", command, "--root", str(host.root)]
    env = {**os.environ, "PYTHONPATH": f"{REPO}:{REPO}/installer"}
    ran = subprocess.run([*(NO_OVERRIDE if os.geteuid() == 0 else ()), *argv], env=env, capture_output=True, text=True, check=False)  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "only root" in ran.stderr
    assert "sudo" in ran.stderr


def test_a_host_without_a_journal_is_not_sent_in_a_circle(host: Host, capsys) -> None:
    host.at(journal.JOURNAL).unlink()
    assert "restore it" in found_on(host, capsys)["not-set-up"]["remediation"]
    assert WISHES.installation_uuid in host.read("/etc/xensource-inventory")


def test_a_set_up_that_is_under_way_is_not_called_interrupted(tmp_path: Path, capsys) -> None:
    host = make_host(tmp_path)
    commands = host.runner
    asked: list[tuple[int, dict[str, Any]]] = []

    def ask_meanwhile(argv: Sequence[str]) -> str:
        if "grub-mkconfig" in argv:
            put(host, "/proc/locks", Path("/proc/locks").read_text())
            for command in ("status", "doctor"):
                capsys.readouterr()
                status = main([command, "--json", "--root", str(host.root)], runner=commands)
                asked.append((status, json.loads(capsys.readouterr().out)))
        return commands(argv)

    assert main(["apply", "--yes", "--root", str(host.root)], runner=ask_meanwhile) == 0
    (status, told), (examined, found) = asked
    assert (status, told["at_work"], told["phase"]) == (0, True, "apply interrupted")
    assert (examined, [one["id"] for one in found["findings"]]) == (5, ["set-up-at-work"])
    put(host, "/proc/locks", Path("/proc/locks").read_text())
    capsys.readouterr()
    assert main(["status", "--root", str(host.root)], runner=commands) == 0
    assert "Another xapi-host-setup" not in capsys.readouterr().out


def test_a_finished_host_that_came_up_without_xen_wants_attention(host: Host, capsys) -> None:
    def status() -> int:
        capsys.readouterr()
        return main(["status", "--root", str(host.root)], runner=host.runner)

    assert status() == 0
    host.at("/sys/hypervisor/type").unlink()
    assert status() == 5
    told = capsys.readouterr().out
    # 'apply' changes nothing on a host whose set-up is finished.
    assert ("does not run under Xen" in told, "doctor" in told, "'xapi-host-setup apply'" in told) == (
        True,
        True,
        False,
    )


def test_locks_that_are_none_of_ours(host: Host) -> None:
    inode = host.at("/var/lib/xapi-host-setup").stat().st_ino
    for line, held in {
        f"1: FLOCK  ADVISORY  WRITE 4711 08:01:{inode} 0 EOF": True,
        f"1: -> FLOCK  ADVISORY  WRITE 4711 08:01:{inode} 0 EOF": False,
        f"1: FLOCK  ADVISORY  READ 4711 08:01:{inode} 0 EOF": False,
        f"1: FLOCK  ADVISORY  WRITE 4711 08:01:{inode}1 0 EOF": False,
        f"1: POSIX  ADVISORY  WRITE 4711 08:01:{inode} 0 EOF": False,
        "rubbish": False,
    }.items():
        put(host, "/proc/locks", f"{line}\n")
        assert is_at_work(host) is held

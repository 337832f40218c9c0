"""The dead-man switch among other troubles: a question that nobody answers, full and read-only file systems, signals."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dead_man_kit import (
    QUIET,
    Clock,
    applied_host,
    boot,
    commands_of,
    files,
    follow_files,
    fresh_host,
    network_files,
    settled,
    wishes,
)
from installer_kit import Crash, put

from kronos_installer import executor
from kronos_installer.confirm import seconds_to_confirm
from kronos_installer.dead_man import SETTLE
from kronos_installer.guard import guard
from kronos_installer.host_files import FileState
from kronos_installer.journal import DEADLINE, JOURNAL, Journal, Phase
from kronos_installer.main import main
from kronos_installer.settle import Surroundings, settle
from kronos_installer.steps.service_step import ServiceStep
from kronos_installer.wishes import Confirm, PoolWish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kronos_installer.host import Host

REBOOT = "systemctl reboot"


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


def while_asked(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object], answer: str = "y\n") -> None:
    """Have something happen while a question waits for its answer."""

    def readline() -> str:
        happens()
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", readline, raising=False)


def test_a_host_that_never_stays_up_for_long_comes_back(tmp_path: Path) -> None:
    """It crashes, or somebody who cannot reach it switches it off and on: the deadline of a boot is never reached."""
    before = network_files(fresh_host(tmp_path / "before"))
    host = silent(applied_host(tmp_path))
    boots = 0
    while Journal(host).load().phase is Phase.APPLIED:
        boots += 1
        assert boots < 9
        boot(host)
        clock = Clock(step=10)

        def pause(clock: Clock = clock) -> None:
            clock.pause()
            if clock.seconds > 200:
                raise Crash

        with suppress(Crash):
            settle(host, Surroundings(lambda clock=clock: clock.seconds, pause, lambda _: False), QUIET)
    assert boots > 1
    boot(host)
    settled(host)
    assert network_files(host) == before


def test_boots_before_the_confirmation_do_not_count_after_it(tmp_path: Path) -> None:
    host = applied_host(tmp_path)
    Journal(host).add({"record": "awaiting", "boot_id": "one"})
    assert Journal(host).load().awaited_boots == {"one"}
    Journal(host).add({"record": "confirmed", "by": "the operator", "xen": False})
    assert not Journal(host).load().awaited_boots


@pytest.mark.parametrize(("boots", "seconds"), [(0, 600), (1, 300), (3, 75), (4, 60), (5000, 60)])
def test_each_boot_waits_half_as_long(boots: int, seconds: float) -> None:
    assert seconds_to_confirm(10, boots) == seconds
    assert seconds_to_confirm(1, boots) == 60


def silent(host: Host) -> Host:
    commands_of(host).broken.add("ping")
    return host


def test_a_question_that_nobody_answers_does_not_hold_the_switch_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """The operator's connection is dead, and with it whoever would answer: the count is over all the same."""
    before = files(fresh_host(tmp_path / "before"))
    host = applied_host(tmp_path)
    boot(host)
    silent(host)

    def settles() -> None:
        waits = Clock()

        def pause() -> None:
            waits.pause()
            assert waits.seconds < 10_000, "it waits for the question"

        settle(host, replace(waits.around(), pause=pause), QUIET)

    while_asked(monkeypatch, settles)
    assert call(host, "rollback") == 0
    assert "nothing to roll back" in capsys.readouterr().out
    assert files(host) == before
    assert REBOOT in commands_of(host).ran


def test_what_was_set_up_while_the_question_waited_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    host = applied_host(tmp_path)
    boot(host, xen=True)
    while_asked(monkeypatch, lambda: settled(host))
    assert call(host, "rollback") == 2
    assert "has gone on meanwhile" in capsys.readouterr().err
    assert Journal(host).load().phase is Phase.FINISHED
    while_asked(monkeypatch, lambda: None)
    assert call(host, "rollback") == 0


def test_the_count_goes_on_where_it_cannot_be_kept(tmp_path: Path) -> None:
    """/run is full: the deadline is one since the boot, for who is killed and started again too."""
    host = applied_host(tmp_path)
    old = network_files(fresh_host(tmp_path / "before"))
    boot(host)
    silent(host)
    put(host, Path(DEADLINE).parent.as_posix(), "in the way\n")
    clock = Clock()
    assert settled(host, clock).phase is Phase.CLEAN
    assert 600 <= clock.seconds < 700
    assert network_files(host) == old


def read_only(effect: str) -> None:
    """A journal on a file system that has become read-only."""
    if effect.startswith("before recording"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_the_network_comes_back_where_the_journal_cannot_be_written(tmp_path: Path) -> None:
    """/var is a file system of its own, and read-only after an error; a boot may mend that."""
    before = files(fresh_host(tmp_path / "before"))
    host = applied_host(tmp_path)
    old = network_files(fresh_host(tmp_path / "old"))
    boot(host)
    silent(host)
    with pytest.raises(OSError, match="Read-only"):
        settled(replace(host, on_effect=read_only))
    assert network_files(host) == old
    assert commands_of(host).ran.count(REBOOT) == 1
    boot(host)
    # Not mended: the old network runs, and no reboot would make it better.
    with pytest.raises(OSError, match="Read-only"):
        settled(replace(host, on_effect=read_only))
    assert commands_of(host).ran.count(REBOOT) == 1
    assert network_files(host) == old
    boot(host)
    assert settled(host).phase is Phase.CLEAN
    assert files(host) == before


def test_the_network_comes_back_where_the_journal_becomes_read_only_on_the_way(tmp_path: Path) -> None:
    old = network_files(fresh_host(tmp_path / "before"))
    host = applied_host(tmp_path)
    boot(host)
    silent(host)

    def fails(effect: str) -> None:
        if effect == "before recording undone":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(executor.UndoIncompleteError):
        settled(replace(host, on_effect=fails))
    # systemd starts it again.
    with pytest.raises(OSError, match="Read-only"):
        settled(replace(host, on_effect=read_only))
    assert network_files(host) == old
    assert REBOOT in commands_of(host).ran


def test_a_reboot_that_even_systemd_cannot_force_is_the_kernels(tmp_path: Path) -> None:
    """systemd itself has crashed, and answers nobody (systemctl(1): --force twice asks no manager)."""
    host = applied_host(tmp_path)
    boot(host)
    commands_of(host).broken |= {"ping", REBOOT, f"{REBOOT} --force"}
    settled(host)
    assert commands_of(host).ran[-1] == f"{REBOOT} --force --force"


def soft_reboot(host: Host) -> None:
    """systemctl(1), soft-reboot: all of userspace starts anew below the same kernel, and /run stays."""
    guard(host, QUIET)
    follow_files(host)


@pytest.mark.parametrize("answers", [True, False], ids=["answered", "silent"])
def test_a_soft_reboot_brings_the_new_network_up_too(tmp_path: Path, answers: bool) -> None:
    """The boot id is that of the apply, and nobody had confirmed anything."""
    host = applied_host(tmp_path)
    new, old = network_files(host), network_files(fresh_host(tmp_path / "before"))
    if not answers:
        silent(host)
    soft_reboot(host)
    state = settled(host)
    assert state.phase is (Phase.CONFIRMED if answers else Phase.CLEAN)
    assert network_files(host) == (new if answers else old)
    assert (REBOOT in commands_of(host).ran) is not answers


def test_a_guard_that_no_boot_has_started_takes_nothing_for_a_soft_reboot(tmp_path: Path) -> None:
    """`systemctl isolate multi-user.target` starts guard and settle, and the old network runs."""
    host = applied_host(tmp_path)
    before = host.read(JOURNAL)
    commands = commands_of(host)
    asked: list[str] = []

    def running(argv: Sequence[str]) -> str:
        asked.append(" ".join(argv))
        return "active\n" if argv[-1] == "network.target" else commands(argv)

    guard(replace(host, runner=running), QUIET)
    assert asked == ["systemctl show --property=ActiveState --value network.target"]
    assert host.read(JOURNAL) == before
    assert settled(host).phase is Phase.APPLIED


def test_a_soft_reboot_counts_where_systemd_says_nothing(tmp_path: Path) -> None:
    host = applied_host(tmp_path)
    silent(host)
    commands_of(host).broken.add("systemctl show --property=ActiveState --value network.target")
    soft_reboot(host)
    assert settled(host).phase is Phase.CLEAN


def test_a_soft_reboot_after_a_switch_keeps_its_deadline(tmp_path: Path) -> None:
    host = applied_host(tmp_path)
    journal = Journal(host)
    journal.add({"record": "switching", "boot_id": host.boot_id(), "deadline": 300})
    journal.add({"record": "switched"})
    before = host.read(JOURNAL)
    soft_reboot(host)
    assert host.read(JOURNAL) == before


def test_a_name_that_is_never_resolved_does_not_stop_the_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The master is known by a name, and what resolves names waits for a network that does not work."""
    released = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[object]:
        released.wait()
        return []

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    monkeypatch.setattr("kronos_installer.settle._ANSWER_S", 0.01)
    host = applied_host(tmp_path, replace(wishes(Confirm.MASTER), pool=PoolWish("master.example")))
    boot(host)
    around = replace(Clock(step=200).around(), connects=Surroundings().connects)
    try:
        assert settle(host, around, QUIET).phase is Phase.CLEAN
    finally:
        released.set()


def test_who_confirms_too_late_is_told_so(tmp_path: Path, capsys) -> None:
    host = applied_host(tmp_path, wishes(Confirm.OPERATOR))
    boot(host)
    settled(host)
    capsys.readouterr()
    assert call(host, "confirm") == 2
    assert (
        "too late: the set-up was taken back, nobody ran 'xapi-host-setup confirm'" in capsys.readouterr().err
    )


def test_a_unit_that_is_half_enabled_is_enabled_when_apply_goes_on(tmp_path: Path) -> None:
    """A power cut between two links: the one for the boot is there, the one for the emergency mode is not."""
    host = fresh_host(tmp_path)
    step = ServiceStep(unit=SETTLE, reason="a test")
    original = step.capture(host)
    wants = host.at("/etc/systemd/system/multi-user.target.wants")
    (wants / SETTLE).symlink_to(f"/lib/systemd/system/{SETTLE}")
    step.apply(host, original)
    assert f"systemctl enable {SETTLE}" in commands_of(host).ran


def full(effect: str) -> None:
    """A root file system without a free block: the room that was kept for the way back is on another, /var."""
    if effect.startswith("before writing /etc/"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_network_comes_back_where_the_disk_has_no_room_for_two_files(tmp_path: Path) -> None:
    """The old one then takes the room of the new one."""
    before = files(fresh_host(tmp_path / "before"))
    host = applied_host(tmp_path)
    boot(host)
    silent(host)
    assert settled(replace(host, on_effect=full)).phase is Phase.CLEAN
    assert files(host) == before


def test_the_guard_puts_back_where_the_disk_has_no_room_for_two_files(tmp_path: Path) -> None:
    """Cut off while it writes in place, it does so again at the next boot."""
    old = network_files(fresh_host(tmp_path / "before"))
    host = applied_host(tmp_path)

    def cut_off(effect: str) -> None:
        full(effect)
        if effect.startswith("half-way through overwriting"):
            raise Crash(effect)

    with pytest.raises(Crash):
        executor.rollback(replace(host, on_effect=cut_off), QUIET)
    assert network_files(host) != old
    boot(host, guarded=replace(host, on_effect=full))
    assert network_files(host) == old


def test_what_does_not_fit_in_the_old_ones_room_is_left_as_it_is(tmp_path: Path) -> None:
    """More of it than there are blocks: half of an original would be worse than the new file."""
    host = fresh_host(tmp_path)
    put(host, "/etc/small", "new\n")
    larger = FileState(b"original\n" * 10_000, uid=os.geteuid(), gid=os.getegid())

    def fallocate(_fd: int, _at: int, size: int) -> None:
        raise OSError(errno.ENOSPC, f"no room for {size}")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.posix_fallocate", fallocate)
        with pytest.raises(OSError, match="no room"):
            replace(host, on_effect=full).write_back("/etc/small", larger)
    assert host.read("/etc/small") == "new\n"

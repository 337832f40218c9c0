"""The operator at a terminal compares the certificate of a pool's master: before the password is sent to anybody."""

from __future__ import annotations

import io
import os
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pexpect
import pytest
from installer_kit import HERE, make_host, snapshot
from pool_kit import master_of, pool_records, put_password, remote_daemon

from kronos_installer.interview import NoAnswerError, Terminal
from kronos_installer.journal import Journal
from kronos_installer.main import main
from kronos_installer.master_certificate import OtherMasterError, compare_certificate
from kronos_installer.problem import RefusedError
from kronos_installer.remote_client import look_at
from kronos_installer.wishes import PoolWish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pool_kit import Remote

    from kronos_installer.host import Host

POOL = PoolWish("xen0.example", password_file="/root/pool")
OTHER = ":".join(["AB"] * 32)
# The machine's names do not have the master's, and port 443 is root's.
PROGRAM = """
import socket
import sys
from pathlib import Path
from installer_kit import FakeCommands
from kronos_installer.main import main
connect = socket.create_connection
def to_master(address, *args, **more):
    assert address[1] == 443
    return connect(("127.0.0.1", int(sys.argv[2])), *args, **more)
socket.create_connection = to_master
root = Path(sys.argv[1])
sys.exit(main([*sys.argv[3:], "--root", str(root)], runner=FakeCommands(root)))
"""


@pytest.fixture
def called() -> list[str]:
    return []


@pytest.fixture
def remote(tmp_path: Path, called: list[str]) -> Iterator[Remote]:
    reply = master_of(pool_records("first", "first"))

    def heard(method: str, params: tuple[Any, ...]) -> Any:
        called.append(method)
        return reply(method, params)

    with remote_daemon(tmp_path, heard) as made:
        yield made


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = make_host(tmp_path / "host", HERE / "cases/pool_join/host")
    put_password(made)
    return made


def compare(remote: Remote, *lines: str) -> tuple[PoolWish, str]:
    on = Terminal(io.StringIO("".join(f"{line}\n" for line in lines)), io.StringIO())
    return compare_certificate(
        POOL, on, lambda _master: look_at(remote.address, remote.port)
    ), on.output.getvalue()


@pytest.mark.parametrize("form", ["yes", "Y", "{0}", "{1}", "sha256 Fingerprint={0}"])
def test_who_says_yes_binds_all_to_what_was_shown(remote: Remote, form: str) -> None:
    wish, said = compare(remote, form.format(remote.fingerprint, remote.fingerprint.replace(":", "").lower()))
    assert wish == PoolWish(POOL.master, POOL.username, POOL.password_file, remote.fingerprint)
    assert remote.fingerprint in said


@pytest.mark.parametrize(
    "answer", ["", "no", "n", OTHER, OTHER.replace(":", "").lower(), f"sha256 Fingerprint={OTHER}"]
)
def test_who_does_not_say_yes_has_declined(remote: Remote, answer: str) -> None:
    with pytest.raises(OtherMasterError, match="was not sent the password"):
        compare(remote, answer)


def test_what_is_neither_is_asked_again(remote: Remote) -> None:
    assert compare(remote, "perhaps", OTHER[:-1], "yes")[1].count("Is it the same") == 3
    with pytest.raises(NoAnswerError):
        compare(remote, "perhaps")


def test_a_silent_master_is_no_question() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    on = Terminal(io.StringIO("yes\n"), io.StringIO())
    with pytest.raises(RefusedError) as caught:
        compare_certificate(POOL, on, lambda _master: look_at("127.0.0.1", port))
    assert [problem.id for problem in caught.value.problems] == ["pool-master-silent"]
    assert on.output.getvalue() == ""


@contextmanager
def started(host: Host, remote: Remote, *args: str) -> Iterator[pexpect.spawn]:
    env = {**os.environ, "PYTHONPATH": ":".join([str(HERE), *sys.path])}
    argv = ["-c", PROGRAM, str(host.root), str(remote.port), *args]
    child = pexpect.spawn(sys.executable, argv, env=env, encoding="utf-8", timeout=60, dimensions=(50, 200))
    try:
        yield child
    finally:
        child.close(force=True)


def end(child: pexpect.spawn) -> int:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


FLAGS = ["--join", POOL.master, "--password-file", POOL.password_file]


@pytest.mark.parametrize("command", ["check", "plan", "apply"])
def test_nothing_is_sent_before_the_operator_has_compared(
    host: Host, remote: Remote, called: list[str], command: str
) -> None:
    before = snapshot(host)
    with started(host, remote, command, *FLAGS) as child:
        child.expect(r"Is it the same .*\[no\] ")
        assert remote.fingerprint in child.before
        assert called == []
        child.sendline("no")
        assert end(child) == 4
    assert called == []
    assert snapshot(host) == before


def test_the_interview_asks_too_and_the_join_is_bound_to_the_answer(
    host: Host, remote: Remote, called: list[str], capsys
) -> None:
    with started(host, remote, "apply") as child:
        for question, answer in {"Memory of dom0": "", "Storage": "", "ISO library": "", "Join": POOL.master,
                                 "File with": POOL.password_file}.items():  # fmt: skip
            child.expect(question + r".*\] ")
            child.sendline(answer)
        child.expect(r"Is it the same .*\[no\] ")
        assert called == []
        child.sendline("yes")
        child.expect(r"Set this host up so\? \[y/N\] ")
        assert "that was asked for" in child.before
        assert "session.login_with_password" in called
        child.sendline("y")
        assert end(child) == 0
    wishes = Journal(host).load().wishes
    assert wishes is not None
    assert wishes.pool is not None
    assert wishes.pool.fingerprint == remote.fingerprint
    again = ["apply", "--yes", "--root", str(host.root), *FLAGS]
    for fingerprint, status in {remote.fingerprint.lower(): 0, OTHER: 2}.items():
        assert main([*again, "--join-fingerprint", fingerprint], runner=host.runner) == status
    assert "another pool" in capsys.readouterr().err


@pytest.mark.parametrize("more", [["--yes"], ["--json", "--yes"]])
def test_yes_asks_nothing_and_the_plan_warns(host: Host, remote: Remote, more: list[str]) -> None:
    with started(host, remote, "apply", *FLAGS, *more) as child:
        assert end(child) == 0
        assert "Is it the same" not in child.before
        if "--json" not in more:
            assert "nobody has compared its certificate" in " ".join(child.before.split())


@pytest.mark.parametrize("given", ["right", "wrong"])
def test_who_has_given_the_fingerprint_is_not_asked(
    host: Host, remote: Remote, called: list[str], given: str
) -> None:
    before = snapshot(host)
    fingerprint = remote.fingerprint.lower() if given == "right" else OTHER
    with started(host, remote, "plan", *FLAGS, "--join-fingerprint", fingerprint) as child:
        assert end(child) == (0 if given == "right" else 3)
        assert "Is it the same" not in child.before
        assert ("nobody has compared its certificate" in child.before, "was not sent" in child.before) == (
            False,
            given == "wrong",
        )
    assert bool(called) == (given == "right")
    assert snapshot(host) == before

"""Joining a pool and leaving it again: what is waited for, what a crash leaves, and where the password goes."""

from __future__ import annotations

import io
import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from installer_kit import Countdown, Crash, make_host, put
from pool_kit import (
    CONF,
    INNER,
    INVENTORY,
    PASSWORD,
    UUID,
    Joiner,
    becomes,
    falls_silent,
    local_daemon,
    master_of,
    patience_of,
    pool_records,
    put_password,
    remote_daemon,
    with_field,
)

from kronos_installer import executor
from kronos_installer.dead_man import dead_man_steps
from kronos_installer.journal import Journal
from kronos_installer.password_file import PasswordFileError
from kronos_installer.patience import GaveUpError
from kronos_installer.plan import Plan
from kronos_installer.pool_membership import StillMemberError
from kronos_installer.remote_client import look_at
from kronos_installer.steps import pool_join_step
from kronos_installer.steps.pool_join_step import MasterChangedError, MasterUnclearError, PoolJoinStep
from kronos_installer.steps.step import HostChangedError, step_from_json, step_to_json
from kronos_installer.wishes import Wishes
from kronos_installer.xenapi_client import XenApiFailureError, XenApiUnreachableError
from xapi_shim.base.paths import Paths
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host import Host

POOL = pool_records("first", "first", "joiner")
TO_JOIN = str(Paths().master_to_join)
ALONE = pool_records("joiner", "joiner")


@pytest.fixture
def host() -> Iterator[Host]:
    # A unix socket's path is short (unix(7)); pytest's folders can be long.
    with tempfile.TemporaryDirectory() as folder:
        made = make_host(Path(folder))
        put(made, CONF, "master")
        put(made, INVENTORY, f"INSTALLATION_UUID='{UUID}'\n")
        put_password(made)
        made.at(TO_JOIN).parent.mkdir(parents=True)
        yield made


@pytest.fixture
def step(tmp_path: Path, monkeypatch) -> Iterator[PoolJoinStep]:
    """The step, with a master whose certificate can be looked at."""
    with remote_daemon(tmp_path, master_of(POOL)) as remote:
        monkeypatch.setattr(pool_join_step, "HTTPS_PORT", remote.port)
        yield PoolJoinStep(master="xen0", address=remote.address, username="root", password_file="/root/pool",
                           fingerprint=remote.fingerprint, reason="a test")  # fmt: skip


@contextmanager
def daemon_of(host: Host, **how: object) -> Iterator[Joiner]:
    daemon = Joiner(host, **how)
    with local_daemon(host, daemon):
        yield daemon


def patient(step: PoolJoinStep, daemon: Joiner) -> PoolJoinStep:
    return replace(step, patience=patience_of(daemon))


STARTING = [
    falls_silent,
    becomes(pool_records("first", "first")),
    becomes(with_field(POOL, "host", "OpaqueRef:joiner", enabled=False)),
    becomes(with_field(POOL, "host_metrics", "OpaqueRef:m-joiner", live=False)),
    becomes(POOL),
]


def test_it_joins_and_waits_until_the_pool_has_the_host(host: Host, step: PoolJoinStep) -> None:
    said: list[str] = []
    with daemon_of(host, after=list(STARTING)) as daemon:
        assert not step.is_applied(host)
        patient(step, daemon).apply(replace(host, say=said.append), step.capture(host))
        assert step.is_applied(host)
        assert daemon.calls == [("pool.join", (step.address, "root", PASSWORD))]
        assert daemon.after == []
    assert [
        line.partition(f" pool of {step.master}: ")[2].split(" (")[0].split(" at ")[0] for line in said
    ] == [
        "the daemon has not started anew as a member",
        "the toolstack's daemon does not answer",
        "the pool's records do not have this host",
        "the host is not enabled",
        "the master does not see this host alive",
    ]


def test_cut_off_anywhere_it_joins_once(host: Host, step: PoolJoinStep) -> None:
    for at in range(7):
        put(host, CONF, "master")
        with daemon_of(host, records=ALONE, after=[becomes(POOL)]) as daemon:
            with pytest.raises(Crash):
                patient(step, daemon).apply(replace(host, on_effect=Countdown(at)), {})
            patient(step, daemon).apply(host, {})
            assert [method for method, _ in daemon.calls] == ["pool.join"], at
            assert not host.exists(TO_JOIN), at


@dataclass
class Watching(Joiner):
    """The joiner's daemon, and what it is told of the master when it is to join."""

    told: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, method: str, params: tuple[Any, ...]) -> Any:
        if method == "pool.join":
            self.told.append((self.host.read(TO_JOIN), self.host.at(TO_JOIN).stat().st_mode & 0o777))
        return super().__call__(method, params)


def test_the_daemon_is_told_which_master_it_may_log_in_to(host: Host, step: PoolJoinStep) -> None:
    daemon = Watching(host, after=[becomes(POOL)])
    with local_daemon(host, daemon):
        patient(step, daemon).apply(host, {})
    assert daemon.told == [(f"{step.address}\n{INNER['host_internal']}\n", 0o600)]
    assert not host.exists(TO_JOIN)


@pytest.mark.parametrize("certificates", [
    {}, {"OpaqueRef:c": {"host": "OpaqueRef:first", "type": "host_internal", "fingerprint_sha256": "AB\nCD"}},
    {"OpaqueRef:c": {"host": "OpaqueRef:first", "type": "host_internal", "fingerprint_sha256": ""}},
    {"OpaqueRef:c": {"host": "OpaqueRef:other", "type": "host_internal", "fingerprint_sha256": INNER["host"]}},
    {"OpaqueRef:c": {"host": "OpaqueRef:first", "type": "host_internal",
                     "fingerprint_sha256": "sha256 Fingerprint=" + INNER["host_internal"]}},
    {"OpaqueRef:c": {"type": "host_internal"}}, {"OpaqueRef:c": 7}, "none",
])  # fmt: skip
def test_a_master_that_does_not_tell_its_certificate_is_not_joined(
    host: Host, tmp_path: Path, monkeypatch, certificates: Any
) -> None:
    with remote_daemon(tmp_path, master_of(POOL | {"Certificate": certificates})) as remote:
        monkeypatch.setattr(pool_join_step, "HTTPS_PORT", remote.port)
        made = PoolJoinStep(master="xen0", address=remote.address, username="root", password_file="/root/pool",
                            fingerprint=remote.fingerprint, reason="a test")  # fmt: skip
        with daemon_of(host) as daemon:
            with pytest.raises(MasterUnclearError):
                patient(made, daemon).apply(host, {})
            assert daemon.calls == []
    assert not host.exists(TO_JOIN)


def test_who_shows_another_certificate_after_the_look_gets_no_password(
    host: Host, step: PoolJoinStep, tmp_path: Path, monkeypatch
) -> None:
    called: list[str] = []
    (tmp_path / "other").mkdir()
    with remote_daemon(tmp_path / "other", lambda method, _params: called.append(method) or "") as other:
        port = pool_join_step.HTTPS_PORT
        monkeypatch.setattr(pool_join_step, "look_at", lambda address, _port: look_at(address, port))
        monkeypatch.setattr(pool_join_step, "HTTPS_PORT", other.port)
        with daemon_of(host) as daemon:
            with pytest.raises(MasterChangedError, match=other.fingerprint):
                patient(step, daemon).apply(host, {})
            assert daemon.calls == []
    assert called == []


@pytest.mark.parametrize("by", ["a refusal", "an undo"])
def test_who_does_not_join_forgets_which_master_it_was(host: Host, step: PoolJoinStep, by: str) -> None:
    if by == "an undo":
        put(host, TO_JOIN, INNER["host_internal"])
        step.undo(host, {})
    else:
        refuses = {"pool.join": ["HOSTS_NOT_HOMOGENEOUS"]}
        daemon = Watching(host, fails=refuses)
        with local_daemon(host, daemon), pytest.raises(XenApiFailureError):
            patient(step, daemon).apply(host, {})
        assert len(daemon.told) == 1
    assert not host.exists(TO_JOIN)


def test_undo_takes_away_what_a_join_that_was_cut_off_left(host: Host, step: PoolJoinStep) -> None:
    def cut_off(effect: str) -> None:
        if effect == f"before renaming {TO_JOIN}":
            raise Crash

    with daemon_of(host) as daemon, pytest.raises(Crash):
        patient(step, daemon).apply(replace(host, on_effect=cut_off), {})
    assert [path.name for path in host.at(TO_JOIN).parent.iterdir()] == [host.temporary(TO_JOIN).name]
    step.undo(host, {})
    assert list(host.at(TO_JOIN).parent.iterdir()) == []


def test_a_daemon_that_starts_anew_before_it_answers_has_joined(host: Host, step: PoolJoinStep) -> None:
    with daemon_of(host, drops={"pool.join"}, after=[becomes(POOL)]) as daemon:
        patient(step, daemon).apply(host, {})
    put(host, CONF, "master")
    with daemon_of(host, drops={"pool.join"}, obeys=False) as daemon, pytest.raises(XenApiUnreachableError):
        patient(step, daemon).apply(host, {})


def test_a_member_of_that_pool_has_nothing_to_join(host: Host, step: PoolJoinStep) -> None:
    put(host, CONF, f"slave:{step.address}\n")
    assert step.is_applied(host)
    with daemon_of(host, records=POOL) as daemon:
        patient(step, daemon).apply(host, step.capture(host))
        assert daemon.calls == []


def test_a_host_in_another_pool_is_left_alone(host: Host, step: PoolJoinStep) -> None:
    put(host, CONF, "slave:192.0.2.99")
    with daemon_of(host, records=POOL) as daemon:
        with pytest.raises(HostChangedError):
            step.capture(host)
        with pytest.raises(HostChangedError):
            patient(step, daemon).apply(host, {})
        assert daemon.calls == []


def test_a_refusal_keeps_its_code_and_not_the_password(host: Host, step: PoolJoinStep) -> None:
    said = ["POOL_JOINING_HOST_HAS_BONDS", f"in {PASSWORD}"]
    with daemon_of(host, fails={"pool.join": said}) as daemon, pytest.raises(XenApiFailureError) as caught:
        patient(step, daemon).apply(host, {})
    assert caught.value.code == "POOL_JOINING_HOST_HAS_BONDS"
    assert PASSWORD not in str(caught.value)


def test_what_it_waited_for_is_in_the_error(host: Host, step: PoolJoinStep) -> None:
    without = with_field(POOL, "host_metrics", "OpaqueRef:m-joiner", live=False)
    with daemon_of(host, after=[becomes(without)]) as daemon:
        with pytest.raises(
            GaveUpError, match=r"waited 60 s .* member .*the master does not see this host alive"
        ):
            patient(step, daemon).apply(host, {})
        daemon.records = POOL
        patient(step, daemon).apply(host, {})


def test_another_certificate_gets_no_password(host: Host, step: PoolJoinStep) -> None:
    with daemon_of(host) as daemon:
        with pytest.raises(
            MasterChangedError, match=r"the password was not sent: .* shows another certificate"
        ) as caught:
            patient(replace(step, fingerprint="00:11"), daemon).apply(host, {})
        assert daemon.calls == []
    assert "00:11" in str(caught.value)
    assert step.fingerprint in str(caught.value)
    assert "openssl x509" in str(caught.value)


@pytest.mark.parametrize(("text", "mode", "said"), [(f"{PASSWORD}\n", 0o640, "by others"), ("", 0o600, "one line"),
                                                    ("a\nb\n", 0o600, "one line"), ("\xff" * 4097, 0o600, "one line")])  # fmt: skip
def test_a_password_file_that_is_not_safe(
    host: Host, step: PoolJoinStep, text: str, mode: int, said: str
) -> None:
    put_password(host, text=text, mode=mode)
    with daemon_of(host) as daemon:
        with pytest.raises(PasswordFileError, match=said):
            patient(step, daemon).apply(host, {})
        assert daemon.calls == []


def test_a_host_that_was_never_in_the_pool_has_nothing_to_undo(host: Host, step: PoolJoinStep) -> None:
    step.undo(host, {})
    assert host.read(CONF) == "master"


def test_undo_leaves_the_pool_and_waits_for_a_pool_of_its_own(host: Host, step: PoolJoinStep) -> None:
    put(host, CONF, f"slave:{step.address}")
    said: list[str] = []
    with daemon_of(host, records=POOL, after=[falls_silent, becomes(ALONE)]) as daemon:
        patient(step, daemon).undo(replace(host, say=said.append), {})
        assert daemon.calls == [("pool.eject", ("OpaqueRef:joiner",))]
        assert len(said) == 2
        patient(step, daemon).undo(host, {})
        assert len(daemon.calls) == 1


def test_undo_cut_off_anywhere_leaves_once(host: Host, step: PoolJoinStep) -> None:
    for at in range(4):
        put(host, CONF, f"slave:{step.address}")
        with daemon_of(host, records=POOL, after=[becomes(ALONE)]) as daemon:
            with pytest.raises(Crash):
                patient(step, daemon).undo(replace(host, on_effect=Countdown(at)), {})
            patient(step, daemon).undo(host, {})
            assert [method for method, _ in daemon.calls] == ["pool.eject"], at


def test_a_member_that_goes_before_it_answers_has_left(host: Host, step: PoolJoinStep) -> None:
    put(host, CONF, f"slave:{step.address}")
    with daemon_of(host, records=POOL, drops={"pool.eject"}, after=[becomes(ALONE)]) as daemon:
        patient(step, daemon).undo(host, {})


def test_a_host_that_the_pool_has_let_go_of_waits_for_its_daemon(host: Host, step: PoolJoinStep) -> None:
    put(host, CONF, f"slave:{step.address}")

    def sees_it(daemon: Joiner) -> None:
        put(host, CONF, "master")
        becomes(ALONE)(daemon)

    with daemon_of(host, records=pool_records("first", "first"), after=[sees_it]) as daemon:
        patient(step, daemon).undo(host, {})
        assert daemon.calls == []


def test_a_pool_that_does_not_let_go_is_named_with_the_way_out(host: Host, step: PoolJoinStep) -> None:
    put(host, CONF, f"slave:{step.address}")
    refuses = {"pool.eject": ["HOST_HAS_RESIDENT_VMS", "OpaqueRef:joiner"]}
    with (
        daemon_of(host, records=POOL, fails=refuses) as daemon,
        pytest.raises(StillMemberError, match="HOST_HAS_RESIDENT_VMS") as caught,
    ):
        patient(step, daemon).undo(host, {})
    assert step.address in str(caught.value)
    with pytest.raises(StillMemberError, match="write 'master' to"):
        step.undo(host, {})
    assert host.read(CONF) == f"slave:{step.address}"


def test_the_password_is_in_no_journal_and_no_plan(host: Host, step: PoolJoinStep) -> None:
    output = io.StringIO()
    assert step_from_json(step_to_json(step)) == step
    with daemon_of(host, after=[becomes(POOL)]) as daemon:
        made = patient(step, daemon)
        wishes = Wishes(UUID, UUID)
        Journal(host).begin(Plan((*dead_man_steps(), made), (), wishes))
        state = Journal(host).load()
        state.steps = (*state.steps[:-1], made)
        executor.carry_out(host, state, len(state.steps) - 1, Reporter(output))
    journal = host.read("/var/lib/xapi-host-setup/journal.jsonl")
    assert json.loads(journal.splitlines()[-1])["record"] == "done"
    assert PASSWORD not in journal + output.getvalue() + repr(made) + step.describe()

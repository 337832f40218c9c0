"""Asking the master of a pool before anything is changed: what it tells, and every way in which it does not."""

from __future__ import annotations

import json
import re
import socket
import tempfile
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import HERE, make_host, put, snapshot
from pool_kit import (
    MASTER,
    UUID,
    host_record,
    master_of,
    pool_records,
    put_password,
    remote_daemon,
    with_field,
)

from kronos_installer import pool_checks
from kronos_installer.detect import pool_master
from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.detect.pool_master import PoolHost, PoolMaster, read_pool_master
from kronos_installer.facts import read_facts
from kronos_installer.main import main
from kronos_installer.plan import make_plan
from kronos_installer.planning import plan_for
from kronos_installer.pool_checks import MOST_HOSTS, MOST_SECONDS_APART, pool_problems
from kronos_installer.problem import Level, Problem, RefusedError
from kronos_installer.remote_client import OtherCertificateError, TlsTransport, look_at, remote_session
from kronos_installer.saved_plan import save_plan
from kronos_installer.steps.pool_join_step import PoolJoinStep
from kronos_installer.wishes import IsoType, IsoWish, PoolWish, Wishes
from kronos_installer.xenapi_client import XenApiUnreachableError
from xapi_shim import __version__
from xapi_shim.datamodel import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.facts import Facts
    from kronos_installer.host import Host

RECORDS = pool_records("first", "first", "second")
# Nobody's.
GIVEN = ":".join(["AB"] * 32)
ASKED = PoolWish("127.0.0.1", password_file="/root/pool")
WISHES = Wishes("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222",
                pool=PoolWish(MASTER, password_file="/root/pool"))  # fmt: skip
TOLD = PoolMaster(
    fingerprint="AB:CD",
    address=MASTER,
    software={
        "product_brand": "Kronos",
        "xapi_build": __version__,
        "xen": "4.17.5",
        "network_backend": "bridge",
    },
    cpu_vendor="AuthenticAMD",
    cpu_family="25",
    hosts=(PoolHost("uuid-first", "first", True),),
    vlan=-1,
    address_type="IPv4",
    external_auth="",
    ha_enabled=False,
    verifies=False,
    seconds_ahead=2.0,
)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = make_host(tmp_path, HERE / "cases/pool_join/host")
    put_password(made)
    return made


@pytest.fixture
def facts(host: Host) -> Facts:
    return replace(read_facts(host, host.runner), pool_master=TOLD)


def asked(host: Host, folder: Path, reply: Any, pool: PoolWish = ASKED) -> PoolMaster | Problem:
    with remote_daemon(folder, reply) as remote:
        return read_pool_master(host, pool, remote.port)


def test_a_master_tells_of_its_pool(host: Host, tmp_path: Path) -> None:
    dead = with_field(RECORDS, "host_metrics", "OpaqueRef:m-second", live=False)
    with remote_daemon(tmp_path, master_of(dead)) as remote:
        told = read_pool_master(host, ASKED, remote.port)
        assert isinstance(told, PoolMaster)
        assert told.fingerprint == remote.fingerprint
    assert abs(told.seconds_ahead) < 60
    hosts = (PoolHost("uuid-first", "first", True), PoolHost("uuid-second", "second", False))
    known = replace(told, seconds_ahead=2.0, fingerprint="AB:CD")
    assert known == replace(TOLD, hosts=hosts, address="127.0.0.1")


@pytest.mark.parametrize("written", [str, str.lower, lambda text: text.replace(":", ""),
                                     lambda text: text.replace(":", "").lower()])  # fmt: skip
def test_a_master_of_the_given_certificate_tells_of_its_pool(
    host: Host, tmp_path: Path, written: Callable[[str], str]
) -> None:
    with remote_daemon(tmp_path, master_of(RECORDS)) as remote:
        pool = replace(ASKED, fingerprint=written(remote.fingerprint))
        told = read_pool_master(host, pool, remote.port)
    assert isinstance(told, PoolMaster), told
    assert told.fingerprint == remote.fingerprint == pool.certificate


def heard(called: list[str]) -> Callable[[str, tuple[Any, ...]], Any]:
    """A master that writes down what it is asked."""
    reply = master_of(RECORDS)

    def answer(method: str, params: tuple[Any, ...]) -> Any:
        called.append(method)
        return reply(method, params)

    return answer


def test_a_master_of_another_certificate_is_sent_nothing(host: Host, tmp_path: Path) -> None:
    called: list[str] = []
    with remote_daemon(tmp_path, heard(called)) as remote:
        found = read_pool_master(host, replace(ASKED, fingerprint=GIVEN.lower()), remote.port)
        assert called == []
        assert isinstance(found, Problem)
        assert (found.id, found.level) == ("pool-master-other-certificate", Level.ERROR)
        assert remote.fingerprint in found.title
        assert GIVEN in found.title
        assert "openssl x509" in found.remediation
        assert isinstance(read_pool_master(host, ASKED, remote.port), PoolMaster)
    assert called[0] == "session.login_with_password"


def test_who_shows_another_certificate_the_second_time_is_sent_nothing(
    host: Host, tmp_path: Path, monkeypatch
) -> None:
    called: list[str] = []
    (tmp_path / "other").mkdir()
    with (
        remote_daemon(tmp_path, master_of(RECORDS)) as first,
        remote_daemon(tmp_path / "other", heard(called)) as other,
    ):
        monkeypatch.setattr(pool_master, "look_at", lambda address, _port: look_at(address, first.port))
        for pool in (ASKED, replace(ASKED, fingerprint=first.fingerprint)):
            found = read_pool_master(host, pool, other.port)
            assert isinstance(found, Problem)
            assert found.id == "pool-master-other-certificate"
            assert first.fingerprint in found.title
            assert other.fingerprint in found.title
    assert called == []


def test_the_plan_never_takes_over_what_somebody_else_showed_at_the_first_look(
    host: Host, tmp_path: Path, monkeypatch
) -> None:
    """Who answers one connection and lets the next through must not become the one that the join is bound to."""
    called: list[str] = []
    (tmp_path / "other").mkdir()
    with (
        remote_daemon(tmp_path, heard(called)) as master,
        remote_daemon(tmp_path / "other", heard(called)) as other,
    ):
        monkeypatch.setattr(pool_master, "look_at", lambda address, _port: look_at(address, other.port))
        found = read_pool_master(host, replace(ASKED, fingerprint=master.fingerprint), master.port)
    assert isinstance(found, Problem)
    assert found.id == "pool-master-other-certificate"
    assert other.fingerprint in found.title
    assert called == []


def test_a_clock_that_is_ahead(host: Host, tmp_path: Path) -> None:
    told = asked(host, tmp_path, master_of(RECORDS, clock=lambda: datetime.now(UTC) + timedelta(hours=1)))
    assert isinstance(told, PoolMaster)
    assert round(told.seconds_ahead / 3600) == 1


@pytest.mark.parametrize(("fails", "id_", "said"), [
    ({"session.login_with_password": ["HOST_IS_SLAVE", "192.0.2.9"]}, "pool-master-is-member", "192.0.2.9"),
    ({"session.login_with_password": ["RBAC_PERMISSION_DENIED", "x"]}, "pool-master-refuses", "RBAC_PERMISSION_DENIED"),
    ({"host.get_all_records": ["HOST_STILL_BOOTING"]}, "pool-master-refuses", "HOST_STILL_BOOTING"),
])  # fmt: skip
def test_a_master_that_refuses(
    host: Host, tmp_path: Path, fails: dict[str, list[str]], id_: str, said: str
) -> None:
    found = asked(host, tmp_path, master_of(RECORDS, fails))
    assert isinstance(found, Problem)
    assert (found.id, found.level) == (id_, Level.ERROR)
    assert said in found.title + found.remediation


@pytest.mark.parametrize("said", [["192.0.2.9; reboot"], ["--yes"], ["192.0.2.9\n"], []])
def test_a_master_that_a_member_names_is_a_name_or_nothing(
    host: Host, tmp_path: Path, said: list[str]
) -> None:
    """What is to be typed next, by root, is told by a host that nobody knows."""
    fails = {"session.login_with_password": ["HOST_IS_SLAVE", *said]}
    found = asked(host, tmp_path, master_of(RECORDS, fails))
    assert isinstance(found, Problem)
    assert found.id == "pool-master-is-member"
    assert found.remediation == "--join another host"
    assert not said or said[0] not in str(found)


def test_the_master_that_a_member_names_has_a_certificate_of_its_own(host: Host, tmp_path: Path) -> None:
    called: list[str] = []
    reply = master_of(RECORDS, {"session.login_with_password": ["HOST_IS_SLAVE", "2001:db8::9"]})

    def member(method: str, params: tuple[Any, ...]) -> Any:
        called.append(method)
        return reply(method, params)

    with remote_daemon(tmp_path, member) as remote:
        found = read_pool_master(host, replace(ASKED, fingerprint=remote.fingerprint), remote.port)
    assert isinstance(found, Problem)
    assert found.remediation.startswith(
        "--join 2001:db8::9, and --join-fingerprint of its certificate: openssl"
    )
    # Nothing followed it there.
    assert called == ["session.login_with_password"]


def test_a_wrong_password_is_named_with_its_file(host: Host, tmp_path: Path) -> None:
    put_password(host, text="wrong\n")
    found = asked(host, tmp_path, master_of(RECORDS))
    assert isinstance(found, Problem)
    assert (found.id, found.diagnosis) == ("pool-login-refused", "/root/pool:1")
    assert "SESSION_AUTHENTICATION_FAILED" in found.title


@pytest.mark.parametrize("wrong", ["missing", "open"])
def test_a_password_file_that_is_none(host: Host, tmp_path: Path, wrong: str) -> None:
    path = "/root/pool"
    if wrong == "open":
        host.at(path).chmod(0o644)
    else:
        host.at(path).unlink()
    found = read_pool_master(host, ASKED, 1)
    assert isinstance(found, Problem)
    assert (found.id, found.diagnosis) == ("pool-password-file", "/root/pool:1")


def test_nobody_there_and_somebody_without_an_answer(host: Host, monkeypatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr(pool_master, "LIMIT_S", 0.05)
        found = read_pool_master(host, ASKED, port)
        assert isinstance(found, Problem)
        assert (found.id, "no answer within" in found.title) == ("pool-master-silent", True)
    monkeypatch.undo()
    found = read_pool_master(host, ASKED, port)
    assert isinstance(found, Problem)
    assert (found.id, "refused" in found.title) == ("pool-master-silent", True)


def test_a_server_that_is_none_of_ours(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def speak() -> None:
            connection, _ = plain.accept()
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")
            connection.close()

        thread = threading.Thread(target=speak)
        thread.start()
        found = read_pool_master(host, ASKED, plain.getsockname()[1])
        thread.join()
    assert isinstance(found, Problem)
    assert found.id == "pool-master-silent"


@pytest.mark.parametrize("wrong", [
    RECORDS | {"pool": {}},
    RECORDS | {"pool": []},
    RECORDS | {"host": {"OpaqueRef:first": {}}},
    RECORDS | {"host": {"OpaqueRef:first": host_record("u", "first") | {"uuid": 7}}},
    RECORDS | {"host_metrics": {"OpaqueRef:m-first": 7}},
    RECORDS | {"PIF": {"OpaqueRef:f": {"host": "OpaqueRef:first", "management": True, "VLAN": "many"}}},
])  # fmt: skip
def test_records_that_are_none_are_a_finding(host: Host, tmp_path: Path, wrong: dict[str, Any]) -> None:
    found = asked(host, tmp_path, master_of(wrong))
    assert isinstance(found, Problem)
    assert found.id == "pool-master-unclear"


def test_an_endless_answer_is_not_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("kronos_installer.remote_client._MOST_BYTES", 1000)
    with (
        remote_daemon(tmp_path, lambda _method, _params: "x" * 2000) as remote,
        pytest.raises(XenApiUnreachableError, match="more than 1000 bytes"),
        remote_session(remote.address, "root", "p", remote.fingerprint, remote.port),
    ):
        pass


def test_another_certificate_is_not_spoken_to(tmp_path: Path) -> None:
    called: list[str] = []
    with remote_daemon(tmp_path, lambda method, _params: called.append(method) or "") as remote:
        transport = TlsTransport(remote.address, remote.port, "00:11")
        with pytest.raises(OtherCertificateError, match=remote.fingerprint):
            transport.make_connection("localhost").request("POST", "/")
    assert called == []


@cache
def base_facts() -> Facts:
    with tempfile.TemporaryDirectory() as folder:
        made = make_host(Path(folder))
        return read_facts(made, made.runner)


def ids(facts: Facts, wishes: Wishes = WISHES) -> list[str]:
    found = list(pool_problems(facts, wishes, None))
    assert all(problem.diagnosis and problem.remediation for problem in found)
    return [problem.id for problem in found if problem.level is Level.ERROR]


OWN = "INSTALLATION_UUID='9-9'\n"
FAULTS: dict[str, dict[str, Any]] = {
    "pool-full": {"hosts": tuple(PoolHost(str(n), str(n), True) for n in range(MOST_HOSTS))},
    "pool-version": {"software": TOLD.software | {"xapi_build": "0.0.9"}},
    "pool-network-backend": {"software": TOLD.software | {"network_backend": "openvswitch"}},
    "pool-xen": {"software": TOLD.software | {"xen": "4.170"}},
    "pool-cpu": {"cpu_vendor": "GenuineIntel"},
    "pool-tls-verification": {"verifies": True},
    "pool-ha": {"ha_enabled": True},
    "pool-external-auth": {"external_auth": "AD"},
    "pool-clock": {"seconds_ahead": -MOST_SECONDS_APART - 1.0},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pool_that_does_not_take_the_host(facts: Facts, fault: str) -> None:
    assert ids(facts) == []
    assert ids(replace(facts, pool_master=replace(TOLD, **FAULTS[fault]))) == [fault]


@pytest.mark.parametrize("live", [True, False])
def test_a_host_of_the_same_uuid(host: Host, live: bool) -> None:
    put(host, "/etc/xensource-inventory", OWN)
    hosts = (*TOLD.hosts, PoolHost("9-9", "twin", live))
    facts = replace(read_facts(host, host.runner), pool_master=replace(TOLD, hosts=hosts))
    wishes = replace(WISHES, pool=replace(WISHES.pool, fingerprint=GIVEN))
    found = {(p.id, p.level) for p in pool_problems(facts, wishes, None) if p.level is not Level.INFO}
    assert found == {("pool-host-exists", Level.ERROR) if live else ("pool-host-known", Level.WARNING)}


@pytest.mark.parametrize("name", ["bond0", "enp0s3"])
def test_no_bond_comes_along_not_even_the_managements(facts: Facts, name: str) -> None:
    bonds = (*facts.nics, Nic(name, "52:54:00:00:00:01", NicKind.BOND))
    assert ids(replace(facts, nics=bonds)) == ["pool-join-bond"]


def test_every_name_of_a_refusal_is_one_of_the_xenapis() -> None:
    source = Path(pool_checks.__file__).read_text() + Path(pool_master.__file__).read_text()
    named = set(re.findall(r'\(([A-Z_]+)\)"', source))
    known = {
        error.code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "code")
    }
    assert len(named) > 10
    assert named <= known


def test_wishes_that_do_not_go_with_a_pool(facts: Facts) -> None:
    library = replace(WISHES, iso_library=IsoWish(IsoType.NFS, "nas:/isos"))
    assert ids(facts, library) == ["pool-join-shared-storage"]
    volatile = replace(WISHES, pool=replace(WISHES.pool, password_file="/run/pool"))
    assert ids(facts, volatile) == ["pool-password-file"]
    assert ids(replace(facts, pool_master=None)) == ["pool-master-unasked"]


@given(st.builds(PoolMaster, *[st.text(max_size=8)] * 2, st.dictionaries(st.text(max_size=9), st.text(max_size=9)),
                 st.text(max_size=8), st.text(max_size=8), st.just(()), st.integers(), st.text(max_size=8),
                 st.text(max_size=8), st.booleans(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)))  # fmt: skip
def test_no_answer_makes_a_judge_fail(told: PoolMaster) -> None:
    ids(replace(base_facts(), pool_master=told))


def test_the_join_is_the_last_step_and_shows_the_fingerprint(facts: Facts) -> None:
    plan = make_plan(facts, WISHES)
    step = plan.steps[-1]
    assert isinstance(step, PoolJoinStep)
    assert step == PoolJoinStep(master=MASTER, address=MASTER, username="root", password_file="/root/pool",
                                fingerprint="AB:CD", reason=step.reason)  # fmt: skip
    shown = [problem.title for problem in plan.problems if problem.id == "pool-master-certificate"]
    assert len(shown) == 1
    assert "AB:CD" in shown[0]


def test_a_certificate_that_nobody_has_compared_is_a_warning(facts: Facts) -> None:
    def level(pool: PoolWish) -> list[Level]:
        found = pool_problems(facts, replace(WISHES, pool=pool), None)
        return [problem.level for problem in found if problem.id == "pool-master-certificate"]

    assert level(WISHES.pool) == [Level.WARNING]
    assert level(replace(WISHES.pool, fingerprint=GIVEN)) == [Level.INFO]


def test_a_plan_asks_the_master_and_changes_nothing(host: Host) -> None:
    before, calls = snapshot(host), []

    def ask(_host: object, pool: PoolWish) -> PoolMaster | Problem:
        calls.append(pool)
        return TOLD

    plan = plan_for(host, {"pool": WISHES.pool}, ask_master=ask)
    assert isinstance(plan.steps[-1], PoolJoinStep)
    assert calls == [WISHES.pool]
    dead = Problem(Level.ERROR, "pool-master-silent", "it does not answer", "", "there", "mend it")
    with pytest.raises(RefusedError, match="it does not answer"):
        plan_for(host, {"pool": WISHES.pool}, ask_master=lambda _host, _pool: dead)
    with pytest.raises(RefusedError, match="OPERATION_NOT_ALLOWED"):
        plan_for(host, {"pool": replace(WISHES.pool, master="127.0.0.1")}, ask_master=ask)
    assert len(calls) == 1
    assert snapshot(host) == before


def test_a_saved_plan_minds_what_matters_of_the_master(host: Host, facts: Facts, tmp_path: Path) -> None:
    file = str(tmp_path / "plan.json")
    save_plan(make_plan(facts, WISHES), host, tmp_path / "plan.json")

    def apply_with(told: PoolMaster) -> None:
        plan_for(host, {}, file, ask_master=lambda _host, _pool: told)

    later = (*TOLD.hosts, PoolHost("u-3", "third", False))
    apply_with(replace(TOLD, hosts=later, seconds_ahead=-9.0))
    with pytest.raises(RefusedError, match="no longer as planned: join the pool"):
        apply_with(replace(TOLD, fingerprint="00:11"))
    with pytest.raises(RefusedError, match="HOSTS_NOT_HOMOGENEOUS"):
        apply_with(replace(TOLD, cpu_vendor="GenuineIntel"))


def test_a_saved_plan_sends_nothing_to_a_master_that_is_not_its_own(
    host: Host, facts: Facts, tmp_path: Path, monkeypatch
) -> None:
    """Nobody had given a fingerprint: the plan has the one of the certificate that it was made with."""
    called: list[str] = []
    save_plan(make_plan(facts, WISHES), host, tmp_path / "plan.json")
    with remote_daemon(tmp_path, heard(called)) as other:
        monkeypatch.setattr(pool_master, "look_at", lambda _master, _port: look_at(other.address, other.port))

        def ask(files: Host, pool: PoolWish) -> PoolMaster | Problem:
            return read_pool_master(files, pool, other.port)

        with pytest.raises(RefusedError, match="the password was not sent"):
            plan_for(host, {}, str(tmp_path / "plan.json"), ask_master=ask)
    assert called == []


def test_check_names_the_password_file_and_asks_nobody(host: Host, capsys) -> None:
    host.at("/root/pool").chmod(0o604)
    flags = ["--join", "xen0.invalid", "--password-file", "/root/pool", "--json", "--root", str(host.root)]
    assert main(["check", *flags], runner=host.runner) == 3
    errors = [p["id"] for p in json.loads(capsys.readouterr().out)["problems"] if p["level"] == "error"]
    assert errors == ["pool-password-file"]


def test_the_case_is_what_a_master_tells() -> None:
    told = json.loads((HERE / "cases/pool_join/master.json").read_text())
    assert set(told) == set(asdict(TOLD))
    assert UUID not in json.dumps(told)

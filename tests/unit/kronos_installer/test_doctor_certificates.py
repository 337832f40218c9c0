"""Certificates, the clock and the host's name, one fault at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from doctor_kit import (
    CERTIFICATE,
    NOW,
    TIMESYNC,
    ids,
    readings,
    well_host,
)
from installer_kit import put

from kronos_installer.detect.time_sync import TimeService, TimeSync
from kronos_installer.doctor.answer import Answer
from kronos_installer.doctor.certificate_health import (
    POOL,
    SERVER,
    certificate_findings,
    key_findings,
    read_keys,
)
from kronos_installer.doctor.clock_health import clock_findings, parse_offset
from kronos_installer.doctor.examine import findings
from xapi_shim.host.self_signed import make_certificate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kronos_installer.host import Host
    from kronos_installer.problem import Problem


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return well_host(tmp_path)


def test_certificates_end_and_name_the_host() -> None:
    def told(text: str, now: datetime = NOW, names: Sequence[str] = ("lab",)) -> list[str]:
        return ids(certificate_findings({SERVER: Answer(text)}, names, now))

    assert told(CERTIFICATE) == []
    assert told(CERTIFICATE, names=("10.0.2.15", "other")) == []
    assert told(CERTIFICATE, datetime(2036, 10, 20, tzinfo=UTC)) == ["certificate-ends"]
    assert told(CERTIFICATE, datetime(2036, 11, 10, tzinfo=UTC)) == ["certificate-invalid"]
    assert told(CERTIFICATE, datetime(2026, 11, 1, tzinfo=UTC)) == ["certificate-invalid"]
    assert told(CERTIFICATE, names=("xen1",)) == ["certificate-name"]
    assert told("notBefore=x GMT\nnotAfter=y GMT\n") == ["certificate-unreadable"]
    assert ids(certificate_findings({SERVER: Answer(error="x", missing=True)}, ["a"], NOW)) == [
        "certificate-unchecked"
    ]


def test_a_certificate_s_mending_is_for_that_certificate() -> None:
    late = datetime(2040, 1, 1, tzinfo=UTC)
    told = {p.diagnosis: p for p in certificate_findings({SERVER: Answer(CERTIFICATE), POOL: Answer(CERTIFICATE)}, ["lab"], late, "u-h")}  # fmt: skip
    assert told[SERVER].remediation.startswith("xe host-emergency-reset-server-certificate")
    assert told[POOL].remediation == "xe host-refresh-server-certificate host=u-h"
    (rubbish,) = certificate_findings({SERVER: Answer(error="openssl: exit status 1")}, ["lab"], NOW)
    # The daemon does not start with such a file: what asks it is no help.
    assert (rubbish.diagnosis, "xe " in rubbish.remediation, SERVER in rubbish.remediation) == (
        SERVER,
        False,
        True,
    )


def test_an_openssl_that_fails_condemns_no_certificate() -> None:
    failed = {
        SERVER: Answer(error="openssl x509: exit status 127: libssl.so.3: cannot open shared object file")
    }
    (problem,) = certificate_findings(failed, ["lab"], NOW, keys={SERVER: ""})
    assert (problem.id, problem.level, "mv " in problem.remediation) == (
        "certificate-unchecked",
        "warning",
        False,
    )
    assert ids(certificate_findings(failed, ["lab"], NOW, keys={SERVER: "it holds no key"})) == [
        "certificate-unreadable"
    ]


def test_a_certificate_s_key(host: Host) -> None:
    def told(content: bytes) -> list[Problem]:
        host.at(SERVER).write_bytes(content)
        return list(key_findings(read_keys(host), {SERVER: Answer(CERTIFICATE), POOL: Answer(CERTIFICATE)}))

    whole, others = (make_certificate("lab", ["10.0.2.15"]) for _ in range(2))
    begin = whole.index(b"-----BEGIN CERTIFICATE")
    assert told(whole) == []
    (mixed,) = told(others[: others.index(b"-----BEGIN CERTIFICATE")] + whole[begin:])
    assert (mixed.id, mixed.diagnosis, "belongs to another" in mixed.title) == (
        "certificate-key",
        SERVER,
        True,
    )
    assert ids(told(whole[begin:])) == ["certificate-key"]
    assert ids(told(b"\0\xff")) == ["certificate-key"]
    host.at(SERVER).unlink()
    host.at(SERVER).mkdir()
    assert read_keys(host) == {SERVER: "it is no file", POOL: ""}
    assert ids(key_findings({SERVER: "x"}, {SERVER: Answer(error="it is no certificate at all")})) == []


@pytest.mark.parametrize(("service", "text", "seconds"), [
    (TimeService.TIMESYNCD, TIMESYNC, -0.00125),
    (TimeService.TIMESYNCD, "Offset: +1min 2.5s\n", 62.5),
    (TimeService.TIMESYNCD, "Offset: n/a\n", None),
    (TimeService.CHRONY, "C0000201,ntp1,3,1795000000.1,-2.5,0.000001,0.1,0,0,0,0.1,0.01,64.0,Normal\n", -2.5),
    (TimeService.CHRONY, "506 Cannot talk to daemon\n", None),
])  # fmt: skip
def test_the_clock_s_offset(service: TimeService, text: str, seconds: float | None) -> None:
    assert parse_offset(service, text) == (None if seconds is None else pytest.approx(seconds))


def test_a_clock_that_is_off_or_not_kept() -> None:
    kept = TimeSync(TimeService.TIMESYNCD, (), True)
    assert ids(clock_findings(kept, Answer("Offset: -2s\n"))) == ["time-offset"]
    assert ids(clock_findings(replace(kept, synchronized=False), Answer())) == ["time-not-synchronized"]
    assert ids(clock_findings(replace(kept, service=TimeService.NONE), Answer())) == ["time-not-kept"]


def test_a_clock_of_which_nothing_is_known() -> None:
    kept = TimeSync(TimeService.CHRONY, (), None)
    assert ids(clock_findings(kept, Answer(error="chronyc -c tracking: exit status 1"))) == ["time-unknown"]
    synchronized = replace(kept, synchronized=True)
    (problem,) = clock_findings(synchronized, Answer(error="chronyc -c tracking: exit status 1"))
    assert (problem.id, "chronyc -c tracking" in problem.remediation) == ("time-unknown", True)
    assert ids(clock_findings(synchronized, Answer())) == []


def test_a_clock_is_set_by_whoever_keeps_it() -> None:
    chrony, timesyncd = TimeSync(TimeService.CHRONY, (), True), TimeSync(TimeService.TIMESYNCD, (), True)
    (problem,) = clock_findings(chrony, Answer("C0,ntp1,3,1795000000.1,-2.5,0,0,0,0,0,0,0,64.0,Normal\n"))
    assert "chronyc makestep" in problem.remediation
    (problem,) = clock_findings(timesyncd, Answer("Offset: -2s\n"))
    assert "chronyc" not in problem.remediation


def test_a_name_that_the_system_knows_itself(host: Host) -> None:
    put(host, "/etc/hosts", "127.0.0.1 localhost\n")
    assert ids(findings(readings(host))) == ["hostname-not-resolvable"]
    put(
        host,
        "/etc/nsswitch.conf",
        "passwd: files\nhosts:\tfiles myhostname resolve [!UNAVAIL=return] dns # x\n",
    )
    assert ids(findings(readings(host))) == []
    put(host, "/etc/nsswitch.conf", "hosts: files dns # myhostname\n")
    assert ids(findings(readings(host))) == ["hostname-not-resolvable"]

"""What the daemon says of the host and its pool, and a daemon that says nothing."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from doctor_kit import (
    RECORDS,
    WISHES,
    ids,
    well_host,
)
from installer_kit import put

from kronos_installer.detect.pool_conf import PoolConf
from kronos_installer.doctor.toolstack_health import ToolstackReading, read_toolstack, toolstack_findings
from kronos_installer.xenapi_client import XenApiFailureError, XenApiUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kronos_installer.host import Host
    from kronos_installer.xenapi_client import Session


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return well_host(tmp_path)


STORAGE_FAULTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sr-not-attached": ("PBD", "OpaqueRef:b", {"currently_attached": False}),
    "sr-no-default": ("pool", "OpaqueRef:p", {"default_SR": "OpaqueRef:NULL"}),
    "sr-full": ("SR", "OpaqueRef:s", {"physical_utilisation": "960"}),
    "host-disabled": ("host", "OpaqueRef:h", {"enabled": False}),
}


@pytest.mark.parametrize("fault", STORAGE_FAULTS)
def test_what_the_daemon_says(fault: str) -> None:
    name, ref, change = STORAGE_FAULTS[fault]
    records = RECORDS | {name: {ref: RECORDS[name][ref] | change}}
    assert ids(toolstack_findings(ToolstackReading(RECORDS, uuid="u-h"), running=True)) == []
    assert ids(toolstack_findings(ToolstackReading(records, uuid="u-h"), running=True)) == [fault]


def test_a_daemon_and_a_master_that_do_not_answer(host: Host) -> None:
    @contextmanager
    def nobody() -> Iterator[Any]:
        raise XenApiUnreachableError("/var/lib/xcp/xapi", "refused")
        yield

    put(host, "/etc/xensource/pool.conf", "slave:192.0.2.1")
    found = read_toolstack(host, nobody, lambda address: f"{address}: timed out")
    assert ids(toolstack_findings(found, running=True)) == ["pool-master-silent", "daemon-silent"]
    assert ids(toolstack_findings(found, running=False)) == ["pool-master-silent"]
    put(host, "/etc/xensource/pool.conf", "slave")
    assert ids(toolstack_findings(read_toolstack(host, nobody, str), running=False)) == ["pool-conf"]


def test_what_is_said_of_pool_conf_minds_the_pool_that_was_joined() -> None:
    broken = ToolstackReading(RECORDS, "", PoolConf("", "", ""), "", "u-h")
    (alone,) = toolstack_findings(broken, running=True)
    assert "slave" not in alone.remediation
    (member,) = toolstack_findings(broken, running=True, joined="192.0.2.1")
    assert "slave:192.0.2.1" in member.remediation


def test_a_role_that_is_not_pool_conf_s(host: Host) -> None:
    slave = PoolConf("slave:192.0.2.1", "slave", "192.0.2.1")
    metrics = {"OpaqueRef:m": {"live": True}}
    own = ToolstackReading(RECORDS | {"host_metrics": metrics}, "", slave, "", "u-h")
    assert ids(toolstack_findings(own, running=True)) == ["pool-conf-differs"]
    assert ids(
        toolstack_findings(replace(member(), conf=PoolConf("master", "master", "")), running=True)
    ) == ["pool-conf-differs"]


def test_a_daemon_that_answers_with_an_error(host: Host) -> None:
    @contextmanager
    def refusing() -> Iterator[Any]:
        raise XenApiFailureError("session.login_with_password", ["HOST_STILL_BOOTING"])
        yield

    (problem,) = toolstack_findings(read_toolstack(host, refusing), running=True)
    assert (problem.id, "HOST_STILL_BOOTING" in problem.diagnosis) == ("daemon-refuses", True)


MEMBER = PoolConf("slave:192.0.2.1", "slave", "192.0.2.1")
OTHERS: dict[str, dict[str, dict[str, Any]]] = {
    "pool": {"OpaqueRef:p": {"default_SR": "OpaqueRef:s", "master": "OpaqueRef:o"}},
    "host": {
        "OpaqueRef:o": {"uuid": "u-o", "name_label": "other", "enabled": False, "metrics": "OpaqueRef:n"}
    },
    "host_metrics": {"OpaqueRef:n": {"live": False}},
    "SR": {"OpaqueRef:t": {"name_label": "theirs", "physical_size": "10", "physical_utilisation": "10"}},
    "PBD": {"OpaqueRef:c": {"SR": "OpaqueRef:t", "host": "OpaqueRef:o", "currently_attached": False}},
}


def member(**changes: dict[str, Any]) -> ToolstackReading:
    """Return what a member reads: its own records and another host's, with changes of its own by class."""
    records = {name: RECORDS[name] | OTHERS[name] for name in RECORDS}
    for name, change in changes.items():
        ((ref, record),) = RECORDS[name].items()
        records[name] = records[name] | {ref: record | change}
    return ToolstackReading(records, "", MEMBER, "", "u-h")


def test_a_member_is_told_of_itself_and_not_of_the_others() -> None:
    assert ids(toolstack_findings(member(), running=True)) == []
    assert ids(toolstack_findings(member(host={"enabled": False}), running=True)) == ["host-disabled"]
    assert ids(toolstack_findings(member(PBD={"currently_attached": False}), running=True)) == [
        "sr-not-attached"
    ]
    assert ids(toolstack_findings(member(host_metrics={"live": False}), running=True)) == ["host-not-live"]
    gone = replace(member(), uuid="u-nobody")
    (problem,) = toolstack_findings(gone, running=True)
    assert (problem.id, "192.0.2.1" in problem.title) == ("host-unknown", True)


def test_the_clocks_of_a_pool(host: Host) -> None:
    class Master:
        def __init__(self, told: str) -> None:
            self.told = told

        def call(self, method: str, *args: str) -> object:
            if method == "host.get_servertime":
                assert args == ("OpaqueRef:o",)
                return self.told
            return OTHERS[method.partition(".")[0]]

    put(host, "/etc/xensource/pool.conf", "slave:192.0.2.1\n")

    def read(told: str) -> ToolstackReading:
        return read_toolstack(host, lambda: nullcontext(cast("Session", Master(told))), lambda _address: "")

    assert "pool-clock" in ids(toolstack_findings(read("20200101T00:00:00Z"), running=True))
    now = datetime.now(UTC).strftime("%Y%m%dT%H:%M:%SZ")
    assert "pool-clock" not in ids(toolstack_findings(read(now), running=True))
    assert "pool-clock" not in ids(toolstack_findings(read("noon"), running=True))


def test_answers_of_a_daemon_that_are_not_records(host: Host) -> None:
    class Odd:
        def call(self, method: str) -> object:
            return {"pool.get_all_records": [], "host.get_all_records": {"r": 1, "h": {"uuid": WISHES.installation_uuid}},
                    "host_metrics.get_all_records": 7, "SR.get_all_records": {"s": {}},
                    "PBD.get_all_records": {"b": {"SR": 7, "host": "h", "currently_attached": False}}}[method]  # fmt: skip

    @contextmanager
    def login() -> Iterator[Any]:
        yield Odd()

    assert ids(toolstack_findings(read_toolstack(host, login), running=True)) == ["sr-not-attached"]

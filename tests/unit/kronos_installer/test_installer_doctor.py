"""doctor: a host that is well, and one thing wrong at a time; outputs that are not understood."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import MENUS, FakeCommands, make_host, put, start_xen

from kronos_installer import executor
from kronos_installer.detect.pool_conf import PoolConf
from kronos_installer.detect.time_sync import TimeService, TimeSync
from kronos_installer.doctor.answer import Answer
from kronos_installer.doctor.bridge_health import addresses_of, bridge_findings
from kronos_installer.doctor.certificate_health import SERVER, certificate_findings
from kronos_installer.doctor.clock_health import clock_findings, parse_offset
from kronos_installer.doctor.examine import Readings, findings, read_all
from kronos_installer.doctor.hypervisor_health import hypervisor_findings
from kronos_installer.doctor.package_health import package_findings
from kronos_installer.doctor.path_health import PLACES, path_findings
from kronos_installer.doctor.space_health import Space, kernel_findings, space_findings
from kronos_installer.doctor.toolstack_health import ToolstackReading, read_toolstack, toolstack_findings
from kronos_installer.doctor.unit_health import unit_findings
from kronos_installer.facts import read_facts
from kronos_installer.journal import Journal, Phase
from kronos_installer.main import main
from kronos_installer.plan import make_plan
from kronos_installer.wishes import Wishes
from kronos_installer.xenapi_client import XenApiUnreachableError
from xapi_shim.base.process import ProcessError, ProgramMissingError
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from kronos_installer.host import Host
    from kronos_installer.problem import Problem
    from kronos_installer.xenapi_client import Session

QUIET = Reporter(io.StringIO())
WISHES = Wishes(
    installation_uuid="11111111-1111-4111-8111-111111111111",
    control_domain_uuid="22222222-2222-4222-8222-222222222222",
)
UNITS = """\
Id=xapi.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Id=xenstored.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Id=firewalld.service
LoadState=not-found
ActiveState=inactive
UnitFileState=
"""
PACKAGES = """\
bash 5.2.15-2+b7 installed
libxenmisc4.17 4.17.5+23-ga4e5191dc0-1+kronos1 installed
xapi 0.1 installed
xapi-toolstack 0.1 installed
xapi-old 0.0 config-files
xen-hypervisor-4.17-amd64 4.17.5+23-ga4e5191dc0-1+kronos1 installed
xen-hypervisor-common 4.17.5+23-ga4e5191dc0-1+kronos1 installed
xen-system-amd64 4.17.5+23-ga4e5191dc0-1+kronos1 installed
"""
XL = """\
host                   : lab
total_memory           : 4095
virt_caps              : pv hvm hap shadow
xen_version            : 4.17.5
"""
ADDRESSES = """[{"ifindex":3,"ifname":"xenbr0","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"addr_info":[
{"family":"inet","local":"10.0.2.15","prefixlen":24,"scope":"global","dynamic":true,"label":"xenbr0"},
{"family":"inet6","local":"fe80::5054:ff:fe12:3456","prefixlen":64,"scope":"link"}]}]"""
ROUTES = '[{"dst":"default","gateway":"10.0.2.2","dev":"xenbr0","flags":[]}]'
CERTIFICATE = """\
notBefore=Nov 22 01:22:26 2026 GMT
notAfter=Nov  9 01:22:26 2036 GMT
X509v3 Subject Alternative Name:
    DNS:lab, DNS:lab.example.net, IP Address:10.0.2.15
"""
TIMESYNC = """\
       Server: 192.0.2.123 (ntp1.example.org)
Poll interval: 34min 8s (min: 32s; max 34min 8s)
       Offset: -1.250ms
        Delay: 24.8ms
"""
NOW = datetime(2027, 1, 1, tzinfo=UTC)
RECORDS: dict[str, dict[str, dict[str, Any]]] = {
    "pool": {"OpaqueRef:p": {"default_SR": "OpaqueRef:s", "master": "OpaqueRef:h"}},
    "host": {"OpaqueRef:h": {"uuid": "u-h", "name_label": "lab", "enabled": True, "metrics": "OpaqueRef:m"}},
    "host_metrics": {"OpaqueRef:m": {"live": True}},
    "SR": {"OpaqueRef:s": {"uuid": "u-s", "name_label": "Local", "physical_size": "1000",
                           "physical_utilisation": "10", "content_type": "user"}},
    "PBD": {"OpaqueRef:b": {"uuid": "u-b", "SR": "OpaqueRef:s", "host": "OpaqueRef:h", "currently_attached": True}},
}  # fmt: skip


def answers(argv: Sequence[str]) -> str:
    """Answer as the programs of a host that is well."""
    words = " ".join(argv)
    told = {
        "systemctl show": UNITS, "dpkg-query": PACKAGES, "xl info": XL, "ip -json address": ADDRESSES,
        "ip -json -4": ROUTES, "ip -json -6": "[]", "openssl": CERTIFICATE, "timedatectl timesync-status": TIMESYNC,
    }  # fmt: skip
    return next((text for start, text in told.items() if words.startswith(start)), "")


def ids(found: Iterable[Problem]) -> list[str]:
    found = list(found)
    assert all(problem.diagnosis and (problem.remediation or problem.level == "info") for problem in found)
    return [problem.id for problem in found]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Return a host that was set up, rebooted, confirmed and finished."""
    host = make_host(tmp_path)
    assert isinstance(host.runner, FakeCommands)
    executor.apply(make_plan(read_facts(host, host.runner), WISHES), host, QUIET)
    start_xen(host)
    Journal(host).add({"record": "confirmed", "by": "gateway"})
    executor.finish(host, QUIET)
    put(host, "/proc/xen/capabilities", "control_d\n")
    for place in PLACES:
        if any(other.path.startswith(f"{place.path}/") for other in PLACES):
            host.at(place.path).mkdir(parents=True, exist_ok=True)
        elif not host.exists(place.path):
            put(host, place.path, "")
        host.at(place.path).chmod(0o700 if host.at(place.path).is_dir() else 0o600)
    host.at("/sys/class/net/xenbr0").mkdir()
    host.at("/sys/class/net/enp0s3/master").symlink_to("../xenbr0")
    put(host, "/sys/class/net/enp0s3/carrier", "1\n")
    return host


def readings(host: Host) -> Readings:
    fallback = host.runner
    query = replace(host, runner=lambda argv: answers(argv) or fallback(argv))
    found = read_all(query, Journal(host).load(), lambda _address: "")
    return replace(found, now=NOW, toolstack=ToolstackReading(RECORDS, uuid="u-h"))


def test_a_host_that_is_well_has_no_findings(host: Host) -> None:
    assert Journal(host).load().phase is Phase.FINISHED
    assert [p for p in findings(readings(host)) if p.id not in ("space-low", "boot-full")] == []


def test_a_host_that_is_not_set_up_is_told_so(tmp_path: Path, capsys) -> None:
    host = make_host(tmp_path)
    assert main(["doctor", "--json", "--root", str(host.root)], runner=host.runner) == 5
    assert [p["id"] for p in json.loads(capsys.readouterr().out)["findings"]] == ["not-set-up"]


def test_a_host_before_its_reboot_waits_for_it(tmp_path: Path, capsys) -> None:
    host = make_host(tmp_path)
    assert main(["apply", "--yes", "--root", str(host.root)], runner=host.runner) == 0
    capsys.readouterr()
    assert main(["doctor", "--root", str(host.root)], runner=host.runner) == 5
    told = capsys.readouterr().out
    assert "not-under-xen" in told
    assert "set-up-unfinished" in told
    assert "bridge-missing" in told


def test_what_others_changed_is_told(host: Host) -> None:
    put(host, "/etc/network/interfaces", "auto lo\n")
    told = ids(findings(readings(host)))
    assert "step-not-in-place" in told
    assert "changed-since" in told


def test_programs_that_fail_or_are_missing_are_findings_not_faults(host: Host) -> None:
    def failing(argv: Sequence[str]) -> str:
        if argv[0] in ("lsblk", "vgs", "dpkg-query"):
            raise ProgramMissingError(argv[0])
        raise ProcessError(argv, 1, "", "Failed to connect to bus: Host is down")

    told = ids(findings(replace(read_all(replace(host, runner=failing), Journal(host).load()), now=NOW)))
    assert {
        "units-unknown",
        "packages-unknown",
        "addresses-unknown",
        "xl-fails",
        "certificate-unreadable",
    } <= set(told)


@given(st.text(max_size=60))
def test_no_output_makes_a_judge_fail(text: str) -> None:
    ids(unit_findings(Answer(text)))
    ids(package_findings(Answer(text), text))
    addresses_of(text)
    ids(certificate_findings({SERVER: Answer(text)}, ["lab"], NOW))
    for service in TimeService:
        ids(clock_findings(TimeSync(service, (), True), Answer(text)))
    kernel_findings(Answer(text))


UNIT_FAULTS = {
    "service-missing": ("Id=xapi.service\nLoadState=loaded", "Id=xapi.service\nLoadState=masked"),
    "service-disabled": ("UnitFileState=enabled", "UnitFileState=disabled"),
    "service-not-running": ("ActiveState=active", "ActiveState=failed"),
    "unit-failed": (
        "Id=xenstored.service\nLoadState=loaded\nActiveState=active",
        "Id=xenstored.service\nActiveState=failed",
    ),
}


@pytest.mark.parametrize("fault", UNIT_FAULTS)
def test_units(fault: str) -> None:
    assert ids(unit_findings(Answer(UNITS))) == []
    assert ids(unit_findings(Answer(UNITS.replace(*UNIT_FAULTS[fault], 1)))) == [fault]


def test_packages_that_do_not_belong_together() -> None:
    mixed = PACKAGES.replace("xapi-toolstack 0.1", "xapi-toolstack 0.2")
    assert ids(package_findings(Answer(mixed), "4.17.5")) == ["packages-mixed"]
    half = PACKAGES.replace("common 4.17.5", "common 4.17.6")
    assert ids(package_findings(Answer(half), "")) == ["packages-mixed"]
    assert ids(package_findings(Answer(PACKAGES), "4.17.4")) == ["xen-restart"]
    assert ids(package_findings(Answer(PACKAGES), "4.17.6-pre")) == []  # a snapshot of after 4.17.5
    assert ids(package_findings(Answer(PACKAGES), "4.17.5-pre")) == ["xen-restart"]
    assert ids(package_findings(Answer("bash 1 installed\n"), "")) == ["package-missing"]


BRIDGE_FAULTS: dict[str, dict[str, Any]] = {
    "bridge-missing": {"there": False}, "bridge-port-missing": {"port_there": False}, "bridge-port": {"master": ""},
    "bridge-no-carrier": {"carrier": False}, "inventory-interface": {"recorded": "eth0"},
    "bridge-no-address": {"addresses": Answer("[]")}, "addresses-unknown": {"addresses": Answer(error="no")},
    "default-route-missing": {"routes": (Answer("[]"), Answer(error="no"))},
    "default-route": {"routes": (Answer(ROUTES.replace("xenbr0", "eth1")),)},
}  # fmt: skip


@pytest.mark.parametrize("fault", BRIDGE_FAULTS)
def test_the_bridge(host: Host, fault: str) -> None:
    found = readings(host)
    assert ids(bridge_findings(found.bridge, found.facts.system)) == []
    assert ids(bridge_findings(replace(found.bridge, **BRIDGE_FAULTS[fault]), found.facts.system)) == [fault]
    in_switch = replace(found.bridge, master="ovs-system")
    assert ids(bridge_findings(in_switch, found.facts.system)) == []


HYPERVISOR_FAULTS: dict[str, dict[str, Any]] = {
    "not-under-xen": {"type": ""}, "not-dom0": {"capabilities": ""}, "xl-fails": {"xl": Answer(error="no")},
    "xen-no-hvm": {"xl": Answer("virt_caps : pv\n")}, "xen-no-hap": {"xl": Answer("virt_caps : pv hvm\n")},
}  # fmt: skip


@pytest.mark.parametrize("fault", HYPERVISOR_FAULTS)
def test_the_hypervisor(host: Host, fault: str) -> None:
    found = readings(host).hypervisor
    assert ids(hypervisor_findings(found)) == []
    assert ids(hypervisor_findings(replace(found, **HYPERVISOR_FAULTS[fault]))) == [fault]


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


def test_places_that_are_missing_or_open(host: Host) -> None:
    modes = readings(host).modes
    assert ids(path_findings(modes, running=True)) == []
    gone = modes | {"/etc/xensource-inventory": None, "/var/lib/xcp/xapi": None}
    assert ids(path_findings(gone, running=False)) == ["path-missing"]
    assert ids(path_findings(gone, running=True)) == ["path-missing"] * 2
    (problem,) = path_findings(modes | {SERVER: 0o640}, running=True)
    assert (problem.id, problem.remediation) == ("path-mode", f"chmod go-rwx {SERVER}")


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


def test_space_and_the_kernel() -> None:
    gib = 1024**3
    assert (
        ids(space_findings((Space("/", 20 * gib, 10 * gib, False), Space("/boot", gib, gib // 2, False))))
        == []
    )
    assert ids(space_findings((Space("/boot", gib, gib // 20, False),))) == ["space-low"]
    assert ids(space_findings((Space("/var/lib/xapi/sr", 100 * gib, 4 * gib, False),))) == ["space-low"]
    assert ids(space_findings((Space("/", gib, gib, True),))) == ["file-system-read-only"]
    log = "[1.0] usb 1-1: device descriptor read/64, error -71\n[2.0] I/O error, dev sda, sector 8\n" * 9
    assert ids(kernel_findings(Answer(log))) == ["kernel-message"] * 5


def test_a_menu_that_boots_linux_again_is_found(host: Host) -> None:
    host.at("/boot/grub/grub.cfg").write_bytes((MENUS / "tried-once.cfg").read_bytes())
    assert "default-not-xen" in ids(findings(readings(host)))

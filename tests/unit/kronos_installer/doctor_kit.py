"""What a host that is well answers, and how its doctor is asked: for all tests of the doctor."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from installer_kit import FakeCommands, make_host, put, start_xen

from kronos_installer import executor
from kronos_installer.detect.grub import XEN_SCRIPT
from kronos_installer.doctor.certificate_health import POOL, SERVER
from kronos_installer.doctor.examine import Readings, read_all
from kronos_installer.doctor.path_health import PLACES
from kronos_installer.doctor.toolstack_health import ToolstackReading
from kronos_installer.facts import read_facts
from kronos_installer.journal import Journal
from kronos_installer.plan import make_plan
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter
from xapi_shim.host.self_signed import make_certificate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from kronos_installer.host import Host
    from kronos_installer.problem import Problem

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

Id=networking.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Id=xapi-host-guard.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Id=systemd-timesyncd.service
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
PROGRAMS = ("/usr/libexec/xen-qemu-system-i386", "/usr/sbin/brctl", "/etc/network/if-pre-up.d/bridge")
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


def well_host(folder: Path) -> Host:
    """Return a host that was set up, rebooted, confirmed and finished."""
    host = make_host(folder)
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
            put(host, place.path, "what is there")
        host.at(place.path).chmod(0o700 if host.at(place.path).is_dir() else 0o600)
    # git keeps no such modes of the captured hosts.
    host.at(XEN_SCRIPT).chmod(0o755)
    for path in PROGRAMS:
        put(host, path, "a program")
    for path in (SERVER, POOL):
        host.at(path).write_bytes(make_certificate("lab", ["10.0.2.15"]))
    host.at("/sys/class/net/xenbr0").mkdir()
    host.at("/sys/class/net/enp0s3/master").symlink_to("../xenbr0")
    put(host, "/sys/class/net/enp0s3/carrier", "1\n")
    return host


def readings(host: Host) -> Readings:
    fallback = host.runner
    query = replace(host, runner=lambda argv: answers(argv) or fallback(argv))
    found = read_all(query, Journal(host).load(), lambda _address: "")
    return replace(found, now=NOW, toolstack=ToolstackReading(RECORDS, uuid="u-h"))

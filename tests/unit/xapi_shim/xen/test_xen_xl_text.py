"""xl's outputs, in the very form of its printf (tools/xl/xl_info.c of 4.17 and 4.20)."""

import pytest

from xapi_shim.xen.interface import DomainInfo, RunState, ShutdownReason, XenError
from xapi_shim.xen.xl_devices import disk_name
from xapi_shim.xen.xl_text import (
    complaint,
    parse_devices,
    parse_domains,
    parse_info,
    says_exists,
    says_no_memory,
)

UUID = "11111111-2222-3333-4444-555555555555"
HEADER = (
    "Name                                        ID   Mem VCPUs\tState\tTime(s)"
    "   UUID                            Reason-Code\tSecurity Label"
)


def line(name=UUID, domid=1, mem=256, vcpus=1, flags="-b----", time=1.5, reason="-", label="-"):
    state = f"{name:<40} {domid:5} {mem:5} {vcpus:5}     {flags}  {time:8.1f}"
    return f"{state} {UUID} {reason:>8} {label:>16}"


def one(**fields) -> DomainInfo:
    return parse_domains(f"{HEADER}\n{line(**fields)}\n")[0]


def test_a_running_guest():
    assert one(domid=12, mem=511, vcpus=2, flags="r-----", time=61.2) == DomainInfo(
        UUID, 12, UUID, RunState.RUNNING, None, 511 << 20, 2, 61.2
    )


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        ("r-----", RunState.RUNNING),
        ("-b----", RunState.RUNNING),
        ("------", RunState.RUNNING),
        ("--p---", RunState.PAUSED),
        ("-bp---", RunState.PAUSED),
        ("---s--", RunState.SHUTDOWN),
        ("--ps--", RunState.SHUTDOWN),
        ("-----d", RunState.DYING),
        ("--pscd", RunState.DYING),
    ],
)
def test_flags(flags, state):
    assert one(flags=flags, reason="0" if "s" in flags else "-").run_state is state


@pytest.mark.parametrize(
    ("letter", "number", "reason"),
    [
        ("-", "0", ShutdownReason.POWEROFF),
        ("r", "1", ShutdownReason.REBOOT),
        ("s", "2", ShutdownReason.SUSPEND),
        ("c", "3", ShutdownReason.CRASH),
        ("w", "4", ShutdownReason.WATCHDOG),
        ("S", "5", ShutdownReason.SOFT_RESET),
        ("?", "6", ShutdownReason.UNKNOWN),
        ("?", "ffffffff", ShutdownReason.UNKNOWN),
    ],
)
def test_reasons(letter, number, reason):
    found = one(flags=f"---s{letter}-", reason=number)
    assert (found.run_state, found.shutdown_reason) == (RunState.SHUTDOWN, reason)


@pytest.mark.parametrize(
    "name", ["Domain-0", "(null)", "two words", "a 5 64 1 r----- 1.0", f"x {UUID} - -", "x" * 80, "ünï"]
)
def test_names_may_hold_anything(name):
    found = one(name=name, domid=7)
    assert (found.name, found.domid) == (name, 7)


def test_a_security_label_and_many_domains():
    text = "\n".join([HEADER, line(domid=0), line(domid=3, label="system_u:system_r:domU_t")])
    assert [d.domid for d in parse_domains(text)] == [0, 3]


@pytest.mark.parametrize("text", ["", "libxl: error", f"{HEADER}\nwhatever", f"{HEADER}\n{UUID}"])
def test_another_form_is_an_error(text):
    with pytest.raises(XenError):
        parse_domains(text)


INFO = """\
host                   : debian
release                : 6.1.0-40-amd64
version                : #1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)
machine                : x86_64
nr_cpus                : 8
max_cpu_id             : 7
nr_nodes               : 1
cores_per_socket       : 2
threads_per_core       : 2
cpu_mhz                : 2399.998
hw_caps                : 078bfbff:80802001:2c100800:00000001:00000000:00000000:00000000:00000100
virt_caps              : pv hvm hap gnttab-v1 gnttab-v2
total_memory           : 4095
free_memory            : 2511
sharing_freed_memory   : 0
sharing_used_memory    : 0
outstanding_claims     : 0
free_cpus              : 0
xen_major              : 4
xen_minor              : 17
xen_extra              : .6-pre
xen_version            : 4.17.6-pre
xen_caps               : xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64
xen_scheduler          : credit2
xen_pagesize           : 4096
platform_params        : virt_start=0xffff800000000000
xen_changeset          :
xen_commandline        : placeholder dom0_mem=1536M,max:1536M com1=115200,8n1 console=com1
cc_compiler            : x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0
cc_compile_date        : Thu Jul  3 10:00:00 UTC 2025
build_id               : 5aab2c
xend_config_format     : 4
"""


def test_info():
    info = parse_info(INFO)
    assert info.version == "4.17.6-pre"
    assert info.virt_caps == ("pv", "hvm", "hap", "gnttab-v1", "gnttab-v2")
    assert info.capabilities[0] == "xen-3.0-x86_64"
    assert (info.total_memory_bytes, info.free_memory_bytes) == (4095 << 20, 2511 << 20)
    assert (info.cpus, info.cores_per_socket, info.threads_per_core, info.cpu_mhz) == (8, 2, 2, 2399.998)
    assert info.commandline == "placeholder dom0_mem=1536M,max:1536M com1=115200,8n1 console=com1"
    assert dict(info.build)["cc_compile_date"] == "Thu Jul  3 10:00:00 UTC 2025"


@pytest.mark.parametrize("text", ["", INFO.replace("free_memory ", "x "), INFO.replace("4095", "much")])
def test_info_that_lacks_a_fact_is_an_error(text):
    with pytest.raises(XenError, match="xl info"):
        parse_info(text)


@pytest.mark.parametrize(
    "stderr",
    [
        "failed to free memory for the domain\n",
        "xc: error: panic: xg_dom_boot.c:120: can't allocate low memory for domain: Out of memory\n",
        "libxl: error: libxl_dom.c:555:libxl__build_dom: xc_dom_boot_mem_init failed: Cannot allocate memory\n",
        "libxl: error: libxl_create.c:1: Could not allocate memory for HVM guest.\n",
    ],
)
def test_no_memory_is_told_apart(stderr):
    assert says_no_memory(stderr)
    assert not says_exists(stderr)


def test_complaints():
    stderr = 'libxl: error: libxl_domain.c:81:libxl__domain_rename: Domain 5:Domain with name "x" already exists.\n'
    assert says_exists(stderr)
    assert not says_no_memory(stderr)
    assert complaint("Parsing\n" + stderr + "later\n") == stderr.strip()
    assert complaint("only this\n") == "only this"
    assert complaint("") == "xl gave no reason"


def test_devices_are_read_from_who_serves_them():
    disks = (
        "Vdev  BE  handle state evt-ch ring-ref BE-path                       \n"
        "51712 0   5      4     23     664      /local/domain/0/backend/qdisk/5/51712\n"
        "51728 0   5      4     24     665      /local/domain/0/backend/vbd/5/51728  \n"
        "51712 0   16     1     -1     -1       /local/domain/0/backend/qdisk/16/51712\n"
    )
    assert parse_devices(disks) == {5: {51712, 51728}, 16: {51712}}
    vifs = (
        "Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path                       \n"
        "0   0  00:16:3e:00:00:01     0     4     27   768/769         /local/domain/0/backend/vif/5/0\n"
    )
    assert parse_devices(vifs) == {5: {0}}
    assert parse_devices("") == {}
    assert [disk_name(devid) for devid in (51712, 51728, 51952, 51713, 768)] == [
        "xvda",
        "xvdb",
        "xvdp",
        "51713",
        "768",
    ]

"""What xl prints, parsed: pure. Formats are those of Xen 4.17 and 4.20 (tools/xl/xl_info.c)."""

from __future__ import annotations

import re

from xapi_shim.xen.interface import DomainInfo, HypervisorInfo, RunState, ShutdownReason, XenError

MIB = 1 << 20

# The name is the guest's or anybody's and may hold anything but a newline, so that a line is
# told apart from its end: everything after the name has a strict form. The form of a label is
# the security server's; without one there is "-".
_DOMAIN = re.compile(
    r"(?P<name>.*?)\s+(?P<domid>\d+)\s+(?P<mib>\d+)\s+(?P<vcpus>\d+)\s+"
    r"(?P<flags>[r-][b-][p-][s-][-rscwS?][d-])\s+(?P<seconds>\d+\.\d)\s+"
    r"(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s+(?P<reason>[0-9a-f]{1,8}|-)"
    r"(?:\s+\S+)?\s*"
)

_BUILD_KEYS = (
    "xen_major",
    "xen_minor",
    "xen_extra",
    "xen_changeset",
    "xen_scheduler",
    "xen_pagesize",
    "platform_params",
    "hw_caps",
    "cc_compiler",
    "cc_compile_by",
    "cc_compile_domain",
    "cc_compile_date",
    "build_id",
    "machine",
    "release",
    "nr_nodes",
)


def parse_domains(text: str) -> tuple[DomainInfo, ...]:
    """Return the domains of `xl list -v`. Raises XenError for a line of another form.

    A domain that is being taken apart may have no name any more (xl prints "(null)"),
    or no uuid worth anything: its other fields hold.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or not lines[0].startswith("Name"):
        raise XenError(f"xl list printed something else: {lines[:1]!r}")
    return tuple(_parse_domain(line) for line in lines[1:])


def _parse_domain(line: str) -> DomainInfo:
    match = _DOMAIN.fullmatch(line)
    if match is None:
        raise XenError(f"xl list printed a line of unknown form: {line!r}")
    state = _run_state(match["flags"])
    return DomainInfo(
        uuid=match["uuid"],
        domid=int(match["domid"]),
        name=match["name"],
        run_state=state,
        shutdown_reason=_reason(match["reason"]) if state is RunState.SHUTDOWN else None,
        memory_bytes=int(match["mib"]) * MIB,
        vcpus_online=int(match["vcpus"]),
        cpu_time_s=float(match["seconds"]),
    )


def _reason(text: str) -> ShutdownReason:
    """Return the reason that xl prints as a hexadecimal number, or "-" for none."""
    try:
        return ShutdownReason(int(text, 16))
    except ValueError:
        return ShutdownReason.UNKNOWN


def _run_state(flags: str) -> RunState:
    """Return the state of `rbps-d` flags: the last stage of a domain's life that they name."""
    if flags[5] == "d":
        return RunState.DYING
    if flags[3] == "s":
        return RunState.SHUTDOWN
    return RunState.PAUSED if flags[2] == "p" else RunState.RUNNING


def parse_info(text: str) -> HypervisorInfo:
    """Return what `xl info` says. Raises XenError when a fact is missing."""
    facts = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            facts[key.strip()] = value.strip()
    try:
        return HypervisorInfo(
            version=facts["xen_version"],
            virt_caps=tuple(facts["virt_caps"].split()),
            capabilities=tuple(facts["xen_caps"].split()),
            total_memory_bytes=int(facts["total_memory"]) * MIB,
            free_memory_bytes=int(facts["free_memory"]) * MIB,
            cpus=int(facts["nr_cpus"]),
            cores_per_socket=int(facts["cores_per_socket"]),
            threads_per_core=int(facts["threads_per_core"]),
            cpu_mhz=float(facts["cpu_mhz"]),
            commandline=facts["xen_commandline"],
            build=tuple((key, facts[key]) for key in _BUILD_KEYS if key in facts),
        )
    except (KeyError, ValueError) as error:
        raise XenError(f"xl info printed something else: {error!r}") from error


# What libxl and libxenguest say when the host runs out of memory while a domain is made:
# xl's freemem (autoballoon), xc_dom_panic with XC_OUT_OF_MEMORY, ENOMEM of a hypercall.
_NO_MEMORY = re.compile(
    r"failed to free memory for the domain|out of memory|can(?:no|')t allocate (?:low )?memory"
    r"|could not allocate memory|oom: can't allocate|cannot allocate memory",
    re.IGNORECASE,
)
_EXISTS = re.compile(r'Domain with name "[^"]*" already exists|domain .* already exists', re.IGNORECASE)


def says_no_memory(stderr: str) -> bool:
    """Say whether xl's complaint is that the host has no memory left."""
    return _NO_MEMORY.search(stderr) is not None


def says_exists(stderr: str) -> bool:
    """Say whether xl's complaint is that there is a domain of that name."""
    return _EXISTS.search(stderr) is not None


_DEVICE_EXISTS = re.compile(r"device already exists in xenstore", re.IGNORECASE)
_NO_DEVICE = re.compile(r"Device \S+ not connected|Unknown device \S+", re.IGNORECASE)
# The last column of `xl block-list` and `xl network-list`: who serves whom with what.
_BACKEND = re.compile(r"/backend/\w+/(?P<domid>\d+)/(?P<devid>\d+)\s*$", re.MULTILINE)


def says_device_exists(stderr: str) -> bool:
    """Say whether xl's complaint is that the guest has the device already."""
    return _DEVICE_EXISTS.search(stderr) is not None


def says_no_device(stderr: str) -> bool:
    """Say whether xl's complaint is that the guest has no such device."""
    return _NO_DEVICE.search(stderr) is not None


def parse_devices(text: str) -> dict[int, set[int]]:
    """Return the devices' numbers by domid of `xl block-list` or `xl network-list` of any domains."""
    found: dict[int, set[int]] = {}
    for match in _BACKEND.finditer(text):
        found.setdefault(int(match["domid"]), set()).add(int(match["devid"]))
    return found


def complaint(stderr: str) -> str:
    """Return the lines of xl's stderr that name a cause, joined: the first errors, not the last."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()] or lines
    return "; ".join(telling[:4]) or "xl gave no reason"

"""Facts of the machine itself, read from /proc and /etc by pure parsers."""

from __future__ import annotations

import os
import platform
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cpu:
    """One processor of /proc/cpuinfo (proc_cpuinfo(5)); `mhz` is rounded."""

    number: int
    vendor: str
    model_name: str
    family: int
    model: int
    stepping: str
    flags: str
    mhz: int


@dataclass(frozen=True)
class HostFacts:
    """What the host's records are filled from."""

    hostname: str
    kernel: str
    os_name: str
    os_version: str
    cpus: tuple[Cpu, ...]
    inventory: dict[str, str]
    memory_bytes: int


def parse_cpuinfo(text: str) -> tuple[Cpu, ...]:
    """Parse /proc/cpuinfo."""
    cpus = []
    for stanza in text.strip().split("\n\n"):
        fields = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in stanza.splitlines())}
        if "processor" in fields:
            cpus.append(
                Cpu(
                    number=int(fields["processor"]),
                    vendor=fields.get("vendor_id", ""),
                    model_name=fields.get("model name", ""),
                    family=int(fields.get("cpu family", "0")),
                    model=int(fields.get("model", "0")),
                    stepping=fields.get("stepping", ""),
                    flags=fields.get("flags", ""),
                    mhz=round(float(fields.get("cpu MHz", "0"))),
                )
            )
    return tuple(cpus)


def parse_assignments(text: str) -> dict[str, str]:
    """Parse KEY='value' lines (os-release(5), xensource-inventory)."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            found[key] = value.strip().strip("'\"")
    return found


def parse_meminfo(text: str) -> int:
    """Return MemTotal of /proc/meminfo in bytes."""
    for line in text.splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0


def read_facts(inventory: Path) -> HostFacts:
    """Read this machine's facts; what cannot be read is empty."""
    release = parse_assignments(_read(Path("/etc/os-release")))
    return HostFacts(
        hostname=socket.gethostname(),
        kernel=platform.release(),
        os_name=release.get("NAME", platform.system()),
        os_version=release.get("VERSION_ID", ""),
        cpus=parse_cpuinfo(_read(Path("/proc/cpuinfo"))),
        inventory=parse_assignments(_read(inventory)),
        memory_bytes=parse_meminfo(_read(Path("/proc/meminfo"))) or os.sysconf("SC_PAGE_SIZE"),
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""

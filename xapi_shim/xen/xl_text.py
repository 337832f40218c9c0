"""Texts that xl reads and prints: domain configurations (xl.cfg(5)), `xl list`, `xl info`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xapi_shim.xen.interface import DomainInfo, DomainType, HypervisorInfo, RunState, ShutdownReason, XenError

if TYPE_CHECKING:
    from xapi_shim.xen.interface import Disk, DomainConfig, Vif

MIB = 1 << 20

# Columns of `xl list -v` (tools/xl/xl_list.c): name id mem vcpus state time uuid reason [label].
_DOMAIN = re.compile(
    r"(?P<name>.*?)\s+(?P<domid>\d+)\s+(?P<mem>\d+)\s+(?P<vcpus>\d+)\s+(?P<state>[r-][b-][p-][s-][c-][d-])\s+"
    r"(?P<time>\d+(?:\.\d+)?)\s+(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s+(?P<reason>[0-9a-f]+|-)(?:\s+.*)?"
)


def quote(text: str) -> str:
    r"""Return `text` as a string of xl's configuration language.

    Its lexer knows '...' and "..." on one line, and C's backslash escapes in both.
    Raises XenError for control characters, which have no business in a configuration.
    """
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise XenError("a control character in a guest's configuration", resolution="remove it")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def render_config(config: DomainConfig) -> str:
    """Return the xl.cfg of a domain. It is named by its uuid: labels may repeat, xl's names may not.

    A domain that stops is preserved: the toolstack decides what becomes of it.
    """
    if config.domain_type is DomainType.HVM:
        raise XenError("HVM guests are not supported yet")
    lines = [
        f"name = {quote(config.uuid)}",
        f"uuid = {quote(config.uuid)}",
        f'type = "{config.domain_type.value}"',
        f"memory = {config.memory_target_bytes // MIB}",
        f"maxmem = {max(config.memory_static_max_bytes, config.memory_target_bytes) // MIB}",
        f"vcpus = {config.vcpus}",
        f"maxvcpus = {config.vcpus_max}",
        'on_poweroff = "preserve"',
        'on_reboot = "preserve"',
        'on_crash = "preserve"',
        'on_watchdog = "preserve"',
    ]
    if config.kernel is not None:
        lines.append(f"kernel = {quote(str(config.kernel))}")
    if config.ramdisk is not None:
        lines.append(f"ramdisk = {quote(str(config.ramdisk))}")
    if config.cmdline:
        lines.append(f"cmdline = {quote(config.cmdline)}")
    lines.append(f"disk = [ {', '.join(quote(disk_spec(disk)) for disk in config.disks)} ]")
    lines.append(f"vif = [ {', '.join(quote(vif_spec(vif)) for vif in config.vifs)} ]")
    return "\n".join(lines) + "\n"


def disk_spec(disk: Disk) -> str:
    """Return a disk as xl-disk-configuration(5) writes it; `target=` comes last and takes the rest."""
    parts = [
        f"format={disk.image_format}",
        f"vdev={disk.device}",
        f"access={'ro' if disk.read_only else 'rw'}",
    ]
    if disk.is_cdrom:
        parts.append("devtype=cdrom")
    return ",".join([*parts, f"target={disk.path}"])


def vif_spec(vif: Vif) -> str:
    """Return an interface as xl-network-configuration(5) writes it. Raises XenError for a bad name."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,15}", vif.bridge):
        raise XenError(f"not a bridge's name: {vif.bridge!r}")
    parts = [f"mac={vif.mac}", f"bridge={vif.bridge}", f"devid={vif.devid}"]
    if vif.mtu is not None:
        parts.append(f"mtu={vif.mtu}")
    return ",".join(parts)


def parse_list(text: str) -> tuple[DomainInfo, ...]:
    """Parse `xl list -v`. Raises XenError for a line that is no domain."""
    return tuple(_domain(line) for line in text.splitlines()[1:] if line.strip())


def _domain(line: str) -> DomainInfo:
    found = _DOMAIN.fullmatch(line.rstrip())
    if not found:
        raise XenError(f"xl list printed what we do not know: {line!r}")
    reason = None if found["reason"] == "-" else int(found["reason"], 16)
    return DomainInfo(
        uuid=found["uuid"],
        domid=int(found["domid"]),
        name=found["name"],
        run_state=_run_state(found["state"]),
        shutdown_reason=ShutdownReason(reason) if reason in list(ShutdownReason) else None,
        memory_bytes=int(found["mem"]) * MIB,
        vcpus_online=int(found["vcpus"]),
        cpu_time_s=float(found["time"]),
    )


def _run_state(flags: str) -> RunState:
    if "d" in flags:
        return RunState.DYING
    if "s" in flags or "c" in flags:
        return RunState.SHUTDOWN
    return RunState.PAUSED if "p" in flags else RunState.RUNNING


def parse_info(text: str) -> HypervisorInfo:
    """Parse `xl info`. Raises XenError when a number is missing."""
    fields = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in text.splitlines())}
    try:
        return HypervisorInfo(
            version=fields["xen_version"],
            commandline=fields.get("xen_commandline", ""),
            capabilities=tuple(fields.get("xen_caps", "").split()),
            virt_caps=tuple(fields.get("virt_caps", "").split()),
            total_memory_bytes=int(fields["total_memory"]) * MIB,
            free_memory_bytes=int(fields["free_memory"]) * MIB,
            cpus=int(fields["nr_cpus"]),
            cores_per_socket=int(fields["cores_per_socket"]),
            threads_per_core=int(fields["threads_per_core"]),
            cpu_mhz=float(fields.get("cpu_mhz", "0") or 0),
        )
    except (KeyError, ValueError) as error:
        raise XenError(f"xl info printed what we do not know: {error}") from error

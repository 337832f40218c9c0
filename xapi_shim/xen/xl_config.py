"""A guest's configuration as xl reads it (xl.cfg(5), xl-disk-configuration(5)): pure.

Values come from API clients, so nothing is trusted: strings are quoted as libxlu's lexer
unquotes them (tools/libs/util/libxlu_cfg_l.l), and what has no safe form is refused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from xapi_shim.base.identifiers import is_mac, is_uuid
from xapi_shim.xen.interface import DomainType, InvalidDomainConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xapi_shim.xen.interface import Disk, DomainConfig, Scheduling, Vif

MIB = 1 << 20

_DEVICE = re.compile(r"xvd[a-z]{1,2}|hd[a-d]|sd[a-z]")
_SCRIPT = re.compile(r"vif-[a-z]+")
_BRIDGE = re.compile(r"[A-Za-z0-9_.-]{1,15}")

# An event that ends a guest leaves the domain as it is: the toolstack decides what comes next.
_ON_EVENTS = ("on_poweroff", "on_reboot", "on_crash", "on_watchdog", "on_soft_reset")


def render(config: DomainConfig) -> str:
    """Return the file for `xl create`. Raises InvalidDomainConfigError."""
    if not is_uuid(config.uuid):
        raise InvalidDomainConfigError("uuid", f"not a uuid: {config.uuid!r}")
    if config.domain_type is DomainType.HVM:
        raise InvalidDomainConfigError("domain_type", "hvm guests are not made yet")
    if config.kernel is None:
        raise InvalidDomainConfigError("kernel", "a pv or pvh guest needs one")
    lines = [
        f"name = {quote('name', config.uuid)}",
        f"uuid = {quote('uuid', config.uuid)}",
        f"type = {quote('type', config.domain_type)}",
        f"kernel = {quote('kernel', str(config.kernel))}",
        *([f"ramdisk = {quote('ramdisk', str(config.ramdisk))}"] if config.ramdisk else []),
        f"cmdline = {quote('cmdline', config.cmdline)}",
        *_sizes(config),
        *_shares(config.scheduling),
        *_placement(config),
        *(f'{event} = "preserve"' for event in _ON_EVENTS),
        _list("disk", [disk_spec(disk) for disk in config.disks]),
        _list("vif", [vif_spec(vif) for vif in config.vifs]),
    ]
    return "\n".join(lines) + "\n"


def quote(field: str, text: str) -> str:
    """Return `text` as a string of xl's language. Raises InvalidDomainConfigError.

    The lexer knows backslash escapes for quotes and backslashes and takes every other byte
    but a newline as it is. Control characters have escapes too, but no use in any of our values.
    """
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise InvalidDomainConfigError(field, "control characters cannot be given to a guest")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def disk_spec(disk: Disk) -> str:
    """Return a disk; `target` comes last because it takes all that follows, commas and all."""
    if not _DEVICE.fullmatch(disk.device):
        raise InvalidDomainConfigError("device", f"not the name of a disk: {disk.device!r}")
    target = str(disk.path)
    if not disk.path.is_absolute() or target.endswith(","):
        # libxlu strips one closing comma: another file would be opened.
        raise InvalidDomainConfigError("disk", f"not a path that xl can take: {target!r}")
    parts = [
        f"vdev={disk.device}",
        f"format={disk.image_format}",
        f"access={'ro' if disk.read_only else 'rw'}",
        *(["backendtype=qdisk"] if disk.image_format == "qcow2" else []),
        *(["devtype=cdrom"] if disk.is_cdrom else []),
        f"target={target}",
    ]
    return ",".join(parts)


def vif_spec(vif: Vif) -> str:
    """Return a network interface; xl splits it at commas, which no valid value holds."""
    if not is_mac(vif.mac):
        raise InvalidDomainConfigError("mac", f"not a MAC address: {vif.mac!r}")
    if not _BRIDGE.fullmatch(vif.bridge):
        raise InvalidDomainConfigError("bridge", f"not the name of a bridge: {vif.bridge!r}")
    if vif.devid < 0 or (vif.mtu is not None and not 68 <= vif.mtu <= 65535):
        raise InvalidDomainConfigError("vif", f"device {vif.devid} with an MTU of {vif.mtu}")
    if vif.script and not _SCRIPT.fullmatch(vif.script):
        raise InvalidDomainConfigError("script", f"not the name of a script: {vif.script!r}")
    parts = [f"mac={vif.mac}", f"bridge={vif.bridge}", f"devid={vif.devid}"]
    parts += [f"mtu={vif.mtu}"] if vif.mtu else []
    return ",".join([*parts, f"script={vif.script}"] if vif.script else parts)


def _sizes(config: DomainConfig) -> list[str]:
    if not 0 < config.memory_target_bytes <= config.memory_static_max_bytes:
        raise InvalidDomainConfigError(
            "memory", f"{config.memory_target_bytes} of at most {config.memory_static_max_bytes} bytes"
        )
    if not 0 < config.vcpus <= config.vcpus_max:
        raise InvalidDomainConfigError("vcpus", f"{config.vcpus} of at most {config.vcpus_max}")
    return [
        f"memory = {max(1, config.memory_target_bytes // MIB)}",
        f"maxmem = {max(1, config.memory_static_max_bytes // MIB)}",
        f"vcpus = {config.vcpus}",
        f"maxvcpus = {config.vcpus_max}",
    ]


def check_scheduling(scheduling: Scheduling) -> None:
    """Raise InvalidDomainConfigError for shares that no scheduler takes."""
    weight, cap = scheduling.weight, scheduling.cap
    if weight is not None and not 1 <= weight <= 65535:
        raise InvalidDomainConfigError("weight", str(weight))
    if cap is not None and not 0 <= cap <= 65535:
        raise InvalidDomainConfigError("cap", str(cap))
    if any(cpu < 0 for cpu in scheduling.cpus):
        raise InvalidDomainConfigError("mask", str(scheduling.cpus))


def cpu_list(cpus: Iterable[int]) -> str:
    """Return processors as xl takes them."""
    return ",".join(map(str, cpus))


def _shares(scheduling: Scheduling) -> list[str]:
    check_scheduling(scheduling)
    return [
        *([f"cpu_weight = {scheduling.weight}"] if scheduling.weight is not None else []),
        *([f"cap = {scheduling.cap}"] if scheduling.cap is not None else []),
        *([f'cpus = "{cpu_list(scheduling.cpus)}"'] if scheduling.cpus else []),
    ]


def _placement(config: DomainConfig) -> list[str]:
    """Return what keeps xl from choosing NUMA nodes, as it does where no processors are named (xl.cfg(5), cpus)."""
    return [] if config.numa_placement or config.scheduling.cpus else ['cpus = "all"']


def _list(key: str, specs: list[str]) -> str:
    return f"{key} = [ {', '.join(quote(key, spec) for spec in specs)} ]" if specs else f"{key} = []"


def needed_memory_bytes(config: DomainConfig) -> int:
    """Return what the host must have free to make a domain, as libxl reckons it.

    Asking for less would make xl shrink dom0 for the rest on hosts where autoballoon is on (xl.conf(5)).
    """
    sizes = config.memory_static_max_bytes, config.memory_target_bytes, config.vcpus_max
    return domain_memory_bytes(config.domain_type, *sizes)


def domain_memory_bytes(kind: DomainType, static_max_bytes: int, target_bytes: int, vcpus_max: int) -> int:
    """Return what a domain with `target_bytes` takes of the host, as libxl reckons it.

    libxl_create.c, libxl__get_required_paging_memory: 1 MiB for each vCPU and a page for each
    MiB; libxl_mem.c, libxl__domain_need_memory_calculate: 1 MiB more (2 with hardware
    virtualisation), in steps of 2 MiB.
    """
    kib = target_bytes >> 10
    kib += 4 * (256 * vcpus_max + static_max_bytes // MIB)
    kib += 1024 if kind is DomainType.PV else 2048
    return (kib + -kib % 2048) << 10

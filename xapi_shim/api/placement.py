"""Where a VM starts: a decision from records alone, the same on every host of the pool.

A host is suitable that takes guests, runs, has plugged what the VM's disks are on and an uplink in each of its
networks. A network without any uplink is a bridge of its own on each host, which nothing joins: every host has it,
and guests that are to meet on it are to be started on one host, by their affinity or by VM.start_on.

Of the suitable hosts the VM's affinity comes first, then those with the most free memory. What is known of memory
is up to half a minute old, less what was started since: where no host seems to have enough, the one with the most is
asked all the same, and what its hypervisor says is true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.other_hosts import is_live
from xapi_shim.api.vm_start import domain_type
from xapi_shim.datamodel.errors import (
    HostDisabledError,
    HostNotEnoughFreeMemoryError,
    HostNotLiveError,
    NoHostsAvailableError,
    VmHvmRequiredError,
    VmRequiresNetworkError,
    VmRequiresSrError,
)
from xapi_shim.xen.interface import DomainType
from xapi_shim.xen.xl_config import domain_memory_bytes

if TYPE_CHECKING:
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.errors.base import XenAPIError


def unsuitable(db: Database, vm: str, host: str) -> XenAPIError | None:
    """Return why a VM could not run on a host, memory apart: None where it could.

    HOST_DISABLED [host], HOST_NOT_LIVE [], VM_HVM_REQUIRED [vm], VM_REQUIRES_SR [vm; SR],
    VM_REQUIRES_NETWORK [vm; network].
    """
    if not db.flag("host", host, "enabled"):
        return HostDisabledError(host)
    if not is_live(db, host):
        return HostNotLiveError()
    if domain_type(db, vm) is DomainType.HVM:
        return VmHvmRequiredError(vm)
    for sr in _srs(db, vm):
        pbds = [p for p in db.items("SR", sr, "PBDs") if db.text("PBD", p, "host") == host]
        if not any(db.flag("PBD", pbd, "currently_attached") for pbd in pbds):
            return VmRequiresSrError(vm, sr)
    for vif in db.items("VM", vm, "VIFs"):
        network = db.text("VIF", vif, "network")
        pifs = db.items("network", network, "PIFs")
        if pifs and all(db.text("PIF", pif, "host") != host for pif in pifs):
            return VmRequiresNetworkError(vm, network)
    return None


def _srs(db: Database, vm: str) -> list[str]:
    """Return the repositories of the disks that are in a VM's drives."""
    disks = (db.text("VBD", vbd, "VDI") for vbd in db.items("VM", vm, "VBDs"))
    return list(dict.fromkeys(db.text("VDI", vdi, "SR") for vdi in disks if db.exists("VDI", vdi)))


def possible_hosts(db: Database, vm: str) -> list[str]:
    """Return the hosts that could run a VM, whether or not they have the memory for it now."""
    return [host for host in db.refs("host") if unsuitable(db, vm, host) is None]


def needed_memory(db: Database, vm: str) -> int:
    """Return the bytes of memory that a VM takes of a host when it is started."""
    return domain_memory_bytes(
        domain_type(db, vm),
        db.number("VM", vm, "memory_static_max"),
        db.number("VM", vm, "memory_dynamic_max"),
        db.number("VM", vm, "VCPUs_max"),
    )


def free_memory(db: Database, host: str) -> int:
    """Return the bytes of memory that a host is taken to have for new guests."""
    metrics = db.text("host", host, "metrics")
    if not db.exists("host_metrics", metrics):
        return 0
    free, as_of = (
        db.number("host_metrics", metrics, "memory_free"),
        db.text("host_metrics", metrics, "last_updated"),
    )
    # Dates are text of one form, to the second, and both are by the host's own clock.
    since = [vm for vm in db.items("host", host, "resident_VMs") if _started(db, vm) >= as_of]
    return max(0, free - sum(needed_memory(db, vm) for vm in since))


def _started(db: Database, vm: str) -> str:
    metrics = db.text("VM", vm, "metrics")
    return db.text("VM_metrics", metrics, "start_time") if db.exists("VM_metrics", metrics) else ""


def check_memory(needed: int, available: int) -> None:
    """Raise HOST_NOT_ENOUGH_FREE_MEMORY [needed; available], in bytes."""
    if needed > available:
        raise HostNotEnoughFreeMemoryError(str(needed), str(available))


def choose_host(db: Database, vm: str) -> str:
    """Return the host that a VM is to be started on. The only host of a pool is it, and says itself what is wrong.

    Raises NO_HOSTS_AVAILABLE [] where none is suitable, or what is wrong with the VM's affinity where it has one.
    """
    hosts = db.refs("host")
    if len(hosts) == 1:
        return hosts[0]
    affinity = db.text("VM", vm, "affinity")
    possible = possible_hosts(db, vm)
    if not possible:
        wrong = unsuitable(db, vm, affinity) if db.exists("host", affinity) else None
        raise wrong or NoHostsAvailableError()
    needed = needed_memory(db, vm)

    def rank(host: str) -> tuple[bool, bool, int, str]:
        free = free_memory(db, host)
        return free < needed, host != affinity, -free, db.text("host", host, "uuid")

    return min(possible, key=rank)

"""VM.*: what a VM's memory costs the host besides itself."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from xapi_shim.api.vm_start import domain_type
from xapi_shim.xen.xl_config import MIB, domain_memory_bytes

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.xen.interface import DomainType

# As many vCPUs as an approximate answer leaves room for, as in the reference.
APPROXIMATE_VCPUS = 64


def overhead_bytes(db: Database, vm: str) -> int:
    """Return what Xen needs for a VM besides its memory."""
    static_max = db.number("VM", vm, "memory_static_max")
    return domain_memory_bytes(
        domain_type(db, vm), static_max, static_max, db.number("VM", vm, "VCPUs_max")
    ) - (static_max >> 10 << 10)


def update_overhead(db: Database, vm: str) -> None:
    """Write `overhead_bytes` into the VM's record; for whoever changes what it depends on."""
    db.set("VM", vm, "memory_overhead", overhead_bytes(db, vm))


def largest_memory(kind: DomainType, total_bytes: int, vcpus_max: int) -> int:
    """Return the most memory, in whole MiB, that a VM may have so that it takes at most `total_bytes`."""

    def taken(mib: int) -> int:
        return domain_memory_bytes(kind, mib * MIB, mib * MIB, vcpus_max)

    sizes = range(max(0, total_bytes) // MIB + 1)
    return max(0, bisect_right(sizes, total_bytes, key=taken) - 1) * MIB


async def compute_memory_overhead(call: Call, vm: str) -> int:
    """Return what Xen needs for a VM besides its memory, in bytes."""
    return overhead_bytes(call.db, vm)


async def maximise_memory(call: Call, self: str, total: int, approximate: bool) -> int:  # noqa: FBT001
    """Return the largest static maximum with which a VM takes at most `total` bytes of the host.

    An approximate answer stays true when the VM gets more vCPUs.
    """
    vcpus = call.db.number("VM", self, "VCPUs_max")
    if approximate:
        vcpus = max(vcpus, APPROXIMATE_VCPUS)
    return largest_memory(domain_type(call.db, self), total, vcpus)


MESSAGES = {
    "VM.compute_memory_overhead": compute_memory_overhead,
    "VM.maximise_memory": maximise_memory,
}

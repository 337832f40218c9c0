"""How much of the host's memory dom0 keeps, in MiB; all else is the guests'.

1 GiB for the system itself, plus an eighth of the first 16 GiB and a thirty-second of the
rest for the daemons and buffers that grow with the guests, in steps of 128 MiB, 8 GiB at most.
4 GiB give 1.5 GiB, 16 GiB give 3 GiB, 64 GiB give 4.5 GiB.
"""

from __future__ import annotations

import re

from xapi_shim.base.errors import KronosError

MIB = 1024 * 1024
BASE_MIB = 1024
STEP_MIB = 128
SMALL_HOST_MIB = 16 * 1024
MOST_MIB = 8 * 1024
LEAST_MIB = 768
# Below this the host has no room for dom0, the hypervisor and one small guest.
SMALLEST_HOST_MIB = 1792
FOR_XEN_AND_GUESTS_MIB = 384


class Dom0MemoryError(KronosError):
    """The size asked for cannot be."""

    exit_status = 3


def dom0_memory_mib(host_mib: int) -> int:
    """Return the policy's size for a host with so much memory."""
    share = min(host_mib, SMALL_HOST_MIB) // 8 + max(0, host_mib - SMALL_HOST_MIB) // 32
    wanted = -(-(BASE_MIB + share) // STEP_MIB) * STEP_MIB
    return min(wanted, MOST_MIB)


def parse_size_mib(text: str) -> int:
    """Read `1536M`, `2G` or a plain number of MiB. Raises Dom0MemoryError."""
    match = re.fullmatch(r"(\d{1,7})\s*(M|MiB|G|GiB)?", text.strip(), re.IGNORECASE)
    if not match:
        raise Dom0MemoryError(f"not a size of memory: {text!r}", resolution="write 1536M or 2G")
    return int(match[1]) * (1024 if (match[2] or "M").upper().startswith("G") else 1)


def checked_size_mib(wanted_mib: int, host_mib: int) -> int:
    """Return `wanted_mib` if a host with `host_mib` can give it. Raises Dom0MemoryError."""
    most = host_mib - FOR_XEN_AND_GUESTS_MIB
    if not LEAST_MIB <= wanted_mib <= most:
        raise Dom0MemoryError(
            f"dom0 cannot have {wanted_mib} MiB on a host with {host_mib} MiB",
            resolution=f"choose between {LEAST_MIB} and {most} MiB",
        )
    return wanted_mib

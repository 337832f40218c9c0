"""How many virtual processors dom0 gets: enough for its daemons and backends, the rest is the guests'.

All of a host with up to four, four of one with up to sixteen, then a quarter, sixteen at most:
what dom0 has above that is spent on scheduling it.
"""

from __future__ import annotations

from xapi_shim.base.errors import KronosError

LEAST = 4
MOST = 16
SHARE = 4


class Dom0VcpusError(KronosError):
    """The number asked for cannot be."""

    exit_status = 3


def dom0_vcpus(host_cpus: int) -> int:
    """Return the policy's number for a host with so many logical processors."""
    return max(1, min(host_cpus, MOST, max(LEAST, host_cpus // SHARE)))


def checked_vcpus(wanted: int, host_cpus: int) -> int:
    """Return `wanted` if a host with `host_cpus` can give it. Raises Dom0VcpusError."""
    if not 1 <= wanted <= max(1, host_cpus):
        raise Dom0VcpusError(
            f"dom0 cannot have {wanted} processors on a host with {host_cpus}",
            resolution=f"choose between 1 and {max(1, host_cpus)}",
        )
    return wanted

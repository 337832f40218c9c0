"""A host's own record: which of the pool's it is, and what of the machine it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.software import software_version
from xapi_shim.base.errors import KronosError
from xapi_shim.datamodel.registry import API_VERSION
from xapi_shim.rpc.dates import now_text

if TYPE_CHECKING:
    from xapi_shim.api.host_facts import HostFacts
    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.datamodel.model import Value
    from xapi_shim.network.interface import HostInterfaces
    from xapi_shim.xen.interface import HypervisorInfo


class NotInPoolError(KronosError):
    """The pool that this host is to be a member of has no record of it."""

    def __init__(self, uuid: str) -> None:
        super().__init__(
            f"the pool does not know this host, {uuid or 'which has no INSTALLATION_UUID'}",
            resolution="join the pool again",
        )


def known_host(tools: Toolstack, facts: HostFacts, *, is_member: bool) -> str | None:
    """Return this host's record, None where there is none yet. Raises NotInPoolError."""
    db, uuid = tools.db, facts.inventory.get("INSTALLATION_UUID", "")
    found = db.find_uuid("host", uuid) if uuid else None
    if found is not None:
        return found
    if is_member:
        raise NotInPoolError(uuid)
    # The database is here: an inventory that was lost or written anew makes no second host of this one.
    masters = [db.text("pool", pool, "master") for pool in db.refs("pool")]
    return next((host for host in (*masters, *db.refs("host")) if db.exists("host", host)), None)


def add_host(tools: Toolstack, facts: HostFacts) -> str:
    values: dict[str, Value] = {
        "uuid": facts.inventory.get("INSTALLATION_UUID", ""),
        "name_label": facts.hostname,
        "metrics": tools.db.create("host_metrics", {"live": True, "last_updated": now_text()}),
        "enabled": True,
        "sched_policy": "credit2",
        "API_version_vendor": "Kronos",
        "supported_bootloaders": [],
        "edition": "free",
        "allowed_operations": ["vm_start", "provision"],
    }
    return tools.db.create("host", values)


def describe_host(
    tools: Toolstack, facts: HostFacts, info: HypervisorInfo, interfaces: HostInterfaces
) -> None:
    """Make the host's record true to the machine."""
    db, host = tools.db, tools.host
    cpu: dict[str, Value] = {
        "cpu_count": str(info.cpus),
        "socket_count": str(max(1, info.cpus // max(1, info.cores_per_socket * info.threads_per_core))),
        "threads_per_core": str(info.threads_per_core),
    }
    if facts.cpus:
        first = facts.cpus[0]
        cpu |= {
            "vendor": first.vendor,
            "speed": f"{info.cpu_mhz or first.mhz:.3f}",
            "modelname": first.model_name,
            "family": str(first.family),
            "model": str(first.model),
            "stepping": first.stepping,
            "flags": first.flags,
        }
    db.update(
        "host",
        host,
        hostname=facts.hostname,
        address=_address(interfaces),
        software_version=software_version(facts, info, interfaces.backend),
        capabilities=list(info.capabilities),
        cpu_info=cpu,
        cpu_configuration={},
        API_version_major=API_VERSION[0],
        API_version_minor=API_VERSION[1],
        enabled=not (tools.paths.disabled_until_boot.exists() or tools.paths.disabled_for_good.exists()),
        current_operations={},
    )


def _address(interfaces: HostInterfaces) -> str:
    """Return where the host is reached: IPv4's address, else IPv6's, "" for a host without."""
    own = interfaces.management
    if own is None:
        return ""
    return own.ip or next((address.partition("/")[0] for address in own.ipv6), "")

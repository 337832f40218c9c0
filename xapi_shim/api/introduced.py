"""Records as another host of the pool, or a storage driver, tells them: nothing on this host changes by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api.allowed import update_host
from xapi_shim.base.identifiers import is_uuid
from xapi_shim.datamodel.errors import (
    InternalErrorError,
    OperationNotAllowedError,
    UuidInvalidError,
    ValueNotSupportedError,
)
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc.dates import now_text

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value

# A key that the toolstack itself gives to storage drivers.
SR_MASTER = "SRmaster"


async def introduce_pif(call: Call, **values: Value) -> str:
    """Make the record of a host's interface. Raises HANDLE_INVALID [class; ref]."""
    db = call.db
    for cls in ("network", "host"):
        db.assert_exists(cls, cast("str", values[cls]))
    with db.transaction():
        metrics = db.create("PIF_metrics", {"last_updated": now_text()})
        return db.create("PIF", {**values, "metrics": metrics, "currently_attached": False})


async def forget_pif(call: Call, self: str) -> None:
    """Drop the record of an interface; the interface stays as it is.

    Raises OPERATION_NOT_ALLOWED [why] for one that a VLAN, a bond or a tunnel stands on.
    """
    db = call.db
    for field in ("VLAN_slave_of", "bond_master_of", "tunnel_access_PIF_of", "tunnel_transport_PIF_of"):
        if db.items("PIF", self, field):
            raise OperationNotAllowedError(f"the interface has {field}")
    metrics = db.text("PIF", self, "metrics")
    with db.transaction():
        db.destroy("PIF", self)
        if db.exists("PIF_metrics", metrics):
            db.destroy("PIF_metrics", metrics)


async def introduce_vlan(
    call: Call,
    tagged_PIF: str,  # noqa: N803 -- the declared names
    untagged_PIF: str,  # noqa: N803
    tag: int,
    other_config: dict[str, str],
) -> str:
    """Make the record of a VLAN between two interfaces' records. Raises HANDLE_INVALID [class; ref]."""
    db = call.db
    for pif in (tagged_PIF, untagged_PIF):
        db.assert_exists("PIF", pif)
    with db.transaction():
        vlan = db.create(
            "VLAN",
            {
                "tagged_PIF": tagged_PIF,
                "untagged_PIF": untagged_PIF,
                "tag": tag,
                "other_config": cast("Value", other_config),
            },
        )
        db.set("PIF", untagged_PIF, "VLAN_master_of", vlan)
    return vlan


async def create_host(call: Call, **values: Value) -> str:
    """Make the record of a host that is to join: it takes no guests, and is not known to run.

    Raises UUID_INVALID [class; uuid] for a uuid that a host of the pool has, or that is none.
    """
    db, given = call.db, cast("str", values["uuid"])
    if not is_uuid(given) or db.find_uuid("host", given) is not None:
        raise UuidInvalidError("host", given)
    if values["latest_synced_updates_applied"] == []:  # the declared default, which is no value of the field
        values = {**values, "latest_synced_updates_applied": "unknown"}
    with db.transaction():
        metrics = db.create("host_metrics", {"live": False, "last_updated": now_text()})
        host = db.create("host", {**values, "metrics": metrics, "enabled": False})
        update_host(db, host)
    return host


async def set_device_config(call: Call, self: str, value: dict[str, str]) -> None:
    """Choose how a host reaches a repository when it is attached next.

    Raises VALUE_NOT_SUPPORTED [key; value; why] for a key of the toolstack's own, OPERATION_NOT_ALLOWED [why]
    while it is attached: guests use it as it is.
    """
    if SR_MASTER in value:
        raise ValueNotSupportedError(SR_MASTER, value[SR_MASTER], "this key is for internal use only")
    if call.db.flag("PBD", self, "currently_attached"):
        raise OperationNotAllowedError("PBD is currently attached")
    call.db.set("PBD", self, "device_config", cast("Value", value))


async def update_snapshot_metadata(
    call: Call, vm: str, snapshot_of: str, snapshot_time: str, transportable_snapshot_id: str
) -> None:
    """Say that a VM is a snapshot, of which, as of when, and what a backup program knows it by."""
    call.db.update(
        "VM",
        vm,
        is_a_snapshot=True,
        snapshot_of=snapshot_of,
        snapshot_time=snapshot_time,
        transportable_snapshot_id=transportable_snapshot_id,
    )


async def get_cluster_network(call: Call, self: str) -> str:
    """Return the network that a cluster's hosts speak over; null for a cluster without hosts.

    Raises INTERNAL_ERROR [why] where they are on several.
    """
    db = call.db
    pifs = [db.text("Cluster_host", member, "PIF") for member in db.items("Cluster", self, "cluster_hosts")]
    networks = {db.text("PIF", pif, "network") for pif in pifs if db.exists("PIF", pif)}
    if len(networks) > 1:
        raise InternalErrorError("the cluster's hosts are on several networks")
    return networks.pop() if networks else NULL_REF


MESSAGES = {
    "PIF.db_introduce": introduce_pif,
    "PIF.pool_introduce": introduce_pif,
    "PIF.db_forget": forget_pif,
    "VLAN.pool_introduce": introduce_vlan,
    "host.create": create_host,
    "PBD.set_device_config": set_device_config,
    "VM.update_snapshot_metadata": update_snapshot_metadata,
    "Cluster.get_network": get_cluster_network,
}

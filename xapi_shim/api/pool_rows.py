"""Whose each record is: what comes along when a host joins a pool, and goes when it leaves.

Every class of the database is in one of the four groups; a test holds a new class to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.types import Kind, Type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Field, Value

    # A class and a ref.
    Key = tuple[str, str]

# What stands for itself. All of it comes, but for what the master has too and what `stays_behind`; of these
# nothing goes by itself, see xapi_shim.api.pool_leave.
WHOLE = (
    "host", "network", "SR", "secret", "VM_appliance", "VMPP", "VMSS", "VM_group", "GPU_group", "USB_group",
    "VGPU_type", "PVS_site", "VM",
)  # fmt: skip

# Whose a row is, by the fields that say so: it comes if all of these do, and goes if one of them does.
# Owners stand before what they own.
OWNERS: dict[str, tuple[str, ...]] = {
    "host_cpu": ("host",),
    "host_crashdump": ("host",),
    "host_patch": ("host", "pool_patch"),
    "Feature": ("host",),
    "Certificate": ("host",),
    "PCI": ("host",),
    "PGPU": ("host",),
    "PUSB": ("host",),
    "PIF": ("host",),
    "PBD": ("host", "SR"),
    "Host_driver": ("host",),
    "Driver_variant": ("driver",),
    "PVS_cache_storage": ("host",),
    "Cluster_host": ("host", "cluster"),
    "Bond": ("master",),
    "VLAN": ("tagged_PIF", "untagged_PIF"),
    "tunnel": ("access_PIF", "transport_PIF"),
    "network_sriov": ("physical_PIF", "logical_PIF"),
    "VDI": ("SR",),
    "PVS_server": ("site",),
    "VBD": ("VM",),
    "VIF": ("VM",),
    "console": ("VM",),
    "VTPM": ("VM",),
    "VUSB": ("VM", "USB_group"),
    "VGPU": ("VM",),
    "crashdump": ("VM", "VDI"),
    "PVS_proxy": ("VIF",),
}

# What is part of one other row, which names it: it comes and goes with that.
PARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "host_metrics": (("host", "metrics"),),
    "PIF_metrics": (("PIF", "metrics"),),
    "VM_metrics": (("VM", "metrics"),),
    "VM_guest_metrics": (("VM", "guest_metrics"),),
    "VBD_metrics": (("VBD", "metrics"),),
    "VIF_metrics": (("VIF", "metrics"),),
    "blob": (("host", "blobs"), ("VM", "blobs"), ("SR", "blobs"), ("network", "blobs")),
}

# What each pool has of its own, of which nothing comes: a pool's settings, users and updates, who is logged in
# and what is being done, and the kinds of storage, of which joining asks that they agree.
POOLS = (
    "pool", "session", "task", "role", "subject", "user", "pool_patch", "pool_update", "Repository", "SM", "LVHD",
    "DR_task", "SDN_controller", "Cluster", "Observer", "Caller", "Rate_limit",
)  # fmt: skip

# Fields of pool-wide rows that name a secret of the pool's.
_POOL_SECRETS = (
    ("pool", "wlb_password"), ("pool", "repository_proxy_password"), ("pool", "telemetry_uuid"),
)  # fmt: skip


def stays_behind(db: Database, cls: str, ref: str) -> bool:
    """Say whether a row of `WHOLE` is one of which the master has its own: templates, tools, secrets of the pool."""
    match cls:
        case "VM":
            return db.flag("VM", ref, "is_default_template")
        case "SR":
            return db.flag("SR", ref, "is_tools_sr")
        case "secret":
            return any(ref == db.get(c, r, field) for c, field in _POOL_SECRETS for r in db.refs(c))
        case _:
            return False


def own_fields(db: Database, cls: str) -> list[Field]:
    """Return the fields that are written; the derived ends of relations follow from them."""
    derived = {
        rel.field_many
        for rel in db.model.relations
        if rel.many == cls and rel.one in db.tables and not rel.is_loop
    }
    return [field for field in db.model.classes[cls].fields if field.name not in derived]


def refs_in(of: Type, value: Value) -> Iterator[Key]:
    """Yield the class and ref of all that a value of type `of` names, the null ref too."""
    if of.kind is Kind.REF:
        yield of.name, cast("str", value)
    elif of.kind is Kind.SET:
        for item in cast("list[Value]", value):
            yield from refs_in(of.of[0], item)
    elif of.kind is Kind.MAP:
        for key, item in cast("dict[str, Value]", value).items():
            yield from refs_in(of.of[0], key)
            yield from refs_in(of.of[1], item)


def ref_class(db: Database, cls: str, name: str) -> str:
    """Return the class that a field of one ref names."""
    return db.model.classes[cls].by_name[name].type.name


def part_refs(db: Database, cls: str, holders: set[Key]) -> Iterator[str]:
    """Yield the rows of a class of `PARTS` that rows of `holders` name."""
    for holder, name in PARTS[cls]:
        of = db.model.classes[holder].by_name[name].type
        for ref in db.refs(holder):
            if (holder, ref) in holders:
                yield from (
                    part for _, part in refs_in(of, db.get(holder, ref, name)) if db.exists(cls, part)
                )

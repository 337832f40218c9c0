"""What goes from a pool with a host that leaves it, and what forbids that it leaves. Pure.

As in the reference, guests stay: a VM whose disks were all on the host's own storage remains as a record without
disks, its disc drives empty. So do networks, though the host brought them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api.own_host import worker_of
from xapi_shim.api.pool_join_side import master_side
from xapi_shim.api.pool_rows import OWNERS, PARTS, own_fields, part_refs, ref_class, refs_in
from xapi_shim.api.storage_secrets import secrets_of
from xapi_shim.database.replication import Destroy, Put
from xapi_shim.datamodel.errors import (
    HaIsEnabledError,
    NotSupportedDuringUpgradeError,
    OperationNotAllowedError,
)
from xapi_shim.datamodel.types import NULL_REF, Kind, Type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from xapi_shim.api.pool_rows import Key
    from xapi_shim.database.database import Database
    from xapi_shim.database.replication import Operation
    from xapi_shim.datamodel.model import Value


def check_eject(db: Database, host: str) -> None:
    """Raise what forbids that a host leaves, in the reference's order.

    HA_IS_ENABLED [], NOT_SUPPORTED_DURING_UPGRADE [] while updates are applied, OPERATION_NOT_ALLOWED [why] for
    the master (the reference fails with an INTERNAL_ERROR there) and while a guest is on the host, or started there.
    That is the reference's code here; HOST_HAS_RESIDENT_VMS [host] is what host.destroy raises.
    """
    pool = master_side(db)
    if pool.pool_flag("ha_enabled"):
        raise HaIsEnabledError
    if pool.is_updating:
        raise NotSupportedDuringUpgradeError
    if pool.host == host:
        raise OperationNotAllowedError("the pool's master cannot leave it")
    dom0 = db.text("host", host, "control_domain")
    for vm in db.items("host", host, "resident_VMs"):
        if vm != dom0 and db.text("VM", vm, "power_state") != "Halted":
            raise OperationNotAllowedError(f"VM {db.text('VM', vm, 'uuid')} is on the host")
    for vm in db.refs("VM"):
        if any(worker_of(db, key) == host for key in db.mapping("VM", vm, "current_operations")):
            raise OperationNotAllowedError(f"the host is at work on VM {db.text('VM', vm, 'uuid')}")


def leave_operations(db: Database, host: str) -> list[Operation]:
    """Return what takes a host out of the pool's records. Raises HANDLE_INVALID [host; ref].

    `check_eject` comes first: a guest that runs there would be on no host. allowed_operations of what is left
    are the caller's to compute anew.
    """
    return drop_operations(db, leaving_rows(db, host))


def leaving_rows(db: Database, host: str, spared: Collection[Key] = frozenset()) -> set[Key]:
    """Return what is the host's own: its hardware, its storage that no other host reaches, its control domain.

    What is `spared` stays, and so does what would go because of it; but the host's own hardware.
    """
    gone: set[Key] = {("host", host)}

    def add(cls: str, refs: Iterable[str]) -> None:
        gone.update([(cls, ref) for ref in refs if (cls, ref) not in spared])

    add("SR", _own_storage(db, host))
    add("VM", _control_domains(db, host, gone))
    add("USB_group", _own_usb_groups(db, host))
    for cls, names in OWNERS.items():
        owners = [(name, ref_class(db, cls, name)) for name in names]
        add(cls, (ref for ref in db.refs(cls) if any((of, db.get(cls, ref, n)) in gone for n, of in owners)))
        if cls == "VBD":
            add(cls, _drives(db, gone))
    for cls in PARTS:
        add(cls, part_refs(db, cls, gone))
    add("secret", _secrets(db, gone))
    return gone.difference(spared)


def _own_storage(db: Database, host: str) -> set[str]:
    mine = {db.text("PBD", pbd, "SR") for pbd in db.items("host", host, "PBDs")}
    return {
        sr
        for sr in mine
        if db.exists("SR", sr)
        and all(db.text("PBD", pbd, "host") == host for pbd in db.items("SR", sr, "PBDs"))
    }


def _control_domains(db: Database, host: str, gone: Collection[Key]) -> Iterator[str]:
    """Yield those that run on the host; one that runs nowhere is the host's if it has disks there."""
    for vm in db.refs("VM"):
        if not db.flag("VM", vm, "is_control_domain"):
            continue
        home = db.text("VM", vm, "resident_on")
        if home == host or (not db.exists("host", home) and _has_disks(db, vm, gone)):
            yield vm
    dom0 = db.text("host", host, "control_domain")
    if db.exists("VM", dom0):
        yield dom0


def _has_disks(db: Database, vm: str, gone: Collection[Key]) -> bool:
    disks = (db.text("VBD", vbd, "VDI") for vbd in db.items("VM", vm, "VBDs"))
    return any(db.exists("VDI", disk) and ("SR", db.text("VDI", disk, "SR")) in gone for disk in disks)


def _own_usb_groups(db: Database, host: str) -> set[str]:
    """Return the groups that are empty without the host's devices, as those of a device that is unplugged."""
    mine = {db.text("PUSB", pusb, "USB_group") for pusb in db.items("host", host, "PUSBs")}
    return {
        group
        for group in mine
        if db.exists("USB_group", group)
        and all(db.text("PUSB", pusb, "host") == host for pusb in db.items("USB_group", group, "PUSBs"))
    }


def _drives(db: Database, gone: Collection[Key]) -> Iterator[str]:
    """Yield the drives whose disk goes; a disc drive is left, empty."""
    for vbd in db.refs("VBD"):
        if ("VDI", db.text("VBD", vbd, "VDI")) in gone and db.text("VBD", vbd, "type") != "CD":
            yield vbd


def _secrets(db: Database, gone: Collection[Key]) -> set[str]:
    """Return the secrets that nothing but `gone` names: of PBDs by uuid, of trusted platform modules."""
    of_disks = secrets_of(db, (ref for cls, ref in gone if cls == "PBD"))
    named: dict[bool, set[str]] = {True: set(), False: set()}
    for vtpm in db.refs("VTPM"):
        if db.exists("secret", secret := db.text("VTPM", vtpm, "contents")):
            named[("VTPM", vtpm) in gone].add(secret)
    return (of_disks | named[True]) - named[False]


def drop_operations(db: Database, gone: Collection[Key]) -> list[Operation]:
    """Return what destroys rows, and makes what is left name none of them."""
    operations: list[Operation] = []
    for cls in db.tables:
        fields = [(f.name, f.type) for f in own_fields(db, cls) if _has_refs(f.type)]
        for ref in db.refs(cls) if fields else ():
            if (cls, ref) in gone:
                continue
            for name, of in fields:
                value = db.get(cls, ref, name)
                if any(key in gone for key in refs_in(of, value)):
                    put = Put(cls, ref, name, _without(of, value, gone))
                    operations += [put, *_follow(put)]
    # Sorted, so that one change of a pool is always the same.
    return operations + [Destroy(cls, ref) for cls, ref in sorted(gone)]


def _follow(put: Put) -> Iterator[Operation]:
    """Yield what else is so where a row names something no more."""
    if (put.cls, put.name) == ("VBD", "VDI"):
        yield Put(put.cls, put.ref, "empty", value=True)
    elif (put.cls, put.name) == ("Observer", "hosts") and not put.value:
        yield Put(put.cls, put.ref, "enabled", value=False)  # no hosts would mean all of them


def _has_refs(of: Type) -> bool:
    return of.kind is Kind.REF or any(_has_refs(inner) for inner in of.of)


def _without(of: Type, value: Value, gone: Collection[Key]) -> Value:
    """Return a value without refs to `gone`: the null ref, fewer elements, fewer pairs."""

    def names_gone(of: Type, value: Value) -> bool:
        return any(key in gone for key in refs_in(of, value))

    if of.kind is Kind.SET:
        return [item for item in cast("list[Value]", value) if not names_gone(of.of[0], item)]
    if of.kind is Kind.MAP:
        pairs = cast("dict[str, Value]", value)
        return {k: v for k, v in pairs.items() if not (names_gone(of.of[0], k) or names_gone(of.of[1], v))}
    return NULL_REF

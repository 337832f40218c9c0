"""VDI.*: records of disks that are there already, and what a disk's record says of its use."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api.allowed import VDI_UNUSED, update_vdi
from xapi_shim.api.operations import operation
from xapi_shim.api.storage_access import refresh_sizes, storage_errors
from xapi_shim.api.vdi import attached_driver, check_unused, remove_vdi
from xapi_shim.datamodel.errors import (
    DbUniquenessConstraintViolationError,
    LocationNotUniqueError,
    SrOperationNotSupportedError,
    VdiInUseError,
    VdiLocationMissingError,
    VdiMissingError,
)

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value
    from xapi_shim.storage.interface import VolumeInfo


async def introduce(  # noqa: PLR0913 -- the declared parameters
    call: Call,
    uuid: str,
    name_label: str,
    name_description: str,
    SR: str,  # noqa: N803 -- the declared name
    type: str,  # noqa: A002
    sharable: bool,  # noqa: FBT001
    read_only: bool,  # noqa: FBT001
    other_config: dict[str, str],
    location: str,
    xenstore_data: dict[str, str],
    sm_config: dict[str, str],
    managed: bool,  # noqa: FBT001
    virtual_size: int,  # noqa: ARG001 -- the volume's own is told
    physical_utilisation: int,  # noqa: ARG001
    metadata_of_pool: str,
    is_a_snapshot: bool,  # noqa: FBT001
    snapshot_time: str,
    snapshot_of: str,
) -> str:
    """Make the record of a volume that is on its SR at `location`.

    Raises SR_HAS_NO_PBDS, VDI_LOCATION_MISSING [SR; location], LOCATION_NOT_UNIQUE [SR; location],
    DB_UNIQUENESS_CONSTRAINT_VIOLATION.
    """
    db = call.db
    db.assert_exists("SR", SR)
    _check_new(db, SR, uuid, location)
    with operation(call, "SR", SR, "vdi_introduce"):
        volume = await _volume(call, SR, location)
        if volume is None:
            raise VdiLocationMissingError(SR, location)
        _check_new(db, SR, uuid, location)
        ref = _create(
            db,
            {
                "uuid": uuid or volume.uuid,
                "name_label": name_label,
                "name_description": name_description,
                "SR": SR,
                "type": type,
                "sharable": sharable,
                "read_only": read_only or volume.read_only,
                "other_config": cast("Value", other_config),
                "location": location,
                "xenstore_data": cast("Value", xenstore_data),
                "sm_config": cast("Value", sm_config),
                "managed": managed,
                "virtual_size": volume.virtual_size_bytes,
                "physical_utilisation": volume.physical_utilisation_bytes,
                "metadata_of_pool": metadata_of_pool,
                "is_a_snapshot": is_a_snapshot,
                "snapshot_time": snapshot_time,
                "snapshot_of": snapshot_of,
            },
        )
        await refresh_sizes(call.tools, SR)
    return ref


async def db_introduce(  # noqa: PLR0913 -- the declared parameters
    call: Call,
    uuid: str,
    name_label: str,
    name_description: str,
    SR: str,  # noqa: N803 -- the declared name
    type: str,  # noqa: A002
    sharable: bool,  # noqa: FBT001
    read_only: bool,  # noqa: FBT001
    other_config: dict[str, str],
    location: str,
    xenstore_data: dict[str, str],
    sm_config: dict[str, str],
    managed: bool,  # noqa: FBT001
    virtual_size: int,
    physical_utilisation: int,
    metadata_of_pool: str,
    is_a_snapshot: bool,  # noqa: FBT001
    snapshot_time: str,
    snapshot_of: str,
    cbt_enabled: bool,  # noqa: FBT001
) -> str:
    """Make a disk's record as told, without looking at its SR. Raises LOCATION_NOT_UNIQUE and more."""
    db = call.db
    db.assert_exists("SR", SR)
    _check_new(db, SR, uuid, location)
    return _create(
        db,
        {
            "uuid": uuid,
            "name_label": name_label,
            "name_description": name_description,
            "SR": SR,
            "type": type,
            "sharable": sharable,
            "read_only": read_only,
            "other_config": cast("Value", other_config),
            "location": location,
            "xenstore_data": cast("Value", xenstore_data),
            "sm_config": cast("Value", sm_config),
            "managed": managed,
            "virtual_size": virtual_size,
            "physical_utilisation": physical_utilisation,
            "metadata_of_pool": metadata_of_pool,
            "is_a_snapshot": is_a_snapshot,
            "snapshot_time": snapshot_time,
            "snapshot_of": snapshot_of,
            "cbt_enabled": cbt_enabled,
        },
    )


def _create(db: Database, values: dict[str, Value]) -> str:
    return db.create("VDI", {**values, "allowed_operations": list(VDI_UNUSED)})


def _check_new(db: Database, sr: str, uuid: str, location: str) -> None:
    """Raise LOCATION_NOT_UNIQUE [SR; location], DB_UNIQUENESS_CONSTRAINT_VIOLATION [table; field; value]."""
    if any(db.text("VDI", vdi, "location") == location for vdi in db.items("SR", sr, "VDIs")):
        raise LocationNotUniqueError(sr, location)
    if uuid and db.find_uuid("VDI", uuid):
        raise DbUniquenessConstraintViolationError("VDI", "uuid", uuid)


async def _volume(call: Call, sr: str, location: str) -> VolumeInfo | None:
    driver = attached_driver(call.tools, sr)
    with storage_errors(sr):
        return next((volume for volume in await driver.scan() if volume.key == location), None)


async def db_forget(call: Call, vdi: str) -> None:
    """Remove a disk's record, and leave the disk. Raises VDI_IN_USE."""
    check_unused(call.db, vdi, "forget")
    remove_vdi(call.db, vdi)


async def update(call: Call, vdi: str) -> None:
    """Read a disk's sizes from its SR. Raises SR_HAS_NO_PBDS, VDI_MISSING [SR; VDI]."""
    db = call.db
    sr = db.text("VDI", vdi, "SR")
    with operation(call, "VDI", vdi, "update"):
        volume = await _volume(call, sr, db.text("VDI", vdi, "location"))
        if volume is None:
            db.set("VDI", vdi, "missing", value=True)
            raise VdiMissingError(sr, vdi)
        db.update(
            "VDI",
            vdi,
            missing=False,
            virtual_size=volume.virtual_size_bytes,
            physical_utilisation=volume.physical_utilisation_bytes,
        )


async def set_read_only(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    """Say whether guests may write a disk. Raises VDI_IN_USE while one does."""
    db = call.db
    if value and "RW" in _modes(db, self):
        raise VdiInUseError(self, "set_read_only")
    _set(db, self, "read_only", value=value)


async def set_sharable(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    """Say whether several guests may write a disk at once. Raises VDI_IN_USE while they do."""
    db = call.db
    modes = _modes(db, self)
    if not value and len(modes) > 1 and "RW" in modes:
        raise VdiInUseError(self, "set_sharable")
    _set(db, self, "sharable", value=value)


def _modes(db: Database, vdi: str) -> list[str]:
    """Return how guests have a disk now."""
    vbds = db.items("VDI", vdi, "VBDs")
    return [db.text("VBD", vbd, "mode") for vbd in vbds if db.flag("VBD", vbd, "currently_attached")]


def _set(db: Database, vdi: str, field: str, *, value: bool) -> None:
    with db.transaction():
        db.set("VDI", vdi, field, value)
        update_vdi(db, vdi)


async def set_on_boot(call: Call, self: str, value: str) -> None:
    """Have a disk keep what guests write. Raises SR_OPERATION_NOT_SUPPORTED [SR]: no SR here resets disks."""
    check_unused(call.db, self, "set_on_boot")
    if value != "persist":
        raise SrOperationNotSupportedError(call.db.text("VDI", self, "SR"))
    call.db.set("VDI", self, "on_boot", value)


MESSAGES = {
    "VDI.introduce": introduce,
    "VDI.db_introduce": db_introduce,
    "VDI.pool_introduce": db_introduce,
    "VDI.db_forget": db_forget,
    "VDI.update": update,
    "VDI.set_read_only": set_read_only,
    "VDI.set_sharable": set_sharable,
    "VDI.set_on_boot": set_on_boot,
}

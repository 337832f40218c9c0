"""VDI.*: virtual disks."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, cast

from xapi_shim.api.storage_access import driver_of, refresh_sizes, storage_errors
from xapi_shim.datamodel.errors import (
    HandleInvalidError,
    InvalidValueError,
    OperationNotAllowedError,
    SrHasNoPbdsError,
    VdiInUseError,
)
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.datamodel.model import Value
    from xapi_shim.storage.interface import SrDriver, VolumeInfo

ALLOWED = ["destroy", "forget", "resize", "update"]


def add_vdi(tools: Toolstack, sr: str, volume: VolumeInfo, values: Mapping[str, Value]) -> str:
    """Make the record of a volume."""
    return tools.db.create(
        "VDI",
        {
            **values,
            "uuid": volume.uuid,
            "location": volume.uuid,
            "SR": sr,
            "virtual_size": volume.virtual_size_bytes,
            "physical_utilisation": volume.physical_utilisation_bytes,
            "managed": True,
            "allowed_operations": ALLOWED,
        },
    )


async def create(call: Call, args: dict[str, Value]) -> str:
    """Make a disk on an SR. Raises SR_HAS_NO_PBDS, SR_FULL, SR_BACKEND_FAILURE_*, INVALID_VALUE."""
    db = call.db
    values = Coercion(db.model).constructor(db.model.classes["VDI"], args)
    sr, size = cast("str", values["SR"]), cast("int", values["virtual_size"])
    if not db.exists("SR", sr):
        raise HandleInvalidError("SR", sr)
    if size <= 0:
        raise InvalidValueError("virtual_size", str(size))
    driver = _driver(call.tools, sr)
    with storage_errors(sr):
        volume = await driver.volume_create(str(uuid.uuid4()), size)
    vdi = add_vdi(call.tools, sr, volume, values)
    await refresh_sizes(call.tools, sr)
    return vdi


def _driver(tools: Toolstack, sr: str) -> SrDriver:
    driver = driver_of(tools, sr)
    if driver is None:
        raise SrHasNoPbdsError(sr)
    return driver


def _check_unused(call: Call, vdi: str, operation: str) -> None:
    """Raise VDI_IN_USE [vdi; operation] while a guest has the disk."""
    if any(call.db.flag("VBD", vbd, "currently_attached") for vbd in call.db.items("VDI", vdi, "VBDs")):
        raise VdiInUseError(vdi, operation)


async def destroy(call: Call, self: str) -> None:
    """Destroy a disk for good. Raises VDI_IN_USE while a guest has it."""
    db = call.db
    _check_unused(call, self, "destroy")
    sr = db.text("VDI", self, "SR")
    driver = _driver(call.tools, sr)
    with storage_errors(sr):
        await driver.volume_destroy(db.text("VDI", self, "location"))
    with db.transaction():
        for vbd in db.items("VDI", self, "VBDs"):
            db.destroy("VBD", vbd)
        db.destroy("VDI", self)
    await refresh_sizes(call.tools, sr)


async def forget(call: Call, vdi: str) -> None:
    """Remove a disk's record, and leave the disk. Raises VDI_IN_USE."""
    _check_unused(call, vdi, "forget")
    with call.db.transaction():
        for vbd in call.db.items("VDI", vdi, "VBDs"):
            call.db.destroy("VBD", vbd)
        call.db.destroy("VDI", vdi)


async def resize(call: Call, vdi: str, size: int) -> None:
    """Make a disk larger, in bytes. Raises VDI_IN_USE, OPERATION_NOT_ALLOWED for shrinking."""
    db = call.db
    _check_unused(call, vdi, "resize")
    if size < db.number("VDI", vdi, "virtual_size"):
        raise OperationNotAllowedError("a disk cannot be made smaller")
    sr = db.text("VDI", vdi, "SR")
    driver = _driver(call.tools, sr)
    with storage_errors(sr):
        volume = await driver.volume_resize(db.text("VDI", vdi, "location"), size)
    db.set("VDI", vdi, "virtual_size", volume.virtual_size_bytes)


async def set_name_label(call: Call, self: str, value: str) -> None:
    call.db.set("VDI", self, "name_label", value)


async def set_name_description(call: Call, self: str, value: str) -> None:
    call.db.set("VDI", self, "name_description", value)


MESSAGES = {
    "VDI.create": create,
    "VDI.destroy": destroy,
    "VDI.forget": forget,
    "VDI.resize": resize,
    "VDI.set_name_label": set_name_label,
    "VDI.set_name_description": set_name_description,
}

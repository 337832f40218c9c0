"""VDI.*: virtual disks."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from xapi_shim.api.allowed import update_vdi
from xapi_shim.api.operations import operation
from xapi_shim.api.own_host import host_of
from xapi_shim.api.storage_access import check_capability, driver_of, refresh_sizes, storage_errors
from xapi_shim.datamodel.errors import (
    InvalidValueError,
    OperationNotAllowedError,
    SrHasNoPbdsError,
    VdiInUseError,
)
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value
    from xapi_shim.storage.interface import SrDriver, VolumeInfo


def add_vdi(tools: Toolstack, sr: str, volume: VolumeInfo, values: Mapping[str, Value]) -> str:
    """Make the record of a volume."""
    db = tools.db
    with db.transaction():
        vdi = db.create(
            "VDI",
            {
                **values,
                "uuid": volume.uuid,
                "location": volume.key,
                "SR": sr,
                "virtual_size": volume.virtual_size_bytes,
                "physical_utilisation": volume.physical_utilisation_bytes,
                "managed": True,
                "read_only": volume.read_only or bool(values.get("read_only")),
            },
        )
        update_vdi(db, vdi)
    return vdi


async def create(call: Call, args: dict[str, Value]) -> str:
    """Make a disk on an SR.

    Raises SR_HAS_NO_PBDS, SR_OPERATION_NOT_SUPPORTED [sr], SR_FULL, SR_BACKEND_FAILURE_*, INVALID_VALUE.
    """
    db = call.db
    values = Coercion(db.model).constructor(db.model.classes["VDI"], args)
    sr, size = cast("str", values["SR"]), cast("int", values["virtual_size"])
    db.assert_exists("SR", sr)
    if size <= 0:
        raise InvalidValueError("virtual_size", str(size))
    driver = attached_driver(call.tools, sr)
    check_capability(driver, "VDI_CREATE", sr)
    with operation(call, "SR", sr, "vdi_create"):
        with storage_errors(sr):
            volume = await driver.volume_create(str(uuid.uuid4()), size)
        vdi = add_vdi(call.tools, sr, volume, values)
        await refresh_sizes(call.tools, sr)
    return vdi


def attached_driver(tools: Toolstack, sr: str) -> SrDriver:
    driver = driver_of(tools, sr)
    if driver is None:
        raise SrHasNoPbdsError(sr)
    return driver


def check_unused(db: Database, vdi: str, operation_name: str, *, host: str | None = None) -> None:
    """Raise VDI_IN_USE [vdi; operation] while a guest has the disk, or is being given it.

    With a `host` the guests that run on others do not count.
    """
    for vbd in db.items("VDI", vdi, "VBDs"):
        if db.flag("VBD", vbd, "currently_attached") or db.flag("VBD", vbd, "reserved"):
            runs_on = host_of(db, db.text("VBD", vbd, "VM"))
            if host is None or runs_on in (None, host):
                raise VdiInUseError(vdi, operation_name)


@contextmanager
def _disk_operation(call: Call, vdi: str, name: str) -> Iterator[None]:
    """Do `name` to a disk that no guest has, noted at it and at its SR. Raises VDI_IN_USE, OTHER_OPERATION_IN_PROGRESS."""
    check_unused(call.db, vdi, name)
    sr = call.db.text("VDI", vdi, "SR")
    with operation(call, "SR", sr, f"vdi_{name}"), operation(call, "VDI", vdi, name):
        yield


async def destroy(call: Call, self: str) -> None:
    """Destroy a disk for good. Raises VDI_IN_USE while a guest has it, SR_OPERATION_NOT_SUPPORTED [sr]."""
    db = call.db
    sr = db.text("VDI", self, "SR")
    driver = attached_driver(call.tools, sr)
    check_capability(driver, "VDI_DELETE", sr)
    with _disk_operation(call, self, "destroy"):
        with storage_errors(sr):
            await driver.volume_destroy(db.text("VDI", self, "location"))
        remove_vdi(db, self)
    await refresh_sizes(call.tools, sr)


def remove_vdi(db: Database, vdi: str) -> None:
    """Remove a disk's record, and the drives that had it."""
    with db.transaction():
        for vbd in db.items("VDI", vdi, "VBDs"):
            db.destroy("VBD", vbd)
        db.destroy("VDI", vdi)


async def forget(call: Call, vdi: str) -> None:
    """Remove a disk's record, and leave the disk. Raises VDI_IN_USE, OTHER_OPERATION_IN_PROGRESS."""
    check_unused(call.db, vdi, "forget")
    with operation(call, "VDI", vdi, "forget"):
        remove_vdi(call.db, vdi)


async def resize(call: Call, vdi: str, size: int) -> None:
    """Make a disk larger, in bytes. Raises VDI_IN_USE, OPERATION_NOT_ALLOWED for shrinking."""
    db = call.db
    sr = db.text("VDI", vdi, "SR")
    check_unused(db, vdi, "resize")
    if size < db.number("VDI", vdi, "virtual_size"):
        raise OperationNotAllowedError("a disk cannot be made smaller")
    driver = attached_driver(call.tools, sr)
    check_capability(driver, "VDI_RESIZE", sr)
    with _disk_operation(call, vdi, "resize"):
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

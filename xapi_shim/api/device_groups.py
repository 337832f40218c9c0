"""GPU_group.* and USB_group.*: groups as records; and what a guest's crash left."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api import vdi as vdi_messages
from xapi_shim.datamodel.errors import (
    GpuGroupContainsPgpuError,
    GpuGroupContainsVgpuError,
    UsbGroupContainsPusbError,
    UsbGroupContainsVusbError,
)

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value


async def create_gpu_group(
    call: Call, name_label: str, name_description: str, other_config: dict[str, str]
) -> str:
    return _create(call, "GPU_group", name_label, name_description, other_config)


async def create_usb_group(
    call: Call, name_label: str, name_description: str, other_config: dict[str, str]
) -> str:
    return _create(call, "USB_group", name_label, name_description, other_config)


def _create(call: Call, cls: str, name_label: str, name_description: str, other: dict[str, str]) -> str:
    values = {"name_label": name_label, "name_description": name_description, "other_config": other}
    return call.db.create(cls, cast("dict[str, Value]", values))


async def destroy_gpu_group(call: Call, self: str) -> None:
    """Forget an empty group. Raises GPU_GROUP_CONTAINS_PGPU [refs], GPU_GROUP_CONTAINS_VGPU [refs]."""
    if pgpus := call.db.items("GPU_group", self, "PGPUs"):
        raise GpuGroupContainsPgpuError(*pgpus)
    if vgpus := call.db.items("GPU_group", self, "VGPUs"):
        raise GpuGroupContainsVgpuError(*vgpus)
    call.db.destroy("GPU_group", self)


async def destroy_usb_group(call: Call, self: str) -> None:
    """Forget an empty group. Raises USB_GROUP_CONTAINS_PUSB [refs], USB_GROUP_CONTAINS_VUSB [refs]."""
    if pusbs := call.db.items("USB_group", self, "PUSBs"):
        raise UsbGroupContainsPusbError(*pusbs)
    if vusbs := call.db.items("USB_group", self, "VUSBs"):
        raise UsbGroupContainsVusbError(*vusbs)
    call.db.destroy("USB_group", self)


async def update_vgpu_types(call: Call, self: str) -> None:
    """Recompute what the group's cards together could, and may, be used as."""
    gather_vgpu_types(call.db, self)


def gather_vgpu_types(db: Database, group: str) -> None:
    """Write what a group's cards could, and may, be used as into the group; nothing where there is no group."""
    if not db.exists("GPU_group", group):
        return
    for field in ("supported_VGPU_types", "enabled_VGPU_types"):
        cards = db.items("GPU_group", group, "PGPUs")
        types = [kind for pgpu in cards for kind in db.items("PGPU", pgpu, field)]
        db.set("GPU_group", group, field, cast("Value", list(dict.fromkeys(types))))


async def destroy_crashdump(call: Call, self: str) -> None:
    """Destroy a crash dump with its disk. Raises as VDI.destroy does."""
    disk = call.db.text("crashdump", self, "VDI")
    if call.db.exists("VDI", disk):
        await vdi_messages.destroy(call, disk)
    call.db.destroy("crashdump", self)


MESSAGES = {
    "GPU_group.create": create_gpu_group,
    "GPU_group.destroy": destroy_gpu_group,
    "GPU_group.update_enabled_VGPU_types": update_vgpu_types,
    "GPU_group.update_supported_VGPU_types": update_vgpu_types,
    "USB_group.create": create_usb_group,
    "USB_group.destroy": destroy_usb_group,
    "crashdump.destroy": destroy_crashdump,
}

"""PGPU.*, VGPU.* and what a GPU_group has room for: records and their rules; no guest gets a graphics card yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api.device_groups import gather_vgpu_types
from xapi_shim.api.operations import check_power_state
from xapi_shim.datamodel.errors import (
    DeviceAlreadyExistsError,
    InvalidDeviceError,
    PgpuInUseByVmError,
    PgpuNotCompatibleWithGpuGroupError,
    VgpuTypeNotSupportedError,
)
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value


def room(most: int, resident: list[str], wanted: str) -> int:
    """Return how many more of a kind a card takes, by the kinds that run on it: one kind at a time."""
    return 0 if any(kind != wanted for kind in resident) else max(0, most - len(resident))


def capacity(db: Database, pgpu: str, kind: str) -> int:
    """Return how many more virtual processors of a kind a card has room for."""
    if kind not in db.items("PGPU", pgpu, "enabled_VGPU_types"):
        return 0
    most = cast("dict[str, int]", db.get("PGPU", pgpu, "supported_VGPU_max_capacities")).get(kind, 0)
    resident = [db.text("VGPU", vgpu, "type") for vgpu in db.items("PGPU", pgpu, "resident_VGPUs")]
    return room(most, resident, kind)


async def get_remaining_capacity(call: Call, self: str, vgpu_type: str) -> int:
    return capacity(call.db, self, vgpu_type)


async def get_group_remaining_capacity(call: Call, self: str, vgpu_type: str) -> int:
    """Return how many more virtual processors of a kind a group's cards have room for."""
    return sum(capacity(call.db, pgpu, vgpu_type) for pgpu in call.db.items("GPU_group", self, "PGPUs"))


async def set_enabled_vgpu_types(call: Call, self: str, value: list[str]) -> None:
    """Choose what a card may be used as.

    Raises VGPU_TYPE_NOT_SUPPORTED [type; supported], PGPU_IN_USE_BY_VM [VMs] for a kind that runs.
    """
    db = call.db
    supported = db.items("PGPU", self, "supported_VGPU_types")
    for kind in value:
        if kind not in supported:
            raise VgpuTypeNotSupportedError(kind, ",".join(supported))
    running = [v for v in db.items("PGPU", self, "resident_VGPUs") if db.text("VGPU", v, "type") not in value]
    if running:
        raise PgpuInUseByVmError(*(db.text("VGPU", vgpu, "VM") for vgpu in running))
    with db.transaction():
        db.set("PGPU", self, "enabled_VGPU_types", cast("Value", value))
        gather_vgpu_types(db, db.text("PGPU", self, "GPU_group"))


async def add_enabled_vgpu_types(call: Call, self: str, value: str) -> None:
    have = call.db.items("PGPU", self, "enabled_VGPU_types")
    await set_enabled_vgpu_types(call, self, list(dict.fromkeys([*have, value])))


async def remove_enabled_vgpu_types(call: Call, self: str, value: str) -> None:
    have = call.db.items("PGPU", self, "enabled_VGPU_types")
    await set_enabled_vgpu_types(call, self, [kind for kind in have if kind != value])


async def set_gpu_group(call: Call, self: str, value: str) -> None:
    """Move a card to another group.

    Raises PGPU_IN_USE_BY_VM [VMs], PGPU_NOT_COMPATIBLE_WITH_GPU_GROUP [type; the group's types].
    """
    db = call.db
    db.assert_exists("GPU_group", value)
    if resident := db.items("PGPU", self, "resident_VGPUs"):
        raise PgpuInUseByVmError(*(db.text("VGPU", vgpu, "VM") for vgpu in resident))
    kind, types = _card_type(db, self), db.items("GPU_group", value, "GPU_types")
    if types and kind not in types:
        raise PgpuNotCompatibleWithGpuGroupError(kind, ",".join(types))
    before = db.text("PGPU", self, "GPU_group")
    with db.transaction():
        db.set("PGPU", self, "GPU_group", value)
        for group in (before, value):
            if db.exists("GPU_group", group):
                gather_vgpu_types(db, group)
                cards = {_card_type(db, pgpu) for pgpu in db.items("GPU_group", group, "PGPUs")}
                db.set("GPU_group", group, "GPU_types", cast("Value", sorted(cards)))


def _card_type(db: Database, pgpu: str) -> str:
    """Return what kind of card a PGPU is: its maker's and its own number on the bus."""
    pci = db.text("PGPU", pgpu, "PCI")
    if not db.exists("PCI", pci):
        return ""
    return f"{db.text('PCI', pci, 'vendor_id')}/{db.text('PCI', pci, 'device_id')}"


async def create_vgpu(
    call: Call,
    VM: str,  # noqa: N803 -- the declared name
    GPU_group: str,  # noqa: N803
    device: str,
    other_config: dict[str, str],
    type: str,  # noqa: A002
) -> str:
    """Give a halted VM a virtual graphics processor of a group; no type is the whole card.

    Raises INVALID_DEVICE, DEVICE_ALREADY_EXISTS, VM_BAD_POWER_STATE, VGPU_TYPE_NOT_SUPPORTED [type; supported].
    """
    db = call.db
    db.assert_exists("VM", VM)
    db.assert_exists("GPU_group", GPU_group)
    if not (device.isascii() and device.isdecimal()):
        raise InvalidDeviceError(device)
    check_power_state(db, VM, "Halted")
    if device in {db.text("VGPU", vgpu, "device") for vgpu in db.items("VM", VM, "VGPUs")}:
        raise DeviceAlreadyExistsError(device)
    supported = db.items("GPU_group", GPU_group, "supported_VGPU_types")
    kind = _whole_card(db, supported) if type == NULL_REF else type
    if kind not in supported:
        raise VgpuTypeNotSupportedError(kind, ",".join(supported))
    values = {"VM": VM, "GPU_group": GPU_group, "device": device, "other_config": other_config, "type": kind}
    return db.create("VGPU", cast("dict[str, Value]", values))


def _whole_card(db: Database, supported: list[str]) -> str:
    whole = [kind for kind in supported if db.text("VGPU_type", kind, "implementation") == "passthrough"]
    return whole[0] if whole else NULL_REF


async def destroy_vgpu(call: Call, self: str) -> None:
    """Take a virtual graphics processor from a halted VM. Raises VM_BAD_POWER_STATE."""
    check_power_state(call.db, call.db.text("VGPU", self, "VM"), "Halted")
    call.db.destroy("VGPU", self)


MESSAGES = {
    "GPU_group.get_remaining_capacity": get_group_remaining_capacity,
    "PGPU.get_remaining_capacity": get_remaining_capacity,
    "PGPU.set_enabled_VGPU_types": set_enabled_vgpu_types,
    "PGPU.add_enabled_VGPU_types": add_enabled_vgpu_types,
    "PGPU.remove_enabled_VGPU_types": remove_enabled_vgpu_types,
    "PGPU.set_GPU_group": set_gpu_group,
    "VGPU.create": create_vgpu,
    "VGPU.destroy": destroy_vgpu,
}

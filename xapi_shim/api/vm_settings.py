"""VM.*: settings with rules of their own, and questions about what could be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api.host_errors import host_errors
from xapi_shim.api.operations import check_not_template, check_power_state, update_vm, vm_state
from xapi_shim.api.other_hosts import is_live
from xapi_shim.api.own_host import runs_elsewhere
from xapi_shim.api.placement import check_memory, free_memory, needed_memory, possible_hosts, unsuitable
from xapi_shim.api.vm_rules import UNIMPLEMENTED, vm_error
from xapi_shim.api.vm_start import record_halted
from xapi_shim.datamodel.errors import (
    CannotResetControlDomainError,
    HaConstraintViolationSrNotSharedError,
    InvalidValueError,
    NotImplementedError_,
    OperationNotAllowedError,
    TooManyGroupsError,
    VmBiosStringsAlreadySetError,
    VmNotResidentHereError,
    WlbNotInitializedError,
)
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value

# The strings of a guest's firmware that its owner may choose (SMBIOS reference, types 0 to 3).
BIOS_KEYS = {
    "bios-vendor", "bios-version", "system-manufacturer", "system-product-name", "system-version",
    "system-serial-number", "enclosure-asset-tag", "baseboard-manufacturer", "baseboard-product-name",
    "baseboard-version", "baseboard-serial-number", "baseboard-asset-tag",
    "baseboard-location-in-chassis",
}  # fmt: skip
LONGEST_BIOS_STRING = 512


async def set_ha_always_run(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    call.db.set("VM", self, "ha_always_run", value)


async def set_hvm_shadow_multiplier(call: Call, self: str, value: float) -> None:
    """Set a halted VM's memory for page tables, 1 or more. Raises INVALID_VALUE, VM_BAD_POWER_STATE."""
    check_power_state(call.db, self, "Halted")
    if value < 1.0:
        raise InvalidValueError("HVM_shadow_multiplier", f"{value:g}")
    call.db.set("VM", self, "HVM_shadow_multiplier", value)


async def set_nvram(call: Call, self: str, value: dict[str, str]) -> None:
    """Replace a halted VM's firmware variables. Raises VM_BAD_POWER_STATE."""
    check_power_state(call.db, self, "Halted")
    call.db.set("VM", self, "NVRAM", cast("Value", value))


async def set_has_vendor_device(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    """Choose whether a halted VM has the device that makes Windows fetch drivers. Raises VM_BAD_POWER_STATE."""
    check_power_state(call.db, self, "Halted")
    call.db.set("VM", self, "has_vendor_device", value)


def check_bios_strings(strings: dict[str, str]) -> None:
    """Raise INVALID_VALUE [key; why] for a key that cannot be chosen, or text that firmware cannot hold."""
    for key, value in strings.items():
        if key not in BIOS_KEYS:
            raise InvalidValueError(key, "Unknown key")
        if not value or len(value) > LONGEST_BIOS_STRING or not (value.isascii() and value.isprintable()):
            raise InvalidValueError(key, f"{value[:LONGEST_BIOS_STRING]}")


async def set_bios_strings(call: Call, self: str, value: dict[str, str]) -> None:
    """Choose a VM's firmware strings, once. Raises VM_BIOS_STRINGS_ALREADY_SET, INVALID_VALUE."""
    check_bios_strings(value)
    _write_bios_strings(call, self, value)


async def copy_bios_strings(call: Call, vm: str, host: str) -> None:
    """Take a host's firmware strings over, once. Raises VM_BIOS_STRINGS_ALREADY_SET."""
    _write_bios_strings(call, vm, call.db.mapping("host", host, "bios_strings"))


def _write_bios_strings(call: Call, vm: str, strings: dict[str, str]) -> None:
    if call.db.mapping("VM", vm, "bios_strings"):
        raise VmBiosStringsAlreadySetError
    call.db.set("VM", vm, "bios_strings", cast("Value", strings))


async def set_groups(call: Call, self: str, value: list[str]) -> None:
    """Put a VM into a group, or with the empty set into none. Raises TOO_MANY_GROUPS."""
    if len(value) > 1:
        raise TooManyGroupsError
    call.db.set("VM", self, "groups", cast("Value", value))


async def assert_operation_valid(call: Call, self: str, op: str) -> None:
    """Raise what an operation would be refused with now, as a call that does it would."""
    if wrong := vm_error(vm_state(call.db, self), op):
        raise wrong
    if op in UNIMPLEMENTED:
        raise NotImplementedError_(f"VM.{op}")


async def assert_can_boot_here(call: Call, self: str, host: str) -> None:
    """Raise why a VM could not start on a host now.

    VM_IS_TEMPLATE, HOST_DISABLED [host], HOST_NOT_LIVE [], VM_HVM_REQUIRED [vm], VM_REQUIRES_SR [vm; SR],
    VM_REQUIRES_NETWORK [vm; network], HOST_NOT_ENOUGH_FREE_MEMORY [needed; available].
    """
    db, tools = call.db, call.tools
    check_not_template(db, self)
    if wrong := unsuitable(db, self, host):
        raise wrong
    available = free_memory(db, host)
    if host == tools.host:
        with host_errors():
            available = (await tools.hypervisor.info()).free_memory_bytes
    check_memory(needed_memory(db, self), available)


async def get_possible_hosts(call: Call, vm: str) -> list[str]:
    """Return the hosts that could run a VM, whether or not they have the memory for it now."""
    return possible_hosts(call.db, vm)


async def assert_agile(call: Call, self: str) -> None:
    """Raise HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED [SR] unless the VM could run on every host of a pool."""
    db = call.db
    for vbd in db.items("VM", self, "VBDs"):
        vdi = db.text("VBD", vbd, "VDI")
        if vdi == NULL_REF or not db.exists("VDI", vdi):
            continue
        sr = db.text("VDI", vdi, "SR")
        if db.exists("SR", sr) and not db.flag("SR", sr, "shared"):
            raise HaConstraintViolationSrNotSharedError(sr)


async def get_boot_record(call: Call, self: str) -> dict[str, Value]:
    """Return the VM's record as it was booted from, or would be."""
    return dict(call.db.values("VM", self))


async def get_cooperative(call: Call, self: str) -> bool:  # noqa: ARG001
    """Say that the guest's memory follows its target: no guest is known not to."""
    return True


async def power_state_reset(call: Call, vm: str) -> None:
    """Record that a VM is halted. Raises CANNOT_RESET_CONTROL_DOMAIN [vm], OPERATION_NOT_ALLOWED.

    It is for what is gone without a trace; a domain that is there is not forgotten, nor one of another host that
    runs: VM_NOT_RESIDENT_HERE [vm; host]. That host is to be asked.
    """
    db = call.db
    if runs_elsewhere(call.tools, vm) and is_live(db, db.text("VM", vm, "resident_on")):
        raise VmNotResidentHereError(vm, call.tools.host)
    if call.db.flag("VM", vm, "is_control_domain"):
        raise CannotResetControlDomainError(vm)
    async with call.tools.domain_locks[vm]:
        uuid = call.db.text("VM", vm, "uuid")
        with host_errors():
            domains = await call.tools.hypervisor.domains()
        if any(domain.uuid == uuid for domain in domains):
            raise OperationNotAllowedError("the VM has a domain: shut it down")
        call.db.set("VM", vm, "current_operations", {})
        record_halted(call.tools, vm)
        update_vm(call.db, vm)


async def retrieve_wlb_recommendations(call: Call, vm: str) -> dict[str, list[str]]:  # noqa: ARG001
    """Raise WLB_NOT_INITIALIZED: no workload balancing server was ever named."""
    raise WlbNotInitializedError


MESSAGES = {
    "VM.set_ha_always_run": set_ha_always_run,
    "VM.set_HVM_shadow_multiplier": set_hvm_shadow_multiplier,
    "VM.set_NVRAM": set_nvram,
    "VM.set_has_vendor_device": set_has_vendor_device,
    "VM.set_bios_strings": set_bios_strings,
    "VM.copy_bios_strings": copy_bios_strings,
    "VM.set_groups": set_groups,
    "VM.assert_operation_valid": assert_operation_valid,
    "VM.assert_can_boot_here": assert_can_boot_here,
    "VM.get_possible_hosts": get_possible_hosts,
    "VM.assert_agile": assert_agile,
    "VM.get_boot_record": get_boot_record,
    "VM.get_cooperative": get_cooperative,
    "VM.power_state_reset": power_state_reset,
    "VM.retrieve_wlb_recommendations": retrieve_wlb_recommendations,
}

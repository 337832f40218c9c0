"""VM.*: what a guest's firmware keeps, and messages about guests' device models and host plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api import plugins
from xapi_shim.api.operations import check_not_dom0, check_not_template, check_power_state
from xapi_shim.api.vm_power import hard_reboot
from xapi_shim.api.vm_start import domain_type
from xapi_shim.datamodel.errors import CannotRestartDeviceModelError, NotImplementedError_
from xapi_shim.xen.interface import DomainType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value

EFI_VARIABLES = "EFI-variables"


def secureboot_readiness(boot: Mapping[str, str], platform: Mapping[str, str]) -> str:
    """Return how far a guest without kept variables is from Secure Boot, by its boot parameters and platform."""
    if boot.get("firmware", "").lower() != "uefi":
        return "not_supported"
    if platform.get("secureboot", "").lower() not in ("true", "1", "auto"):
        return "disabled"
    return "first_boot"


async def get_secureboot_readiness(call: Call, self: str) -> str:
    """Return how far a guest is from Secure Boot; what keys it has kept is not read."""
    db = call.db
    found = secureboot_readiness(
        db.mapping("VM", self, "HVM_boot_params"), db.mapping("VM", self, "platform")
    )
    if found == "first_boot" and EFI_VARIABLES in db.mapping("VM", self, "NVRAM"):
        raise NotImplementedError_("VM.get_secureboot_readiness of a guest with variables")
    return found


async def set_nvram_efi_variables(call: Call, self: str, value: str, update: str) -> None:
    """Keep a guest's firmware variables, and whether its keys want an update where that is told."""
    db = call.db
    with db.transaction():
        db.set("VM", self, "NVRAM", cast("Value", {**db.mapping("VM", self, "NVRAM"), EFI_VARIABLES: value}))
        if update != "unspecified":
            state = "update_available" if update == "yes" else "ok"
            db.set("VM", self, "secureboot_certificates_state", state)


async def restart_device_models(call: Call, self: str) -> None:
    """Raise CANNOT_RESTART_DEVICE_MODEL [vm]: a guest without firmware has none that it could do without.

    Raises VM_IS_TEMPLATE, VM_BAD_POWER_STATE.
    """
    check_not_template(call.db, self)
    check_not_dom0(call.db, self)
    check_power_state(call.db, self, "Running")
    if domain_type(call.db, self) is not DomainType.HVM:
        raise CannotRestartDeviceModelError(self)
    raise NotImplementedError_("VM.restart_device_models of a guest with firmware")


async def call_host_plugin(call: Call, vm: str, plugin: str, fn: str, args: dict[str, str]) -> str:
    """Run a plugin of the host that a VM is on. Raises as host.call_plugin."""
    host = call.db.text("VM", vm, "resident_on")
    return await plugins.call_plugin(call, host, plugin, fn, args)


async def hard_reboot_internal(call: Call, vm: str) -> None:
    await hard_reboot(call, vm)


MESSAGES = {
    "VM.get_secureboot_readiness": get_secureboot_readiness,
    "VM.set_NVRAM_EFI_variables": set_nvram_efi_variables,
    "VM.restart_device_models": restart_device_models,
    "VM.call_host_plugin": call_host_plugin,
    "VM.hard_reboot_internal": hard_reboot_internal,
}

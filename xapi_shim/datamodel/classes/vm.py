"""Class VM."""

from __future__ import annotations

from xapi_shim.datamodel.classes import vm_messages_placement, vm_messages_power, vm_messages_resources
from xapi_shim.datamodel.classes.vm_fields import FIELDS
from xapi_shim.datamodel.model import ApiClass, Role

CONSTRUCTOR = (
    "name_label", "name_description", "power_state", "user_version", "is_a_template", "suspend_VDI",
    "affinity", "memory_target", "memory_static_max", "memory_dynamic_max", "memory_dynamic_min",
    "memory_static_min", "VCPUs_params", "VCPUs_max", "VCPUs_at_startup", "actions_after_softreboot",
    "actions_after_shutdown", "actions_after_reboot", "actions_after_crash", "PV_bootloader", "PV_kernel",
    "PV_ramdisk", "PV_args", "PV_bootloader_args", "PV_legacy_args", "HVM_boot_policy", "HVM_boot_params",
    "HVM_shadow_multiplier", "platform", "PCI_bus", "other_config", "last_boot_CPU_flags",
    "last_booted_record", "recommendations", "xenstore_data", "ha_always_run", "ha_restart_priority",
    "tags", "blocked_operations", "protection_policy", "is_snapshot_from_vmpp", "snapshot_schedule",
    "is_vmss_snapshot", "appliance", "start_delay", "shutdown_delay", "order", "suspend_SR", "version",
    "generation_id", "hardware_platform_version", "has_vendor_device", "reference_label", "domain_type",
    "NVRAM",
)  # fmt: skip

CLASS = ApiClass(
    "VM",
    "A virtual machine, a template or a control domain.",
    FIELDS,
    (*vm_messages_power.MESSAGES, *vm_messages_resources.MESSAGES, *vm_messages_placement.MESSAGES),
    has_constructor=True,
    constructor_role=Role.VM_ADMIN,
    constructor=CONSTRUCTOR,
)

"""The messages of class VM that are written for it."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param
from xapi_shim.datamodel.model import Message, Role

MESSAGES: tuple[Message, ...] = (
    msg(
        "snapshot",
        (param("vm", "ref(VM)"), param("new_name", "string"), param("ignore_vdis", "set(ref(VDI))", [])),
        result="ref(VM)", role=Role.VM_POWER_ADMIN,
        errors=("VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED"), since="orlando",
    ),
    msg(
        "snapshot_with_quiesce", (param("vm", "ref(VM)"), param("new_name", "string")), result="ref(VM)",
        role=Role.VM_POWER_ADMIN,
        errors=("VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "VM_SNAPSHOT_WITH_QUIESCE_FAILED", "VM_SNAPSHOT_WITH_QUIESCE_TIMEOUT", "VM_SNAPSHOT_WITH_QUIESCE_PLUGIN_DEOS_NOT_RESPOND", "VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED"),
        since="orlando", state="removed",
    ),
    msg(
        "clone", (param("vm", "ref(VM)"), param("new_name", "string")), result="ref(VM)", role=Role.VM_ADMIN,
        errors=("VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "LICENCE_RESTRICTION"),
    ),
    msg(
        "copy", (param("vm", "ref(VM)"), param("new_name", "string"), param("sr", "ref(SR)")),
        result="ref(VM)", role=Role.VM_ADMIN,
        errors=("VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "LICENCE_RESTRICTION"),
    ),
    msg(
        "revert", (param("snapshot", "ref(VM)"),), role=Role.VM_POWER_ADMIN,
        errors=("VM_BAD_POWER_STATE", "OPERATION_NOT_ALLOWED", "SR_FULL", "VM_REVERT_FAILED"),
        since="midnight-ride",
    ),
    msg(
        "checkpoint", (param("vm", "ref(VM)"), param("new_name", "string")), result="ref(VM)",
        role=Role.VM_POWER_ADMIN,
        errors=("VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "VM_CHECKPOINT_SUSPEND_FAILED", "VM_CHECKPOINT_RESUME_FAILED"),
        since="midnight-ride",
    ),
    msg(
        "provision", (param("vm", "ref(VM)"),), role=Role.VM_ADMIN,
        errors=("VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "LICENCE_RESTRICTION"),
    ),
    msg(
        "start", (param("vm", "ref(VM)"), param("start_paused", "bool"), param("force", "bool")),
        role=Role.VM_OPERATOR,
        errors=("VM_BAD_POWER_STATE", "VM_HVM_REQUIRED", "VM_IS_TEMPLATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "BOOTLOADER_FAILED", "UNKNOWN_BOOTLOADER", "NO_HOSTS_AVAILABLE", "LICENCE_RESTRICTION"),
    ),
    msg(
        "start_on",
        (param("vm", "ref(VM)"), param("host", "ref(host)"), param("start_paused", "bool"), param("force", "bool")),
        role=Role.VM_POWER_ADMIN, client_cert=True,
        errors=("VM_BAD_POWER_STATE", "VM_IS_TEMPLATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "BOOTLOADER_FAILED", "UNKNOWN_BOOTLOADER"),
    ),
    msg(
        "pause", (param("vm", "ref(VM)"),), role=Role.VM_OPERATOR,
        errors=("VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"),
    ),
    msg(
        "unpause", (param("vm", "ref(VM)"),), role=Role.VM_OPERATOR,
        errors=("VM_BAD_POWER_STATE", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"),
    ),
    msg(
        "clean_shutdown", (param("vm", "ref(VM)"),), role=Role.VM_OPERATOR,
        errors=("VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"),
    ),
    msg(
        "shutdown", (param("vm", "ref(VM)"),), role=Role.CLIENT_CERT,
        errors=("VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"),
        since="clearwater",
    ),
    msg(
        "clean_reboot", (param("vm", "ref(VM)"),), role=Role.VM_OPERATOR,
        errors=("VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"),
    ),
    msg(
        "hard_shutdown", (param("vm", "ref(VM)"),), role=Role.VM_OPERATOR,
        errors=("VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"),
    ),
    msg("power_state_reset", (param("vm", "ref(VM)"),), role=Role.POOL_OPERATOR),
    msg(
        "hard_reboot", (param("vm", "ref(VM)"),), role=Role.VM_OPERATOR,
        errors=("VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"),
    ),
    msg(
        "suspend", (param("vm", "ref(VM)"),), role=Role.CLIENT_CERT,
        errors=("VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"),
    ),
    msg(
        "csvm", (param("vm", "ref(VM)"),), result="ref(VM)", role=Role.VM_ADMIN,
        errors=("VM_BAD_POWER_STATE", "SR_FULL", "OPERATION_NOT_ALLOWED", "LICENCE_RESTRICTION"),
        state="deprecated", hidden=True,
    ),
    msg(
        "resume", (param("vm", "ref(VM)"), param("start_paused", "bool"), param("force", "bool")),
        role=Role.VM_OPERATOR, errors=("VM_BAD_POWER_STATE", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"),
    ),
    msg(
        "set_is_default_template", (param("vm", "ref(VM)"), param("value", "bool")), since="falcon",
        hidden=True, field="is_default_template",
    ),
    msg(
        "hard_reboot_internal", (param("vm", "ref(VM)"),), role=Role.LOCAL_ROOT, since="orlando",
        state="deprecated", hidden=True, pool_internal=True,
    ),
    msg(
        "resume_on",
        (param("vm", "ref(VM)"), param("host", "ref(host)"), param("start_paused", "bool"), param("force", "bool")),
        role=Role.VM_POWER_ADMIN, client_cert=True,
        errors=("VM_BAD_POWER_STATE", "OPERATION_NOT_ALLOWED", "VM_IS_TEMPLATE"),
    ),
    msg(
        "pool_migrate",
        (param("vm", "ref(VM)"), param("host", "ref(host)"), param("options", "map(string,string)")),
        role=Role.VM_POWER_ADMIN, client_cert=True,
        errors=("VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "VM_IS_TEMPLATE", "OPERATION_NOT_ALLOWED", "VM_BAD_POWER_STATE"),
    ),
    msg(
        "pool_migrate_complete", (param("vm", "ref(VM)"), param("host", "ref(host)")),
        role=Role.VM_POWER_ADMIN, client_cert=True, since="tampa", hidden=True,
    ),
    msg(
        "set_VCPUs_number_live", (param("self", "ref(VM)"), param("nvcpu", "int")), role=Role.VM_ADMIN,
        errors=("OPERATION_NOT_ALLOWED", "LICENCE_RESTRICTION"),
    ),
    msg(
        "add_to_VCPUs_params_live",
        (param("self", "ref(VM)"), param("key", "string"), param("value", "string")), role=Role.VM_ADMIN,
    ),
    msg(
        "set_NVRAM", (param("self", "ref(VM)"), param("value", "map(string,string)")), role=Role.VM_ADMIN,
        is_async=False, since="naples",
    ),
    msg(
        "add_to_NVRAM", (param("self", "ref(VM)"), param("key", "string"), param("value", "string")),
        role=Role.VM_ADMIN, is_async=False, since="naples", field="NVRAM",
    ),
    msg(
        "remove_from_NVRAM", (param("self", "ref(VM)"), param("key", "string")), role=Role.VM_ADMIN,
        is_async=False, since="naples", field="NVRAM",
    ),
    msg(
        "set_ha_restart_priority", (param("self", "ref(VM)"), param("value", "string")),
        role=Role.POOL_OPERATOR, is_async=False, since="orlando",
    ),
    msg(
        "set_ha_always_run", (param("self", "ref(VM)"), param("value", "bool")), role=Role.POOL_OPERATOR,
        is_async=False, since="orlando", state="deprecated",
    ),
    msg(
        "compute_memory_overhead", (param("vm", "ref(VM)"),), result="int", role=Role.READ_ONLY,
        since="midnight-ride",
    ),
    msg(
        "set_memory_dynamic_max", (param("self", "ref(VM)"), param("value", "int")),
        role=Role.VM_POWER_ADMIN, is_async=False, since="midnight-ride",
    ),
    msg(
        "set_memory_dynamic_min", (param("self", "ref(VM)"), param("value", "int")),
        role=Role.VM_POWER_ADMIN, is_async=False, since="midnight-ride",
    ),
    msg(
        "set_memory_dynamic_range", (param("self", "ref(VM)"), param("min", "int"), param("max", "int")),
        role=Role.VM_POWER_ADMIN, since="midnight-ride",
    ),
    msg(
        "set_memory_static_max", (param("self", "ref(VM)"), param("value", "int")), role=Role.VM_POWER_ADMIN,
        is_async=False, errors=("HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN",), since="orlando",
    ),
    msg(
        "set_memory_static_min", (param("self", "ref(VM)"), param("value", "int")), role=Role.VM_POWER_ADMIN,
        is_async=False, since="midnight-ride",
    ),
    msg(
        "set_memory_static_range", (param("self", "ref(VM)"), param("min", "int"), param("max", "int")),
        role=Role.VM_POWER_ADMIN, since="midnight-ride",
    ),
    msg(
        "set_memory_limits",
        (param("self", "ref(VM)"), param("static_min", "int"), param("static_max", "int"), param("dynamic_min", "int"), param("dynamic_max", "int")),
        role=Role.VM_POWER_ADMIN, since="midnight-ride",
    ),
    msg(
        "set_memory", (param("self", "ref(VM)"), param("value", "int")), role=Role.VM_POWER_ADMIN,
        since="ely",
    ),
    msg(
        "set_memory_target_live", (param("self", "ref(VM)"), param("target", "int")),
        role=Role.VM_POWER_ADMIN, state="deprecated",
    ),
    msg(
        "wait_memory_target_live", (param("self", "ref(VM)"),), role=Role.READ_ONLY, since="orlando",
        state="deprecated",
    ),
    msg(
        "get_cooperative", (param("self", "ref(VM)"),), result="bool", role=Role.READ_ONLY,
        since="midnight-ride", state="deprecated",
    ),
    msg(
        "set_HVM_shadow_multiplier", (param("self", "ref(VM)"), param("value", "float")),
        role=Role.VM_POWER_ADMIN, is_async=False, since="midnight-ride",
    ),
    msg(
        "set_shadow_multiplier_live", (param("self", "ref(VM)"), param("multiplier", "float")),
        role=Role.VM_POWER_ADMIN,
    ),
    msg(
        "set_VCPUs_max", (param("self", "ref(VM)"), param("value", "int")), role=Role.VM_ADMIN,
        is_async=False, since="midnight-ride",
    ),
    msg(
        "set_VCPUs_at_startup", (param("self", "ref(VM)"), param("value", "int")), role=Role.VM_ADMIN,
        is_async=False, since="midnight-ride",
    ),
    msg("send_sysrq", (param("vm", "ref(VM)"), param("key", "string")), errors=("VM_BAD_POWER_STATE",)),
    msg("send_trigger", (param("vm", "ref(VM)"), param("trigger", "string")), errors=("VM_BAD_POWER_STATE",)),
    msg(
        "maximise_memory", (param("self", "ref(VM)"), param("total", "int"), param("approximate", "bool")),
        result="int", role=Role.READ_ONLY, since="miami",
    ),
    msg(
        "migrate_send",
        (param("vm", "ref(VM)"), param("dest", "map(string,string)"), param("live", "bool"), param("vdi_map", "map(ref(VDI),ref(SR))"), param("vif_map", "map(ref(VIF),ref(network))"), param("options", "map(string,string)"), param("vgpu_map", "map(ref(VGPU),ref(GPU_group))", {}), param("vdi_format_map", "map(ref(VDI),string)", {})),
        result="ref(VM)", role=Role.VM_POWER_ADMIN, errors=("VM_BAD_POWER_STATE", "LICENCE_RESTRICTION"),
        since="tampa",
    ),
    msg(
        "assert_can_migrate",
        (param("vm", "ref(VM)"), param("dest", "map(string,string)"), param("live", "bool"), param("vdi_map", "map(ref(VDI),ref(SR))"), param("vif_map", "map(ref(VIF),ref(network))"), param("options", "map(string,string)"), param("vgpu_map", "map(ref(VGPU),ref(GPU_group))", {})),
        role=Role.VM_POWER_ADMIN, errors=("LICENCE_RESTRICTION",), since="tampa",
    ),
    msg(
        "assert_can_migrate_sender",
        (param("vm", "ref(VM)"), param("dest", "map(string,string)"), param("live", "bool"), param("vdi_map", "map(ref(VDI),ref(SR))"), param("vif_map", "map(ref(VIF),ref(network))"), param("vgpu_map", "map(ref(VGPU),ref(GPU_group))"), param("options", "map(string,string)")),
        role=Role.VM_POWER_ADMIN, since="inverness", hidden=True,
    ),
    msg(
        "get_boot_record", (param("self", "ref(VM)"),), result="record(VM)", role=Role.READ_ONLY,
        is_async=False, state="deprecated",
    ),
    msg(
        "get_data_sources", (param("self", "ref(VM)"),), result="set(record(data_source))",
        role=Role.READ_ONLY, is_async=False, since="orlando",
    ),
    msg(
        "record_data_source", (param("self", "ref(VM)"), param("data_source", "string")), role=Role.VM_ADMIN,
        is_async=False, since="orlando",
    ),
    msg(
        "query_data_source", (param("self", "ref(VM)"), param("data_source", "string")), result="float",
        role=Role.READ_ONLY, is_async=False, since="orlando",
    ),
    msg(
        "forget_data_source_archives", (param("self", "ref(VM)"), param("data_source", "string")),
        role=Role.VM_ADMIN, is_async=False, since="orlando",
    ),
    msg(
        "assert_operation_valid", (param("self", "ref(VM)"), param("op", "enum(vm_operations)")),
        role=Role.READ_ONLY,
    ),
    msg("update_allowed_operations", (param("self", "ref(VM)"),)),
    msg(
        "get_allowed_VBD_devices", (param("vm", "ref(VM)"),), result="set(string)", role=Role.READ_ONLY,
        is_async=False,
    ),
    msg(
        "get_allowed_VIF_devices", (param("vm", "ref(VM)"),), result="set(string)", role=Role.READ_ONLY,
        is_async=False,
    ),
    msg("get_possible_hosts", (param("vm", "ref(VM)"),), result="set(ref(host))", role=Role.READ_ONLY),
    msg(
        "assert_can_boot_here", (param("self", "ref(VM)"), param("host", "ref(host)")), role=Role.READ_ONLY,
        errors=("HOST_NOT_ENOUGH_FREE_MEMORY", "HOST_NOT_ENOUGH_PCPUS", "NETWORK_SRIOV_INSUFFICIENT_CAPACITY", "HOST_NOT_LIVE", "HOST_DISABLED", "HOST_CANNOT_ATTACH_NETWORK", "VM_HVM_REQUIRED", "VM_REQUIRES_GPU", "VM_REQUIRES_IOMMU", "VM_REQUIRES_NETWORK", "VM_REQUIRES_SR", "VM_REQUIRES_VGPU", "VM_HOST_INCOMPATIBLE_VERSION", "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION", "INVALID_VALUE", "MEMORY_CONSTRAINT_VIOLATION", "OPERATION_NOT_ALLOWED", "VALUE_NOT_SUPPORTED", "VM_INCOMPATIBLE_WITH_THIS_HOST"),
    ),
    msg(
        "atomic_set_resident_on", (param("vm", "ref(VM)"), param("host", "ref(host)")), role=Role.LOCAL_ROOT,
        hidden=True, pool_internal=True,
    ),
    msg(
        "create_new_blob",
        (param("vm", "ref(VM)"), param("name", "string"), param("mime_type", "string"), param("public", "bool", False)),
        result="ref(blob)", role=Role.VM_POWER_ADMIN, since="orlando",
    ),
    msg("s3_suspend", (param("vm", "ref(VM)"),), role=Role.VM_OPERATOR, since="midnight-ride", hidden=True),
    msg("s3_resume", (param("vm", "ref(VM)"),), role=Role.VM_OPERATOR, since="midnight-ride", hidden=True),
    msg("assert_agile", (param("self", "ref(VM)"),), role=Role.READ_ONLY, since="orlando"),
    msg(
        "update_snapshot_metadata",
        (param("vm", "ref(VM)"), param("snapshot_of", "ref(VM)"), param("snapshot_time", "datetime"), param("transportable_snapshot_id", "string")),
        role=Role.POOL_OPERATOR, since="george", state="deprecated", hidden=True,
    ),
    msg(
        "retrieve_wlb_recommendations", (param("vm", "ref(VM)"),), result="map(ref(host),set(string))",
        role=Role.READ_ONLY, since="george",
    ),
    msg(
        "set_bios_strings", (param("self", "ref(VM)"), param("value", "map(string,string)")),
        role=Role.VM_ADMIN, errors=("VM_BIOS_STRINGS_ALREADY_SET", "INVALID_VALUE"), since="inverness",
    ),
    msg(
        "copy_bios_strings", (param("vm", "ref(VM)"), param("host", "ref(host)")), role=Role.VM_ADMIN,
        since="midnight-ride",
    ),
    msg(
        "set_protection_policy", (param("self", "ref(VM)"), param("value", "ref(VMPP)")),
        role=Role.POOL_OPERATOR, is_async=False, since="cowley", state="removed",
    ),
    msg(
        "set_snapshot_schedule", (param("self", "ref(VM)"), param("value", "ref(VMSS)")),
        role=Role.POOL_OPERATOR, is_async=False, since="falcon",
    ),
    msg(
        "set_start_delay", (param("self", "ref(VM)"), param("value", "int")), role=Role.POOL_OPERATOR,
        since="boston", field="start_delay",
    ),
    msg(
        "set_shutdown_delay", (param("self", "ref(VM)"), param("value", "int")), role=Role.POOL_OPERATOR,
        since="boston", field="shutdown_delay",
    ),
    msg(
        "set_order", (param("self", "ref(VM)"), param("value", "int")), role=Role.POOL_OPERATOR,
        since="boston", field="order",
    ),
    msg(
        "set_suspend_VDI", (param("self", "ref(VM)"), param("value", "ref(VDI)")), role=Role.POOL_OPERATOR,
        since="boston",
    ),
    msg(
        "assert_can_be_recovered", (param("self", "ref(VM)"), param("session_to", "ref(session)")),
        role=Role.READ_ONLY, errors=("VM_IS_PART_OF_AN_APPLIANCE", "VM_REQUIRES_SR"), since="boston",
    ),
    msg(
        "get_SRs_required_for_recovery", (param("self", "ref(VM)"), param("session_to", "ref(session)")),
        result="set(ref(SR))", role=Role.READ_ONLY, since="creedence",
    ),
    msg(
        "recover", (param("self", "ref(VM)"), param("session_to", "ref(session)"), param("force", "bool")),
        role=Role.READ_ONLY, since="boston",
    ),
    msg(
        "import_convert",
        (param("type", "string"), param("username", "string"), param("password", "string"), param("sr", "ref(SR)"), param("remote_config", "map(string,string)")),
        role=Role.VM_ADMIN, since="tampa",
    ),
    msg(
        "set_appliance", (param("self", "ref(VM)"), param("value", "ref(VM_appliance)")),
        role=Role.POOL_OPERATOR, since="boston",
    ),
    msg(
        "set_groups", (param("self", "ref(VM)"), param("value", "set(ref(VM_group))")), role=Role.VM_ADMIN,
        errors=("OPERATION_NOT_ALLOWED",), since="24.19.1", state="prototyped",
    ),
    msg("query_services", (param("self", "ref(VM)"),), result="map(string,string)", since="tampa"),
    msg(
        "call_plugin",
        (param("vm", "ref(VM)"), param("plugin", "string"), param("fn", "string"), param("args", "map(string,string)")),
        result="string", role=Role.VM_OPERATOR, since="cream",
    ),
    msg(
        "call_host_plugin",
        (param("vm", "ref(VM)"), param("plugin", "string"), param("fn", "string"), param("args", "map(string,string)")),
        result="string", role=Role.VM_OPERATOR, since="25.22.0", state="prototyped",
    ),
    msg(
        "set_has_vendor_device", (param("self", "ref(VM)"), param("value", "bool")), role=Role.VM_ADMIN,
        since="dundee",
    ),
    msg(
        "import",
        (param("url", "string"), param("sr", "ref(SR)"), param("full_restore", "bool"), param("force", "bool")),
        result="set(ref(VM))", role=Role.POOL_OPERATOR, since="dundee",
    ),
    msg(
        "set_actions_after_crash", (param("self", "ref(VM)"), param("value", "enum(on_crash_behaviour)")),
        role=Role.VM_ADMIN, field="actions_after_crash",
    ),
    msg(
        "set_domain_type", (param("self", "ref(VM)"), param("value", "enum(domain_type)")),
        role=Role.VM_ADMIN, is_async=False, since="kolkata",
    ),
    msg(
        "set_HVM_boot_policy", (param("self", "ref(VM)"), param("value", "string")), role=Role.VM_ADMIN,
        is_async=False, state="deprecated",
    ),
    msg(
        "set_NVRAM_EFI_variables",
        (param("self", "ref(VM)"), param("value", "string"), param("update", "enum(update_status)", "unspecified")),
        role=Role.LOCAL_ROOT, is_async=False, since="naples", hidden=True,
    ),
    msg(
        "restart_device_models", (param("self", "ref(VM)"),), role=Role.VM_POWER_ADMIN, client_cert=True,
        errors=("VM_BAD_POWER_STATE", "OTHER_OPERATION_IN_PROGRESS", "VM_IS_TEMPLATE", "OPERATION_NOT_ALLOWED", "VM_BAD_POWER_STATE"),
        since="23.30.0", state="prototyped",
    ),
    msg(
        "set_uefi_mode", (param("self", "ref(VM)"), param("mode", "enum(vm_uefi_mode)")), result="string",
        since="24.17.0", state="prototyped",
    ),
    msg(
        "get_secureboot_readiness", (param("self", "ref(VM)"),), result="enum(vm_secureboot_readiness)",
        since="24.17.0", state="prototyped",
    ),
    msg(
        "update_secureboot_certificates_on_boot", (param("self", "ref(VM)"), param("mark", "bool")),
        role=Role.VM_ADMIN, since="26.14.0", state="prototyped",
    ),
    msg(
        "set_blocked_operations",
        (param("self", "ref(VM)"), param("value", "map(enum(vm_operations),string)")), role=Role.VM_ADMIN,
        since="orlando", field="blocked_operations",
    ),
    msg(
        "add_to_blocked_operations",
        (param("self", "ref(VM)"), param("key", "enum(vm_operations)"), param("value", "string")),
        role=Role.VM_ADMIN, since="orlando", field="blocked_operations",
    ),
    msg(
        "remove_from_blocked_operations", (param("self", "ref(VM)"), param("key", "enum(vm_operations)")),
        role=Role.VM_ADMIN, since="orlando", field="blocked_operations",
    ),
    msg(
        "sysprep", (param("self", "ref(VM)"), param("unattend", "secretstring"), param("timeout", "float")),
        role=Role.VM_ADMIN, since="25.24.0", state="prototyped",
    ),
    msg(
        "add_to_other_config", (param("self", "ref(VM)"), param("key", "string"), param("value", "string")),
        role=Role.VM_ADMIN, is_async=False,
        key_roles={"hvm_serial": Role.POOL_ADMIN, "pci": Role.POOL_ADMIN, "folder": Role.VM_OPERATOR, "XenCenter.CustomFields.*": Role.VM_OPERATOR},
        field="other_config",
    ),
    msg(
        "remove_from_other_config", (param("self", "ref(VM)"), param("key", "string")), role=Role.VM_ADMIN,
        is_async=False,
        key_roles={"hvm_serial": Role.POOL_ADMIN, "pci": Role.POOL_ADMIN, "folder": Role.VM_OPERATOR, "XenCenter.CustomFields.*": Role.VM_OPERATOR},
        field="other_config",
    ),
    msg(
        "set_other_config", (param("self", "ref(VM)"), param("value", "map(string,string)")),
        role=Role.VM_ADMIN, is_async=False, field="other_config",
    ),
    msg(
        "add_to_platform", (param("self", "ref(VM)"), param("key", "string"), param("value", "string")),
        role=Role.VM_ADMIN, is_async=False, key_roles={"hvm_serial": Role.POOL_ADMIN}, field="platform",
    ),
    msg(
        "remove_from_platform", (param("self", "ref(VM)"), param("key", "string")), role=Role.VM_ADMIN,
        is_async=False, key_roles={"hvm_serial": Role.POOL_ADMIN}, field="platform",
    ),
    msg(
        "set_platform", (param("self", "ref(VM)"), param("value", "map(string,string)")), role=Role.VM_ADMIN,
        is_async=False, field="platform",
    ),
)

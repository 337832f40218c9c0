"""The fields of class VM."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, rw, static
from xapi_shim.datamodel.model import Field, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    dynamic(
        "allowed_operations", "set(enum(vm_operations))", default=[], persist=False,
        write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "current_operations", "map(string,enum(vm_operations))", default={}, persist=False,
        write_role=Role.VM_ADMIN,
    ),
    rw("name_label", "string", default="", path=("name", "label"), write_role=Role.VM_ADMIN),
    rw("name_description", "string", default="", path=("name", "description"), write_role=Role.VM_ADMIN),
    static("power_state", "enum(vm_power_state)", default="Halted", write_role=Role.VM_OPERATOR),
    rw("user_version", "int", write_role=Role.VM_ADMIN),
    rw("is_a_template", "bool", write_role=Role.VM_ADMIN),
    dynamic("is_default_template", "bool", default=False, since="falcon"),
    static("suspend_VDI", "ref(VDI)", default="OpaqueRef:NULL", write_role=Role.VM_ADMIN),
    dynamic("resident_on", "ref(host)", write_role=Role.VM_POWER_ADMIN),
    dynamic(
        "scheduled_to_be_resident_on", "ref(host)", default="OpaqueRef:NULL", write_role=Role.VM_POWER_ADMIN,
    ),
    rw("affinity", "ref(host)", write_role=Role.VM_POWER_ADMIN),
    dynamic("memory_overhead", "int", default=0, path=("memory", "overhead"), write_role=Role.VM_POWER_ADMIN),
    static(
        "memory_target", "int", default=0, path=("memory", "target"), state="deprecated",
        write_role=Role.VM_POWER_ADMIN,
    ),
    static("memory_static_max", "int", path=("memory", "static_max"), write_role=Role.VM_POWER_ADMIN),
    static("memory_dynamic_max", "int", path=("memory", "dynamic_max"), write_role=Role.VM_POWER_ADMIN),
    static("memory_dynamic_min", "int", path=("memory", "dynamic_min"), write_role=Role.VM_POWER_ADMIN),
    static("memory_static_min", "int", path=("memory", "static_min"), write_role=Role.VM_POWER_ADMIN),
    rw("VCPUs_params", "map(string,string)", path=("VCPUs", "params"), write_role=Role.VM_ADMIN),
    static("VCPUs_max", "int", path=("VCPUs", "max"), write_role=Role.VM_ADMIN),
    static("VCPUs_at_startup", "int", path=("VCPUs", "at_startup"), write_role=Role.VM_ADMIN),
    rw(
        "actions_after_softreboot", "enum(on_softreboot_behavior)", default="soft_reboot",
        path=("actions", "after_softreboot"), since="23.1.0", state="prototyped", write_role=Role.VM_ADMIN,
    ),
    rw(
        "actions_after_shutdown", "enum(on_normal_exit)", path=("actions", "after_shutdown"),
        write_role=Role.VM_ADMIN,
    ),
    rw(
        "actions_after_reboot", "enum(on_normal_exit)", path=("actions", "after_reboot"),
        write_role=Role.VM_ADMIN,
    ),
    static(
        "actions_after_crash", "enum(on_crash_behaviour)", path=("actions", "after_crash"),
        write_role=Role.VM_ADMIN,
    ),
    dynamic("consoles", "set(ref(console))"),
    dynamic("VIFs", "set(ref(VIF))", write_role=Role.VM_ADMIN),
    dynamic("VBDs", "set(ref(VBD))", write_role=Role.VM_ADMIN),
    dynamic("VUSBs", "set(ref(VUSB))", write_role=Role.VM_ADMIN),
    dynamic("crash_dumps", "set(ref(crashdump))"),
    dynamic("VTPMs", "set(ref(VTPM))", write_role=Role.VM_ADMIN),
    rw("PV_bootloader", "string", path=("PV", "bootloader"), write_role=Role.VM_ADMIN),
    rw("PV_kernel", "string", path=("PV", "kernel"), write_role=Role.VM_ADMIN),
    rw("PV_ramdisk", "string", path=("PV", "ramdisk"), write_role=Role.VM_ADMIN),
    rw("PV_args", "string", path=("PV", "args"), write_role=Role.VM_ADMIN),
    rw("PV_bootloader_args", "string", path=("PV", "bootloader_args"), write_role=Role.VM_ADMIN),
    rw("PV_legacy_args", "string", path=("PV", "legacy_args"), write_role=Role.VM_ADMIN),
    static(
        "HVM_boot_policy", "string", path=("HVM", "boot_policy"), state="deprecated",
        write_role=Role.VM_ADMIN,
    ),
    rw("HVM_boot_params", "map(string,string)", path=("HVM", "boot_params"), write_role=Role.VM_ADMIN),
    static(
        "HVM_shadow_multiplier", "float", default=1.0, path=("HVM", "shadow_multiplier"), since="miami",
        write_role=Role.VM_POWER_ADMIN,
    ),
    static(
        "platform", "map(string,string)", write_role=Role.VM_ADMIN,
        key_roles={"hvm_serial": Role.POOL_ADMIN},
    ),
    rw("PCI_bus", "string", state="deprecated", write_role=Role.VM_ADMIN),
    static(
        "other_config", "map(string,string)", write_role=Role.VM_ADMIN,
        key_roles={"pci": Role.POOL_ADMIN, "hvm_serial": Role.POOL_ADMIN, "folder": Role.VM_OPERATOR, "XenCenter.CustomFields.*": Role.VM_OPERATOR},
    ),
    dynamic("domid", "int", write_role=Role.VM_ADMIN),
    dynamic("domarch", "string", write_role=Role.VM_ADMIN),
    static("last_boot_CPU_flags", "map(string,string)", default={}, write_role=Role.VM_ADMIN),
    dynamic("is_control_domain", "bool", write_role=Role.VM_ADMIN),
    dynamic("metrics", "ref(VM_metrics)", write_role=Role.VM_ADMIN),
    dynamic("guest_metrics", "ref(VM_guest_metrics)", write_role=Role.VM_ADMIN),
    static("last_booted_record", "string", default="", since="miami", write_role=Role.VM_ADMIN),
    rw("recommendations", "string", write_role=Role.VM_ADMIN),
    rw("xenstore_data", "map(string,string)", default={}, since="miami", write_role=Role.VM_ADMIN),
    static(
        "ha_always_run", "bool", default=False, since="orlando", state="deprecated",
        write_role=Role.POOL_OPERATOR,
    ),
    static("ha_restart_priority", "string", default="", since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic("is_a_snapshot", "bool", default=False, since="orlando", write_role=Role.VM_POWER_ADMIN),
    dynamic(
        "snapshot_of", "ref(VM)", default="OpaqueRef:NULL", since="orlando", write_role=Role.VM_POWER_ADMIN,
    ),
    dynamic("snapshots", "set(ref(VM))", since="orlando", write_role=Role.VM_POWER_ADMIN),
    dynamic(
        "snapshot_time", "datetime", default="19700101T00:00:00Z", since="orlando",
        write_role=Role.VM_POWER_ADMIN,
    ),
    dynamic(
        "transportable_snapshot_id", "string", default="", since="orlando", write_role=Role.VM_POWER_ADMIN,
    ),
    dynamic("blobs", "map(string,ref(blob))", default={}, since="orlando", write_role=Role.VM_ADMIN),
    rw("tags", "set(string)", default=[], since="orlando", write_role=Role.VM_OPERATOR),
    static(
        "blocked_operations", "map(enum(vm_operations),string)", default={}, since="orlando",
        write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "snapshot_info", "map(string,string)", default={}, since="midnight-ride",
        write_role=Role.VM_POWER_ADMIN,
    ),
    dynamic("snapshot_metadata", "string", default="", since="midnight-ride", write_role=Role.VM_POWER_ADMIN),
    dynamic(
        "parent", "ref(VM)", default="OpaqueRef:NULL", since="midnight-ride", write_role=Role.VM_POWER_ADMIN,
    ),
    dynamic("children", "set(ref(VM))", since="midnight-ride", write_role=Role.VM_POWER_ADMIN),
    dynamic(
        "bios_strings", "map(string,string)", default={}, since="midnight-ride", write_role=Role.VM_ADMIN,
    ),
    static(
        "protection_policy", "ref(VMPP)", default="OpaqueRef:NULL", since="cowley", state="deprecated",
        write_role=Role.VM_POWER_ADMIN,
    ),
    static(
        "is_snapshot_from_vmpp", "bool", default=False, since="cowley", state="removed",
        write_role=Role.POOL_OPERATOR,
    ),
    static(
        "snapshot_schedule", "ref(VMSS)", default="OpaqueRef:NULL", since="falcon",
        write_role=Role.VM_POWER_ADMIN,
    ),
    static("is_vmss_snapshot", "bool", default=False, since="falcon", write_role=Role.POOL_OPERATOR),
    static("appliance", "ref(VM_appliance)", default="OpaqueRef:NULL", write_role=Role.POOL_OPERATOR),
    static("start_delay", "int", default=0, since="boston", write_role=Role.POOL_OPERATOR),
    static("shutdown_delay", "int", default=0, since="boston", write_role=Role.POOL_OPERATOR),
    static("order", "int", default=0, since="boston", write_role=Role.POOL_OPERATOR),
    dynamic("VGPUs", "set(ref(VGPU))", since="boston", write_role=Role.VM_ADMIN),
    dynamic("attached_PCIs", "set(ref(PCI))", since="boston", write_role=Role.VM_ADMIN),
    rw("suspend_SR", "ref(SR)", default="OpaqueRef:NULL", since="boston", write_role=Role.VM_ADMIN),
    static("version", "int", default=0, since="boston", write_role=Role.VM_ADMIN),
    static("generation_id", "string", default="0:0", since="clearwater", write_role=Role.VM_ADMIN),
    rw("hardware_platform_version", "int", default=0, since="cream", write_role=Role.VM_ADMIN),
    static("has_vendor_device", "bool", default=True, since="dundee", write_role=Role.VM_ADMIN),
    dynamic("requires_reboot", "bool", default=False, since="ely", write_role=Role.VM_ADMIN),
    static("reference_label", "string", default="", since="ely", write_role=Role.VM_ADMIN),
    static(
        "domain_type", "enum(domain_type)", default="unspecified", since="kolkata", write_role=Role.VM_ADMIN,
    ),
    static("NVRAM", "map(string,string)", default={}, since="naples", write_role=Role.VM_ADMIN),
    dynamic(
        "pending_guidances", "set(enum(update_guidances))", default=[], since="1.303.0",
        write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "recommended_guidances", "set(enum(update_guidances))", default=[], since="23.18.0", state="removed",
        internal=True, write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "pending_guidances_recommended", "set(enum(update_guidances))", default=[], since="24.10.0",
        state="prototyped", write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "pending_guidances_full", "set(enum(update_guidances))", default=[], since="24.10.0",
        state="prototyped", write_role=Role.VM_ADMIN,
    ),
    dynamic("groups", "set(ref(VM_group))", since="24.19.1", state="prototyped", write_role=Role.VM_ADMIN),
    dynamic(
        "secureboot_certificates_state", "enum(vm_secureboot_certificates_state)", default="ok",
        since="26.14.0", state="prototyped", write_role=Role.VM_ADMIN,
    ),
)

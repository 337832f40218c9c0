"""The fields of class host."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, rw, static
from xapi_shim.datamodel.model import Field, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    rw("name_label", "string", default="", path=("name", "label"), write_role=Role.POOL_OPERATOR),
    rw("name_description", "string", default="", path=("name", "description"), write_role=Role.POOL_OPERATOR),
    dynamic("memory_overhead", "int", default=0, path=("memory", "overhead"), write_role=Role.POOL_OPERATOR),
    dynamic(
        "allowed_operations", "set(enum(host_allowed_operations))", default=[], persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "current_operations", "map(string,enum(host_allowed_operations))", default={}, persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("API_version_major", "int", path=("API_version", "major"), write_role=Role.POOL_OPERATOR),
    dynamic("API_version_minor", "int", path=("API_version", "minor"), write_role=Role.POOL_OPERATOR),
    dynamic("API_version_vendor", "string", path=("API_version", "vendor"), write_role=Role.POOL_OPERATOR),
    dynamic(
        "API_version_vendor_implementation", "map(string,string)",
        path=("API_version", "vendor_implementation"), write_role=Role.POOL_OPERATOR,
    ),
    dynamic("enabled", "bool", write_role=Role.POOL_OPERATOR),
    static("software_version", "map(string,string)", write_role=Role.POOL_OPERATOR),
    rw(
        "other_config", "map(string,string)", write_role=Role.POOL_OPERATOR,
        key_roles={"folder": Role.VM_OPERATOR, "XenCenter.CustomFields.*": Role.VM_OPERATOR},
    ),
    static("capabilities", "set(string)", write_role=Role.POOL_OPERATOR),
    dynamic("cpu_configuration", "map(string,string)", write_role=Role.POOL_OPERATOR),
    dynamic("sched_policy", "string", write_role=Role.POOL_OPERATOR),
    dynamic("supported_bootloaders", "set(string)", write_role=Role.POOL_OPERATOR),
    dynamic("resident_VMs", "set(ref(VM))", write_role=Role.POOL_OPERATOR),
    rw("logging", "map(string,string)", write_role=Role.POOL_OPERATOR),
    dynamic("PIFs", "set(ref(PIF))", write_role=Role.POOL_OPERATOR),
    rw("suspend_image_sr", "ref(SR)", write_role=Role.POOL_OPERATOR),
    rw("crash_dump_sr", "ref(SR)", write_role=Role.POOL_OPERATOR),
    dynamic("crashdumps", "set(ref(host_crashdump))", write_role=Role.POOL_OPERATOR),
    dynamic("patches", "set(ref(host_patch))", state="deprecated", write_role=Role.POOL_OPERATOR),
    dynamic("updates", "set(ref(pool_update))", since="ely", write_role=Role.POOL_OPERATOR),
    dynamic("PBDs", "set(ref(PBD))", write_role=Role.POOL_OPERATOR),
    dynamic("host_CPUs", "set(ref(host_cpu))", write_role=Role.POOL_OPERATOR),
    dynamic(
        "cpu_info", "map(string,string)", default={}, since="midnight-ride", write_role=Role.POOL_OPERATOR,
    ),
    rw("hostname", "string", write_role=Role.POOL_OPERATOR),
    rw("address", "string", write_role=Role.POOL_OPERATOR),
    dynamic("metrics", "ref(host_metrics)", write_role=Role.POOL_OPERATOR),
    dynamic("license_params", "map(string,string)", write_role=Role.POOL_OPERATOR),
    dynamic("boot_free_mem", "int", internal=True, write_role=Role.POOL_OPERATOR),
    dynamic("ha_statefiles", "set(string)", default=[], since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic("ha_network_peers", "set(string)", default=[], since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic("blobs", "map(string,ref(blob))", default={}, since="orlando", write_role=Role.POOL_OPERATOR),
    rw("tags", "set(string)", default=[], since="orlando", write_role=Role.VM_OPERATOR),
    dynamic("external_auth_type", "string", default="", since="george", write_role=Role.POOL_OPERATOR),
    dynamic(
        "external_auth_service_name", "string", default="", since="george", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "external_auth_configuration", "map(string,string)", default={}, since="george",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("edition", "string", default="", since="midnight-ride", write_role=Role.POOL_OPERATOR),
    rw(
        "license_server", "map(string,string)", default={"address": "localhost", "port": "27000"},
        since="midnight-ride", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "bios_strings", "map(string,string)", default={}, since="midnight-ride",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("power_on_mode", "string", default="", since="midnight-ride", write_role=Role.POOL_OPERATOR),
    dynamic(
        "power_on_config", "map(string,string)", default={}, since="midnight-ride",
        write_role=Role.POOL_OPERATOR,
    ),
    static(
        "local_cache_sr", "ref(SR)", default="OpaqueRef:NULL", since="cowley", write_role=Role.POOL_OPERATOR,
    ),
    dynamic("chipset_info", "map(string,string)", default={}, since="boston", write_role=Role.POOL_OPERATOR),
    dynamic("PCIs", "set(ref(PCI))", since="boston", write_role=Role.POOL_OPERATOR),
    dynamic("PGPUs", "set(ref(PGPU))", since="boston", write_role=Role.POOL_OPERATOR),
    dynamic("PUSBs", "set(ref(PUSB))", since="inverness", write_role=Role.POOL_OPERATOR),
    static(
        "ssl_legacy", "bool", default=True, since="dundee", state="deprecated",
        write_role=Role.POOL_OPERATOR,
    ),
    rw("guest_VCPUs_params", "map(string,string)", default={}, since="tampa", write_role=Role.POOL_OPERATOR),
    rw("display", "enum(host_display)", default="enabled", since="cream", write_role=Role.POOL_OPERATOR),
    dynamic(
        "virtual_hardware_platform_versions", "set(int)", default=[0], since="cream",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "control_domain", "ref(VM)", default="OpaqueRef:NULL", since="ely", write_role=Role.POOL_OPERATOR,
    ),
    dynamic("updates_requiring_reboot", "set(ref(pool_update))", since="ely", write_role=Role.POOL_OPERATOR),
    dynamic("features", "set(ref(Feature))", since="falcon", write_role=Role.POOL_OPERATOR),
    static("iscsi_iqn", "string", default="", since="kolkata", write_role=Role.POOL_OPERATOR),
    static("multipathing", "bool", default=False, since="kolkata", write_role=Role.POOL_OPERATOR),
    static(
        "uefi_certificates", "string", default="", since="quebec", state="deprecated",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("certificates", "set(ref(Certificate))", since="stockholm", write_role=Role.POOL_OPERATOR),
    dynamic("editions", "set(string)", default=[], since="stockholm", write_role=Role.POOL_OPERATOR),
    dynamic(
        "pending_guidances", "set(enum(update_guidances))", default=[], since="1.303.0",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "tls_verification_enabled", "bool", default=False, since="1.313.0", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "last_software_update", "datetime", default="19700101T00:00:00Z", since="22.20.0",
        state="prototyped", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "https_only", "bool", default=False, since="22.27.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "recommended_guidances", "set(enum(update_guidances))", default=[], since="23.18.0", state="removed",
        internal=True, write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "latest_synced_updates_applied", "enum(latest_synced_updates_applied_state)", default="unknown",
        since="23.18.0", state="prototyped", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "numa_affinity_policy", "enum(host_numa_affinity_policy)", default="default_policy", since="24.0.0",
        state="prototyped", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "pending_guidances_recommended", "set(enum(update_guidances))", default=[], since="24.10.0",
        state="prototyped", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "pending_guidances_full", "set(enum(update_guidances))", default=[], since="24.10.0",
        state="prototyped", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "last_update_hash", "string", default="", since="24.10.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "ssh_enabled", "bool", default=True, since="25.21.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "ssh_enabled_timeout", "int", default=0, since="25.21.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "ssh_expiry", "datetime", default="19700101T00:00:00Z", since="25.21.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "console_idle_timeout", "int", default=0, since="25.21.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "ssh_auto_mode", "bool", default=False, since="25.27.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "max_cstate", "string", default="", since="26.0.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "secure_boot", "bool", default=False, since="25.31.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "ntp_mode", "enum(host_ntp_mode)", default="Factory", since="26.0.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "ntp_custom_servers", "set(string)", default=[], since="26.0.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "timezone", "string", default="UTC", since="26.0.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
)

"""The fields of class pool."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, rw, static
from xapi_shim.datamodel.model import Field, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    rw("name_label", "string", write_role=Role.POOL_OPERATOR),
    rw("name_description", "string", write_role=Role.POOL_OPERATOR),
    dynamic("master", "ref(host)", write_role=Role.POOL_OPERATOR),
    rw("default_SR", "ref(SR)", write_role=Role.POOL_OPERATOR),
    rw("suspend_image_SR", "ref(SR)", write_role=Role.POOL_OPERATOR),
    rw("crash_dump_SR", "ref(SR)", write_role=Role.POOL_OPERATOR),
    rw(
        "other_config", "map(string,string)", write_role=Role.POOL_OPERATOR,
        key_roles={"folder": Role.VM_OPERATOR, "XenCenter.CustomFields.*": Role.VM_OPERATOR, "EMPTY_FOLDERS": Role.VM_OPERATOR},
    ),
    dynamic("ha_enabled", "bool", default=False, since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic(
        "ha_configuration", "map(string,string)", default={}, since="orlando", write_role=Role.POOL_OPERATOR,
    ),
    dynamic("ha_statefiles", "set(string)", default=[], since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic("ha_host_failures_to_tolerate", "int", default=0, since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic("ha_plan_exists_for", "int", default=0, since="orlando", write_role=Role.POOL_OPERATOR),
    rw("ha_allow_overcommit", "bool", default=False, since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic("ha_overcommitted", "bool", default=False, since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic("blobs", "map(string,ref(blob))", default={}, since="orlando", write_role=Role.POOL_OPERATOR),
    rw("tags", "set(string)", default=[], since="orlando", write_role=Role.VM_OPERATOR),
    rw("gui_config", "map(string,string)", default={}, since="orlando", write_role=Role.VM_OPERATOR),
    rw(
        "health_check_config", "map(string,string)", default={}, since="dundee",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("wlb_url", "string", default="", since="george", write_role=Role.POOL_OPERATOR),
    dynamic("wlb_username", "string", default="", since="george", write_role=Role.POOL_OPERATOR),
    dynamic("wlb_password", "ref(secret)", since="george", internal=True, write_role=Role.POOL_OPERATOR),
    rw("wlb_enabled", "bool", default=False, since="george", write_role=Role.POOL_OPERATOR, client_cert=True),
    rw(
        "wlb_verify_cert", "bool", default=False, since="george", state="deprecated",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("redo_log_enabled", "bool", default=False, since="midnight-ride", write_role=Role.POOL_OPERATOR),
    dynamic(
        "redo_log_vdi", "ref(VDI)", default="OpaqueRef:NULL", since="midnight-ride",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "vswitch_controller", "string", default="", since="midnight-ride", state="deprecated",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "restrictions", "map(string,string)", default={}, since="midnight-ride",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("metadata_VDIs", "set(ref(VDI))", since="boston", write_role=Role.POOL_OPERATOR),
    dynamic("ha_cluster_stack", "string", default="", since="dundee", write_role=Role.POOL_OPERATOR),
    dynamic(
        "allowed_operations", "set(enum(pool_allowed_operations))", default=[], persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "current_operations", "map(string,enum(pool_allowed_operations))", default={}, persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "guest_agent_config", "map(string,string)", default={}, since="dundee",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("cpu_info", "map(string,string)", default={}, since="dundee", write_role=Role.POOL_OPERATOR),
    rw(
        "policy_no_vendor_device", "bool", default=False, since="dundee", state="deprecated",
        write_role=Role.POOL_OPERATOR,
    ),
    rw("live_patching_disabled", "bool", default=False, since="ely", write_role=Role.POOL_OPERATOR),
    dynamic("igmp_snooping_enabled", "bool", default=False, since="inverness", write_role=Role.POOL_OPERATOR),
    static("uefi_certificates", "string", default="", since="quebec", write_role=Role.POOL_OPERATOR),
    static(
        "custom_uefi_certificates", "string", default="", since="24.0.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    rw("is_psr_pending", "bool", default=False, since="stockholm_psr", write_role=Role.POOL_OPERATOR),
    dynamic(
        "tls_verification_enabled", "bool", default=False, since="1.290.0", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "repositories", "set(ref(Repository))", default=[], since="1.301.0", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "client_certificate_auth_enabled", "bool", default=False, since="1.318.0",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "client_certificate_auth_name", "string", default="", since="1.318.0", write_role=Role.POOL_OPERATOR,
    ),
    dynamic("repository_proxy_url", "string", default="", since="21.3.0", write_role=Role.POOL_OPERATOR),
    dynamic("repository_proxy_username", "string", default="", since="21.3.0", write_role=Role.POOL_OPERATOR),
    dynamic(
        "repository_proxy_password", "ref(secret)", default="OpaqueRef:NULL", since="21.3.0",
        write_role=Role.POOL_OPERATOR,
    ),
    rw(
        "migration_compression", "bool", default=False, since="22.33.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    rw("coordinator_bias", "bool", default=True, write_role=Role.POOL_OPERATOR),
    static(
        "local_auth_max_threads", "int", default=8, since="23.27.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    static(
        "ext_auth_max_threads", "int", default=1, since="23.27.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "ext_auth_cache_enabled", "bool", default=True, since="24.31.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "ext_auth_cache_size", "int", default=50, since="24.31.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "ext_auth_cache_expiry", "int", default=300, since="24.31.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "telemetry_uuid", "ref(secret)", default="OpaqueRef:NULL", since="23.9.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "telemetry_frequency", "enum(telemetry_frequency)", default="weekly", since="23.9.0",
        state="prototyped", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "telemetry_next_collection", "datetime", default="19700101T00:00:00Z", since="23.9.0",
        state="prototyped", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "last_update_sync", "datetime", default="19700101T00:00:00Z", since="23.18.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "update_sync_frequency", "enum(update_sync_frequency)", default="weekly", since="23.18.0",
        state="prototyped", write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "update_sync_day", "int", default=0, since="23.18.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "update_sync_enabled", "bool", default=False, since="23.18.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "recommendations", "map(string,string)", default={}, since="24.19.1", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    rw(
        "license_server", "map(string,string)", default={}, since="25.6.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    rw(
        "ha_reboot_vm_on_internal_shutdown", "bool", default=True, since="25.16.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    rw(
        "limit_console_sessions", "bool", default=False, since="26.1.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    rw(
        "vm_console_idle_timeout", "int", default=0, since="26.1.0", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
    rw(
        "auto_update_vm_secureboot_certificates", "bool", default=False, since="26.16.1", state="prototyped",
        write_role=Role.POOL_OPERATOR,
    ),
)

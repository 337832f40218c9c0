"""The messages of class host that are written for it."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param
from xapi_shim.datamodel.model import Message, Role

MESSAGES: tuple[Message, ...] = (
    msg(
        "disable", (param("host", "ref(host)"), param("auto_enable", "bool", True)), role=Role.POOL_OPERATOR,
        client_cert=True,
    ),
    msg("enable", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, client_cert=True),
    msg("shutdown", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR),
    msg("reboot", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR),
    msg(
        "prepare_for_poweroff", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT, since="kolkata",
        hidden=True,
    ),
    msg("dmesg", (param("host", "ref(host)"),), result="string", role=Role.POOL_OPERATOR),
    msg("dmesg_clear", (param("host", "ref(host)"),), result="string", role=Role.POOL_OPERATOR),
    msg("get_log", (param("host", "ref(host)"),), result="string", role=Role.READ_ONLY),
    msg("send_debug_keys", (param("host", "ref(host)"), param("keys", "string"))),
    msg(
        "bugreport_upload",
        (param("host", "ref(host)"), param("url", "string"), param("options", "map(string,string)")),
        role=Role.POOL_OPERATOR,
    ),
    msg("list_methods", result="set(string)", role=Role.READ_ONLY, is_async=False),
    msg(
        "license_apply", (param("host", "ref(host)"), param("contents", "string")), role=Role.POOL_OPERATOR,
        errors=("LICENSE_PROCESSING_ERROR",), state="removed",
    ),
    msg(
        "license_add", (param("host", "ref(host)"), param("contents", "string")), role=Role.POOL_OPERATOR,
        errors=("LICENSE_PROCESSING_ERROR",), since="indigo",
    ),
    msg("license_remove", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, since="indigo"),
    msg(
        "create",
        (param("uuid", "string"), param("name_label", "string"), param("name_description", "string"), param("hostname", "string"), param("address", "string"), param("external_auth_type", "string", ""), param("external_auth_service_name", "string", ""), param("external_auth_configuration", "map(string,string)", {}), param("license_params", "map(string,string)", {}), param("edition", "string", ""), param("license_server", "map(string,string)", {"address": "localhost", "port": "27000"}), param("local_cache_sr", "ref(SR)", "OpaqueRef:NULL"), param("chipset_info", "map(string,string)", {}), param("ssl_legacy", "bool", True), param("last_software_update", "datetime", "19700101T00:00:00Z"), param("last_update_hash", "string", ""), param("ssh_enabled", "bool", True), param("ssh_enabled_timeout", "int", 0), param("ssh_expiry", "datetime", "19700101T00:00:00Z"), param("console_idle_timeout", "int", 0), param("ssh_auto_mode", "bool", False), param("secure_boot", "bool", False), param("software_version", "map(string,string)", {}), param("https_only", "bool", False), param("max_cstate", "string", ""), param("ntp_mode", "enum(host_ntp_mode)", "Factory"), param("ntp_custom_servers", "set(string)", []), param("timezone", "string", "UTC"), param("numa_affinity_policy", "enum(host_numa_affinity_policy)", "default_policy"), param("latest_synced_updates_applied", "enum(latest_synced_updates_applied_state)", []), param("pending_guidances_full", "set(enum(update_guidances))", []), param("pending_guidances_recommended", "set(enum(update_guidances))", [])),
        result="ref(host)", role=Role.POOL_OPERATOR, hidden=True,
    ),
    msg("destroy", (param("self", "ref(host)"),), role=Role.POOL_OPERATOR),
    msg("power_on", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, since="orlando"),
    msg(
        "set_license_params", (param("self", "ref(host)"), param("value", "map(string,string)")),
        role=Role.LOCAL_ROOT, since="orlando", hidden=True, pool_internal=True, field="license_params",
    ),
    msg(
        "emergency_ha_disable", (param("soft", "bool", False),), role=Role.POOL_OPERATOR, is_async=False,
        since="orlando",
    ),
    msg(
        "ha_disarm_fencing", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT, since="orlando",
        hidden=True, pool_internal=True,
    ),
    msg(
        "preconfigure_ha",
        (param("host", "ref(host)"), param("statefiles", "set(ref(VDI))"), param("metadata_vdi", "ref(VDI)"), param("generation", "string")),
        role=Role.LOCAL_ROOT, since="miami", hidden=True, pool_internal=True,
    ),
    msg(
        "ha_join_liveset", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT, since="orlando", hidden=True,
        pool_internal=True,
    ),
    msg(
        "ha_disable_failover_decisions", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT,
        since="orlando", hidden=True, pool_internal=True,
    ),
    msg(
        "ha_wait_for_shutdown_via_statefile", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT,
        since="orlando", hidden=True, pool_internal=True,
    ),
    msg(
        "ha_stop_daemon", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT, since="orlando", hidden=True,
        pool_internal=True,
    ),
    msg(
        "ha_release_resources", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT, since="orlando",
        hidden=True, pool_internal=True,
    ),
    msg("ha_xapi_healthcheck", result="bool", is_async=False, since="orlando", hidden=True),
    msg(
        "local_assert_healthy", role=Role.LOCAL_ROOT, is_async=False,
        errors=("HOST_STILL_BOOTING", "HOST_HAS_NO_MANAGEMENT_IP", "HOST_MASTER_CANNOT_TALK_BACK", "HOST_UNKNOWN_TO_MASTER", "HOST_BROKEN", "LICENCE_RESTRICTION", "LICENSE_DOES_NOT_SUPPORT_POOLING", "HA_SHOULD_BE_FENCED", "HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR"),
        since="miami", hidden=True, pool_internal=True,
    ),
    msg(
        "request_backup", (param("host", "ref(host)"), param("generation", "int"), param("force", "bool")),
        role=Role.LOCAL_ROOT, is_async=False, hidden=True, pool_internal=True,
    ),
    msg(
        "request_config_file_sync", (param("host", "ref(host)"), param("hash", "string")),
        role=Role.LOCAL_ROOT, is_async=False, hidden=True, pool_internal=True,
    ),
    msg(
        "propose_new_master", (param("address", "string"), param("manual", "bool")), role=Role.LOCAL_ROOT,
        is_async=False, since="miami", hidden=True, pool_internal=True,
    ),
    msg(
        "commit_new_master", (param("address", "string"),), role=Role.LOCAL_ROOT, is_async=False,
        since="miami", hidden=True, pool_internal=True,
    ),
    msg(
        "abort_new_master", (param("address", "string"),), role=Role.LOCAL_ROOT, is_async=False,
        since="miami", hidden=True, pool_internal=True,
    ),
    msg(
        "get_data_sources", (param("host", "ref(host)"),), result="set(record(data_source))",
        role=Role.READ_ONLY, is_async=False, since="orlando",
    ),
    msg(
        "record_data_source", (param("host", "ref(host)"), param("data_source", "string")),
        role=Role.POOL_OPERATOR, is_async=False, since="orlando",
    ),
    msg(
        "query_data_source", (param("host", "ref(host)"), param("data_source", "string")), result="float",
        role=Role.READ_ONLY, is_async=False, since="orlando",
    ),
    msg(
        "forget_data_source_archives", (param("host", "ref(host)"), param("data_source", "string")),
        role=Role.POOL_OPERATOR, is_async=False, since="orlando",
    ),
    msg("assert_can_evacuate", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, since="miami"),
    msg(
        "get_vms_which_prevent_evacuation", (param("self", "ref(host)"),), result="map(ref(VM),set(string))",
        role=Role.READ_ONLY, since="orlando",
    ),
    msg(
        "get_uncooperative_resident_VMs", (param("self", "ref(host)"),), result="set(ref(VM))",
        role=Role.READ_ONLY, since="midnight-ride", state="deprecated",
    ),
    msg(
        "get_uncooperative_domains", (param("self", "ref(host)"),), result="set(string)",
        role=Role.LOCAL_ROOT, since="midnight-ride", state="deprecated", hidden=True, pool_internal=True,
    ),
    msg(
        "evacuate",
        (param("host", "ref(host)"), param("network", "ref(network)", "OpaqueRef:NULL"), param("evacuate_batch_size", "int", 0)),
        role=Role.POOL_OPERATOR, client_cert=True, since="miami",
    ),
    msg(
        "signal_networking_change", role=Role.LOCAL_ROOT, is_async=False, since="miami", hidden=True,
        pool_internal=True,
    ),
    msg(
        "notify", (param("ty", "string"), param("params", "string")), role=Role.LOCAL_ROOT, since="miami",
        hidden=True, pool_internal=True,
    ),
    msg("syslog_reconfigure", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, since="miami"),
    msg("management_reconfigure", (param("pif", "ref(PIF)"),), role=Role.POOL_OPERATOR, since="miami"),
    msg(
        "local_management_reconfigure", (param("interface", "string"),), role=Role.POOL_OPERATOR,
        is_async=False, since="miami",
    ),
    msg("management_disable", role=Role.POOL_OPERATOR, is_async=False, since="miami"),
    msg(
        "get_management_interface", (param("host", "ref(host)"),), result="ref(PIF)",
        role=Role.POOL_OPERATOR, since="tampa",
    ),
    msg(
        "get_system_status_capabilities", (param("host", "ref(host)"),), result="string",
        role=Role.READ_ONLY, is_async=False, since="miami",
    ),
    msg(
        "get_diagnostic_timing_stats", (param("host", "ref(host)"), param("counts", "bool", False)),
        result="map(string,string)", role=Role.READ_ONLY, is_async=False, since="miami", hidden=True,
    ),
    msg("restart_agent", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR),
    msg("shutdown_agent", role=Role.POOL_OPERATOR, is_async=False, since="orlando"),
    msg(
        "set_hostname_live", (param("host", "ref(host)"), param("hostname", "string")),
        role=Role.POOL_OPERATOR, is_async=False, errors=("HOST_NAME_INVALID",), since="miami",
    ),
    msg(
        "is_in_emergency_mode", result="bool", role=Role.READ_ONLY, is_async=False, since="miami",
        hidden=True,
    ),
    msg(
        "compute_free_memory", (param("host", "ref(host)"),), result="int", role=Role.READ_ONLY,
        since="orlando",
    ),
    msg(
        "compute_memory_overhead", (param("host", "ref(host)"),), result="int", role=Role.READ_ONLY,
        since="midnight-ride",
    ),
    msg(
        "tickle_heartbeat", (param("host", "ref(host)"), param("stuff", "map(string,string)")),
        result="map(string,string)", role=Role.LOCAL_ROOT, is_async=False, since="orlando", hidden=True,
        pool_internal=True,
    ),
    msg("sync_data", (param("host", "ref(host)"),), is_async=False, since="orlando"),
    msg(
        "backup_rrds", (param("host", "ref(host)"), param("delay", "float")), is_async=False,
        since="orlando",
    ),
    msg(
        "create_new_blob",
        (param("host", "ref(host)"), param("name", "string"), param("mime_type", "string"), param("public", "bool", False)),
        result="ref(blob)", role=Role.POOL_OPERATOR, since="orlando",
    ),
    msg(
        "call_plugin",
        (param("host", "ref(host)"), param("plugin", "string"), param("fn", "string"), param("args", "map(string,string)")),
        result="string", since="orlando",
    ),
    msg("has_extension", (param("host", "ref(host)"), param("name", "string")), result="bool", since="ely"),
    msg(
        "call_extension", (param("host", "ref(host)"), param("call", "string")), result="string",
        is_async=False, since="ely",
    ),
    msg(
        "get_servertime", (param("host", "ref(host)"),), result="datetime", role=Role.READ_ONLY,
        is_async=False, since="orlando",
    ),
    msg(
        "get_server_localtime", (param("host", "ref(host)"),), result="datetime", role=Role.READ_ONLY,
        is_async=False, since="cowley",
    ),
    msg(
        "enable_binary_storage", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT, since="orlando",
        hidden=True, pool_internal=True,
    ),
    msg(
        "disable_binary_storage", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT, since="orlando",
        hidden=True, pool_internal=True,
    ),
    msg(
        "enable_external_auth",
        (param("host", "ref(host)"), param("config", "map(string,string)"), param("service_name", "string"), param("auth_type", "string")),
        is_async=False, since="george",
    ),
    msg(
        "disable_external_auth",
        (param("host", "ref(host)"), param("config", "map(string,string)", {}), param("force", "bool", False)),
        is_async=False, since="george",
    ),
    msg(
        "external_auth_set_ldaps",
        (param("host", "ref(host)"), param("ldaps", "bool"), param("force", "bool", False)), is_async=False,
        since="26.16.0",
    ),
    msg(
        "retrieve_wlb_evacuate_recommendations", (param("self", "ref(host)"),),
        result="map(ref(VM),set(string))", role=Role.READ_ONLY, since="george",
    ),
    msg(
        "install_ca_certificate",
        (param("host", "ref(host)"), param("name", "string"), param("cert", "string")), role=Role.LOCAL_ROOT,
        since="1.290.0", hidden=True, pool_internal=True,
    ),
    msg(
        "uninstall_ca_certificate",
        (param("host", "ref(host)"), param("name", "string"), param("force", "bool", False)),
        role=Role.LOCAL_ROOT, since="1.290.0", hidden=True, pool_internal=True,
    ),
    msg(
        "certificate_list", (param("host", "ref(host)"),), result="set(string)", role=Role.LOCAL_ROOT,
        since="george", state="deprecated", hidden=True, pool_internal=True,
    ),
    msg(
        "crl_install", (param("host", "ref(host)"), param("name", "string"), param("crl", "string")),
        role=Role.LOCAL_ROOT, since="george", hidden=True, pool_internal=True,
    ),
    msg(
        "crl_uninstall", (param("host", "ref(host)"), param("name", "string")), role=Role.LOCAL_ROOT,
        since="george", hidden=True, pool_internal=True,
    ),
    msg(
        "crl_list", (param("host", "ref(host)"),), result="set(string)", role=Role.LOCAL_ROOT,
        since="george", hidden=True, pool_internal=True,
    ),
    msg(
        "certificate_sync", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT, since="george", hidden=True,
        pool_internal=True,
    ),
    msg(
        "get_server_certificate", (param("host", "ref(host)"),), result="string", role=Role.READ_ONLY,
        since="george",
    ),
    msg("refresh_server_certificate", (param("host", "ref(host)"),), since="1.307.0"),
    msg(
        "install_server_certificate",
        (param("host", "ref(host)"), param("certificate", "string"), param("private_key", "string"), param("certificate_chain", "string", "")),
        since="stockholm",
    ),
    msg("emergency_reset_server_certificate", role=Role.LOCAL_ROOT, is_async=False, since="stockholm"),
    msg("reset_server_certificate", (param("host", "ref(host)"),), since="1.290.0"),
    msg(
        "update_pool_secret", (param("host", "ref(host)"), param("pool_secret", "secretstring")),
        role=Role.LOCAL_ROOT, since="midnight-ride", hidden=True, pool_internal=True,
    ),
    msg(
        "update_master", (param("host", "ref(host)"), param("master_address", "string")),
        role=Role.LOCAL_ROOT, since="midnight-ride", hidden=True, pool_internal=True,
    ),
    msg(
        "attach_static_vdis", (param("host", "ref(host)"), param("vdi_reason_map", "map(ref(VDI),string)")),
        role=Role.LOCAL_ROOT, since="midnight-ride", hidden=True, pool_internal=True,
    ),
    msg(
        "detach_static_vdis", (param("host", "ref(host)"), param("vdis", "set(ref(VDI))")),
        role=Role.LOCAL_ROOT, since="midnight-ride", hidden=True, pool_internal=True,
    ),
    msg(
        "set_localdb_key", (param("host", "ref(host)"), param("key", "string"), param("value", "string")),
        role=Role.LOCAL_ROOT, since="midnight-ride", hidden=True, pool_internal=True,
    ),
    msg(
        "apply_edition",
        (param("host", "ref(host)"), param("edition", "string"), param("force", "bool", False)),
        role=Role.POOL_OPERATOR, is_async=False, since="midnight-ride",
    ),
    msg(
        "refresh_pack_info", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, since="midnight-ride",
        state="deprecated",
    ),
    msg(
        "set_power_on_mode",
        (param("self", "ref(host)"), param("power_on_mode", "string"), param("power_on_config", "map(string,string)")),
        role=Role.POOL_OPERATOR, since="cowley",
    ),
    msg(
        "set_cpu_features", (param("host", "ref(host)"), param("features", "string")),
        role=Role.POOL_OPERATOR, is_async=False, since="midnight-ride", state="removed",
    ),
    msg(
        "reset_cpu_features", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, is_async=False,
        since="midnight-ride", state="removed",
    ),
    msg(
        "reset_networking", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, since="boston",
        hidden=True,
    ),
    msg(
        "enable_local_storage_caching", (param("host", "ref(host)"), param("sr", "ref(SR)")),
        role=Role.POOL_OPERATOR, is_async=False, since="cowley",
    ),
    msg(
        "disable_local_storage_caching", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR,
        is_async=False, since="cowley",
    ),
    msg(
        "get_sm_diagnostics", (param("host", "ref(host)"),), result="string", role=Role.POOL_OPERATOR,
        is_async=False, since="boston", hidden=True,
    ),
    msg(
        "get_thread_diagnostics", (param("host", "ref(host)"),), result="string", role=Role.POOL_OPERATOR,
        is_async=False, since="boston", hidden=True,
    ),
    msg(
        "sm_dp_destroy", (param("host", "ref(host)"), param("dp", "string"), param("allow_leak", "bool")),
        role=Role.POOL_OPERATOR, is_async=False, since="boston", hidden=True,
    ),
    msg(
        "sync_vlans", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, is_async=False, since="boston",
        hidden=True, pool_internal=True,
    ),
    msg(
        "sync_tunnels", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, is_async=False,
        since="boston", hidden=True, pool_internal=True,
    ),
    msg(
        "sync_pif_currently_attached", (param("host", "ref(host)"), param("bridges", "set(string)")),
        role=Role.POOL_OPERATOR, is_async=False, since="boston", hidden=True, pool_internal=True,
    ),
    msg(
        "migrate_receive",
        (param("host", "ref(host)"), param("network", "ref(network)"), param("options", "map(string,string)")),
        result="map(string,string)", role=Role.VM_POWER_ADMIN, since="tampa",
    ),
    msg("declare_dead", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, since="clearwater"),
    msg(
        "enable_display", (param("host", "ref(host)"),), result="enum(host_display)",
        role=Role.POOL_OPERATOR, since="cream",
    ),
    msg(
        "disable_display", (param("host", "ref(host)"),), result="enum(host_display)",
        role=Role.POOL_OPERATOR, since="cream",
    ),
    msg(
        "set_ssl_legacy", (param("self", "ref(host)"), param("value", "bool")), role=Role.POOL_OPERATOR,
        since="dundee",
    ),
    msg("apply_guest_agent_config", (param("host", "ref(host)"),), since="dundee", hidden=True),
    msg(
        "mxgpu_vf_setup", (param("host", "ref(host)"),), role=Role.VM_OPERATOR, since="falcon", hidden=True,
        pool_internal=True,
    ),
    msg(
        "nvidia_vf_setup", (param("host", "ref(host)"), param("pf", "ref(PCI)"), param("enable", "bool")),
        role=Role.VM_OPERATOR, since="quebec", hidden=True, pool_internal=True,
    ),
    msg(
        "allocate_resources_for_vm",
        (param("self", "ref(host)"), param("vm", "ref(VM)"), param("live", "bool")), role=Role.VM_OPERATOR,
        since="inverness", hidden=True,
    ),
    msg(
        "set_iscsi_iqn", (param("host", "ref(host)"), param("value", "string")), role=Role.POOL_OPERATOR,
        since="kolkata",
    ),
    msg(
        "set_multipathing", (param("host", "ref(host)"), param("value", "bool")), role=Role.POOL_OPERATOR,
        since="kolkata",
    ),
    msg(
        "write_uefi_certificates_to_disk", (param("host", "ref(host)"),), role=Role.LOCAL_ROOT,
        since="22.16.0", hidden=True, pool_internal=True,
    ),
    msg(
        "set_uefi_certificates", (param("host", "ref(host)"), param("value", "string")),
        role=Role.LOCAL_ROOT, since="quebec", state="deprecated",
    ),
    msg(
        "notify_accept_new_pool_secret",
        (param("host", "ref(host)"), param("old_ps", "secretstring"), param("new_ps", "secretstring")),
        role=Role.LOCAL_ROOT, since="stockholm_psr", hidden=True,
    ),
    msg(
        "notify_send_new_pool_secret",
        (param("host", "ref(host)"), param("old_ps", "secretstring"), param("new_ps", "secretstring")),
        role=Role.LOCAL_ROOT, since="stockholm_psr", hidden=True,
    ),
    msg(
        "cleanup_pool_secret",
        (param("host", "ref(host)"), param("old_ps", "secretstring"), param("new_ps", "secretstring")),
        role=Role.LOCAL_ROOT, since="stockholm_psr", hidden=True,
    ),
    msg(
        "set_sched_gran", (param("self", "ref(host)"), param("value", "enum(host_sched_gran)")),
        role=Role.LOCAL_ROOT, since="1.271.0",
    ),
    msg(
        "get_sched_gran", (param("self", "ref(host)"),), result="enum(host_sched_gran)",
        role=Role.LOCAL_ROOT, since="1.271.0",
    ),
    msg(
        "set_numa_affinity_policy",
        (param("self", "ref(host)"), param("value", "enum(host_numa_affinity_policy)")), since="24.0.0",
        state="prototyped",
    ),
    msg("emergency_disable_tls_verification", role=Role.LOCAL_ROOT, is_async=False, since="1.290.0"),
    msg("emergency_reenable_tls_verification", role=Role.LOCAL_ROOT, is_async=False, since="1.298.0"),
    msg(
        "cert_distrib_atom", (param("host", "ref(host)"), param("command", "string")), result="string",
        role=Role.LOCAL_ROOT, since="1.295.0", hidden=True, pool_internal=True,
    ),
    msg(
        "apply_updates", (param("self", "ref(host)"), param("hash", "string")), result="set(set(string))",
        role=Role.POOL_OPERATOR, client_cert=True, since="1.301.0",
    ),
    msg("rescan_drivers", (param("self", "ref(host)"),), since="25.2.0", state="prototyped"),
    msg(
        "copy_primary_host_certs", (param("host", "ref(host)"),), since="1.307.0", hidden=True,
        pool_internal=True,
    ),
    msg(
        "set_https_only", (param("self", "ref(host)"), param("value", "bool")), role=Role.POOL_OPERATOR,
        since="22.27.0", state="prototyped",
    ),
    msg(
        "apply_recommended_guidances", (param("self", "ref(host)"),), role=Role.POOL_OPERATOR,
        since="23.18.0", state="removed",
    ),
    msg(
        "emergency_clear_mandatory_guidance", role=Role.LOCAL_ROOT, is_async=False, since="24.10.0",
        state="prototyped",
    ),
    msg("enable_ssh", (param("self", "ref(host)"),), since="25.13.0", state="prototyped"),
    msg("disable_ssh", (param("self", "ref(host)"),), since="25.13.0", state="prototyped"),
    msg(
        "set_ssh_enabled_timeout", (param("self", "ref(host)"), param("value", "int")), since="25.21.0",
        state="prototyped",
    ),
    msg(
        "set_console_idle_timeout", (param("self", "ref(host)"), param("value", "int")), since="25.21.0",
        state="prototyped",
    ),
    msg(
        "set_ssh_auto_mode", (param("self", "ref(host)"), param("value", "bool")), since="25.27.0",
        state="prototyped",
    ),
    msg(
        "get_tracked_user_agents", (param("self", "ref(host)"),), result="map(string,string)",
        role=Role.READ_ONLY, since="25.34.0", state="prototyped",
    ),
    msg(
        "update_firewalld_service_status", role=Role.POOL_OPERATOR, is_async=False, since="25.34.0",
        state="prototyped", hidden=True, pool_internal=True,
    ),
    msg(
        "set_max_cstate", (param("self", "ref(host)"), param("value", "string")), role=Role.POOL_OPERATOR,
        since="26.0.0", state="prototyped",
    ),
    msg(
        "set_ntp_mode", (param("self", "ref(host)"), param("value", "enum(host_ntp_mode)")),
        role=Role.POOL_OPERATOR, since="26.0.0", state="prototyped",
    ),
    msg(
        "set_ntp_custom_servers", (param("self", "ref(host)"), param("value", "set(string)")),
        role=Role.POOL_OPERATOR, since="26.0.0", state="prototyped",
    ),
    msg(
        "get_ntp_servers_status", (param("self", "ref(host)"),), result="map(string,string)",
        role=Role.READ_ONLY, since="26.0.0", state="prototyped",
    ),
    msg(
        "set_timezone", (param("self", "ref(host)"), param("value", "string")), role=Role.POOL_OPERATOR,
        since="26.0.0", state="prototyped",
    ),
    msg(
        "list_timezones", (param("self", "ref(host)"),), result="set(string)", role=Role.READ_ONLY,
        since="26.0.0", state="prototyped",
    ),
    msg(
        "get_ntp_synchronized", (param("self", "ref(host)"),), result="bool", role=Role.READ_ONLY,
        since="26.0.0", state="prototyped",
    ),
    msg(
        "set_servertime", (param("self", "ref(host)"), param("value", "datetime")), role=Role.POOL_OPERATOR,
        since="26.0.0", state="prototyped",
    ),
)

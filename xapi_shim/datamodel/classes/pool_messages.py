"""The messages of class pool that are written for it."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param
from xapi_shim.datamodel.model import Message, Role

MESSAGES: tuple[Message, ...] = (
    msg(
        "join",
        (param("master_address", "string"), param("master_username", "string"), param("master_password", "string")),
        role=Role.POOL_OPERATOR, errors=("JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS",),
    ),
    msg(
        "join_force",
        (param("master_address", "string"), param("master_username", "string"), param("master_password", "string")),
        role=Role.POOL_OPERATOR,
    ),
    msg("eject", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR),
    msg("initial_auth", result="secretstring", role=Role.POOL_OPERATOR, hidden=True),
    msg(
        "exchange_certificates_on_join", (param("uuid", "string"), param("certificate", "string")),
        result="map(string,string)", role=Role.POOL_OPERATOR, since="1.298.0", hidden=True,
    ),
    msg(
        "exchange_ca_certificates_on_join",
        (param("import", "map(string,string)"), param("export", "set(ref(Certificate))")),
        result="map(string,string)", role=Role.POOL_OPERATOR, since="1.320.0", hidden=True,
    ),
    msg("emergency_transition_to_master", role=Role.POOL_OPERATOR, is_async=False),
    msg(
        "emergency_reset_master", (param("master_address", "string"),), role=Role.POOL_OPERATOR,
        is_async=False,
    ),
    msg("recover_slaves", result="set(ref(host))", role=Role.POOL_OPERATOR),
    msg(
        "hello", (param("host_uuid", "string"), param("host_address", "string")),
        result="enum(hello_return)", role=Role.POOL_OPERATOR, hidden=True,
    ),
    msg("is_slave", (param("host", "ref(host)"),), result="bool", is_async=False, hidden=True),
    msg(
        "create_VLAN", (param("device", "string"), param("network", "ref(network)"), param("VLAN", "int")),
        result="set(ref(PIF))", role=Role.POOL_OPERATOR, errors=("VLAN_TAG_INVALID",),
    ),
    msg(
        "management_reconfigure", (param("network", "ref(network)"),), role=Role.POOL_OPERATOR,
        errors=("HA_IS_ENABLED", "PIF_NOT_PRESENT", "CANNOT_PLUG_BOND_SLAVE", "PIF_INCOMPATIBLE_PRIMARY_ADDRESS_TYPE", "PIF_HAS_NO_NETWORK_CONFIGURATION", "PIF_HAS_NO_V6_NETWORK_CONFIGURATION"),
        since="inverness",
    ),
    msg(
        "create_VLAN_from_PIF",
        (param("pif", "ref(PIF)"), param("network", "ref(network)"), param("VLAN", "int")),
        result="set(ref(PIF))", role=Role.POOL_OPERATOR, errors=("VLAN_TAG_INVALID",),
    ),
    msg(
        "enable_ha", (param("heartbeat_srs", "set(ref(SR))"), param("configuration", "map(string,string)")),
        role=Role.POOL_OPERATOR, client_cert=True, since="miami",
    ),
    msg("disable_ha", role=Role.POOL_OPERATOR, client_cert=True, since="miami"),
    msg("sync_database", role=Role.POOL_OPERATOR),
    msg("designate_new_master", (param("host", "ref(host)"),), role=Role.POOL_OPERATOR, since="miami"),
    msg(
        "ha_prevent_restarts_for", (param("seconds", "int"),), role=Role.POOL_OPERATOR, is_async=False,
        since="orlando-update-1",
    ),
    msg(
        "ha_failover_plan_exists", (param("n", "int"),), result="bool", role=Role.POOL_OPERATOR,
        is_async=False, since="orlando",
    ),
    msg(
        "ha_compute_max_host_failures_to_tolerate", result="int", role=Role.POOL_OPERATOR, is_async=False,
        since="orlando",
    ),
    msg(
        "ha_compute_hypothetical_max_host_failures_to_tolerate",
        (param("configuration", "map(ref(VM),string)"),), result="int", role=Role.READ_ONLY, is_async=False,
        since="orlando",
    ),
    msg(
        "ha_compute_vm_failover_plan",
        (param("failed_hosts", "set(ref(host))"), param("failed_vms", "set(ref(VM))")),
        result="map(ref(VM),map(string,string))", role=Role.POOL_OPERATOR, is_async=False, since="orlando",
    ),
    msg(
        "set_ha_host_failures_to_tolerate", (param("self", "ref(pool)"), param("value", "int")),
        role=Role.POOL_OPERATOR, since="orlando",
    ),
    msg(
        "create_new_blob",
        (param("pool", "ref(pool)"), param("name", "string"), param("mime_type", "string"), param("public", "bool", False)),
        result="ref(blob)", role=Role.POOL_OPERATOR, since="orlando",
    ),
    msg(
        "ha_schedule_plan_recomputation", role=Role.LOCAL_ROOT, since="orlando", hidden=True,
        pool_internal=True,
    ),
    msg("enable_binary_storage", role=Role.POOL_OPERATOR, since="orlando", hidden=True),
    msg("disable_binary_storage", role=Role.POOL_OPERATOR, since="orlando", hidden=True),
    msg(
        "enable_external_auth",
        (param("pool", "ref(pool)"), param("config", "map(string,string)"), param("service_name", "string"), param("auth_type", "string")),
        is_async=False, since="george",
    ),
    msg(
        "disable_external_auth", (param("pool", "ref(pool)"), param("config", "map(string,string)", {})),
        is_async=False, since="george",
    ),
    msg(
        "external_auth_set_ldaps",
        (param("pool", "ref(pool)"), param("ldaps", "bool"), param("force", "bool", False)), is_async=False,
        since="26.16.0",
    ),
    msg(
        "detect_nonhomogeneous_external_auth", (param("pool", "ref(pool)"),), role=Role.POOL_OPERATOR,
        is_async=False, since="george",
    ),
    msg(
        "initialize_wlb",
        (param("wlb_url", "string"), param("wlb_username", "string"), param("wlb_password", "string"), param("xenserver_username", "string"), param("xenserver_password", "string")),
        role=Role.POOL_OPERATOR, since="george",
    ),
    msg("deconfigure_wlb", role=Role.POOL_OPERATOR, since="george"),
    msg(
        "send_wlb_configuration", (param("config", "map(string,string)"),), role=Role.POOL_OPERATOR,
        since="george",
    ),
    msg("retrieve_wlb_configuration", result="map(string,string)", role=Role.READ_ONLY, since="george"),
    msg(
        "retrieve_wlb_recommendations", result="map(ref(VM),set(string))", role=Role.READ_ONLY,
        since="george",
    ),
    msg(
        "send_test_post", (param("host", "string"), param("port", "int"), param("body", "string")),
        result="string", since="george",
    ),
    msg(
        "certificate_install", (param("name", "string"), param("cert", "string")), role=Role.POOL_OPERATOR,
        since="george", state="deprecated",
    ),
    msg(
        "certificate_uninstall", (param("name", "string"),), role=Role.POOL_OPERATOR, since="george",
        state="deprecated",
    ),
    msg(
        "certificate_list", result="set(string)", role=Role.POOL_OPERATOR, since="george",
        state="deprecated",
    ),
    msg(
        "install_ca_certificate", (param("name", "string"), param("cert", "string")),
        role=Role.POOL_OPERATOR, client_cert=True, since="1.290.0", state="deprecated",
    ),
    msg(
        "uninstall_ca_certificate", (param("name", "string"), param("force", "bool", False)),
        role=Role.POOL_OPERATOR, client_cert=True, since="1.290.0", state="deprecated",
    ),
    msg(
        "crl_install", (param("name", "string"), param("cert", "string")), role=Role.POOL_OPERATOR,
        since="george",
    ),
    msg("crl_uninstall", (param("name", "string"),), role=Role.POOL_OPERATOR, since="george"),
    msg("crl_list", result="set(string)", role=Role.POOL_OPERATOR, since="george"),
    msg("certificate_sync", role=Role.POOL_OPERATOR, since="george"),
    msg("enable_tls_verification", is_async=False, since="1.290.0"),
    msg("enable_redo_log", (param("sr", "ref(SR)"),), role=Role.POOL_OPERATOR, since="midnight-ride"),
    msg("disable_redo_log", role=Role.POOL_OPERATOR, since="midnight-ride"),
    msg(
        "audit_log_append", (param("line", "string"),), since="midnight-ride", hidden=True,
        pool_internal=True,
    ),
    msg(
        "set_vswitch_controller", (param("address", "string"),), role=Role.POOL_OPERATOR,
        since="midnight-ride", state="deprecated",
    ),
    msg(
        "test_archive_target", (param("self", "ref(pool)"), param("config", "map(string,string)")),
        result="string", role=Role.POOL_OPERATOR, is_async=False, since="cowley",
    ),
    msg(
        "enable_local_storage_caching", (param("self", "ref(pool)"),), role=Role.POOL_OPERATOR,
        since="cowley",
    ),
    msg(
        "disable_local_storage_caching", (param("self", "ref(pool)"),), role=Role.POOL_OPERATOR,
        since="cowley",
    ),
    msg(
        "get_license_state", (param("self", "ref(pool)"),), result="map(string,string)", role=Role.READ_ONLY,
        since="clearwater",
    ),
    msg(
        "apply_edition", (param("self", "ref(pool)"), param("edition", "string")), role=Role.POOL_OPERATOR,
        since="clearwater",
    ),
    msg(
        "enable_ssl_legacy", (param("self", "ref(pool)"),), role=Role.POOL_OPERATOR, since="dundee",
        state="removed",
    ),
    msg(
        "disable_ssl_legacy", (param("self", "ref(pool)"),), role=Role.POOL_OPERATOR, since="dundee",
        state="deprecated",
    ),
    msg(
        "set_igmp_snooping_enabled", (param("self", "ref(pool)"), param("value", "bool")),
        role=Role.POOL_OPERATOR, since="inverness",
    ),
    msg(
        "has_extension", (param("self", "ref(pool)"), param("name", "string")), result="bool",
        since="dundee",
    ),
    msg(
        "add_to_guest_agent_config",
        (param("self", "ref(pool)"), param("key", "string"), param("value", "string")), since="dundee",
        field="guest_agent_config",
    ),
    msg(
        "remove_from_guest_agent_config", (param("self", "ref(pool)"), param("key", "string")),
        since="dundee", field="guest_agent_config",
    ),
    msg(
        "rotate_secret",
        errors=("INTERNAL_ERROR", "HOST_IS_SLAVE", "CANNOT_CONTACT_HOST", "HA_IS_ENABLED", "NOT_SUPPORTED_DURING_UPGRADE"),
        since="stockholm_psr",
    ),
    msg(
        "set_repositories", (param("self", "ref(pool)"), param("value", "set(ref(Repository))")),
        role=Role.POOL_OPERATOR, client_cert=True, since="1.301.0",
    ),
    msg(
        "add_repository", (param("self", "ref(pool)"), param("value", "ref(Repository)")),
        role=Role.POOL_OPERATOR, client_cert=True, since="1.301.0",
    ),
    msg(
        "remove_repository", (param("self", "ref(pool)"), param("value", "ref(Repository)")),
        role=Role.POOL_OPERATOR, client_cert=True, since="1.301.0",
    ),
    msg(
        "sync_updates",
        (param("self", "ref(pool)"), param("force", "bool"), param("token", "string", ""), param("token_id", "string", ""), param("username", "string", ""), param("password", "string", "")),
        result="string", role=Role.POOL_OPERATOR, client_cert=True, since="1.329.0",
    ),
    msg(
        "check_update_readiness", (param("self", "ref(pool)"), param("requires_reboot", "bool")),
        result="set(set(string))", role=Role.POOL_OPERATOR, client_cert=True, since="1.304.0",
    ),
    msg(
        "enable_client_certificate_auth", (param("self", "ref(pool)"), param("name", "string")),
        role=Role.POOL_OPERATOR, client_cert=True, since="1.318.0",
    ),
    msg(
        "disable_client_certificate_auth", (param("self", "ref(pool)"),), role=Role.POOL_OPERATOR,
        client_cert=True, since="1.318.0",
    ),
    msg(
        "configure_repository_proxy",
        (param("self", "ref(pool)"), param("url", "string"), param("username", "string"), param("password", "string")),
        role=Role.POOL_OPERATOR, client_cert=True, since="21.3.0",
    ),
    msg(
        "disable_repository_proxy", (param("self", "ref(pool)"),), role=Role.POOL_OPERATOR, client_cert=True,
        since="21.4.0",
    ),
    msg(
        "set_uefi_certificates", (param("self", "ref(pool)"), param("value", "string")), since="22.16.0",
        state="deprecated",
    ),
    msg(
        "set_custom_uefi_certificates", (param("self", "ref(pool)"), param("value", "string")),
        since="24.0.0", state="prototyped",
    ),
    msg(
        "set_https_only", (param("self", "ref(pool)"), param("value", "bool")), role=Role.POOL_OPERATOR,
        since="22.27.0", state="prototyped",
    ),
    msg(
        "set_telemetry_next_collection", (param("self", "ref(pool)"), param("value", "datetime")),
        since="23.9.0", state="prototyped", field="telemetry_next_collection",
    ),
    msg("reset_telemetry_uuid", (param("self", "ref(pool)"),), since="23.9.0", state="prototyped"),
    msg(
        "configure_update_sync",
        (param("self", "ref(pool)"), param("update_sync_frequency", "enum(update_sync_frequency)"), param("update_sync_day", "int")),
        role=Role.POOL_OPERATOR, since="23.18.0", state="prototyped",
    ),
    msg(
        "set_update_sync_enabled", (param("self", "ref(pool)"), param("value", "bool")),
        role=Role.POOL_OPERATOR, since="23.18.0", state="prototyped",
    ),
    msg(
        "set_local_auth_max_threads", (param("self", "ref(pool)"), param("value", "int")),
        role=Role.POOL_OPERATOR, is_async=False, since="23.27.0", state="prototyped",
    ),
    msg(
        "set_ext_auth_max_threads", (param("self", "ref(pool)"), param("value", "int")),
        role=Role.POOL_OPERATOR, is_async=False, since="23.27.0", state="prototyped",
    ),
    msg(
        "set_ext_auth_cache_enabled", (param("self", "ref(pool)"), param("value", "bool")),
        role=Role.POOL_OPERATOR, since="24.31.0", state="prototyped", field="ext_auth_cache_enabled",
    ),
    msg(
        "set_ext_auth_cache_size", (param("self", "ref(pool)"), param("value", "int")),
        role=Role.POOL_OPERATOR, since="24.31.0", state="prototyped", field="ext_auth_cache_size",
    ),
    msg(
        "set_ext_auth_cache_expiry", (param("self", "ref(pool)"), param("value", "int")),
        role=Role.POOL_OPERATOR, since="24.31.0", state="prototyped", field="ext_auth_cache_expiry",
    ),
    msg(
        "get_guest_secureboot_readiness", (param("self", "ref(pool)"),),
        result="enum(pool_guest_secureboot_readiness)", role=Role.POOL_OPERATOR, is_async=False,
        since="24.17.0", state="prototyped",
    ),
    msg("enable_ssh", (param("self", "ref(pool)"),), since="25.13.0", state="prototyped"),
    msg("disable_ssh", (param("self", "ref(pool)"),), since="25.13.0", state="prototyped"),
    msg(
        "set_ssh_enabled_timeout", (param("self", "ref(pool)"), param("value", "int")), since="25.21.0",
        state="prototyped",
    ),
    msg(
        "set_console_idle_timeout", (param("self", "ref(pool)"), param("value", "int")), since="25.21.0",
        state="prototyped",
    ),
    msg(
        "set_ssh_auto_mode", (param("self", "ref(pool)"), param("value", "bool")), since="25.27.0",
        state="prototyped",
    ),
    msg(
        "install_trusted_certificate",
        (param("self", "ref(pool)"), param("ca", "bool"), param("cert", "string"), param("purpose", "set(enum(certificate_purpose))")),
        role=Role.POOL_OPERATOR, client_cert=True, since="26.13.0", state="prototyped",
    ),
    msg(
        "uninstall_trusted_certificate",
        (param("self", "ref(pool)"), param("certificate", "ref(Certificate)")), role=Role.POOL_OPERATOR,
        client_cert=True, since="26.13.0", state="prototyped",
    ),
    msg(
        "sync_trusted_certificates_from",
        (param("self", "ref(pool)"), param("remote_pool", "string"), param("remote_session", "ref(session)"), param("remote_certificate", "string"), param("ca", "bool")),
        result="set(ref(Certificate))", role=Role.POOL_OPERATOR, client_cert=True, since="26.16.0",
        state="prototyped",
    ),
    msg(
        "exchange_trusted_certificates_on_join",
        (param("self", "ref(pool)"), param("ca", "bool"), param("import", "map(string,set(string))"), param("export", "set(ref(Certificate))")),
        result="map(string,set(string))", role=Role.POOL_OPERATOR, client_cert=True, since="26.13.0",
        state="prototyped", hidden=True,
    ),
    msg(
        "exchange_crls_on_join",
        (param("self", "ref(pool)"), param("import", "map(string,string)"), param("export", "set(string)")),
        result="map(string,string)", role=Role.POOL_OPERATOR, client_cert=True, since="26.13.0",
        state="prototyped", hidden=True,
    ),
)

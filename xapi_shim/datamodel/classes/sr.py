"""Class SR."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    static("name_label", "string", default="", path=("name", "label"), write_role=Role.POOL_OPERATOR),
    static(
        "name_description", "string", default="", path=("name", "description"),
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "allowed_operations", "set(enum(storage_operations))", default=[], persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "current_operations", "map(string,enum(storage_operations))", default={}, persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("VDIs", "set(ref(VDI))", write_role=Role.POOL_OPERATOR),
    dynamic("PBDs", "set(ref(PBD))", write_role=Role.POOL_OPERATOR),
    dynamic("virtual_allocation", "int", write_role=Role.POOL_OPERATOR),
    dynamic("physical_utilisation", "int", write_role=Role.POOL_OPERATOR),
    static("physical_size", "int", write_role=Role.POOL_OPERATOR),
    static("type", "string", write_role=Role.POOL_OPERATOR),
    static("content_type", "string", write_role=Role.POOL_OPERATOR),
    dynamic("shared", "bool", write_role=Role.POOL_OPERATOR),
    rw(
        "other_config", "map(string,string)", write_role=Role.POOL_OPERATOR,
        key_roles={"folder": Role.VM_OPERATOR, "XenCenter.CustomFields.*": Role.VM_OPERATOR},
    ),
    rw("tags", "set(string)", default=[], since="orlando", write_role=Role.VM_OPERATOR),
    dynamic("default_vdi_visibility", "bool", internal=True, write_role=Role.POOL_OPERATOR),
    rw("sm_config", "map(string,string)", default={}, since="miami", write_role=Role.POOL_OPERATOR),
    dynamic("blobs", "map(string,ref(blob))", default={}, since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic("local_cache_enabled", "bool", default=False, since="cowley", write_role=Role.POOL_OPERATOR),
    dynamic(
        "introduced_by", "ref(DR_task)", default="OpaqueRef:NULL", since="boston",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("clustered", "bool", default=False, since="dundee", write_role=Role.POOL_OPERATOR),
    dynamic("is_tools_sr", "bool", default=False, since="dundee", write_role=Role.POOL_OPERATOR),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (param("host", "ref(host)"), param("device_config", "map(string,string)"), param("physical_size", "int"), param("name_label", "string"), param("name_description", "string"), param("type", "string"), param("content_type", "string"), param("shared", "bool"), param("sm_config", "map(string,string)", {})),
        result="ref(SR)", role=Role.POOL_OPERATOR, errors=("SR_UNKNOWN_DRIVER",),
    ),
    msg(
        "introduce",
        (param("uuid", "string"), param("name_label", "string"), param("name_description", "string"), param("type", "string"), param("content_type", "string"), param("shared", "bool"), param("sm_config", "map(string,string)", {})),
        result="ref(SR)", role=Role.POOL_OPERATOR,
    ),
    msg(
        "make",
        (param("host", "ref(host)"), param("device_config", "map(string,string)"), param("physical_size", "int"), param("name_label", "string"), param("name_description", "string"), param("type", "string"), param("content_type", "string"), param("sm_config", "map(string,string)", {})),
        result="string", role=Role.POOL_OPERATOR, state="deprecated",
    ),
    msg("destroy", (param("sr", "ref(SR)"),), role=Role.POOL_OPERATOR, errors=("SR_HAS_PBD",)),
    msg("forget", (param("sr", "ref(SR)"),), role=Role.POOL_OPERATOR, errors=("SR_HAS_PBD",)),
    msg("update", (param("sr", "ref(SR)"),), role=Role.POOL_OPERATOR, since="symc"),
    msg("get_supported_types", result="set(string)", role=Role.READ_ONLY, is_async=False),
    msg("scan", (param("sr", "ref(SR)"),), role=Role.VM_POWER_ADMIN),
    msg(
        "probe",
        (param("host", "ref(host)"), param("device_config", "map(string,string)"), param("type", "string"), param("sm_config", "map(string,string)", {})),
        result="string", role=Role.POOL_OPERATOR, since="miami",
    ),
    msg(
        "probe_ext",
        (param("host", "ref(host)"), param("device_config", "map(string,string)"), param("type", "string"), param("sm_config", "map(string,string)", {})),
        result="set(record(probe_result))", role=Role.POOL_OPERATOR, since="lima",
    ),
    msg("set_shared", (param("sr", "ref(SR)"), param("value", "bool")), role=Role.POOL_OPERATOR),
    msg("set_name_label", (param("sr", "ref(SR)"), param("value", "string")), role=Role.POOL_OPERATOR),
    msg("set_name_description", (param("sr", "ref(SR)"), param("value", "string")), role=Role.POOL_OPERATOR),
    msg(
        "create_new_blob",
        (param("sr", "ref(SR)"), param("name", "string"), param("mime_type", "string"), param("public", "bool", False)),
        result="ref(blob)", role=Role.POOL_OPERATOR, since="orlando",
    ),
    msg(
        "set_physical_size", (param("self", "ref(SR)"), param("value", "int")), role=Role.POOL_OPERATOR,
        is_async=False, since="miami", field="physical_size",
    ),
    msg(
        "set_virtual_allocation", (param("self", "ref(SR)"), param("value", "int")), role=Role.LOCAL_ROOT,
        is_async=False, since="miami", hidden=True, field="virtual_allocation",
    ),
    msg(
        "set_physical_utilisation", (param("self", "ref(SR)"), param("value", "int")), role=Role.LOCAL_ROOT,
        is_async=False, since="miami", hidden=True, field="physical_utilisation",
    ),
    msg("assert_can_host_ha_statefile", (param("sr", "ref(SR)"),), role=Role.POOL_OPERATOR, since="orlando"),
    msg(
        "assert_supports_database_replication", (param("sr", "ref(SR)"),), role=Role.POOL_OPERATOR,
        since="boston",
    ),
    msg("enable_database_replication", (param("sr", "ref(SR)"),), role=Role.POOL_OPERATOR, since="boston"),
    msg("disable_database_replication", (param("sr", "ref(SR)"),), role=Role.POOL_OPERATOR, since="boston"),
    msg(
        "get_data_sources", (param("sr", "ref(SR)"),), result="set(record(data_source))",
        role=Role.READ_ONLY, is_async=False, since="dundee",
    ),
    msg(
        "record_data_source", (param("sr", "ref(SR)"), param("data_source", "string")),
        role=Role.POOL_OPERATOR, is_async=False, since="dundee",
    ),
    msg(
        "query_data_source", (param("sr", "ref(SR)"), param("data_source", "string")), result="float",
        role=Role.READ_ONLY, is_async=False, since="dundee",
    ),
    msg(
        "forget_data_source_archives", (param("sr", "ref(SR)"), param("data_source", "string")),
        role=Role.POOL_OPERATOR, is_async=False, since="dundee",
    ),
    msg(
        "get_live_hosts", (param("sr", "ref(SR)"),), result="set(ref(host))", role=Role.POOL_OPERATOR,
        since="stockholm", hidden=True,
    ),
)

CLASS = ApiClass(
    "SR",
    "A storage repository: where virtual disks live.",
    FIELDS,
    MESSAGES,
)

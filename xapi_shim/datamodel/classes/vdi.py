"""Class VDI."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "name_label", "name_description", "SR", "virtual_size", "type", "sharable", "read_only",
    "other_config", "xenstore_data", "sm_config", "tags",
)  # fmt: skip

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    static("name_label", "string", default="", path=("name", "label"), write_role=Role.VM_ADMIN),
    static("name_description", "string", default="", path=("name", "description"), write_role=Role.VM_ADMIN),
    dynamic(
        "allowed_operations", "set(enum(vdi_operations))", default=[], persist=False,
        write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "current_operations", "map(string,enum(vdi_operations))", default={}, persist=False,
        write_role=Role.VM_ADMIN,
    ),
    static("SR", "ref(SR)", write_role=Role.VM_ADMIN),
    dynamic("VBDs", "set(ref(VBD))", write_role=Role.VM_ADMIN),
    dynamic("crash_dumps", "set(ref(crashdump))", write_role=Role.VM_ADMIN),
    static("virtual_size", "int", write_role=Role.VM_ADMIN),
    dynamic("physical_utilisation", "int", write_role=Role.VM_ADMIN),
    static("type", "enum(vdi_type)", write_role=Role.VM_ADMIN),
    static("sharable", "bool", write_role=Role.VM_ADMIN),
    static("read_only", "bool", write_role=Role.VM_ADMIN),
    rw(
        "other_config", "map(string,string)", write_role=Role.VM_ADMIN,
        key_roles={"folder": Role.VM_OPERATOR, "XenCenter.CustomFields.*": Role.VM_OPERATOR},
    ),
    dynamic("storage_lock", "bool", write_role=Role.VM_ADMIN),
    dynamic("location", "string", default="", since="miami", write_role=Role.VM_ADMIN),
    dynamic("managed", "bool", write_role=Role.VM_ADMIN),
    dynamic("missing", "bool", write_role=Role.VM_ADMIN),
    dynamic("parent", "ref(VDI)", state="deprecated", write_role=Role.VM_ADMIN),
    rw("xenstore_data", "map(string,string)", default={}, since="miami", write_role=Role.VM_ADMIN),
    rw("sm_config", "map(string,string)", default={}, since="miami", write_role=Role.VM_ADMIN),
    dynamic("is_a_snapshot", "bool", default=False, since="orlando", write_role=Role.VM_ADMIN),
    dynamic("snapshot_of", "ref(VDI)", default="OpaqueRef:NULL", since="orlando", write_role=Role.VM_ADMIN),
    dynamic("snapshots", "set(ref(VDI))", since="orlando", write_role=Role.VM_ADMIN),
    dynamic(
        "snapshot_time", "datetime", default="19700101T00:00:00Z", since="orlando", write_role=Role.VM_ADMIN,
    ),
    rw("tags", "set(string)", default=[], since="orlando", write_role=Role.VM_OPERATOR),
    dynamic("allow_caching", "bool", default=False, since="cowley", write_role=Role.VM_ADMIN),
    dynamic("on_boot", "enum(on_boot)", default="persist", since="cowley", write_role=Role.VM_ADMIN),
    dynamic(
        "metadata_of_pool", "ref(pool)", default="OpaqueRef:NULL", since="boston", write_role=Role.VM_ADMIN,
    ),
    dynamic("metadata_latest", "bool", default=False, since="boston", write_role=Role.VM_ADMIN),
    dynamic("is_tools_iso", "bool", default=False, since="dundee", write_role=Role.VM_ADMIN),
    dynamic("cbt_enabled", "bool", default=False, since="inverness", write_role=Role.VM_ADMIN),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "snapshot", (param("vdi", "ref(VDI)"), param("driver_params", "map(string,string)", {})),
        result="ref(VDI)", role=Role.VM_ADMIN,
    ),
    msg(
        "clone", (param("vdi", "ref(VDI)"), param("driver_params", "map(string,string)", {})),
        result="ref(VDI)", role=Role.VM_ADMIN,
    ),
    msg("resize", (param("vdi", "ref(VDI)"), param("size", "int")), role=Role.VM_ADMIN),
    msg("resize_online", (param("vdi", "ref(VDI)"), param("size", "int")), role=Role.VM_ADMIN),
    msg(
        "introduce",
        (param("uuid", "string"), param("name_label", "string"), param("name_description", "string"), param("SR", "ref(SR)"), param("type", "enum(vdi_type)"), param("sharable", "bool"), param("read_only", "bool"), param("other_config", "map(string,string)"), param("location", "string"), param("xenstore_data", "map(string,string)", {}), param("sm_config", "map(string,string)", {}), param("managed", "bool", True), param("virtual_size", "int", 0), param("physical_utilisation", "int", 0), param("metadata_of_pool", "ref(pool)", "OpaqueRef:NULL"), param("is_a_snapshot", "bool", False), param("snapshot_time", "datetime", "19700101T00:00:00Z"), param("snapshot_of", "ref(VDI)", "OpaqueRef:NULL")),
        result="ref(VDI)", role=Role.VM_ADMIN, errors=("SR_OPERATION_NOT_SUPPORTED",), since="miami",
    ),
    msg(
        "pool_introduce",
        (param("uuid", "string"), param("name_label", "string"), param("name_description", "string"), param("SR", "ref(SR)"), param("type", "enum(vdi_type)"), param("sharable", "bool"), param("read_only", "bool"), param("other_config", "map(string,string)"), param("location", "string"), param("xenstore_data", "map(string,string)", {}), param("sm_config", "map(string,string)", {}), param("managed", "bool", True), param("virtual_size", "int", 0), param("physical_utilisation", "int", 0), param("metadata_of_pool", "ref(pool)", "OpaqueRef:NULL"), param("is_a_snapshot", "bool", False), param("snapshot_time", "datetime", "19700101T00:00:00Z"), param("snapshot_of", "ref(VDI)", "OpaqueRef:NULL"), param("cbt_enabled", "bool", False)),
        result="ref(VDI)", role=Role.VM_ADMIN, hidden=True,
    ),
    msg(
        "db_introduce",
        (param("uuid", "string"), param("name_label", "string"), param("name_description", "string"), param("SR", "ref(SR)"), param("type", "enum(vdi_type)"), param("sharable", "bool"), param("read_only", "bool"), param("other_config", "map(string,string)"), param("location", "string"), param("xenstore_data", "map(string,string)", {}), param("sm_config", "map(string,string)", {}), param("managed", "bool", True), param("virtual_size", "int", 0), param("physical_utilisation", "int", 0), param("metadata_of_pool", "ref(pool)", "OpaqueRef:NULL"), param("is_a_snapshot", "bool", False), param("snapshot_time", "datetime", "19700101T00:00:00Z"), param("snapshot_of", "ref(VDI)", "OpaqueRef:NULL"), param("cbt_enabled", "bool", False)),
        result="ref(VDI)", role=Role.LOCAL_ROOT, hidden=True,
    ),
    msg("db_forget", (param("vdi", "ref(VDI)"),), role=Role.LOCAL_ROOT, since="miami", hidden=True),
    msg(
        "update", (param("vdi", "ref(VDI)"),), role=Role.VM_ADMIN, errors=("SR_OPERATION_NOT_SUPPORTED",),
        since="symc",
    ),
    msg(
        "copy",
        (param("vdi", "ref(VDI)"), param("sr", "ref(SR)", "OpaqueRef:NULL"), param("base_vdi", "ref(VDI)", "OpaqueRef:NULL"), param("into_vdi", "ref(VDI)", "OpaqueRef:NULL")),
        result="ref(VDI)", role=Role.VM_ADMIN, errors=("VDI_READONLY", "VDI_TOO_SMALL", "VDI_NOT_SPARSE"),
    ),
    msg("force_unlock", (param("vdi", "ref(VDI)"),), role=Role.VM_ADMIN, state="deprecated", hidden=True),
    msg(
        "set_managed", (param("self", "ref(VDI)"), param("value", "bool")), role=Role.LOCAL_ROOT,
        is_async=False, hidden=True, field="managed",
    ),
    msg("forget", (param("vdi", "ref(VDI)"),), role=Role.VM_ADMIN),
    msg(
        "set_sharable", (param("self", "ref(VDI)"), param("value", "bool")), role=Role.VM_ADMIN,
        is_async=False, since="george",
    ),
    msg(
        "set_read_only", (param("self", "ref(VDI)"), param("value", "bool")), role=Role.VM_ADMIN,
        is_async=False,
    ),
    msg(
        "set_missing", (param("self", "ref(VDI)"), param("value", "bool")), role=Role.LOCAL_ROOT,
        is_async=False, since="miami", hidden=True, field="missing",
    ),
    msg(
        "set_virtual_size", (param("self", "ref(VDI)"), param("value", "int")), role=Role.LOCAL_ROOT,
        is_async=False, since="miami", hidden=True, field="virtual_size",
    ),
    msg(
        "set_physical_utilisation", (param("self", "ref(VDI)"), param("value", "int")), role=Role.LOCAL_ROOT,
        is_async=False, since="miami", hidden=True, field="physical_utilisation",
    ),
    msg(
        "set_is_a_snapshot", (param("self", "ref(VDI)"), param("value", "bool")), role=Role.LOCAL_ROOT,
        is_async=False, since="boston", hidden=True, field="is_a_snapshot",
    ),
    msg(
        "set_snapshot_of", (param("self", "ref(VDI)"), param("value", "ref(VDI)")), role=Role.LOCAL_ROOT,
        is_async=False, since="boston", hidden=True, field="snapshot_of",
    ),
    msg(
        "set_snapshot_time", (param("self", "ref(VDI)"), param("value", "datetime")), role=Role.LOCAL_ROOT,
        is_async=False, since="boston", hidden=True, field="snapshot_time",
    ),
    msg(
        "set_metadata_of_pool", (param("self", "ref(VDI)"), param("value", "ref(pool)")),
        role=Role.LOCAL_ROOT, is_async=False, since="boston", hidden=True, field="metadata_of_pool",
    ),
    msg("set_name_label", (param("self", "ref(VDI)"), param("value", "string")), role=Role.VM_ADMIN),
    msg("set_name_description", (param("self", "ref(VDI)"), param("value", "string")), role=Role.VM_ADMIN),
    msg(
        "generate_config", (param("host", "ref(host)"), param("vdi", "ref(VDI)")), result="string",
        role=Role.VM_ADMIN, since="orlando", hidden=True,
    ),
    msg(
        "set_on_boot", (param("self", "ref(VDI)"), param("value", "enum(on_boot)")), role=Role.VM_ADMIN,
        since="cowley",
    ),
    msg(
        "set_allow_caching", (param("self", "ref(VDI)"), param("value", "bool")), role=Role.VM_ADMIN,
        since="cowley", field="allow_caching",
    ),
    msg(
        "open_database", (param("self", "ref(VDI)"),), result="ref(session)", role=Role.POOL_OPERATOR,
        since="boston",
    ),
    msg(
        "checksum", (param("self", "ref(VDI)"),), result="string", role=Role.VM_ADMIN, since="boston",
        hidden=True,
    ),
    msg(
        "read_database_pool_uuid", (param("self", "ref(VDI)"),), result="string", role=Role.READ_ONLY,
        since="boston",
    ),
    msg(
        "pool_migrate",
        (param("vdi", "ref(VDI)"), param("sr", "ref(SR)"), param("options", "map(string,string)")),
        result="ref(VDI)", role=Role.VM_POWER_ADMIN, since="tampa",
    ),
    msg(
        "enable_cbt", (param("self", "ref(VDI)"),), role=Role.VM_ADMIN,
        errors=("SR_OPERATION_NOT_SUPPORTED", "VDI_MISSING", "SR_NOT_ATTACHED", "SR_HAS_NO_PBDS", "OPERATION_NOT_ALLOWED", "VDI_INCOMPATIBLE_TYPE", "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"),
        since="inverness",
    ),
    msg(
        "disable_cbt", (param("self", "ref(VDI)"),), role=Role.VM_ADMIN,
        errors=("SR_OPERATION_NOT_SUPPORTED", "VDI_MISSING", "SR_NOT_ATTACHED", "SR_HAS_NO_PBDS", "OPERATION_NOT_ALLOWED", "VDI_INCOMPATIBLE_TYPE", "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"),
        since="inverness",
    ),
    msg(
        "set_cbt_enabled", (param("self", "ref(VDI)"), param("value", "bool")), role=Role.LOCAL_ROOT,
        since="inverness", hidden=True, field="cbt_enabled",
    ),
    msg(
        "data_destroy", (param("self", "ref(VDI)"),), role=Role.VM_ADMIN,
        errors=("SR_OPERATION_NOT_SUPPORTED", "VDI_MISSING", "SR_NOT_ATTACHED", "SR_HAS_NO_PBDS", "OPERATION_NOT_ALLOWED", "VDI_INCOMPATIBLE_TYPE", "VDI_NO_CBT_METADATA", "VDI_IN_USE", "VDI_IS_A_PHYSICAL_DEVICE"),
        since="inverness",
    ),
    msg(
        "list_changed_blocks", (param("vdi_from", "ref(VDI)"), param("vdi_to", "ref(VDI)")), result="string",
        role=Role.VM_OPERATOR,
        errors=("SR_OPERATION_NOT_SUPPORTED", "VDI_MISSING", "SR_NOT_ATTACHED", "SR_HAS_NO_PBDS", "VDI_IN_USE"),
        since="inverness",
    ),
    msg(
        "get_nbd_info", (param("self", "ref(VDI)"),), result="set(record(vdi_nbd_server_info))",
        role=Role.VM_ADMIN, is_async=False, errors=("VDI_INCOMPATIBLE_TYPE",), since="inverness",
    ),
    msg(
        "revert", (param("snapshot", "ref(VDI)"),), role=Role.VM_POWER_ADMIN,
        errors=("UNIMPLEMENTED_IN_SM_BACKEND",), since="26.16.0", state="prototyped",
    ),
)

CLASS = ApiClass(
    "VDI",
    "A virtual disk.",
    FIELDS,
    MESSAGES,
    has_constructor=True,
    constructor_role=Role.VM_ADMIN,
    constructor=CONSTRUCTOR,
)

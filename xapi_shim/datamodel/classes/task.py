"""Class task."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    dynamic("name_label", "string", default="", path=("name", "label"), write_role=Role.POOL_OPERATOR),
    dynamic(
        "name_description",
        "string",
        default="",
        path=("name", "description"),
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "allowed_operations",
        "set(enum(task_allowed_operations))",
        default=[],
        persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(task_allowed_operations))",
        default={},
        persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("created", "datetime", write_role=Role.POOL_OPERATOR),
    dynamic("finished", "datetime", write_role=Role.POOL_OPERATOR),
    dynamic("status", "enum(task_status_type)", write_role=Role.POOL_OPERATOR),
    dynamic("session", "ref(session)", internal=True, write_role=Role.POOL_OPERATOR),
    dynamic("resident_on", "ref(host)", write_role=Role.POOL_OPERATOR),
    dynamic("progress", "float", write_role=Role.POOL_OPERATOR),
    dynamic("externalpid", "int", internal=True, write_role=Role.POOL_OPERATOR),
    dynamic("stunnelpid", "int", state="deprecated", internal=True, write_role=Role.POOL_OPERATOR),
    dynamic("forwarded", "bool", internal=True, write_role=Role.POOL_OPERATOR),
    dynamic("forwarded_to", "ref(host)", internal=True, write_role=Role.POOL_OPERATOR),
    dynamic("type", "string", write_role=Role.POOL_OPERATOR),
    dynamic("result", "string", write_role=Role.POOL_OPERATOR),
    dynamic("error_info", "set(string)", write_role=Role.POOL_OPERATOR),
    dynamic(
        "other_config",
        "map(string,string)",
        default={},
        since="miami",
        write_role=Role.POOL_OPERATOR,
        key_roles={
            "applies_to": Role.VM_OPERATOR,
            "XenCenterUUID": Role.VM_OPERATOR,
            "XenCenterMeddlingActionTitle": Role.VM_OPERATOR,
        },
    ),
    dynamic(
        "subtask_of",
        "ref(task)",
        default="OpaqueRef:NULL",
        since="orlando",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("subtasks", "set(ref(task))", since="orlando", write_role=Role.POOL_OPERATOR),
    dynamic("backtrace", "string", default="()", since="dundee", write_role=Role.POOL_OPERATOR),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (param("label", "string"), param("description", "string")),
        result="ref(task)",
        role=Role.READ_ONLY,
        is_async=False,
    ),
    msg("destroy", (param("self", "ref(task)"),), role=Role.READ_ONLY, is_async=False),
    msg("cancel", (param("task", "ref(task)"),), role=Role.READ_ONLY, errors=("OPERATION_NOT_ALLOWED",)),
    msg(
        "set_status",
        (param("self", "ref(task)"), param("value", "enum(task_status_type)")),
        role=Role.READ_ONLY,
        is_async=False,
        since="falcon",
    ),
    msg(
        "set_progress",
        (param("self", "ref(task)"), param("value", "float")),
        role=Role.READ_ONLY,
        is_async=False,
        since="stockholm",
    ),
    msg(
        "set_result",
        (param("self", "ref(task)"), param("value", "string")),
        role=Role.READ_ONLY,
        is_async=False,
        since="21.3.0",
    ),
    msg(
        "set_error_info",
        (param("self", "ref(task)"), param("value", "set(string)")),
        role=Role.READ_ONLY,
        is_async=False,
        since="21.3.0",
    ),
    msg(
        "add_to_other_config",
        (param("self", "ref(task)"), param("key", "string"), param("value", "string")),
        role=Role.READ_ONLY,
        since="25.8.0",
        state="prototyped",
        key_roles={
            "applies_to": Role.VM_OPERATOR,
            "XenCenterUUID": Role.VM_OPERATOR,
            "XenCenterMeddlingActionTitle": Role.VM_OPERATOR,
        },
        field="other_config",
    ),
    msg(
        "remove_from_other_config",
        (param("self", "ref(task)"), param("key", "string")),
        role=Role.READ_ONLY,
        since="25.8.0",
        state="prototyped",
        key_roles={
            "applies_to": Role.VM_OPERATOR,
            "XenCenterUUID": Role.VM_OPERATOR,
            "XenCenterMeddlingActionTitle": Role.VM_OPERATOR,
        },
        field="other_config",
    ),
    msg(
        "set_other_config",
        (param("self", "ref(task)"), param("value", "map(string,string)")),
        role=Role.READ_ONLY,
        since="25.8.0",
        state="prototyped",
        field="other_config",
    ),
)

CLASS = ApiClass(
    "task",
    "Work that takes time, and how it went.",
    FIELDS,
    MESSAGES,
    persist=False,
)

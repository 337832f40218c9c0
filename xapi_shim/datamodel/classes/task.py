"""Class task."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic(
        "name_label", "string", "What is being done, in a few words.", default="", path=("name", "label")
    ),
    dynamic(
        "name_description", "string", "What is being done, in full.", default="", path=("name", "description")
    ),
    dynamic(
        "allowed_operations",
        "set(enum(task_allowed_operations))",
        "What may be done to it now.",
        default=[],
        persist=False,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(task_allowed_operations))",
        "What is being done to it, by task.",
        default={},
        persist=False,
    ),
    dynamic("created", "datetime", "When it began."),
    dynamic("finished", "datetime", "When it ended; the epoch while it runs."),
    dynamic("status", "enum(task_status_type)", "Whether it waits, succeeded, failed or was cancelled."),
    dynamic("session", "ref(session)", "The session that started it.", internal=True),
    dynamic("resident_on", "ref(host)", "The host that does the work."),
    dynamic("progress", "float", "How much is done, from 0 to 1."),
    dynamic("externalpid", "int", "The process that does the work.", internal=True),
    dynamic(
        "stunnelpid", "int", "The process that carried its connection.", state="deprecated", internal=True
    ),
    dynamic("forwarded", "bool", "Whether another host does the work.", internal=True),
    dynamic("forwarded_to", "ref(host)", "The host it was handed to.", internal=True),
    dynamic("type", "string", "What kind of value the result is."),
    dynamic("result", "string", "The returned value, encoded as XML-RPC."),
    dynamic("error_info", "set(string)", "The error's code and parameters, when it failed."),
    dynamic(
        "other_config",
        "map(string,string)",
        "Settings by key, for anybody.",
        default={},
        since="miami",
        key_roles={
            "applies_to": Role.VM_OPERATOR,
            "XenCenterUUID": Role.VM_OPERATOR,
            "XenCenterMeddlingActionTitle": Role.VM_OPERATOR,
        },
    ),
    dynamic(
        "subtask_of",
        "ref(task)",
        "The task that this is a part of.",
        default="OpaqueRef:NULL",
        since="orlando",
    ),
    dynamic("subtasks", "set(ref(task))", "The parts of it that are tasks too.", since="orlando"),
    dynamic("backtrace", "string", "Where in the program it failed.", default="()", since="dundee"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (param("label", "string"), param("description", "string")),
        "Make a task by which a client follows its own work.",
        result="ref(task)",
        role=Role.READ_ONLY,
        is_async=False,
    ),
    msg(
        "destroy",
        (param("self", "ref(task)"),),
        "Forget the task; its work goes on.",
        role=Role.READ_ONLY,
        is_async=False,
    ),
    msg(
        "cancel",
        (param("task", "ref(task)"),),
        "Ask the work to stop soon.",
        role=Role.READ_ONLY,
        errors=("OPERATION_NOT_ALLOWED",),
    ),
    msg(
        "set_status",
        (param("self", "ref(task)"), param("value", "enum(task_status_type)")),
        "Say how a client's own task stands.",
        role=Role.READ_ONLY,
        is_async=False,
        since="falcon",
    ),
    msg(
        "set_progress",
        (param("self", "ref(task)"), param("value", "float")),
        "Say how far a client's own task is.",
        role=Role.READ_ONLY,
        is_async=False,
        since="stockholm",
    ),
    msg(
        "set_result",
        (param("self", "ref(task)"), param("value", "string")),
        "Store what a client's own task returns.",
        role=Role.READ_ONLY,
        is_async=False,
        since="21.3.0",
    ),
    msg(
        "set_error_info",
        (param("self", "ref(task)"), param("value", "set(string)")),
        "Store why a client's own task failed.",
        role=Role.READ_ONLY,
        is_async=False,
        since="21.3.0",
    ),
    msg(
        "add_to_other_config",
        (param("self", "ref(task)"), param("key", "string"), param("value", "string")),
        "Add one setting.",
        role=Role.READ_ONLY,
        since="25.8.0",
        state="prototyped",
        field="other_config",
        key_roles={
            "applies_to": Role.VM_OPERATOR,
            "XenCenterUUID": Role.VM_OPERATOR,
            "XenCenterMeddlingActionTitle": Role.VM_OPERATOR,
        },
    ),
    msg(
        "remove_from_other_config",
        (param("self", "ref(task)"), param("key", "string")),
        "Drop one setting.",
        role=Role.READ_ONLY,
        since="25.8.0",
        state="prototyped",
        field="other_config",
        key_roles={
            "applies_to": Role.VM_OPERATOR,
            "XenCenterUUID": Role.VM_OPERATOR,
            "XenCenterMeddlingActionTitle": Role.VM_OPERATOR,
        },
    ),
    msg(
        "set_other_config",
        (param("self", "ref(task)"), param("value", "map(string,string)")),
        "Replace all settings.",
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

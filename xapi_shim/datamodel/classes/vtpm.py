"""Class VTPM."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good."),
    dynamic(
        "allowed_operations",
        "set(enum(vtpm_operations))",
        "What may be done to it now.",
        default=[],
        persist=False,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(vtpm_operations))",
        "What is being done to it, by task.",
        default={},
        persist=False,
    ),
    static("VM", "ref(VM)", "The guest that has it."),
    dynamic("backend", "ref(VM)", "The domain that it runs in.", default="OpaqueRef:NULL"),
    dynamic(
        "persistence_backend",
        "enum(persistence_backend)",
        "What keeps its contents.",
        default="xapi",
        since="22.26.0",
        state="prototyped",
    ),
    static(
        "is_unique",
        "bool",
        "Whether a copy of the guest must not get a copy of it.",
        default=False,
        since="22.26.0",
        state="prototyped",
    ),
    dynamic(
        "is_protected",
        "bool",
        "Whether its contents are sealed to something.",
        default=False,
        since="22.26.0",
        state="prototyped",
    ),
    dynamic(
        "contents",
        "ref(secret)",
        "The secret with its contents.",
        since="22.26.0",
        state="prototyped",
        internal=True,
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (param("vM", "ref(VM)"), param("is_unique", "bool")),
        "Give a guest one.",
        result="ref(VTPM)",
        role=Role.VM_ADMIN,
        since="22.26.0",
        state="prototyped",
    ),
    msg(
        "destroy",
        (param("self", "ref(VTPM)"),),
        "Take it from the guest, contents and all.",
        role=Role.VM_ADMIN,
        since="22.26.0",
        state="prototyped",
    ),
    msg(
        "get_contents",
        (param("self", "ref(VTPM)"),),
        "Return its contents.",
        result="string",
        role=Role.LOCAL_ROOT,
        since="22.26.0",
        state="prototyped",
        hidden=True,
    ),
    msg(
        "set_contents",
        (param("self", "ref(VTPM)"), param("contents", "string")),
        "Replace its contents.",
        role=Role.LOCAL_ROOT,
        since="22.26.0",
        state="prototyped",
        hidden=True,
    ),
)

CLASS = ApiClass(
    "VTPM",
    "A guest's trusted platform module, in software.",
    FIELDS,
    MESSAGES,
    since="22.26.0",
    state="prototyped",
)

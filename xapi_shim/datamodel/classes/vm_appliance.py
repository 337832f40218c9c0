"""Class VM_appliance."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    rw("name_label", "string", "Its name.", default="", path=("name", "label")),
    rw("name_description", "string", "Notes about it.", default="", path=("name", "description")),
    dynamic(
        "allowed_operations",
        "set(enum(vm_appliance_operation))",
        "What may be done to it now.",
        default=[],
        persist=False,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(vm_appliance_operation))",
        "What is being done to it, by task.",
        default={},
        persist=False,
    ),
    dynamic("VMs", "set(ref(VM))", "The guests in it."),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "start",
        (param("self", "ref(VM_appliance)"), param("paused", "bool")),
        "Start its guests in their order, paused if asked.",
        role=Role.POOL_OPERATOR,
        errors=("OPERATION_PARTIALLY_FAILED",),
        since="boston",
    ),
    msg(
        "clean_shutdown",
        (param("self", "ref(VM_appliance)"),),
        "Ask its guests to shut down, in the opposite order.",
        role=Role.POOL_OPERATOR,
        errors=("OPERATION_PARTIALLY_FAILED",),
        since="boston",
    ),
    msg(
        "hard_shutdown",
        (param("self", "ref(VM_appliance)"),),
        "Switch its guests off, in the opposite order.",
        role=Role.POOL_OPERATOR,
        errors=("OPERATION_PARTIALLY_FAILED",),
        since="boston",
    ),
    msg(
        "shutdown",
        (param("self", "ref(VM_appliance)"),),
        "Ask its guests to shut down, and switch off those that do not.",
        role=Role.POOL_OPERATOR,
        errors=("OPERATION_PARTIALLY_FAILED",),
        since="boston",
    ),
    msg(
        "assert_can_be_recovered",
        (param("self", "ref(VM_appliance)"), param("session_to", "ref(session)")),
        "Fail unless its guests could be brought back in another session's pool.",
        role=Role.READ_ONLY,
        errors=("VM_REQUIRES_SR",),
        since="boston",
    ),
    msg(
        "get_SRs_required_for_recovery",
        (param("self", "ref(VM_appliance)"), param("session_to", "ref(session)")),
        "List the repositories that bringing it back needs.",
        result="set(ref(SR))",
        role=Role.READ_ONLY,
        since="creedence",
    ),
    msg(
        "recover",
        (param("self", "ref(VM_appliance)"), param("session_to", "ref(session)"), param("force", "bool")),
        "Bring it back in another session's pool.",
        role=Role.READ_ONLY,
        errors=("VM_REQUIRES_SR",),
        since="boston",
    ),
)

CLASS = ApiClass(
    "VM_appliance",
    "Guests that are started and stopped together, in an order.",
    FIELDS,
    MESSAGES,
    since="boston",
    has_constructor=True,
    constructor=(
        "name_label",
        "name_description",
    ),
    constructor_role=Role.POOL_OPERATOR,
)

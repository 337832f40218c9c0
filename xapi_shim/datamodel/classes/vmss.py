"""Class VMSS."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    rw("name_label", "string", "Its name.", default="", path=("name", "label")),
    rw("name_description", "string", "Notes about it.", default="", path=("name", "description")),
    rw("enabled", "bool", "Whether the plan is carried out.", default=True),
    static("type", "enum(vmss_type)", "What kind of snapshot is taken."),
    static("retained_snapshots", "int", "How many snapshots of each guest are kept, 1 to 10.", default=7),
    static("frequency", "enum(vmss_frequency)", "How often a snapshot is taken."),
    static("schedule", "map(string,string)", "At which minute, hour and days it is taken.", default={}),
    dynamic("last_run_time", "datetime", "When the plan was last carried out.", default="19700101T00:00:00Z"),
    dynamic("VMs", "set(ref(VM))", "The guests that follow the plan."),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "snapshot_now",
        (param("vmss", "ref(VMSS)"),),
        "Carry the plan out at once.",
        result="string",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="falcon",
    ),
    msg(
        "set_retained_snapshots",
        (param("self", "ref(VMSS)"), param("value", "int")),
        "Choose how many snapshots are kept.",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="falcon",
    ),
    msg(
        "set_frequency",
        (param("self", "ref(VMSS)"), param("value", "enum(vmss_frequency)")),
        "Choose how often a snapshot is taken.",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="falcon",
    ),
    msg(
        "set_schedule",
        (param("self", "ref(VMSS)"), param("value", "map(string,string)")),
        "Choose all times at which a snapshot is taken.",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="falcon",
    ),
    msg(
        "add_to_schedule",
        (param("self", "ref(VMSS)"), param("key", "string"), param("value", "string")),
        "Set one of the times.",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="falcon",
    ),
    msg(
        "remove_from_schedule",
        (param("self", "ref(VMSS)"), param("key", "string")),
        "Drop one of the times.",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="falcon",
    ),
    msg(
        "set_last_run_time",
        (param("self", "ref(VMSS)"), param("value", "datetime")),
        "Record when the plan was last carried out.",
        role=Role.LOCAL_ROOT,
        is_async=False,
        since="falcon",
        field="last_run_time",
    ),
    msg(
        "set_type",
        (param("self", "ref(VMSS)"), param("value", "enum(vmss_type)")),
        "Choose what kind of snapshot is taken.",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="falcon",
        field="type",
    ),
)

CLASS = ApiClass(
    "VMSS",
    "A plan by which snapshots of guests are taken.",
    FIELDS,
    MESSAGES,
    since="falcon",
    has_constructor=True,
    constructor=(
        "name_label",
        "name_description",
        "enabled",
        "type",
        "retained_snapshots",
        "frequency",
        "schedule",
    ),
    constructor_role=Role.POOL_OPERATOR,
)

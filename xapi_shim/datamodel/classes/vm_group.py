"""Class VM_group."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.VM_ADMIN)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    rw("name_label", "string", "Its name.", default="", path=("name", "label")),
    rw("name_description", "string", "Notes about it.", default="", path=("name", "description")),
    static(
        "placement",
        "enum(placement_policy)",
        "Whether they should be kept apart.",
        default="normal",
        since="24.19.1",
        state="prototyped",
    ),
    dynamic("VMs", "set(ref(VM))", "The guests in it.", since="24.19.1", state="prototyped"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "VM_group",
    "Guests that are placed with regard to each other.",
    FIELDS,
    MESSAGES,
    since="24.19.1",
    state="prototyped",
    has_constructor=True,
    constructor=(
        "name_label",
        "name_description",
        "placement",
    ),
    constructor_role=Role.VM_ADMIN,
)

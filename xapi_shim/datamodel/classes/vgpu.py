"""Class VGPU."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="boston", write_role=Role.POOL_ADMIN
    ),
    dynamic("VM", "ref(VM)", "The guest that has it.", since="boston"),
    dynamic("GPU_group", "ref(GPU_group)", "The group that it takes from.", since="boston"),
    dynamic("device", "string", "Its number among the guest's.", default="0", since="boston"),
    dynamic("currently_attached", "bool", "Whether it is in use.", default=False, since="boston"),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="boston"),
    dynamic("type", "ref(VGPU_type)", "Its kind.", default="OpaqueRef:NULL", since="vgpu-tech-preview"),
    dynamic(
        "resident_on",
        "ref(PGPU)",
        "The processor that it runs on.",
        default="OpaqueRef:NULL",
        since="vgpu-tech-preview",
    ),
    dynamic(
        "scheduled_to_be_resident_on",
        "ref(PGPU)",
        "The processor that it is about to run on.",
        default="OpaqueRef:NULL",
        since="dundee",
    ),
    dynamic(
        "compatibility_metadata",
        "map(string,string)",
        "What its driver needs to know before the guest moves.",
        default={},
        since="inverness",
    ),
    rw("extra_args", "string", "More arguments for the program that drives it.", default="", since="quebec"),
    dynamic(
        "PCI",
        "ref(PCI)",
        "The device that stands for it, where the hardware makes one.",
        default="OpaqueRef:NULL",
        since="quebec",
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (
            param("VM", "ref(VM)"),
            param("GPU_group", "ref(GPU_group)"),
            param("device", "string", "0"),
            param("other_config", "map(string,string)", {}),
            param("type", "ref(VGPU_type)", "OpaqueRef:NULL"),
        ),
        "Give a guest one.",
        result="ref(VGPU)",
        role=Role.POOL_OPERATOR,
        since="boston",
    ),
    msg(
        "destroy",
        (param("self", "ref(VGPU)"),),
        "Take it from the guest.",
        role=Role.POOL_OPERATOR,
        since="boston",
    ),
    msg(
        "atomic_set_resident_on",
        (param("self", "ref(VGPU)"), param("value", "ref(PGPU)")),
        "Record the processor that it runs on, at once with its room.",
        role=Role.LOCAL_ROOT,
        since="dundee",
        hidden=True,
        pool_internal=True,
    ),
)

CLASS = ApiClass(
    "VGPU",
    "A guest's virtual graphics processor.",
    FIELDS,
    MESSAGES,
    since="boston",
)

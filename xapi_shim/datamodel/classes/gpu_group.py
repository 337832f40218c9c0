"""Class GPU_group."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="boston", write_role=Role.POOL_ADMIN
    ),
    rw("name_label", "string", "Its name.", default="", path=("name", "label"), since="boston"),
    rw(
        "name_description",
        "string",
        "Notes about it.",
        default="",
        path=("name", "description"),
        since="boston",
    ),
    dynamic("PGPUs", "set(ref(PGPU))", "The processors in it.", since="boston"),
    dynamic("VGPUs", "set(ref(VGPU))", "The virtual processors that take from it.", since="boston"),
    dynamic("GPU_types", "set(string)", "What makes its processors alike.", default=[], since="boston"),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="boston"),
    rw(
        "allocation_algorithm",
        "enum(allocation_algorithm)",
        "Whether processors are filled one by one or evenly.",
        default="depth_first",
        since="vgpu-tech-preview",
    ),
    dynamic(
        "supported_VGPU_types",
        "set(ref(VGPU_type))",
        "The kinds of virtual processor that one of them can be.",
        since="vgpu-productisation",
    ),
    dynamic(
        "enabled_VGPU_types",
        "set(ref(VGPU_type))",
        "The kinds of virtual processor that one of them may be.",
        since="vgpu-productisation",
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (
            param("name_label", "string", ""),
            param("name_description", "string", ""),
            param("other_config", "map(string,string)", {}),
        ),
        "Make an empty group.",
        result="ref(GPU_group)",
        role=Role.POOL_OPERATOR,
        since="boston",
    ),
    msg(
        "destroy",
        (param("self", "ref(GPU_group)"),),
        "Remove an empty group.",
        role=Role.POOL_OPERATOR,
        since="boston",
    ),
    msg(
        "update_enabled_VGPU_types",
        (param("self", "ref(GPU_group)"),),
        "Work out anew which kinds are allowed.",
        role=Role.POOL_OPERATOR,
        since="vgpu-productisation",
        hidden=True,
    ),
    msg(
        "update_supported_VGPU_types",
        (param("self", "ref(GPU_group)"),),
        "Work out anew which kinds are possible.",
        role=Role.POOL_OPERATOR,
        since="vgpu-productisation",
        hidden=True,
    ),
    msg(
        "get_remaining_capacity",
        (param("self", "ref(GPU_group)"), param("vgpu_type", "ref(VGPU_type)")),
        "Return how many more of a kind it has room for.",
        result="int",
        role=Role.READ_ONLY,
        since="vgpu-tech-preview",
    ),
)

CLASS = ApiClass(
    "GPU_group",
    "Graphics processors that are alike, across the pool.",
    FIELDS,
    MESSAGES,
    since="boston",
)

"""Class VGPU_type."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid",
        "string",
        "Identity that stays the same for good.",
        since="vgpu-tech-preview",
        write_role=Role.POOL_ADMIN,
    ),
    static("vendor_name", "string", "Who makes it.", default="", since="vgpu-tech-preview"),
    static("model_name", "string", "What its maker calls it.", default="", since="vgpu-tech-preview"),
    static(
        "framebuffer_size",
        "int",
        "How much graphics memory it has, in bytes.",
        default=0,
        since="vgpu-tech-preview",
    ),
    static("max_heads", "int", "How many screens it can drive.", default=0, since="vgpu-tech-preview"),
    static("max_resolution_x", "int", "The most pixels across.", default=0, since="vgpu-productisation"),
    static("max_resolution_y", "int", "The most pixels down.", default=0, since="vgpu-productisation"),
    static(
        "size",
        "int",
        "How much of a processor's capacity it takes.",
        default=0,
        since="vgpu-tech-preview",
        internal=True,
    ),
    dynamic(
        "supported_on_PGPUs", "set(ref(PGPU))", "The processors that can be this.", since="vgpu-tech-preview"
    ),
    dynamic(
        "enabled_on_PGPUs", "set(ref(PGPU))", "The processors that may be this.", since="vgpu-tech-preview"
    ),
    dynamic("VGPUs", "set(ref(VGPU))", "The virtual processors of this kind.", since="vgpu-tech-preview"),
    static(
        "internal_config",
        "map(string,string)",
        "Settings for the program that drives it.",
        default={},
        since="vgpu-tech-preview",
        internal=True,
    ),
    dynamic(
        "supported_on_GPU_groups",
        "set(ref(GPU_group))",
        "The groups with a processor that can be this.",
        since="vgpu-productisation",
    ),
    dynamic(
        "enabled_on_GPU_groups",
        "set(ref(GPU_group))",
        "The groups with a processor that may be this.",
        since="vgpu-productisation",
    ),
    static(
        "implementation",
        "enum(vgpu_type_implementation)",
        "How the hardware is shared.",
        default="passthrough",
        since="dundee",
    ),
    static(
        "identifier",
        "string",
        "What tells it from all others, the same on every host.",
        default="",
        since="dundee",
    ),
    static("experimental", "bool", "Whether it is on trial.", default=False, since="dundee"),
    dynamic(
        "compatible_types_in_vm",
        "set(ref(VGPU_type))",
        "The kinds that may be beside it in one guest.",
        default=[],
        since="quebec",
    ),
    dynamic(
        "compatible_types_on_pgpu",
        "set(ref(VGPU_type))",
        "The kinds that may be beside it on one processor.",
        default=[],
        since="quebec",
        internal=True,
    ),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "VGPU_type",
    "A kind of virtual graphics processor.",
    FIELDS,
    MESSAGES,
    since="vgpu-tech-preview",
)

"""Class PGPU."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="boston", write_role=Role.POOL_ADMIN
    ),
    static("PCI", "ref(PCI)", "The device on the bus.", default="OpaqueRef:NULL", since="boston"),
    static(
        "GPU_group", "ref(GPU_group)", "The group that it is in.", default="OpaqueRef:NULL", since="boston"
    ),
    dynamic("host", "ref(host)", "The host that it is in.", default="OpaqueRef:NULL", since="boston"),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="boston"),
    dynamic(
        "supported_VGPU_types",
        "set(ref(VGPU_type))",
        "The kinds of virtual processor it can be.",
        since="vgpu-tech-preview",
    ),
    dynamic(
        "enabled_VGPU_types",
        "set(ref(VGPU_type))",
        "The kinds of virtual processor it may be.",
        since="vgpu-tech-preview",
    ),
    dynamic(
        "resident_VGPUs",
        "set(ref(VGPU))",
        "The virtual processors that run on it.",
        since="vgpu-tech-preview",
    ),
    static(
        "size",
        "int",
        "Its capacity, in the toolstack's own units.",
        default=1048576,
        since="vgpu-tech-preview",
        internal=True,
    ),
    dynamic(
        "supported_VGPU_max_capacities",
        "map(ref(VGPU_type),int)",
        "How many of each kind it has room for.",
        default={},
        since="vgpu-productisation",
    ),
    dynamic(
        "dom0_access",
        "enum(pci_dom0_access)",
        "Whether dom0 sees it, now and after a restart.",
        default="enabled",
        since="cream",
        state="deprecated",
    ),
    dynamic(
        "is_system_display_device",
        "bool",
        "Whether the host's console is on it.",
        default=False,
        since="cream",
    ),
    dynamic(
        "compatibility_metadata",
        "map(string,string)",
        "What its driver needs to know before a guest moves.",
        default={},
        since="inverness",
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "add_enabled_VGPU_types",
        (param("self", "ref(PGPU)"), param("value", "ref(VGPU_type)")),
        "Allow one more kind of virtual processor.",
        role=Role.POOL_OPERATOR,
        since="vgpu-tech-preview",
    ),
    msg(
        "remove_enabled_VGPU_types",
        (param("self", "ref(PGPU)"), param("value", "ref(VGPU_type)")),
        "Stop allowing a kind of virtual processor.",
        role=Role.POOL_OPERATOR,
        since="vgpu-tech-preview",
    ),
    msg(
        "set_enabled_VGPU_types",
        (param("self", "ref(PGPU)"), param("value", "set(ref(VGPU_type))")),
        "Choose which kinds of virtual processor are allowed.",
        role=Role.POOL_OPERATOR,
        since="vgpu-tech-preview",
    ),
    msg(
        "set_GPU_group",
        (param("self", "ref(PGPU)"), param("value", "ref(GPU_group)")),
        "Move it to another group.",
        role=Role.POOL_OPERATOR,
        since="vgpu-tech-preview",
    ),
    msg(
        "get_remaining_capacity",
        (param("self", "ref(PGPU)"), param("vgpu_type", "ref(VGPU_type)")),
        "Return how many more of a kind it has room for.",
        result="int",
        role=Role.READ_ONLY,
        since="vgpu-tech-preview",
    ),
    msg(
        "enable_dom0_access",
        (param("self", "ref(PGPU)"),),
        "Show it to dom0 from the next restart on.",
        result="enum(pci_dom0_access)",
        role=Role.POOL_OPERATOR,
        since="cream",
        state="deprecated",
    ),
    msg(
        "disable_dom0_access",
        (param("self", "ref(PGPU)"),),
        "Hide it from dom0 from the next restart on.",
        result="enum(pci_dom0_access)",
        role=Role.POOL_OPERATOR,
        since="cream",
        state="deprecated",
    ),
)

CLASS = ApiClass(
    "PGPU",
    "A graphics processor in a host.",
    FIELDS,
    MESSAGES,
    since="boston",
)

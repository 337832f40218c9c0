"""Class VM_metrics."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.VM_ADMIN)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic("memory_actual", "int", "Memory it has, in bytes.", path=("memory", "actual"), persist=False),
    dynamic("VCPUs_number", "int", "Virtual processors it has.", path=("VCPUs", "number")),
    dynamic(
        "VCPUs_utilisation",
        "map(int,float)",
        "The part in use of each virtual processor.",
        default={},
        path=("VCPUs", "utilisation"),
        state="removed",
        persist=False,
    ),
    dynamic(
        "VCPUs_CPU",
        "map(int,int)",
        "The processor each virtual one runs on.",
        path=("VCPUs", "CPU"),
        persist=False,
    ),
    dynamic(
        "VCPUs_params",
        "map(string,string)",
        "Scheduling of its processors as in force.",
        path=("VCPUs", "params"),
        persist=False,
    ),
    dynamic(
        "VCPUs_flags",
        "map(int,set(string))",
        "The state of each virtual processor.",
        path=("VCPUs", "flags"),
        persist=False,
    ),
    dynamic("state", "set(string)", "Words on what its domain does.", persist=False),
    dynamic("start_time", "datetime", "When it last started."),
    dynamic("install_time", "datetime", "When it was installed."),
    dynamic("last_updated", "datetime", "When this was last refreshed.", persist=False),
    rw(
        "other_config",
        "map(string,string)",
        "Settings by key, for anybody.",
        default={},
        since="orlando",
        persist=False,
    ),
    dynamic(
        "hvm", "bool", "Whether hardware virtualisation is in use.", default=False, since="ely", persist=False
    ),
    dynamic(
        "nested_virt",
        "bool",
        "Whether it may run guests of its own.",
        default=False,
        since="ely",
        persist=False,
    ),
    dynamic(
        "nomigrate", "bool", "Whether it must stay on its host.", default=False, since="ely", persist=False
    ),
    dynamic(
        "current_domain_type",
        "enum(domain_type)",
        "How it is virtualised now.",
        default="unspecified",
        since="kolkata",
    ),
    static(
        "numa_optimised",
        "bool",
        "Whether it is kept on few memory nodes.",
        default=False,
        since="26.2.0",
        state="prototyped",
    ),
    static(
        "numa_nodes",
        "int",
        "How many memory nodes it is spread over.",
        default=0,
        since="26.2.0",
        state="prototyped",
    ),
    dynamic(
        "numa_node_memory",
        "map(int,int)",
        "Bytes of its memory on each node.",
        default={},
        since="26.2.0",
        state="prototyped",
    ),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "VM_metrics",
    "What changes all the time about a VM.",
    FIELDS,
    MESSAGES,
)

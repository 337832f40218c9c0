"""Class VM_metrics."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    dynamic("memory_actual", "int", path=("memory", "actual"), persist=False, write_role=Role.VM_ADMIN),
    dynamic("VCPUs_number", "int", path=("VCPUs", "number"), write_role=Role.VM_ADMIN),
    dynamic(
        "VCPUs_utilisation",
        "map(int,float)",
        default={},
        path=("VCPUs", "utilisation"),
        state="removed",
        persist=False,
        write_role=Role.VM_ADMIN,
    ),
    dynamic("VCPUs_CPU", "map(int,int)", path=("VCPUs", "CPU"), persist=False, write_role=Role.VM_ADMIN),
    dynamic(
        "VCPUs_params",
        "map(string,string)",
        path=("VCPUs", "params"),
        persist=False,
        write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "VCPUs_flags",
        "map(int,set(string))",
        path=("VCPUs", "flags"),
        persist=False,
        write_role=Role.VM_ADMIN,
    ),
    dynamic("state", "set(string)", persist=False, write_role=Role.VM_ADMIN),
    dynamic("start_time", "datetime", write_role=Role.VM_ADMIN),
    dynamic("install_time", "datetime", write_role=Role.VM_ADMIN),
    dynamic("last_updated", "datetime", persist=False, write_role=Role.VM_ADMIN),
    rw(
        "other_config",
        "map(string,string)",
        default={},
        since="orlando",
        persist=False,
        write_role=Role.VM_ADMIN,
    ),
    dynamic("hvm", "bool", default=False, since="ely", persist=False, write_role=Role.VM_ADMIN),
    dynamic("nested_virt", "bool", default=False, since="ely", persist=False, write_role=Role.VM_ADMIN),
    dynamic("nomigrate", "bool", default=False, since="ely", persist=False, write_role=Role.VM_ADMIN),
    dynamic(
        "current_domain_type",
        "enum(domain_type)",
        default="unspecified",
        since="kolkata",
        write_role=Role.VM_ADMIN,
    ),
    static(
        "numa_optimised",
        "bool",
        default=False,
        since="26.2.0",
        state="prototyped",
        write_role=Role.VM_ADMIN,
    ),
    static("numa_nodes", "int", default=0, since="26.2.0", state="prototyped", write_role=Role.VM_ADMIN),
    dynamic(
        "numa_node_memory",
        "map(int,int)",
        default={},
        since="26.2.0",
        state="prototyped",
        write_role=Role.VM_ADMIN,
    ),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "VM_metrics",
    "What changes all the time about a VM.",
    FIELDS,
    MESSAGES,
)

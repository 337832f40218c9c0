"""Class Cluster_host."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="lima", write_role=Role.POOL_ADMIN
    ),
    static("cluster", "ref(Cluster)", "The cluster that it is in.", default="OpaqueRef:NULL", since="lima"),
    static("host", "ref(host)", "The host.", default="OpaqueRef:NULL", since="lima"),
    dynamic("enabled", "bool", "Whether it takes part.", default=False, since="lima"),
    static("PIF", "ref(PIF)", "The interface that it talks over.", default="OpaqueRef:NULL", since="lima"),
    dynamic("joined", "bool", "Whether it has joined.", default=True, since="lima"),
    dynamic(
        "live",
        "bool",
        "Whether the software says it is alive.",
        default=False,
        since="24.3.0",
        state="prototyped",
    ),
    dynamic(
        "last_update_live",
        "datetime",
        "When that was last heard.",
        default="19700101T00:00:00Z",
        since="24.3.0",
        state="prototyped",
    ),
    dynamic(
        "allowed_operations",
        "set(enum(cluster_host_operation))",
        "What may be done to it now.",
        default=[],
        persist=False,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(cluster_host_operation))",
        "What is being done to it, by task.",
        default={},
        persist=False,
    ),
    static("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="lima"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (param("cluster", "ref(Cluster)"), param("host", "ref(host)"), param("pif", "ref(PIF)")),
        "Add a host to a cluster.",
        result="ref(Cluster_host)",
        role=Role.POOL_OPERATOR,
        errors=(
            "PIF_NOT_ATTACHED_TO_HOST",
            "NO_CLUSTER_HOSTS_REACHABLE",
        ),
        since="lima",
    ),
    msg(
        "destroy",
        (param("self", "ref(Cluster_host)"),),
        "Have a host leave its cluster.",
        role=Role.POOL_OPERATOR,
        errors=(
            "CLUSTER_STACK_IN_USE",
            "CLUSTERING_DISABLED",
            "CLUSTER_HOST_IS_LAST",
        ),
        since="lima",
    ),
    msg(
        "enable",
        (param("self", "ref(Cluster_host)"),),
        "Have the host take part.",
        role=Role.POOL_OPERATOR,
        errors=(
            "PIF_ALLOWS_UNPLUG",
            "REQUIRED_PIF_IS_UNPLUGGED",
        ),
        since="lima",
    ),
    msg(
        "force_destroy",
        (param("self", "ref(Cluster_host)"),),
        "Have a host leave, whatever state it is in.",
        role=Role.POOL_OPERATOR,
        errors=("CLUSTER_STACK_IN_USE",),
        since="lima",
    ),
    msg(
        "forget",
        (param("self", "ref(Cluster_host)"),),
        "Leave out a host that is gone for good.",
        role=Role.LOCAL_ROOT,
        since="lima",
        hidden=True,
    ),
    msg(
        "disable",
        (param("self", "ref(Cluster_host)"),),
        "Have the host take part no more.",
        role=Role.POOL_OPERATOR,
        errors=("CLUSTER_STACK_IN_USE",),
        since="lima",
    ),
)

CLASS = ApiClass(
    "Cluster_host",
    "One host as a cluster's member.",
    FIELDS,
    MESSAGES,
    since="lima",
)

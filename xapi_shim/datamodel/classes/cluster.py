"""Class Cluster."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="lima", write_role=Role.POOL_ADMIN
    ),
    dynamic("cluster_hosts", "set(ref(Cluster_host))", "The hosts in it.", since="lima"),
    dynamic(
        "pending_forget",
        "set(string)",
        "Hosts that are still to be left out, by address.",
        default=[],
        since="lima",
    ),
    static("cluster_token", "string", "The secret that its hosts share.", default="", since="lima"),
    static("cluster_stack", "string", "The software that it runs on.", default="corosync", since="lima"),
    static(
        "cluster_stack_version",
        "int",
        "That software's major version.",
        default=2,
        since="24.15.0",
        state="prototyped",
    ),
    dynamic(
        "is_quorate",
        "bool",
        "Whether enough hosts are alive to go on.",
        default=False,
        since="24.3.0",
        state="prototyped",
    ),
    dynamic(
        "quorum", "int", "How many hosts have to be alive.", default=0, since="24.3.0", state="prototyped"
    ),
    dynamic("live_hosts", "int", "How many hosts are alive.", default=0, since="24.3.0", state="prototyped"),
    dynamic(
        "expected_hosts",
        "int",
        "How many hosts there should be.",
        default=0,
        since="25.17.0",
        state="prototyped",
    ),
    dynamic(
        "allowed_operations",
        "set(enum(cluster_operation))",
        "What may be done to it now.",
        default=[],
        persist=False,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(cluster_operation))",
        "What is being done to it, by task.",
        default={},
        persist=False,
    ),
    static("pool_auto_join", "bool", "Whether new hosts of the pool join it.", default=True, since="lima"),
    static("token_timeout", "float", "How long a silence is borne, in seconds.", default=20.0, since="lima"),
    static(
        "token_timeout_coefficient",
        "float",
        "How much longer for each host beyond two, in seconds.",
        default=1.0,
        since="lima",
    ),
    static(
        "cluster_config", "map(string,string)", "More settings of the software.", default={}, since="lima"
    ),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="lima"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (
            param("PIF", "ref(PIF)"),
            param("cluster_stack", "string"),
            param("pool_auto_join", "bool"),
            param("token_timeout", "float", 20.0),
            param("token_timeout_coefficient", "float", 1.0),
        ),
        "Make a cluster of one host.",
        result="ref(Cluster)",
        role=Role.POOL_OPERATOR,
        errors=(
            "INVALID_CLUSTER_STACK",
            "INVALID_VALUE",
            "PIF_ALLOWS_UNPLUG",
            "REQUIRED_PIF_IS_UNPLUGGED",
        ),
        since="lima",
    ),
    msg(
        "destroy",
        (param("self", "ref(Cluster)"),),
        "Part a cluster of one host.",
        role=Role.POOL_OPERATOR,
        errors=(
            "CLUSTER_DOES_NOT_HAVE_ONE_NODE",
            "CLUSTER_STACK_IN_USE",
        ),
        since="lima",
    ),
    msg(
        "get_network",
        (param("self", "ref(Cluster)"),),
        "Return the network that its hosts talk over.",
        result="ref(network)",
        role=Role.READ_ONLY,
        since="lima",
    ),
    msg(
        "pool_create",
        (
            param("network", "ref(network)"),
            param("cluster_stack", "string"),
            param("token_timeout", "float", 20.0),
            param("token_timeout_coefficient", "float", 1.0),
        ),
        "Make a cluster of all hosts of the pool.",
        result="ref(Cluster)",
        role=Role.POOL_OPERATOR,
        since="lima",
    ),
    msg(
        "pool_force_destroy",
        (param("self", "ref(Cluster)"),),
        "Part the cluster, whatever state its hosts are in.",
        role=Role.POOL_OPERATOR,
        errors=("CLUSTER_FORCE_DESTROY_FAILED",),
        since="lima",
    ),
    msg(
        "pool_destroy",
        (param("self", "ref(Cluster)"),),
        "Part the cluster, host by host.",
        role=Role.POOL_OPERATOR,
        errors=(
            "CLUSTER_STACK_IN_USE",
            "CLUSTERING_DISABLED",
            "CLUSTER_HOST_IS_LAST",
        ),
        since="lima",
    ),
    msg(
        "pool_resync",
        (param("self", "ref(Cluster)"),),
        "Have every host of the pool in it that should be.",
        role=Role.POOL_OPERATOR,
        since="lima",
    ),
    msg(
        "cstack_sync",
        (param("self", "ref(Cluster)"),),
        "Read anew what the software says of its hosts.",
        role=Role.POOL_OPERATOR,
        since="lima",
        hidden=True,
        pool_internal=True,
    ),
)

CLASS = ApiClass(
    "Cluster",
    "Hosts that agree on who is alive, for shared file systems.",
    FIELDS,
    MESSAGES,
    since="lima",
)

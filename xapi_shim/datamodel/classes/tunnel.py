"""Class tunnel."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="cowley", write_role=Role.POOL_ADMIN
    ),
    static(
        "access_PIF",
        "ref(PIF)",
        "The interface of the network inside.",
        default="OpaqueRef:NULL",
        since="cowley",
    ),
    static(
        "transport_PIF",
        "ref(PIF)",
        "The interface that carries it.",
        default="OpaqueRef:NULL",
        since="cowley",
    ),
    rw(
        "status",
        "map(string,string)",
        "How it is doing, by key.",
        default={"active": "false"},
        since="cowley",
    ),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="cowley"),
    rw("protocol", "enum(tunnel_protocol)", "How its packets are wrapped.", default="gre", since="1.250.0"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (
            param("transport_PIF", "ref(PIF)"),
            param("network", "ref(network)"),
            param("protocol", "enum(tunnel_protocol)", "gre"),
        ),
        "Make a tunnel over an interface for a network.",
        result="ref(tunnel)",
        role=Role.POOL_OPERATOR,
        errors=(
            "OPENVSWITCH_NOT_ACTIVE",
            "TRANSPORT_PIF_NOT_CONFIGURED",
            "IS_TUNNEL_ACCESS_PIF",
        ),
        since="cowley",
    ),
    msg(
        "destroy",
        (param("self", "ref(tunnel)"),),
        "Remove the tunnel.",
        role=Role.POOL_OPERATOR,
        since="cowley",
    ),
)

CLASS = ApiClass(
    "tunnel",
    "A network carried inside another.",
    FIELDS,
    MESSAGES,
    since="cowley",
)

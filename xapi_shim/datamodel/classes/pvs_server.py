"""Class PVS_server."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="ely", write_role=Role.POOL_ADMIN
    ),
    static("addresses", "set(string)", "Its IP addresses.", default=[], since="ely"),
    static("first_port", "int", "The first UDP port that it answers on.", default=0, since="ely"),
    static("last_port", "int", "The last UDP port that it answers on.", default=0, since="ely"),
    static("site", "ref(PVS_site)", "The site that it serves.", default="OpaqueRef:NULL", since="ely"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "introduce",
        (
            param("addresses", "set(string)"),
            param("first_port", "int"),
            param("last_port", "int"),
            param("site", "ref(PVS_site)"),
        ),
        "Make a server known.",
        result="ref(PVS_server)",
        role=Role.POOL_OPERATOR,
        since="ely",
    ),
    msg(
        "forget",
        (param("self", "ref(PVS_server)"),),
        "Forget a server.",
        role=Role.POOL_OPERATOR,
        since="ely",
    ),
)

CLASS = ApiClass(
    "PVS_server",
    "One provisioning server of a site.",
    FIELDS,
    MESSAGES,
    since="ely",
)

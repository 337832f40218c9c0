"""Class PVS_proxy."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="ely", write_role=Role.POOL_ADMIN
    ),
    static("site", "ref(PVS_site)", "The site that it reads from.", default="OpaqueRef:NULL", since="ely"),
    static(
        "VIF", "ref(VIF)", "The guest's interface that it listens on.", default="OpaqueRef:NULL", since="ely"
    ),
    dynamic("currently_attached", "bool", "Whether it works now.", default=False, since="ely"),
    dynamic(
        "status",
        "enum(pvs_proxy_status)",
        "What it is doing, or why it can not.",
        default="stopped",
        since="ely",
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (param("site", "ref(PVS_site)"), param("VIF", "ref(VIF)")),
        "Put one on a guest's interface.",
        result="ref(PVS_proxy)",
        role=Role.POOL_OPERATOR,
        since="ely",
    ),
    msg("destroy", (param("self", "ref(PVS_proxy)"),), "Take it off.", role=Role.POOL_OPERATOR, since="ely"),
)

CLASS = ApiClass(
    "PVS_proxy",
    "What keeps a guest's reads from a provisioning server on its host.",
    FIELDS,
    MESSAGES,
    since="ely",
)

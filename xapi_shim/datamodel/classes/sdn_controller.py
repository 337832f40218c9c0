"""Class SDN_controller."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="falcon", write_role=Role.POOL_ADMIN
    ),
    static(
        "protocol", "enum(sdn_controller_protocol)", "How it is spoken to.", default="ssl", since="falcon"
    ),
    static("address", "string", "Its IP address.", default="", since="falcon"),
    static("port", "int", "Its TCP port.", default=0, since="falcon"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "introduce",
        (
            param("protocol", "enum(sdn_controller_protocol)", "ssl"),
            param("address", "string", ""),
            param("port", "int", 0),
        ),
        "Have every host's switch follow a controller.",
        result="ref(SDN_controller)",
        role=Role.POOL_OPERATOR,
        since="falcon",
    ),
    msg(
        "forget",
        (param("self", "ref(SDN_controller)"),),
        "Stop following a controller.",
        role=Role.POOL_OPERATOR,
        since="falcon",
    ),
)

CLASS = ApiClass(
    "SDN_controller",
    "A program on the network that tells switches what to do.",
    FIELDS,
    MESSAGES,
    since="falcon",
)

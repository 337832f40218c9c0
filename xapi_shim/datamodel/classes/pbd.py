"""Class PBD."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "host", "SR", "device_config", "other_config",
)  # fmt: skip

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    static("host", "ref(host)", write_role=Role.POOL_OPERATOR),
    static("SR", "ref(SR)", write_role=Role.POOL_OPERATOR),
    static("device_config", "map(string,string)", write_role=Role.POOL_OPERATOR),
    dynamic("currently_attached", "bool", write_role=Role.POOL_OPERATOR),
    rw("other_config", "map(string,string)", default={}, since="miami", write_role=Role.POOL_OPERATOR),
)

MESSAGES: tuple[Message, ...] = (
    msg("plug", (param("self", "ref(PBD)"),), role=Role.POOL_OPERATOR, errors=("SR_UNKNOWN_DRIVER",)),
    msg("unplug", (param("self", "ref(PBD)"),), role=Role.POOL_OPERATOR),
    msg(
        "set_device_config",
        (param("self", "ref(PBD)"), param("value", "map(string,string)")),
        role=Role.POOL_OPERATOR,
        since="miami",
    ),
)

CLASS = ApiClass(
    "PBD",
    "How a host reaches a storage repository.",
    FIELDS,
    MESSAGES,
    has_constructor=True,
    constructor_role=Role.POOL_OPERATOR,
    constructor=CONSTRUCTOR,
)

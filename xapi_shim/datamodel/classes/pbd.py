"""Class PBD."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "host", "SR", "device_config", "other_config",
)  # fmt: skip

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    static("host", "ref(host)", "The host that is connected."),
    static("SR", "ref(SR)", "The repository it is connected to."),
    static("device_config", "map(string,string)", "What the driver needs to connect."),
    dynamic("currently_attached", "bool", "Whether the connection is up."),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="miami"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "plug",
        (param("self", "ref(PBD)"),),
        "Connect the host to the repository.",
        role=Role.POOL_OPERATOR,
        errors=("SR_UNKNOWN_DRIVER",),
    ),
    msg(
        "unplug",
        (param("self", "ref(PBD)"),),
        "Disconnect the host from the repository.",
        role=Role.POOL_OPERATOR,
    ),
    msg(
        "set_device_config",
        (param("self", "ref(PBD)"), param("value", "map(string,string)")),
        "Change what the driver needs to connect.",
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

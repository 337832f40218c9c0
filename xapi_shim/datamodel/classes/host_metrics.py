"""Class host_metrics."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, rw
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    dynamic("memory_total", "int", path=("memory", "total"), write_role=Role.POOL_OPERATOR),
    dynamic(
        "memory_free",
        "int",
        default=0,
        path=("memory", "free"),
        state="removed",
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("live", "bool", write_role=Role.POOL_OPERATOR),
    dynamic("last_updated", "datetime", write_role=Role.POOL_OPERATOR),
    rw("other_config", "map(string,string)", default={}, since="orlando", write_role=Role.POOL_OPERATOR),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "host_metrics",
    "What changes all the time about a host.",
    FIELDS,
    MESSAGES,
)

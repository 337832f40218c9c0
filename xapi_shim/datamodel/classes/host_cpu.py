"""Class host_cpu."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, rw
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    dynamic("host", "ref(host)", write_role=Role.POOL_OPERATOR),
    dynamic("number", "int", write_role=Role.POOL_OPERATOR),
    dynamic("vendor", "string", write_role=Role.POOL_OPERATOR),
    dynamic("speed", "int", write_role=Role.POOL_OPERATOR),
    dynamic("modelname", "string", write_role=Role.POOL_OPERATOR),
    dynamic("family", "int", write_role=Role.POOL_OPERATOR),
    dynamic("model", "int", write_role=Role.POOL_OPERATOR),
    dynamic("stepping", "string", write_role=Role.POOL_OPERATOR),
    dynamic("flags", "string", write_role=Role.POOL_OPERATOR),
    dynamic("features", "string", write_role=Role.POOL_OPERATOR),
    dynamic("utilisation", "float", persist=False, write_role=Role.POOL_OPERATOR),
    rw("other_config", "map(string,string)", default={}, since="orlando", write_role=Role.POOL_OPERATOR),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "host_cpu",
    "One processor of a host.",
    FIELDS,
    MESSAGES,
    state="deprecated",
)

"""Class host_cpu."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic("host", "ref(host)", "The host it belongs to."),
    dynamic("number", "int", "Its number on the host, from 0."),
    dynamic("vendor", "string", "Who made it."),
    dynamic("speed", "int", "Its frequency, in MHz."),
    dynamic("modelname", "string", "Its maker's name for it."),
    dynamic("family", "int", "Its family number."),
    dynamic("model", "int", "Its model number."),
    dynamic("stepping", "string", "Its stepping."),
    dynamic("flags", "string", "The features it names, as words."),
    dynamic("features", "string", "The features it has, as bits."),
    dynamic("utilisation", "float", "The part of it in use, from 0 to 1.", persist=False),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="orlando"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "host_cpu",
    "One processor of a host.",
    FIELDS,
    MESSAGES,
    state="deprecated",
)

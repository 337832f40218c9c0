"""Class host_metrics."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic("memory_total", "int", "Memory of the host, in bytes.", path=("memory", "total")),
    dynamic(
        "memory_free",
        "int",
        "Memory that was unused, in bytes.",
        default=0,
        path=("memory", "free"),
        state="removed",
    ),
    dynamic("live", "bool", "Whether the host answered lately."),
    dynamic("last_updated", "datetime", "When this was last refreshed."),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="orlando"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "host_metrics",
    "What changes all the time about a host.",
    FIELDS,
    MESSAGES,
)

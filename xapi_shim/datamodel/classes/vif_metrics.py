"""Class VIF_metrics."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.VM_ADMIN)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic(
        "io_read_kbs",
        "float",
        "KiB per second that came in.",
        default=0.0,
        path=("io", "read_kbs"),
        state="removed",
        persist=False,
    ),
    dynamic(
        "io_write_kbs",
        "float",
        "KiB per second that went out.",
        default=0.0,
        path=("io", "write_kbs"),
        state="removed",
        persist=False,
    ),
    dynamic("last_updated", "datetime", "When this was last refreshed."),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="orlando"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "VIF_metrics",
    "What was measured of a guest's interface.",
    FIELDS,
    MESSAGES,
    state="removed",
    persist=False,
)

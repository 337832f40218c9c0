"""Class VBD_metrics."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.VM_ADMIN)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic(
        "io_read_kbs",
        "float",
        "KiB per second that were read.",
        default=0.0,
        path=("io", "read_kbs"),
        state="removed",
        persist=False,
    ),
    dynamic(
        "io_write_kbs",
        "float",
        "KiB per second that were written.",
        default=0.0,
        path=("io", "write_kbs"),
        state="removed",
        persist=False,
    ),
    dynamic(
        "last_updated",
        "datetime",
        "When this was last refreshed.",
        default="19700101T00:00:00Z",
        state="removed",
    ),
    rw(
        "other_config",
        "map(string,string)",
        "Settings by key, for anybody.",
        default={},
        since="orlando",
        state="removed",
    ),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "VBD_metrics",
    "What was measured of a drive.",
    FIELDS,
    MESSAGES,
    state="removed",
    persist=False,
)

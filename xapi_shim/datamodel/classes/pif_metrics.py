"""Class PIF_metrics."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

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
    dynamic("carrier", "bool", "Whether there is a link."),
    dynamic("vendor_id", "string", "Its maker's PCI number."),
    dynamic("vendor_name", "string", "Its maker's name."),
    dynamic("device_id", "string", "Its PCI number among its maker's."),
    dynamic("device_name", "string", "Its maker's name for it."),
    dynamic("speed", "int", "The link's speed in Mbit/s."),
    dynamic("duplex", "bool", "Whether it sends and receives at once."),
    dynamic("pci_bus_path", "string", "Where on the PCI bus it is."),
    dynamic("last_updated", "datetime", "When this was last refreshed."),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="orlando"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "PIF_metrics",
    "What is known and measured of a host's interface.",
    FIELDS,
    MESSAGES,
)

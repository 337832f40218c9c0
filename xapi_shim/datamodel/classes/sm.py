"""Class SM."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic("name_label", "string", "The driver's name.", default="", path=("name", "label")),
    dynamic(
        "name_description", "string", "What the driver is for.", default="", path=("name", "description")
    ),
    dynamic("type", "string", "The word that repositories name it by."),
    dynamic("vendor", "string", "Who made it."),
    dynamic("copyright", "string", "Whose work it is."),
    dynamic("version", "string", "Its version."),
    dynamic("required_api_version", "string", "The storage interface it speaks."),
    dynamic("configuration", "map(string,string)", "The settings it takes, each with a word on it."),
    dynamic(
        "capabilities",
        "set(string)",
        "What it can do, as words.",
        default=[],
        since="miami",
        state="deprecated",
    ),
    dynamic("features", "map(string,int)", "What it can do, with versions.", default={}, since="clearwater"),
    dynamic(
        "host_pending_features",
        "map(ref(host),set(string))",
        "What it can do on some hosts only.",
        default={},
        since="24.37.0",
        state="prototyped",
        internal=True,
    ),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="miami"),
    dynamic("driver_filename", "string", "The program's path.", default="", since="orlando"),
    dynamic(
        "required_cluster_stack",
        "set(string)",
        "The cluster software it needs, any one of them.",
        default=[],
        since="dundee",
    ),
    dynamic(
        "supported_image_formats",
        "set(enum(image_format_type))",
        "The disk formats it can keep.",
        default=[],
        since="26.15.0",
        state="prototyped",
    ),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "SM",
    "A storage driver.",
    FIELDS,
    MESSAGES,
)

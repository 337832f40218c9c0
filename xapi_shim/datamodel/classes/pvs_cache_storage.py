"""Class PVS_cache_storage."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="ely", write_role=Role.POOL_ADMIN
    ),
    static("host", "ref(host)", "The host that keeps it.", default="OpaqueRef:NULL", since="ely"),
    static("SR", "ref(SR)", "The repository that it is in.", default="OpaqueRef:NULL", since="ely"),
    static("site", "ref(PVS_site)", "The site whose reads are kept.", default="OpaqueRef:NULL", since="ely"),
    static("size", "int", "How much it may take, in bytes.", default=21474836480, since="ely"),
    dynamic("VDI", "ref(VDI)", "The disk that it is.", default="OpaqueRef:NULL", since="ely"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "PVS_cache_storage",
    "Room on a host for what is read from a provisioning site.",
    FIELDS,
    MESSAGES,
    since="ely",
    has_constructor=True,
    plain_constructor=False,
    constructor=(
        "host",
        "SR",
        "site",
        "size",
    ),
    constructor_role=Role.POOL_OPERATOR,
)

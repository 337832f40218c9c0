"""Class PVS_site."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="ely", write_role=Role.POOL_ADMIN
    ),
    rw("name_label", "string", "Its name.", default="", path=("name", "label"), since="ely"),
    rw(
        "name_description", "string", "Notes about it.", default="", path=("name", "description"), since="ely"
    ),
    static("PVS_uuid", "string", "The site's identity on its servers.", default="", since="ely"),
    dynamic(
        "cache_storage",
        "set(ref(PVS_cache_storage))",
        "Where hosts keep what was read.",
        default=[],
        since="ely",
    ),
    dynamic("servers", "set(ref(PVS_server))", "The servers of the site.", since="ely"),
    dynamic("proxies", "set(ref(PVS_proxy))", "The proxies that guests read through.", since="ely"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "introduce",
        (param("name_label", "string"), param("name_description", "string"), param("PVS_uuid", "string")),
        "Make a site known.",
        result="ref(PVS_site)",
        role=Role.POOL_OPERATOR,
        since="ely",
    ),
    msg(
        "forget",
        (param("self", "ref(PVS_site)"),),
        "Forget a site that nothing uses.",
        role=Role.POOL_OPERATOR,
        errors=(
            "PVS_SITE_CONTAINS_RUNNING_PROXIES",
            "PVS_SITE_CONTAINS_SERVERS",
        ),
        since="ely",
    ),
    msg(
        "set_PVS_uuid",
        (param("self", "ref(PVS_site)"), param("value", "string")),
        "Record the site's identity on its servers.",
        role=Role.POOL_OPERATOR,
        since="ely",
        field="PVS_uuid",
    ),
)

CLASS = ApiClass(
    "PVS_site",
    "Provisioning servers that hand out the same disks.",
    FIELDS,
    MESSAGES,
    since="ely",
)

"""Class sr_stat."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.LOCAL_ROOT)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "option(string)", "The repository's identity, if it has one.", since="lima"),
    dynamic("name_label", "string", "Its name.", since="lima"),
    dynamic("name_description", "string", "Notes about it.", since="lima"),
    dynamic("free_space", "int", "How much is free, in bytes.", since="lima"),
    dynamic("total_space", "int", "How much it holds in all, in bytes.", since="lima"),
    dynamic("clustered", "bool", "Whether hosts have to be in a cluster to use it.", since="lima"),
    dynamic("health", "enum(sr_health)", "Whether it works.", since="lima"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "sr_stat",
    "How a repository is doing, as its driver tells.",
    FIELDS,
    MESSAGES,
    since="lima",
    in_database=False,
    persist=False,
    events=False,
    lists_all=False,
)

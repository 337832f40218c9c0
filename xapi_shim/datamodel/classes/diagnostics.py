"""Class Diagnostics."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = ()

MESSAGES: tuple[Message, ...] = (
    msg(
        "gc_compact",
        (param("host", "ref(host)"),),
        "Have the daemon give back memory it does not need.",
        role=Role.POOL_OPERATOR,
        since="stockholm",
        hidden=True,
    ),
    msg(
        "gc_stats",
        (param("host", "ref(host)"),),
        "Return how the daemon's memory is used.",
        result="map(string,string)",
        role=Role.POOL_OPERATOR,
        since="stockholm",
        hidden=True,
    ),
    msg(
        "db_stats",
        (),
        "Return how the database is used.",
        result="map(string,string)",
        role=Role.POOL_OPERATOR,
        since="stockholm",
        hidden=True,
    ),
    msg(
        "network_stats",
        (param("host", "ref(host)"), param("params", "map(string,string)")),
        "Return how the daemon's connections are used.",
        result="set(set(string))",
        role=Role.POOL_OPERATOR,
        since="stockholm",
        hidden=True,
    ),
)

CLASS = ApiClass(
    "Diagnostics",
    "Questions about the daemon itself.",
    FIELDS,
    MESSAGES,
    since="stockholm",
    in_database=False,
    persist=False,
    events=False,
    lists_all=False,
)

"""Class probe_result."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.LOCAL_ROOT)

FIELDS: tuple[Field, ...] = (
    dynamic("configuration", "map(string,string)", "The settings that lead there.", since="lima"),
    dynamic("complete", "bool", "Whether these settings are enough to use it.", since="lima"),
    dynamic("sr", "option(record(sr_stat))", "The repository there, if there is one.", since="lima"),
    dynamic("extra_info", "map(string,string)", "What else the driver tells.", since="lima"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "probe_result",
    "One thing that a search for storage found.",
    FIELDS,
    MESSAGES,
    since="lima",
    in_database=False,
    persist=False,
    events=False,
    lists_all=False,
)

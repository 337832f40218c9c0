"""Class DR_task."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good."),
    dynamic(
        "introduced_SRs", "set(ref(SR))", "The repositories that it took over.", write_role=Role.POOL_OPERATOR
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (
            param("type", "string"),
            param("device_config", "map(string,string)"),
            param("whitelist", "set(string)"),
        ),
        "Look for repositories with copies of a pool's records, and take them over.",
        result="ref(DR_task)",
        role=Role.POOL_OPERATOR,
        since="boston",
    ),
    msg(
        "destroy",
        (param("self", "ref(DR_task)"),),
        "Let go of its repositories, unless they are used.",
        role=Role.POOL_OPERATOR,
        since="boston",
    ),
)

CLASS = ApiClass(
    "DR_task",
    "Repositories taken over for a while, to bring guests back after a disaster.",
    FIELDS,
    MESSAGES,
    since="boston",
)

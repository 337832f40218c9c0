"""Class auth."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = ()

MESSAGES: tuple[Message, ...] = (
    msg(
        "get_subject_identifier",
        (param("subject_name", "string"),),
        "Return the directory's identifier of a name.",
        result="string",
        role=Role.READ_ONLY,
        is_async=False,
        since="george",
    ),
    msg(
        "get_subject_information_from_identifier",
        (param("subject_identifier", "string"),),
        "Return what the directory says of a user.",
        result="map(string,string)",
        role=Role.READ_ONLY,
        is_async=False,
        since="george",
    ),
    msg(
        "get_group_membership",
        (param("subject_identifier", "string"),),
        "List the groups that a user is in.",
        result="set(string)",
        role=Role.READ_ONLY,
        is_async=False,
        since="george",
    ),
)

CLASS = ApiClass(
    "auth",
    "Questions to the directory of users.",
    FIELDS,
    MESSAGES,
    since="george",
    in_database=False,
    persist=False,
    events=False,
    lists_all=False,
)

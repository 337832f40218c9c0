"""Class LVHD."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param
from xapi_shim.datamodel.model import ApiClass, Field, Message

FIELDS: tuple[Field, ...] = (dynamic("uuid", "string", "Identity that stays the same for good."),)

MESSAGES: tuple[Message, ...] = (
    msg(
        "enable_thin_provisioning",
        (
            param("host", "ref(host)"),
            param("SR", "ref(SR)"),
            param("initial_allocation", "int"),
            param("allocation_quantum", "int"),
        ),
        "Let a repository's disks grow as they fill.",
        result="string",
        since="dundee",
    ),
)

CLASS = ApiClass(
    "LVHD",
    "Disks in logical volumes; stands for messages about such repositories.",
    FIELDS,
    MESSAGES,
    since="dundee",
    lists_all=False,
)

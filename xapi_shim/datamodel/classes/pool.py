"""Class pool."""

from __future__ import annotations

from xapi_shim.datamodel.classes import pool_messages_members, pool_messages_security
from xapi_shim.datamodel.classes.pool_fields import FIELDS
from xapi_shim.datamodel.model import ApiClass

CLASS = ApiClass(
    "pool",
    "All hosts that share storage, networks and this database.",
    FIELDS,
    (*pool_messages_members.MESSAGES, *pool_messages_security.MESSAGES),
    by_name_label=False,
)

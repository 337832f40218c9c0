"""Class pool."""

from __future__ import annotations

from xapi_shim.datamodel.classes.pool_fields import FIELDS
from xapi_shim.datamodel.classes.pool_messages import MESSAGES
from xapi_shim.datamodel.model import ApiClass

CLASS = ApiClass(
    "pool",
    "All hosts that share storage, networks and this database.",
    FIELDS,
    MESSAGES,
    by_name_label=False,
)

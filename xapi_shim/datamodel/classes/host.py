"""Class host."""

from __future__ import annotations

from xapi_shim.datamodel.classes.host_fields import FIELDS
from xapi_shim.datamodel.classes.host_messages import MESSAGES
from xapi_shim.datamodel.model import ApiClass

CLASS = ApiClass(
    "host",
    "A physical machine that runs guests.",
    FIELDS,
    MESSAGES,
)

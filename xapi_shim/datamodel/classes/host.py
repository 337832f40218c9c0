"""Class host."""

from __future__ import annotations

from xapi_shim.datamodel.classes import host_messages_devices, host_messages_power, host_messages_security
from xapi_shim.datamodel.classes.host_fields import FIELDS
from xapi_shim.datamodel.model import ApiClass

CLASS = ApiClass(
    "host",
    "A physical machine that runs guests.",
    FIELDS,
    (*host_messages_power.MESSAGES, *host_messages_devices.MESSAGES, *host_messages_security.MESSAGES),
)

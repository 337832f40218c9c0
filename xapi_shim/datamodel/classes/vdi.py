"""Class VDI."""

from __future__ import annotations

from xapi_shim.datamodel.classes.vdi_fields import FIELDS
from xapi_shim.datamodel.classes.vdi_messages import MESSAGES
from xapi_shim.datamodel.model import ApiClass, Role

CONSTRUCTOR = (
    "name_label", "name_description", "SR", "virtual_size", "type", "sharable", "read_only", "other_config",
    "xenstore_data", "sm_config", "tags",
)  # fmt: skip

CLASS = ApiClass(
    "VDI",
    "A virtual disk.",
    FIELDS,
    MESSAGES,
    has_constructor=True,
    constructor_role=Role.VM_ADMIN,
    constructor=CONSTRUCTOR,
)

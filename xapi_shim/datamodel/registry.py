"""The datamodel, put together. `check` it before serving: the daemon does, and a test."""

from __future__ import annotations

from xapi_shim.datamodel.classes import DeclaredClasses
from xapi_shim.datamodel.enums import ENUMS
from xapi_shim.datamodel.model import DataModel
from xapi_shim.datamodel.relations import RELATIONS

API_VERSION = (2, 23)
SCHEMA_VERSION = (5, 909)

DATAMODEL = DataModel(classes=DeclaredClasses(), enums=ENUMS, relations=RELATIONS)

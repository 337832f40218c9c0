"""The datamodel, put together and checked once."""

from __future__ import annotations

from types import MappingProxyType

from xapi_shim.datamodel.classes import CLASSES
from xapi_shim.datamodel.enums import ENUMS
from xapi_shim.datamodel.model import DataModel
from xapi_shim.datamodel.relations import RELATIONS

API_VERSION = (2, 23)
SCHEMA_VERSION = (5, 909)

DATAMODEL = DataModel(
    classes=MappingProxyType({cls.name: cls for cls in CLASSES}),
    enums=MappingProxyType(ENUMS),
    relations=RELATIONS,
)
if _wrong := DATAMODEL.check():
    raise RuntimeError("the datamodel contradicts itself: " + "; ".join(_wrong))

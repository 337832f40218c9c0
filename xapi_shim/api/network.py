"""network.*: what guests' interfaces are plugged into."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.errors import (
    InvalidValueError,
    NetworkContainsPifError,
    NetworkContainsVifError,
    OperationNotAllowedError,
)
from xapi_shim.network.interface import NetworkError
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from collections.abc import Collection

    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

# Names of bridges that are the toolstack's own (protocol facts, section 6).
RESERVED = ("xen", "xapi", "vif", "tap", "eth")
# IFNAMSIZ less the closing NUL.
MAX_BRIDGE_NAME = 15


def free_bridge(db: Database) -> str:
    """Return the first xapiN that no network has."""
    return first_free_bridge({db.text("network", ref, "bridge") for ref in db.refs("network")})


def first_free_bridge(taken: Collection[str]) -> str:
    """Return the first xapiN that is not taken. Pure."""
    number = 0
    while f"xapi{number}" in taken:
        number += 1
    return f"xapi{number}"


async def create(call: Call, args: dict[str, Value]) -> str:
    """Make an internal network; its bridge appears with the first guest. Raises INVALID_VALUE."""
    db = call.db
    values = Coercion(db.model).constructor(db.model.classes["network"], args)
    bridge = cast("str", values["bridge"])
    if bridge and (
        len(bridge) > MAX_BRIDGE_NAME
        or not re.fullmatch(r"[A-Za-z0-9_.-]+", bridge)
        or bridge.startswith(RESERVED)
        or any(db.text("network", ref, "bridge") == bridge for ref in db.refs("network"))
    ):
        raise InvalidValueError("bridge", bridge)
    return db.create("network", {**values, "bridge": bridge or free_bridge(db)})


async def destroy(call: Call, self: str) -> None:
    """Remove a network that nothing uses. Raises NETWORK_CONTAINS_PIF, NETWORK_CONTAINS_VIF [refs]."""
    db = call.db
    if pifs := db.items("network", self, "PIFs"):
        raise NetworkContainsPifError(*pifs[:1])
    vifs = db.items("network", self, "VIFs")
    if any(db.flag("VIF", vif, "currently_attached") for vif in vifs):
        raise NetworkContainsVifError(*vifs[:1])
    if db.mapping("network", self, "other_config").get("is_guest_installer_network") == "true":
        raise OperationNotAllowedError("this network is the system's own")
    try:
        await call.tools.network.destroy_bridge(db.text("network", self, "bridge"))
    except NetworkError as error:
        raise OperationNotAllowedError(str(error)) from error
    with db.transaction():
        for vif in vifs:
            db.destroy("VIF", vif)
        db.destroy("network", self)


MESSAGES = {"network.create": create, "network.destroy": destroy}

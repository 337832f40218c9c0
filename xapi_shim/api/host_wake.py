"""host.power_on: switching on another host of the pool, by its network card or by a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api import plugins
from xapi_shim.api.host_errors import host_errors
from xapi_shim.api.operations import operation
from xapi_shim.api.other_hosts import is_live
from xapi_shim.datamodel.errors import (
    HostIsLiveError,
    HostPowerOnModeDisabledError,
    OperationNotAllowedError,
)

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database

WAKE_ON_LAN = "wake-on-lan"
# Serves every other mode; it reads power_on_mode and power_on_config itself.
PLUGIN = "power-on-host"


def _mac(db: Database, host: str) -> str:
    """Return the address of the card to wake: of the interface for management, else of any. Raises OPERATION_NOT_ALLOWED."""
    pifs = [pif for pif in db.items("host", host, "PIFs") if db.text("PIF", pif, "MAC")]
    if not pifs:
        raise OperationNotAllowedError("none of the host's network interfaces is known")
    pifs.sort(key=lambda pif: not db.flag("PIF", pif, "management"))
    return db.text("PIF", pifs[0], "MAC")


async def power_on(call: Call, host: str) -> None:
    """Switch a host on from afar, as host.set_power_on_mode says; it may take its time, or not come.

    Raises HOST_IS_LIVE [host], HOST_POWER_ON_MODE_DISABLED [], OPERATION_NOT_ALLOWED [why],
    XENAPI_MISSING_PLUGIN [name], XENAPI_PLUGIN_FAILURE.
    """
    db = call.db
    if is_live(db, host):
        raise HostIsLiveError(host)
    mode = db.text("host", host, "power_on_mode")
    if not mode:
        raise HostPowerOnModeDisabledError
    with operation(call, "host", host, "power_on"):
        if mode != WAKE_ON_LAN:
            arguments = {"remote_host_uuid": db.text("host", host, "uuid")}
            await plugins.call_plugin(call, call.tools.host, PLUGIN, "main", arguments)
            return
        with host_errors():
            await call.tools.network.wake(_mac(db, host))


MESSAGES = {"host.power_on": power_on}

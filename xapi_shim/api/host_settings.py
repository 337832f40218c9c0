"""host.* and pool.*: settings that are records only, and questions about this host."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, cast

from xapi_shim.api.allowed import update_host
from xapi_shim.datamodel.derive import all_messages

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value


async def set_power_on_mode(
    call: Call, self: str, power_on_mode: str, power_on_config: dict[str, str]
) -> None:
    """Choose how another host would switch this one on."""
    db = call.db
    with db.transaction():
        db.update("host", self, power_on_mode=power_on_mode, power_on_config=cast("Value", power_on_config))
        update_host(db, self)


async def list_timezones(call: Call, self: str) -> list[str]:  # noqa: ARG001
    return sorted(zoneinfo.available_timezones())


async def list_methods(call: Call) -> list[str]:
    """Return every message's name, hidden ones too."""
    return sorted(name for name, (_, message) in all_messages(call.db.model).items() if not message.removed)


MESSAGES = {
    "host.set_power_on_mode": set_power_on_mode,
    "host.list_timezones": list_timezones,
    "host.list_methods": list_methods,
}

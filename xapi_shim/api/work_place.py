"""Where a call's work is: on the host that has the guest, the device, the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.other_hosts import host_position
from xapi_shim.datamodel.derive import all_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value


def work_host(db: Database, key: str, args: Sequence[Value], *, here: str) -> str | None:
    """Placeholder for the branch of the rules."""
    position = host_position(key, all_messages(db.model)[key][1])
    return None if position is None else str(args[position])

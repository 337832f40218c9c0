"""SR.*: who shares a storage repository, and what it could be used for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.other_hosts import is_live
from xapi_shim.api.storage_access import driver_of_pbd
from xapi_shim.datamodel.errors import (
    MessageDeprecatedError,
    SrHasMultiplePbdsError,
    SrHasNoPbdsError,
    SrNotAttachedError,
    SrOperationNotSupportedError,
)

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call

# What a driver must be able to do so that a disk can be reached without the database.
GENERATE_CONFIG = "VDI_GENERATE_CONFIG"


async def set_shared(call: Call, sr: str, value: bool) -> None:  # noqa: FBT001
    """Say whether several hosts may use an SR. Raises SR_HAS_MULTIPLE_PBDS [PBD] where they do."""
    pbds = call.db.items("SR", sr, "PBDs")
    if not value and len(pbds) > 1:
        raise SrHasMultiplePbdsError(pbds[0])
    call.db.set("SR", sr, "shared", value)


async def get_live_hosts(call: Call, sr: str) -> list[str]:
    """Return the hosts that are alive, take guests, and have an SR plugged."""
    db = call.db
    plugged = [p for p in db.items("SR", sr, "PBDs") if db.flag("PBD", p, "currently_attached")]
    hosts = [db.text("PBD", pbd, "host") for pbd in plugged]
    return [host for host in hosts if is_live(db, host) and db.flag("host", host, "enabled")]


async def assert_can_host_ha_statefile(call: Call, sr: str) -> None:
    """Raise SR_HAS_NO_PBDS, SR_NOT_ATTACHED, SR_OPERATION_NOT_SUPPORTED [SR]."""
    _check_reachable_early(call, sr)


async def assert_supports_database_replication(call: Call, sr: str) -> None:
    """Raise SR_HAS_NO_PBDS, SR_NOT_ATTACHED, SR_OPERATION_NOT_SUPPORTED [SR]."""
    _check_reachable_early(call, sr)


def _check_reachable_early(call: Call, sr: str) -> None:
    db = call.db
    pbds = db.items("SR", sr, "PBDs")
    if not pbds:
        raise SrHasNoPbdsError(sr)
    if not all(db.flag("PBD", pbd, "currently_attached") for pbd in pbds):
        raise SrNotAttachedError(sr)
    # What a kind of SR can do is the same on every host.
    if GENERATE_CONFIG not in driver_of_pbd(call.tools, pbds[0]).driver_info().capabilities:
        raise SrOperationNotSupportedError(sr)


async def make(  # noqa: PLR0913 -- the declared parameters
    call: Call,  # noqa: ARG001
    host: str,  # noqa: ARG001
    device_config: dict[str, str],  # noqa: ARG001
    physical_size: int,  # noqa: ARG001
    name_label: str,  # noqa: ARG001
    name_description: str,  # noqa: ARG001
    type: str,  # noqa: A002, ARG001
    content_type: str,  # noqa: ARG001
    sm_config: dict[str, str],  # noqa: ARG001
) -> str:
    """Raise MESSAGE_DEPRECATED, as the reference does: SR.create took its place."""
    raise MessageDeprecatedError


MESSAGES = {
    "SR.make": make,
    "SR.set_shared": set_shared,
    "SR.get_live_hosts": get_live_hosts,
    "SR.assert_can_host_ha_statefile": assert_can_host_ha_statefile,
    "SR.assert_supports_database_replication": assert_supports_database_replication,
}

"""pool.*, host.* and LVHD.*: the pool's secret, when updates are looked for, firmware's keys, programs of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api import plugins
from xapi_shim.api.pool_secret import write_pool_secret
from xapi_shim.datamodel.errors import (
    CannotContactHostError,
    HaIsEnabledError,
    InternalErrorError,
    InvalidUpdateSyncDayError,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from xapi_shim.api.toolstack import Call

# Which days there are, by frequency: 0 is Sunday.
DAYS = {"daily": range(1), "weekly": range(7)}
# Secure Boot's keys for guests: what vouches for keys, for programs, and what is revoked.
NEEDED_KEYS, REVOKED_KEYS = frozenset({"PK.auth", "KEK.auth", "db.auth"}), "dbx.auth"
ARCHIVE_PLUGIN = "vmpr"
THIN_PROVISIONING = "LVHD.enable_thin_provisioning"


async def rotate_secret(call: Call) -> None:
    """Give the pool another secret: who has the former one gets no new session by it.

    Raises HA_IS_ENABLED [], CANNOT_CONTACT_HOST [host] for a pool of more hosts than this one.
    """
    db, tools = call.db, call.tools
    if db.flag("pool", tools.pool, "ha_enabled"):
        raise HaIsEnabledError
    for host in db.refs("host"):
        if host != tools.host:
            raise CannotContactHostError(host)
    try:
        write_pool_secret(tools.paths.pool_secret)
    except OSError as error:
        raise InternalErrorError(f"the secret cannot be written: {error}") from error
    db.set("pool", tools.pool, "is_psr_pending", value=False)


async def configure_update_sync(
    call: Call, self: str, update_sync_frequency: str, update_sync_day: int
) -> None:
    """Choose when updates are to be looked for. Raises INVALID_UPDATE_SYNC_DAY [day]."""
    if update_sync_day not in DAYS[update_sync_frequency]:
        raise InvalidUpdateSyncDayError(str(update_sync_day))
    call.db.update("pool", self, update_sync_frequency=update_sync_frequency, update_sync_day=update_sync_day)


def secureboot_readiness(files: Collection[str]) -> str:
    """Return what guests' firmware can do with the keys in `files`."""
    if not set(files) >= NEEDED_KEYS:
        return "not_ready"
    return "ready" if REVOKED_KEYS in files else "ready_no_dbx"


async def get_guest_secureboot_readiness(call: Call, self: str) -> str:  # noqa: ARG001
    """Say whether the host has the keys that Secure Boot in guests needs."""
    try:
        return secureboot_readiness({entry.name for entry in call.tools.paths.secureboot_keys.iterdir()})
    except OSError:
        return secureboot_readiness(())


async def test_archive_target(call: Call, self: str, config: dict[str, str]) -> str:  # noqa: ARG001
    """Have the plugin for archives try a place. Raises XENAPI_MISSING_PLUGIN [name], XENAPI_PLUGIN_FAILURE."""
    return await plugins.call_plugin(call, call.tools.host, ARCHIVE_PLUGIN, "test_archive_target", config)


async def enable_thin_provisioning(
    call: Call,
    host: str,
    SR: str,  # noqa: N803 -- the declared name
    initial_allocation: int,
    allocation_quantum: int,
) -> str:
    """Have the storage driver's extension of this name do it.

    Raises MESSAGE_METHOD_UNKNOWN [name] where there is none, EXTENSION_PROTOCOL_FAILURE, its own errors.
    """
    params: list[object] = [call.info.session, host, SR, str(initial_allocation), str(allocation_quantum)]
    return str(await plugins.run_extension(call.tools.paths.extensions, THIN_PROVISIONING, params))


MESSAGES = {
    "pool.rotate_secret": rotate_secret,
    "pool.configure_update_sync": configure_update_sync,
    "pool.get_guest_secureboot_readiness": get_guest_secureboot_readiness,
    "pool.test_archive_target": test_archive_target,
    "LVHD.enable_thin_provisioning": enable_thin_provisioning,
}

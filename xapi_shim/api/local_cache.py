"""host.* and pool.*: a local storage repository as the cache of disks that are elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import (
    HostCannotSeeSrError,
    HostInUseError,
    HostsFailedToEnableCachingError,
    SrOperationNotSupportedError,
    XenAPIError,
)
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call

FEATURE = "SR_SUPPORTS_LOCAL_CACHING"


def _assert_idle(call: Call, host: str) -> None:
    """Raise HOST_IN_USE [host; VM; ref] while guests run: their disks are open as they are."""
    for vm in call.db.items("host", host, "resident_VMs"):
        if not call.db.flag("VM", vm, "is_control_domain"):
            raise HostInUseError(host, "VM", vm)


def _can_cache(call: Call, sr: str) -> bool:
    """Say whether the repository's driver keeps caches."""
    db, type_ = call.db, call.db.text("SR", sr, "type")
    return any(
        db.text("SM", one, "type") == type_ and FEATURE in db.mapping("SM", one, "features")
        for one in db.refs("SM")
    )


async def enable_local_storage_caching(call: Call, host: str, sr: str) -> None:
    """Keep caches in a repository of the host's own.

    Raises HOST_IN_USE [host; VM; ref], HOST_CANNOT_SEE_SR [host; SR], SR_OPERATION_NOT_SUPPORTED [SR].
    """
    _assert_idle(call, host)
    db = call.db
    if not any(db.text("PBD", pbd, "SR") == sr for pbd in db.items("host", host, "PBDs")):
        raise HostCannotSeeSrError(host, sr)
    if db.flag("SR", sr, "shared") or not _can_cache(call, sr):
        raise SrOperationNotSupportedError(sr)
    with db.transaction():
        _forget(call, host)
        db.set("SR", sr, "local_cache_enabled", value=True)
        db.set("host", host, "local_cache_sr", sr)


def _forget(call: Call, host: str) -> None:
    sr = call.db.text("host", host, "local_cache_sr")
    if call.db.exists("SR", sr):
        call.db.set("SR", sr, "local_cache_enabled", value=False)
    call.db.set("host", host, "local_cache_sr", NULL_REF)


async def disable_local_storage_caching(call: Call, host: str) -> None:
    """Keep no caches. Raises HOST_IN_USE [host; VM; ref]."""
    _assert_idle(call, host)
    with call.db.transaction():
        _forget(call, host)


async def pool_enable_local_storage_caching(call: Call, self: str) -> None:  # noqa: ARG001
    """Have each host keep caches in a repository of its own. Raises HOSTS_FAILED_TO_ENABLE_CACHING [hosts]."""
    db, failed = call.db, []
    for host in db.refs("host"):
        own = [db.text("PBD", pbd, "SR") for pbd in db.items("host", host, "PBDs")]
        fit = [sr for sr in own if not db.flag("SR", sr, "shared") and _can_cache(call, sr)]
        try:
            if not fit:
                raise SrOperationNotSupportedError(NULL_REF)
            await enable_local_storage_caching(call, host, fit[0])
        except XenAPIError:
            failed.append(host)
    if failed:
        raise HostsFailedToEnableCachingError(*failed)


async def pool_disable_local_storage_caching(call: Call, self: str) -> None:  # noqa: ARG001
    """Have no host keep caches. Raises HOST_IN_USE [host; VM; ref]."""
    for host in call.db.refs("host"):
        await disable_local_storage_caching(call, host)


MESSAGES = {
    "host.enable_local_storage_caching": enable_local_storage_caching,
    "host.disable_local_storage_caching": disable_local_storage_caching,
    "pool.enable_local_storage_caching": pool_enable_local_storage_caching,
    "pool.disable_local_storage_caching": pool_disable_local_storage_caching,
}

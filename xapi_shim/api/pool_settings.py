"""pool.* and host.*: settings of the pool that need little more than its record."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from xapi_shim.api.plugins import find_program
from xapi_shim.datamodel.errors import InvalidValueError, OperationNotAllowedError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call

AUTH_THREADS = range(1, 9)


async def has_extension(call: Call, self: str, name: str) -> bool:  # noqa: ARG001
    return find_program(call.tools.paths.extensions, name) is not None


async def reset_telemetry_uuid(call: Call, self: str) -> None:
    """Give the pool a new random identity for statistics, kept as a secret."""
    db, old = call.db, call.db.text("pool", self, "telemetry_uuid")
    with db.transaction():
        new = db.create("secret", {"value": str(uuid.uuid4())})
        db.set("pool", self, "telemetry_uuid", new)
        if db.exists("secret", old):
            db.destroy("secret", old)


def _assert_https_only(*, value: bool) -> None:
    """Raise OPERATION_NOT_ALLOWED [why]: no door is without TLS, and none can be made."""
    if not value:
        raise OperationNotAllowedError("this host serves HTTPS only")


async def set_https_only(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    """Serve HTTPS only, as ever. Raises OPERATION_NOT_ALLOWED [why] for anything else."""
    _assert_https_only(value=value)
    call.db.set("host", self, "https_only", value)


async def pool_set_https_only(call: Call, self: str, value: bool) -> None:  # noqa: ARG001, FBT001
    """Have all hosts serve HTTPS only, as ever. Raises OPERATION_NOT_ALLOWED [why] for anything else."""
    for host in call.db.refs("host"):
        await set_https_only(call, host, value)


async def set_ssl_legacy(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    """Speak TLS 1.2 and later only, as ever. Raises OPERATION_NOT_ALLOWED [why] for anything else."""
    if value:
        raise OperationNotAllowedError("this host speaks TLS 1.2 and later only")
    call.db.set("host", self, "ssl_legacy", value)


async def disable_ssl_legacy(call: Call, self: str) -> None:  # noqa: ARG001
    """Have all hosts speak TLS 1.2 and later only, as ever."""
    for host in call.db.refs("host"):
        await set_ssl_legacy(call, host, value=False)


async def emergency_clear_mandatory_guidance(call: Call) -> None:
    """Forget what updates require of this host."""
    call.db.set("host", call.tools.host, "pending_guidances", [])


async def set_local_auth_max_threads(call: Call, self: str, value: int) -> None:
    """Choose how many passwords are checked at once. Raises INVALID_VALUE."""
    if value not in AUTH_THREADS:
        raise InvalidValueError("value", str(value))
    call.tools.set_login_threads(value)
    call.db.set("pool", self, "local_auth_max_threads", value)


async def sync_data(call: Call, host: str) -> None:
    """Do nothing: a host has what the pool's master has whenever that changes."""


MESSAGES = {
    "pool.has_extension": has_extension,
    "pool.reset_telemetry_uuid": reset_telemetry_uuid,
    "pool.set_https_only": pool_set_https_only,
    "pool.set_local_auth_max_threads": set_local_auth_max_threads,
    "pool.disable_ssl_legacy": disable_ssl_legacy,
    "host.sync_data": sync_data,
    "host.set_https_only": set_https_only,
    "host.set_ssl_legacy": set_ssl_legacy,
    "host.emergency_clear_mandatory_guidance": emergency_clear_mandatory_guidance,
}

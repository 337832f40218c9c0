"""host.*: this host."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from xapi_shim.api.allowed import update_host
from xapi_shim.api.host_errors import host_errors
from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.datamodel.errors import InternalErrorError
from xapi_shim.rpc.dates import now_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xapi_shim.api.toolstack import Call


async def get_servertime(call: Call, host: str) -> str:  # noqa: ARG001
    return now_text()


async def get_server_localtime(call: Call, host: str) -> str:  # noqa: ARG001
    return datetime.now().astimezone().strftime("%Y%m%dT%H:%M:%S")


async def compute_free_memory(call: Call, host: str) -> int:  # noqa: ARG001
    """Return the bytes of memory that new guests can have."""
    with host_errors():
        return (await call.tools.hypervisor.info()).free_memory_bytes


async def disable(call: Call, host: str, auto_enable: bool) -> None:  # noqa: FBT001
    """Take no new guests here, until the host is started anew or, without `auto_enable`, until it is enabled.

    Raises INTERNAL_ERROR where that cannot be remembered.
    """
    paths = call.tools.paths
    with _remembering():
        write_atomic(paths.disabled_until_boot, b"", mode=0o600)
        if auto_enable:
            paths.disabled_for_good.unlink(missing_ok=True)
        else:
            write_atomic(paths.disabled_for_good, b"", mode=0o600)
    _set_enabled(call, host, enabled=False)


async def enable(call: Call, host: str) -> None:
    """Take guests again. Raises INTERNAL_ERROR where that cannot be remembered."""
    with _remembering():
        for path in (call.tools.paths.disabled_until_boot, call.tools.paths.disabled_for_good):
            path.unlink(missing_ok=True)
    _set_enabled(call, host, enabled=True)


@contextmanager
def _remembering() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InternalErrorError(
            f"cannot remember whether the host takes guests: {error.strerror}"
        ) from error


def _set_enabled(call: Call, host: str, *, enabled: bool) -> None:
    with call.db.transaction():
        call.db.set("host", host, "enabled", enabled)
        update_host(call.db, host)


async def is_in_emergency_mode(call: Call) -> bool:  # noqa: ARG001
    return False


async def get_management_interface(call: Call, host: str) -> str:
    """Return the PIF that carries the management address."""
    db = call.db
    for pif in db.items("host", host, "PIFs"):
        if db.flag("PIF", pif, "management"):
            return pif
    return "OpaqueRef:NULL"


MESSAGES = {
    "host.get_servertime": get_servertime,
    "host.get_server_localtime": get_server_localtime,
    "host.compute_free_memory": compute_free_memory,
    "host.disable": disable,
    "host.enable": enable,
    "host.is_in_emergency_mode": is_in_emergency_mode,
    "host.get_management_interface": get_management_interface,
}

"""Operations of the whole pool, of which one is at work at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from xapi_shim.api.allowed import update_pool
from xapi_shim.datamodel.errors import (
    CertRefreshInProgressError,
    ConfigureRepositoriesInProgressError,
    TlsVerificationEnableInProgressError,
    XenAPIError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xapi_shim.api.toolstack import Call

CERT_REFRESH, CONFIGURE_REPOSITORIES, TLS_VERIFICATION_ENABLE = (
    "cert_refresh", "configure_repositories", "tls_verification_enable",
)  # fmt: skip
IN_PROGRESS: dict[str, type[XenAPIError]] = {
    CERT_REFRESH: CertRefreshInProgressError,
    CONFIGURE_REPOSITORIES: ConfigureRepositoriesInProgressError,
    TLS_VERIFICATION_ENABLE: TlsVerificationEnableInProgressError,
}


@contextmanager
def pool_operation(call: Call, operation: str) -> Iterator[None]:
    """Tell that the pool does it for as long as the block lasts. Raises the error of what it does already."""
    db, pool = call.db, call.tools.pool
    for at_work in db.mapping("pool", pool, "current_operations").values():
        raise IN_PROGRESS[at_work]
    _set(call, {call.info.task or call.info.method: operation})
    try:
        yield
    finally:
        _set(call, {})


def _set(call: Call, operations: dict[str, str]) -> None:
    with call.db.transaction():
        call.db.set("pool", call.tools.pool, "current_operations", dict(operations))
        update_pool(call.db, call.tools.pool)

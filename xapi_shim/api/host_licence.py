"""host.* and pool.*: editions and licences. All that there is comes with the one edition, which does not expire."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from xapi_shim.datamodel.errors import (
    InvalidEditionError,
    LicenseProcessingErrorError,
)

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call

EDITION = "free"


async def license_add(call: Call, host: str, contents: str) -> NoReturn:  # noqa: ARG001
    """Raise LICENSE_PROCESSING_ERROR []: nothing here reads licences."""
    raise LicenseProcessingErrorError


async def license_remove(call: Call, host: str) -> None:
    """Have the edition that needs no licence."""
    call.db.set("host", host, "edition", EDITION)


async def apply_edition(call: Call, host: str, edition: str, force: bool) -> None:  # noqa: ARG001, FBT001
    """Choose the host's edition. Raises INVALID_EDITION [edition]."""
    if edition != EDITION:
        raise InvalidEditionError(edition)
    call.db.set("host", host, "edition", edition)


async def pool_apply_edition(call: Call, self: str, edition: str) -> None:  # noqa: ARG001
    """Choose all hosts' edition. Raises INVALID_EDITION [edition]."""
    for host in call.db.refs("host"):
        await apply_edition(call, host, edition, force=False)


MESSAGES = {
    "host.license_add": license_add,
    "host.license_remove": license_remove,
    "host.apply_edition": apply_edition,
    "pool.apply_edition": pool_apply_edition,
}

"""pool.audit_log_append: a line of somebody else's for the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call


async def audit_log_append(call: Call, line: str) -> None:
    call.tools.audit.append(line, call.info.origin)


MESSAGES = {"pool.audit_log_append": audit_log_append}

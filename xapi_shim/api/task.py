"""task.*: tasks that clients make themselves, and cancelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import InvalidValueError
from xapi_shim.datamodel.permissions import EXTRA
from xapi_shim.rpc.roles import denied

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call

# The permission to end tasks of others, by cancelling them or by writing their outcome too.
OTHERS = "task.destroy/any"


async def create(call: Call, label: str, description: str) -> str:
    return call.tools.tasks.create(label, description, call.info.session)


def _assert_own(call: Call, task: str) -> None:
    """Raise RBAC_PERMISSION_DENIED for another user's task, unless the role reaches everybody's."""
    if call.info.role.allows(EXTRA[OTHERS]):
        return
    if not call.tools.sessions.same_user(call.db.text("task", task, "session"), call.info.session):
        raise denied(OTHERS)


async def destroy(call: Call, self: str) -> None:
    """Forget a task. Raises RBAC_PERMISSION_DENIED for another user's."""
    _assert_own(call, self)
    call.db.destroy("task", self)


async def cancel(call: Call, task: str) -> None:
    """Ask a task to stop. Raises OPERATION_NOT_ALLOWED where it cannot, RBAC_PERMISSION_DENIED."""
    _assert_own(call, task)
    call.tools.tasks.cancel(task)


async def set_status(call: Call, self: str, value: str) -> None:
    _assert_own(call, self)
    call.db.set("task", self, "status", value)


async def set_progress(call: Call, self: str, value: float) -> None:
    """Set the progress, 0 to 1. Raises INVALID_VALUE, RBAC_PERMISSION_DENIED for another user's."""
    _assert_own(call, self)
    if not 0.0 <= value <= 1.0:
        raise InvalidValueError("value", str(value))
    call.db.set("task", self, "progress", value)


async def set_result(call: Call, self: str, value: str) -> None:
    _assert_own(call, self)
    call.db.set("task", self, "result", value)


async def set_error_info(call: Call, self: str, value: list[str]) -> None:
    _assert_own(call, self)
    call.db.set("task", self, "error_info", list(value))


MESSAGES = {
    "task.create": create,
    "task.destroy": destroy,
    "task.cancel": cancel,
    "task.set_status": set_status,
    "task.set_progress": set_progress,
    "task.set_result": set_result,
    "task.set_error_info": set_error_info,
}

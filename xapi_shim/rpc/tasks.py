"""Tasks: one for each call that has an Async form, kept for those called that way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from xapi_shim.datamodel.errors import OperationNotAllowedError, TaskCancelledError
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc.dates import from_text, now_text

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from xapi_shim.database.database import Database

FINISHED_KEPT = timedelta(minutes=65)
PENDING_KEPT = timedelta(hours=24)
MAX_TASKS = 200
DONE = ("success", "failure", "cancelled")


@dataclass
class Tasks:
    """The task rows, and the running coroutines behind them."""

    db: Database
    host: str = NULL_REF
    _running: dict[str, asyncio.Task[Any]] = field(default_factory=dict)

    def create(
        self,
        label: str,
        description: str,
        session: str,
        *,
        cancellable: bool = True,
        subtask_of: str = NULL_REF,
    ) -> str:
        """Make a pending task and return its ref; the parent that it is a part of lists it."""
        return self.db.create(
            "task",
            {
                "name_label": label,
                "name_description": description,
                "created": now_text(),
                "status": "pending",
                "type": "<none/>",
                "subtask_of": subtask_of,
                "session": session or NULL_REF,
                "resident_on": self.host,
                "allowed_operations": ["cancel", "destroy"] if cancellable else ["destroy"],
            },
        )

    def attach(self, ref: str, running: asyncio.Task[Any]) -> None:
        """Remember the coroutine that does the work of task `ref`, so that it can be cancelled."""
        self._running[ref] = running
        running.add_done_callback(lambda _: self._running.pop(ref, None))

    def finish(self, ref: str, encoded_result: str) -> None:
        """End a task well; the result is a value encoded as XML-RPC."""
        self._end(ref, "success", result=encoded_result)

    def fail(self, ref: str, description: Sequence[str]) -> None:
        """End a task with an error code and its parameters."""
        cancelled = bool(description) and description[0] == TaskCancelledError.code
        self._end(ref, "cancelled" if cancelled else "failure", error_info=list(description))

    def _end(self, ref: str, status: str, *, result: str = "", error_info: list[str] | None = None) -> None:
        if not self.db.exists("task", ref):
            return  # destroyed by its owner meanwhile
        with self.db.transaction():
            self.db.update(
                "task",
                ref,
                finished=now_text(),
                progress=1.0,
                result=result,
                error_info=error_info or [],
                allowed_operations=[],
            )
            self.db.set("task", ref, "status", status)

    def cancel(self, ref: str) -> None:
        """Ask the coroutine behind a task to stop. Raises OperationNotAllowedError."""
        running = self._running.get(ref)
        if running is None or "cancel" not in self.db.items("task", ref, "allowed_operations"):
            raise OperationNotAllowedError("this task cannot be cancelled")
        self.db.set("task", ref, "status", "cancelling")
        running.cancel()

    def collect(self) -> int:
        """Destroy what is old, and the oldest finished while there are more than MAX_TASKS; return how many."""
        now = datetime.now(UTC)
        finished: list[tuple[datetime, str]] = []
        old: list[str] = []
        for ref in self.db.refs("task"):
            if self.db.text("task", ref, "status") in DONE:
                at = from_text(self.db.text("task", ref, "finished"))
                finished.append((at, ref))
                if now - at > FINISHED_KEPT:
                    old.append(ref)
            elif now - from_text(self.db.text("task", ref, "created")) > PENDING_KEPT:
                old.append(ref)
        young = sorted((at, ref) for at, ref in finished if ref not in old)
        excess = max(0, len(self.db.refs("task")) - len(old) - MAX_TASKS)
        going = [*old, *(ref for _, ref in young[:excess])]
        for ref in going:
            self.db.destroy("task", ref)
        return len(going)

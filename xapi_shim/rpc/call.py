"""What a message's implementation is told about the call it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from xapi_shim.datamodel.model import Role, Value
    from xapi_shim.rpc.sessions import Origin

    Handler = Callable[["CallInfo", list[Value]], Awaitable[Value]]


@dataclass(frozen=True)
class CallInfo:
    """One call: `session` and `task` are refs, empty where there is none."""

    method: str
    session: str
    role: Role
    origin: Origin
    task: str = ""

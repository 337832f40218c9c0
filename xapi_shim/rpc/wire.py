"""What both wire formats have in common: a request, and the error of one that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from xapi_shim.base.errors import KronosError


class MalformedCallError(KronosError):
    """The body is no call: answered with HTTP 500, as the reference does."""


@dataclass(frozen=True)
class Request:
    """One decoded call. `id` and `version` matter to JSON-RPC only."""

    method: str
    params: list[object] = field(default_factory=list)
    id: object = None
    version: int = 1

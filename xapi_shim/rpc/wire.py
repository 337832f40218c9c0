"""What both wire formats have in common: a request, and the error of one that cannot be read."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import cast

from xapi_shim.base.errors import KronosError


class MalformedCallError(KronosError):
    """The body is no call: answered with HTTP 500, as the reference does."""


# Stands in a decoded text for bytes that were not UTF-8: a noncharacter, which XML and JSON both carry.
NOT_UTF8 = "\ufdd0"
codecs.register_error("not-utf8", lambda error: (NOT_UTF8, cast("UnicodeDecodeError", error).end))


def marked_utf8(body: bytes) -> bytes:
    """Return `body` as valid UTF-8, with NOT_UTF8 wherever it was not.

    The parameter that holds it is refused with INVALID_VALUE, as in the reference, and not the whole call.
    """
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode(errors="not-utf8").encode()
    return body


@dataclass(frozen=True)
class Request:
    """One decoded call. `id` and `version` matter to JSON-RPC only."""

    method: str
    params: list[object] = field(default_factory=list)
    id: object = None
    version: int = 1

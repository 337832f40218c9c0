"""How identifiers are written that the toolstack takes from outside."""

from __future__ import annotations

import re

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


def is_uuid(text: str) -> bool:
    """Say whether `text` is a uuid (RFC 9562) in lower case."""
    return _UUID.fullmatch(text) is not None


def is_mac(text: str) -> bool:
    """Say whether `text` is a MAC address (IEEE 802) with colons, in either case."""
    return _MAC.fullmatch(text) is not None

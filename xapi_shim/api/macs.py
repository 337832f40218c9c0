"""MAC addresses of guests' interfaces."""

from __future__ import annotations

import secrets

from xapi_shim.base.identifiers import is_mac


def random_mac() -> str:
    """Return a locally administered unicast address (IEEE 802)."""
    first, *rest = secrets.token_bytes(6)
    return ":".join(f"{byte:02x}" for byte in ((first & 0xFC) | 0x02, *rest))


def normal_mac(text: str) -> str | None:
    """Return `text` as a unicast MAC in lower case, None if it is none."""
    mac = text.strip().lower()
    return mac if is_mac(mac) and not int(mac[:2], 16) & 1 else None

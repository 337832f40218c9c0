"""Whether a text is an IP address."""

from __future__ import annotations

import ipaddress


def is_ip_address(text: str) -> bool:
    """Tell whether `text` is an IPv4 or IPv6 address, a scope with it or not (RFC 4007)."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

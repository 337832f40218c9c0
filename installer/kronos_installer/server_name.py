"""A server as it stands in the name of something it serves: an address, IPv6 in brackets (RFC 3986, 3.2.2), or a name."""

from __future__ import annotations

import ipaddress
import re

from kronos_installer.wishes import HOST_NAME

# What such a name begins with: nothing that ends it may be in it.
SERVER = r"(?P<server>\[[^\[\]/]*\]|[^\[\]:/]+)"


def read_server(text: str) -> str | None:
    """Return an address in its shortest form and without brackets, or the name; None for what is neither."""
    try:
        if text.startswith("["):
            address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.IPv6Address(text[1:-1])
        else:
            address = ipaddress.IPv4Address(text)
    except ValueError:
        return text if re.fullmatch(HOST_NAME, text) else None
    return None if "%" in str(address) else str(address)

"""Sockets for all addresses of this host, those that come later too: of IPv4 and, where the kernel has it, of IPv6."""

from __future__ import annotations

import errno
import socket

ANY = "any"
# IPv6 is not in the kernel; it is switched off (net.ipv6.conf.all.disable_ipv6).
_NO_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


def listening_on_all(port: int, backlog: int) -> list[socket.socket]:
    """Return one socket for each family, on one port; port 0 is any free one. Raises OSError.

    Two, not one for both: a peer's IPv4 address then reads as one, not as ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2).
    """
    first = socket.create_server(("", port), backlog=backlog)
    taken = first.getsockname()[1]
    try:
        second = socket.create_server(("::", taken), family=socket.AF_INET6, backlog=backlog)
    except OSError as error:
        if error.errno in _NO_IPV6:
            return [first]
        first.close()
        raise
    return [first, second]

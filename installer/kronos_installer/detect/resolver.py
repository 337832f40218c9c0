"""DNS: resolv.conf(5), and which program writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

RESOLV_CONF = "/etc/resolv.conf"
_UPSTREAM = "/run/systemd/resolve/resolv.conf"
_STUBS = frozenset({"127.0.0.53", "127.0.0.54"})
_BY_LINK = (
    ("systemd-resolved", "/systemd/resolve/"),
    ("resolvconf", "/resolvconf/"),
    ("NetworkManager", "/NetworkManager/"),
    ("connman", "/connman/"),
)
_BY_COMMENT = (
    ("systemd-resolved", r"systemd-resolved"),
    ("resolvconf", r"resolvconf\(8\)|[Gg]enerated by resolvconf"),
    ("NetworkManager", r"[Gg]enerated by NetworkManager"),
    ("dhcpcd", r"[Gg]enerated by dhcpcd"),
)


@dataclass(frozen=True)
class Resolver:
    """`writer` is the program that keeps resolv.conf, "" for the operator or dhclient, who leave no mark.

    `upstream` are the servers that systemd-resolved asks, where resolv.conf names but itself (systemd-resolved(8)).
    """

    servers: tuple[str, ...]
    search: tuple[str, ...]
    writer: str
    target: str = ""
    upstream: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """The servers that answer in the end."""
        return self.upstream if self.servers and set(self.servers) <= _STUBS else self.servers


def read_resolver(files: HostFiles) -> Resolver:
    """Read it. A link to a file that the running system makes shows who makes it."""
    where = files.at(RESOLV_CONF)
    target = str(where.readlink()) if where.is_symlink() else ""
    text = files.read(target if target.startswith("/") else RESOLV_CONF)
    by_link = next((name for name, part in _BY_LINK if part in target), "")
    found = parse_resolv_conf(text, by_link, target)
    return replace(found, upstream=parse_resolv_conf(files.read(_UPSTREAM)).servers)


def parse_resolv_conf(text: str, writer: str = "", target: str = "") -> Resolver:
    """Parse resolv.conf(5): the last `search` or `domain` line counts, a comment begins with `#` or `;`."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    for line in text.splitlines():
        words = line.split()
        if line.startswith(("#", ";")) or len(words) < 2:
            continue
        if words[0] == "nameserver":
            servers.append(words[1])
        elif words[0] in ("search", "domain"):
            search = tuple(words[1:])
    said = next((name for name, pattern in _BY_COMMENT if re.search(pattern, text)), "")
    return Resolver(tuple(servers), search, writer or said, target)

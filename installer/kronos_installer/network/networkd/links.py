"""What the running networkd keeps in /run of each interface: the unit it took, how DHCP servers know the host.

The files say "private data": what they tell is only compared with what the units say, and the IAID is
taken from them, which networkd otherwise makes up from properties that a bridge does not have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.detect.nics import Nic
    from kronos_installer.host_files import HostFiles

_STATE = "/run/systemd/netif"
# RFC 4361: type 255, four bytes of IAID, then the DUID.
_NODE_SPECIFIC = re.compile(r"ff([0-9a-f]{8})[0-9a-f]{4,}")


@dataclass(frozen=True)
class Link:
    """One interface. The IAIDs are numbers as IAID= takes them, None where no client has one."""

    network_file: str = ""
    iaid4: int | None = None
    iaid6: int | None = None


def read_links(files: HostFiles, nics: Sequence[Nic]) -> dict[str, Link]:
    """Return what is known by interface name."""
    found = {}
    for nic in nics:
        index = files.read(f"/sys/class/net/{nic.name}/ifindex").strip()
        if index.isdigit():
            found[nic.name] = parse_link(
                files.read(f"{_STATE}/links/{index}"), files.read(f"{_STATE}/leases/{index}")
            )
    return found


def parse_link(link: str, lease: str) -> Link:
    """Read networkd's files of one interface, each "" where there is none."""
    state, kept = _assignments(link), _assignments(lease)
    node_specific = _NODE_SPECIFIC.fullmatch(kept.get("CLIENTID", "").lower())
    iaid6 = state.get("DHCP6_CLIENT_IAID", "")
    return Link(
        network_file=state.get("NETWORK_FILE", ""),
        iaid4=int(node_specific[1], 16) if node_specific else None,
        iaid6=int(iaid6, 16) if re.fullmatch(r"0x[0-9a-f]{1,8}", iaid6) else None,
    )


def _assignments(text: str) -> dict[str, str]:
    lines = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {key: value for key, equals, value in lines if equals}

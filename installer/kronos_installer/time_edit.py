"""Time servers of the operator's, in the words of the program that keeps the clock."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from kronos_installer.detect.hostname import is_hostname
from kronos_installer.detect.time_sync import TimeService

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOTE = "# Written by xapi-host-setup.\n"
_BLOCK = re.compile(r"\n?# xapi-host-setup: time servers\n(?:server [^\n]*\n)*")


def is_time_server(text: str) -> bool:
    """Tell whether it is an address or a host's name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return is_hostname(text)
    return True


def time_config(service: TimeService, servers: Sequence[str], before: str, *, own_file: bool) -> str:
    """Return the file with the servers: a file of ours, or chrony's own with a block of ours at its end.

    timesyncd.conf(5): an empty NTP= forgets those of files before. chrony.conf(5): of its sources the preferred are taken
    as long as they can be; the others stay.
    """
    if service is TimeService.TIMESYNCD:
        return f"{_NOTE}[Time]\nNTP=\nNTP={' '.join(servers)}\n"
    lines = "".join(f"server {server} iburst prefer\n" for server in servers)
    if own_file:
        return _NOTE + lines
    rest = _BLOCK.sub("", before)
    return (
        rest
        + ("" if rest.endswith("\n") or not rest else "\n")
        + f"\n# xapi-host-setup: time servers\n{lines}"
    )

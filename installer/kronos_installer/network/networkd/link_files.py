"""systemd.link(5) files that would take the bridge for the NIC whose Ethernet address it has, and rename it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.network.findings import error
from kronos_installer.network.networkd.match import parse_mac

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.detect.nics import Nic
    from kronos_installer.network.networkd.units import Unit
    from kronos_installer.problem import Problem

# What makes such a file leave a bridge alone.
_NOT_A_BRIDGE = ("Type", "Kind", "OriginalName", "Path", "Driver", "PermanentMACAddress", "Property")


def links_by_address(link_files: Sequence[Unit], nic: Nic) -> Iterator[Problem]:
    """Yield the files that match by the address alone."""
    for link_file in link_files:
        addresses = [parse_mac(word) for word in link_file.words("Match", "MACAddress")]
        if nic.mac in addresses and not any(link_file.all("Match", key) for key in _NOT_A_BRIDGE):
            yield error("networkd-link", f"this file is for all with {nic.name}'s address, the bridge's too",
                        link_file.at_match, "match by PermanentMACAddress= instead of MACAddress=")  # fmt: skip

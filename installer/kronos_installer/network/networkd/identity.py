"""How DHCP servers know the host: what must be said so that the bridge is given the NIC's addresses.

networkd's client identifier is a DUID, the host's, and an IAID, made from the udev name of the interface
(systemd.network(5), IAID=). A bridge has no such name, so its IAID would be another, and its address too.
"""

from __future__ import annotations

from kronos_installer.network.networkd.links import Link
from kronos_installer.network.networkd.unit_text import Section, Setting
from kronos_installer.problem import Level, Problem

GENERATED = "generated"


def identity_sections(
    link: Link | None, *, dhcp4: bool, dhcp6: bool, at: str
) -> tuple[tuple[Section, ...], tuple[Problem, ...]]:
    """Return the sections that keep the leases of the clients for which no identity is configured.

    `dhcp4` and `dhcp6` are whether such a client is configured. Both derive the same IAID, so one stands in for both;
    a DHCPv6 client that only router advertisements start is kept where it runs.
    """
    link = link or Link()
    known = link.iaid4 if link.iaid4 is not None else link.iaid6
    if known is None:
        return (), (_unknown(at),) if dhcp4 or dhcp6 else ()
    sections = [_section("DHCPv4", known)] if dhcp4 else []
    if dhcp6 or link.iaid6 is not None:
        sections.append(_section("DHCPv6", link.iaid6 if link.iaid6 is not None else known))
    return tuple(sections), ()


def _section(name: str, iaid: int) -> Section:
    return Section(name, GENERATED, (Setting("IAID", str(iaid), GENERATED),))


def _unknown(at: str) -> Problem:
    return Problem(
        Level.ERROR,
        "dhcp-identity-unknown",
        "the host has no DHCP lease from which to tell how the server knows it",
        "without it the server may hand out another address after the set-up",
        at,
        "run this while the interface has its lease, or set ClientIdentifier=mac (netplan: dhcp-identifier: mac)",
    )

"""What is below the management interface: the NICs of a bond, the NIC or bond of a VLAN."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.nics import NicKind
from kronos_installer.network.ifupdown.options import normal
from kronos_installer.network.ifupdown.text import Keyword
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.detect.nics import Nic
    from kronos_installer.network.ifupdown.text import Statement

# `eth0.5` is what ifupdown itself makes, `vlan5` what the package vlan makes of vlan-raw-device.
_DOTTED = re.compile(r"([^.]+)\.([0-9]{1,4})")
_NUMBERED = re.compile(r"vlan([0-9]{1,4})")
_LARGEST_VLAN = 4094
# Modes that put the NICs' own addresses into what guests send, and a bond whose address is not its own
# (bonding, Documentation/networking of Linux).
_NOT_BELOW_A_BRIDGE = {
    "bond-mode": {"5", "6", "balance-tlb", "balance-alb"},
    "bond-fail-over-mac": {"1", "2", "active", "follow"},
}


@dataclass(frozen=True)
class Layers:
    """The NICs below an interface, and the bond and the VLAN's number between, where there are any."""

    ports: tuple[str, ...]
    bond: str = ""
    vlan: int = 0


def layers_of(statements: Sequence[Statement], nics: Sequence[Nic], nic: Nic) -> Layers:
    """Return what `nic` stands on. Raises ProblemError where the configuration does not say it."""
    if nic.kind is NicKind.BOND:
        return Layers(_slaves(statements, nic.name), bond=nic.name)
    if nic.kind is not NicKind.VLAN:
        return Layers((nic.name,))
    raw, vlan = _vlan(statements, nic.name)
    kind = next((below.kind for below in nics if below.name == raw), None)
    if kind is NicKind.BOND:
        return Layers(_slaves(statements, raw), bond=raw, vlan=vlan)
    if kind is not NicKind.ETHERNET:
        raise refusal("interfaces-vlan", f"{nic.name} stands on {raw}, which is {kind or 'not there'}",
                      at=_at(statements, nic.name),
                      remedy="a VLAN must stand on an Ethernet interface or a bond")  # fmt: skip
    return Layers((raw,), vlan=vlan)


def _stanzas(statements: Sequence[Statement], name: str) -> Iterator[Statement]:
    return (s for s in statements if s.keyword is Keyword.IFACE and s.words[0] == name)


def _at(statements: Sequence[Statement], name: str) -> str:
    return next((s.at for s in _stanzas(statements, name)), "/etc/network/interfaces:1")


def _values(statements: Sequence[Statement], name: str, *options: str) -> list[str]:
    """Return the words of some options of an interface, spelled with `-` or `_`."""
    found = (o.value for s in _stanzas(statements, name) for o in s.options if normal(o.name) in options)
    return [word for value in found for word in value.split()]


def _slaves(statements: Sequence[Statement], bond: str) -> tuple[str, ...]:
    """Return a bond's NICs: those it names, and those that name it as their bond-master (ifenslave(8))."""
    named = _values(statements, bond, "bond-slaves", "slaves")
    all_names = dict.fromkeys(s.words[0] for s in statements if s.keyword is Keyword.IFACE)
    naming = [name for name in all_names if bond in _values(statements, name, "bond-master")]
    for stanza in _stanzas(statements, bond):
        for option in stanza.options:
            if option.value in _NOT_BELOW_A_BRIDGE.get(normal(option.name), ()):
                raise refusal("interfaces-bond", f"{option.name} {option.value} of {bond} does not go with a bridge",
                              at=f"{stanza.path}:{option.line}", description="Guests' Ethernet addresses would not hold.",
                              remedy="choose 802.3ad, active-backup or balance-xor, and one address")  # fmt: skip
    slaves = tuple(dict.fromkeys([*(n for n in named if n != "none"), *naming]))
    if not slaves or "all" in slaves:
        raise refusal("interfaces-bond", f"the configuration does not name the interfaces of {bond}",
                      at=_at(statements, bond), remedy="name them in bond-slaves")  # fmt: skip
    return slaves


def _vlan(statements: Sequence[Statement], name: str) -> tuple[str, int]:
    """Return a VLAN's underlying interface and number, as ifupdown and vlan-interfaces(5) take them from the name."""
    raws = _values(statements, name, "vlan-raw-device")
    dotted, numbered = _DOTTED.fullmatch(name), _NUMBERED.fullmatch(name)
    raw = raws[0] if raws else dotted[1] if dotted else ""
    number = int(dotted[2]) if dotted else int(numbered[1]) if numbered else 0
    if len(set(raws)) > 1 or not raw or not 0 < number <= _LARGEST_VLAN:
        raise refusal("interfaces-vlan", f"the configuration does not say which VLAN {name} is, and of what",
                      at=_at(statements, name),
                      remedy="name it like eth0.5, or like vlan5 with a vlan-raw-device")  # fmt: skip
    return raw, number

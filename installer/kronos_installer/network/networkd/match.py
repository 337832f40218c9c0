"""Which unit an interface gets: [Match] of systemd.network(5), as far as files can tell."""

from __future__ import annotations

import re
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kronos_installer.detect.nics import Nic, NicKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.network.networkd.units import Unit

_TYPES = {
    NicKind.ETHERNET: "ether", NicKind.WIRELESS: "wlan", NicKind.LOOPBACK: "loopback", NicKind.BRIDGE: "bridge",
    NicKind.BOND: "bond", NicKind.VLAN: "vlan",
}  # fmt: skip
# No virtual interface of another kind has these types.
_TYPES_OF_THEIR_OWN = frozenset(_TYPES.values()) - {"ether"}
_NETLINK_KINDS = {NicKind.BRIDGE: "bridge", NicKind.BOND: "bond", NicKind.VLAN: "vlan"}


class Answer(Enum):
    """Whether a unit is for an interface. UNCLEAR: its conditions cannot be told from files, or change under Xen."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


def matches(unit: Unit, nic: Nic) -> Answer:
    """Tell whether the unit's [Match] holds for the interface; without any condition it never does."""
    conditions = [
        s for section in unit.sections if section.name == "Match" for s in section.settings if s.value
    ]
    if not conditions:
        return Answer.NO
    answers = {_condition(unit, key, nic) for key in {s.key for s in conditions}}
    return next((a for a in (Answer.NO, Answer.UNCLEAR) if a in answers), Answer.YES)


def _condition(unit: Unit, key: str, nic: Nic) -> Answer:
    words = unit.words("Match", key)
    if not words:
        return Answer.YES
    if key == "Name":
        answers = [_globs(words, name) for name in nic.names]
        return Answer.YES if Answer.YES in answers else Answer.NO
    if key in ("MACAddress", "PermanentMACAddress"):
        # The permanent one is the current one unless somebody changed that: then nobody can tell here.
        found = nic.mac in map(parse_mac, words)
        return Answer.YES if found else Answer.NO if key == "MACAddress" else Answer.UNCLEAR
    if key == "Type" and nic.kind in _TYPES:
        return _globs(words, _TYPES[nic.kind])
    if key == "Type" and all(word in _TYPES_OF_THEIR_OWN for word in words):
        return Answer.NO
    if key == "Kind" and nic.kind is not NicKind.VIRTUAL:
        return _globs(words, _NETLINK_KINDS.get(nic.kind, ""))
    if key == "WLANInterfaceType" and nic.kind is not NicKind.WIRELESS:
        return Answer.NO
    return Answer.UNCLEAR


def parse_mac(word: str) -> str:
    """Return an Ethernet address with colons: systemd takes hyphens, and four digits between dots, too."""
    digits = re.sub(r"[:.-]", "", word.lower())
    return ":".join(re.findall("..", digits))


def _globs(words: Sequence[str], value: str) -> Answer:
    """A `!` before the first pattern turns all of them round."""
    inverted = words[0].startswith("!")
    patterns = [words[0].removeprefix("!"), *words[1:]]
    return Answer.YES if any(fnmatchcase(value, p) for p in patterns) is not inverted else Answer.NO


def units_for(units: Sequence[Unit], nic: Nic) -> tuple[Unit | None, tuple[Unit, ...]]:
    """Return the interface's unit, the first that matches, and those before it of which one cannot tell."""
    unclear: list[Unit] = []
    for unit in units:
        answer = matches(unit, nic)
        if answer is Answer.YES:
            return unit, tuple(unclear)
        if answer is Answer.UNCLEAR:
            unclear.append(unit)
    return None, tuple(unclear)

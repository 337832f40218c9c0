"""What several stanzas of an interface say of the port below the bridge, which has one stanza. Pure.

ifupdown runs a stanza at a time; of options of one name in one stanza it makes one value of several lines, which
`ip link` does not take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.nics import NicKind
from kronos_installer.network.findings import error
from kronos_installer.network.ifupdown.hooks import belongs_to_port
from kronos_installer.network.ifupdown.options import normal, parse_hwaddress, speaks_of_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.network.ifupdown.text import Option, Statement
    from kronos_installer.problem import Problem

Said = tuple["Statement", "Option"]
# Methods of ifupdown 0.8.41 that have no such option: what stands there does nothing, but would for a bridge's port.
_WITHOUT_MTU = (("inet", "dhcp"), ("inet6", "auto"), ("inet6", "dhcp"))
_WITHOUT_HWADDRESS = (("inet6", "auto"),)
_STANDARD_MTU = 1500


def port_options(stanzas: Sequence[Statement], *, with_mtu: bool) -> tuple[Said, ...]:
    """Return what goes to the port's stanza, each thing once: with `with_mtu` the largest MTU too."""
    found: dict[tuple[str, str], Said] = {}
    largest = max(_mtus(stanzas), key=lambda said: _number(said[1].value), default=None)
    for stanza in stanzas:
        for option in stanza.options:
            is_mtu = with_mtu and largest is not None and option is largest[1]
            if belongs_to_port(option, stanza.words[0]) or is_mtu:
                found.setdefault((normal(option.name), _meaning(option)), (stanza, option))
    return tuple(found.values())


def first_lacks_mtu(stanzas: Sequence[Statement]) -> bool:
    """Tell whether an MTU is said, but not in the first stanza, the bridge's: bridge-utils gives the port only that."""
    return bool(_mtus(stanzas)) and not stanzas[0].option("mtu")


def disagreements(stanzas: Sequence[Statement], kind: NicKind) -> Iterator[Problem]:
    """Yield what one stanza of the port's cannot say as the interface's several do."""
    first: dict[str, list[str]] = {}
    for stanza in stanzas:
        said: dict[str, list[Option]] = {}
        for option in stanza.options:
            yield from _without_effect(stanza, option, kind)
            if speaks_of_port(option.name):
                said.setdefault(normal(option.name), []).append(option)
        for name, options in said.items():
            meanings = list(dict.fromkeys(_meaning(option) for option in options))
            if first.setdefault(name, meanings) != meanings:
                yield error("interfaces-option", f"two stanzas give {options[0].name!r} other values",
                            f"{stanza.path}:{options[0].line}", "write it once, in the first stanza")  # fmt: skip
    yield from _first_mtu(stanzas)


def _first_mtu(stanzas: Sequence[Statement]) -> Iterator[Problem]:
    """Yield that the port would have the MTU of the first stanza, where the interface has a larger one."""
    families = [stanza.words[1] for stanza in stanzas if len(stanza.words) > 1]
    # IPv4 beside IPv6's own MTU has the link's, which nobody wrote down.
    unsaid = _STANDARD_MTU if families[:1] == ["inet6"] and "inet" in families else 0
    largest = max([unsaid, *(_number(option.value) for _, option in _mtus(stanzas))])
    for option in stanzas[0].options:
        if option.name == "mtu" and _number(option.value) < largest:
            yield error("interfaces-option", f"the interface's MTU is {largest}, the bridge's port would have this one",
                        f"{stanzas[0].path}:{option.line}", "let the stanza with the largest MTU be the first, or that of inet")  # fmt: skip


def _without_effect(stanza: Statement, option: Option, kind: NicKind) -> Iterator[Problem]:
    method = stanza.words[1:3]
    # The script of vlan-interfaces(5) reads a VLAN's itself.
    no_mtu = option.name == "mtu" and kind is not NicKind.VLAN and method in _WITHOUT_MTU
    if no_mtu or (normal(option.name) == "hwaddress" and method in _WITHOUT_HWADDRESS):
        yield error("interfaces-option", f"{option.name!r} does nothing in a stanza {' '.join(method)!r}, below a bridge "
                    "it would", f"{stanza.path}:{option.line}",
                    "remove it, or write it into a stanza of a method that has it (interfaces(5))")  # fmt: skip


def _mtus(stanzas: Sequence[Statement]) -> list[Said]:
    """Return what sets the link's MTU: that of `inet6` is IPv6's alone unless it is larger."""
    found: list[Said] = []
    now = _STANDARD_MTU
    for stanza in stanzas:
        for option in stanza.options:
            is_link = "inet6" not in stanza.words[1:2] or _number(option.value) > now
            if option.name == "mtu" and is_link:
                now = _number(option.value)
                found.append((stanza, option))
    return found


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _meaning(option: Option) -> str:
    """Return a value for comparisons: an Ethernet address however it is written."""
    address = parse_hwaddress(option.value) if normal(option.name) == "hwaddress" else ""
    return address or " ".join(option.value.split())

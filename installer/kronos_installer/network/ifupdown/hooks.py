"""Commands of interfaces(5)'s hooks that name the interface: which of them the port keeps, which are the bridge's. Pure.

Only one plain command is told, of a program whose words are known; it may be allowed to fail and to be silent. A queueing
discipline and the NIC's hardware are the port's: what the host sent through them goes by the port still, with its guests'
packets. A rule of iptables is the bridge's, by which the host's own packets come in and leave.
"""

from __future__ import annotations

import posixpath
import re
from enum import Enum
from typing import TYPE_CHECKING

from kronos_installer.detect.owners import names_interface
from kronos_installer.network.ifupdown.options import HOOKS, speaks_of_port
from kronos_installer.network.stack import BRIDGE

if TYPE_CHECKING:
    from kronos_installer.network.ifupdown.text import Option


class HookPlace(Enum):
    """Where a command belongs afterwards."""

    BRIDGE = "bridge"
    PORT = "port"


TC = "tc"
_OF_PORT = ("ethtool", "mii-tool", TC)
_OF_BRIDGE = ("iptables", "ip6tables", "iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy")
_INTERFACE_OPTIONS = ("-i", "-o", "--in-interface", "--out-interface")
_MAY_FAIL = re.compile(r"(?:\s+(?:[12]?>\s*/dev/null|2>&1))*(?:\s*\|\|\s*(?:true|:|/bin/true))?\s*\Z")
_VARIABLE = re.compile(r'"?\$(?:IFACE|\{IFACE\})"?')
_SHELL = re.compile(r"[;&|<>`$()\\'\"*?#{}\[\]~\n]")


def hook_place(command: str, nic: str) -> HookPlace | None:
    """Return where a hook's command belongs, None where it does not name the interface or that is not to be told."""
    words = _plain(command, nic)
    places = [place for place, word in enumerate(words) if word == nic]
    if not places or any(word != nic and names_interface(word, nic) for word in words):
        return None
    program = program_of(command)
    if program in _OF_PORT:
        return HookPlace.PORT
    in_options = all(words[place - 1] in _INTERFACE_OPTIONS for place in places)
    return HookPlace.BRIDGE if program in _OF_BRIDGE and in_options else None


def program_of(command: str) -> str:
    """Return the name of the program that a command starts."""
    return posixpath.basename((command.split() or [""])[0])


def belongs_to_port(option: Option, nic: str) -> bool:
    """Tell whether an option stays with the interface when a bridge takes its addresses."""
    is_hook = option.name in HOOKS and hook_place(option.value, nic) is HookPlace.PORT
    return is_hook or speaks_of_port(option.name)


def said_of_bridge(text: str, nic: str) -> str:
    """Return a command, or the line that has it, with the bridge where the interface was named."""
    return re.sub(rf"(?<!\S){re.escape(nic)}(?!\S)", BRIDGE, text)


def _plain(command: str, nic: str) -> list[str]:
    """Return the words of one plain command, with the interface's name for `$IFACE`; nothing for any other."""
    body = _MAY_FAIL.sub("", command, count=1)
    words = [nic if _VARIABLE.fullmatch(word) else word for word in body.split()]
    return [] if any(_SHELL.search(word) for word in words) else words

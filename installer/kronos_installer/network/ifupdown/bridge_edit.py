"""The text of the network configuration once the management interface is a port of the bridge. Pure.

The interface's own stanzas become the bridge's, line for line; all else stays to the byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kronos_installer.network.ifupdown.management import stanzas_of
from kronos_installer.network.ifupdown.text import InterfacesText, Keyword, Line, Statement, parse_interfaces
from kronos_installer.network.stack import BRIDGE, BridgeKind, NetworkEdit
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.network.stack import Management

# A NIC that appears late (allow-hotplug's reason) is waited for, in seconds; one that is there costs nothing.
_WAIT_FOR_PORT_S = 30
NEEDS = (
    ("bridge-utils", "/etc/network/if-pre-up.d/bridge"),
    ("bridge-utils", "/usr/sbin/brctl", "/sbin/brctl"),
)


def bridge_options(nic: str, mac: str) -> tuple[str, ...]:
    """Return the bridge's options (bridge-utils-interfaces(5)).

    `bridge_hw`: udev would give the bridge an address of its own making (MACAddressPolicy=persistent),
    and DHCP and SLAAC then another IP address.
    """
    return (
        f"bridge_ports {nic}",
        "bridge_stp off",
        "bridge_fd 0",
        f"bridge_hw {mac}",
        f"bridge_waitport {_WAIT_FOR_PORT_S} {nic}",
    )


@dataclass
class _Edit:
    """The edit of all files: which statement has already become what only one may be."""

    management: Management
    indents: dict[tuple[str, int], str]
    started: bool = False
    bridged: bool = False
    changes: dict[str, dict[int, str]] = field(default_factory=dict)

    def statement(self, statement: Statement, line: Line) -> str | None:
        """Return the lines that take the statement's place, None to leave it."""
        nic = self.management.interface
        if statement.keyword is Keyword.IFACE and statement.words[0] == nic:
            return self._header(line, statement)
        if nic not in statement.names:
            return None
        if statement.keyword is Keyword.NO_AUTO_DOWN and not statement.about:
            return _replace_word(line.raw, nic, BRIDGE)
        if statement.keyword is Keyword.AUTO or statement.first in ("allow-auto", "allow-hotplug"):
            return self._start(statement, line)
        return None

    def _header(self, line: Line, statement: Statement) -> str:
        raw = _replace_word(_ended(line.raw), self.management.interface, BRIDGE, count=1)
        if self.bridged:
            return raw
        self.bridged = True
        options = bridge_options(self.management.interface, self.management.mac)
        indent = self.indents[statement.path, statement.index]
        port = f"iface {self.management.interface} inet manual\n\n"
        return port + raw + "".join(f"{indent}{option}\n" for option in options)

    def _start(self, statement: Statement, line: Line) -> str:
        first_time, self.started = not self.started, True
        if statement.about:  # inside the interface's stanza: "auto" alone speaks of it
            return _replace_word(line.raw, statement.first, "auto") if first_time else ""
        others = [word for word in statement.words if word != self.management.interface]
        started = f"auto {BRIDGE}\n" if first_time else ""
        if not others:
            return started
        if statement.keyword is Keyword.AUTO and first_time:
            return _replace_word(line.raw, self.management.interface, BRIDGE)
        return _ended(_replace_word(line.raw, self.management.interface, "")) + started


def _ended(raw: str) -> str:
    return raw if raw.endswith("\n") else f"{raw}\n"


def _replace_word(raw: str, word: str, by: str, count: int = 0) -> str:
    """Replace a word where it stands between blanks (everywhere, or `count` times), or remove it with the blanks before."""
    blanks = r"[ \t]*" if not by else ""
    return re.sub(rf"{blanks}(?<!\S){re.escape(word)}(?!\S)", by, raw, count=count)


def _indent_of(text: InterfacesText, statement: Statement) -> str:
    if not statement.options:
        return "\t"
    raw = text.lines[statement.options[0].index].raw
    return raw[: len(raw) - len(raw.lstrip(" \t"))] or "\t"


def move_to_bridge(
    texts: Sequence[InterfacesText],
    statements: Sequence[Statement],
    management: Management,
    bridge: BridgeKind,
) -> NetworkEdit:
    """Return the new text of every file that changes, and how the running network follows.

    `statements` are all files' in ifupdown's order: the bridge's options go to the stanza it reads first.
    Raises ProblemError for what is written in a way that cannot be edited.
    """
    by_path = {text.path: text for text in texts}
    stanzas = stanzas_of(statements, management.interface)
    if bridge is not BridgeKind.LINUX:
        raise refusal("bridge-kind", f"ifupdown cannot make {bridge} bridges so far", at=stanzas[0].at)
    indents = {(s.path, s.index): _indent_of(by_path[s.path], s) for s in stanzas}
    edit = _Edit(management, indents)
    for statement in statements:
        line = by_path[statement.path].lines[statement.index]
        new = edit.statement(statement, line)
        if new is not None:
            edit.changes.setdefault(statement.path, {})[statement.index] = new
    new_texts = {path: by_path[path].render(changes) for path, changes in edit.changes.items()}
    _verify(new_texts, statements, management)
    files = {path: text.encode("latin-1") for path, text in new_texts.items()}
    return NetworkEdit(files, (), (), needs=NEEDS)


def _verify(new_texts: dict[str, str], statements: Sequence[Statement], management: Management) -> None:
    """Read the result back as ifupdown will. Raises ProblemError unless the bridge has all that the NIC had."""
    nic = management.interface
    stanzas = stanzas_of(statements, nic)
    new: list[Statement] = []
    for path, text in new_texts.items():
        new += parse_interfaces(path, text).statements
    new += [statement for statement in statements if statement.path not in new_texts]
    bridge = [s for s in new if s.keyword is Keyword.IFACE and s.words[0] == BRIDGE]
    found = sorted((*s.words[1:], o.name, o.value) for s in bridge for o in s.options)
    wanted = [(*s.words[1:], o.name, o.value) for s in stanzas for o in s.options]
    family_method = stanzas[0].words[1:]
    wanted += [(*family_method, *option.split(" ", 1)) for option in bridge_options(nic, management.mac)]
    starts = [s for s in new if s.keyword in (Keyword.AUTO, Keyword.ALLOW)]
    bridge_starts = any(BRIDGE in s.names for s in starts if s.keyword is Keyword.AUTO)
    if found == sorted(wanted) and bridge_starts and not any(nic in s.names for s in starts):
        return
    raise refusal("interfaces-edit", "the network configuration is written in a way that cannot be edited safely",
                  at=stanzas[0].at, remedy="write each statement on a line of its own")  # fmt: skip

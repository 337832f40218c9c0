"""The text of the network configuration once the management interface is a port of the bridge. Pure.

The interface's own stanzas become the bridge's, line for line; what speaks of the port goes to a
stanza of the port's; all else stays to the byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kronos_installer.detect.nics import NicKind
from kronos_installer.network.ifupdown.bridge_stanza import (
    NEEDS,
    bridge_options,
    switch_back_commands,
    switch_commands,
)
from kronos_installer.network.ifupdown.hooks import (
    TC,
    HookPlace,
    belongs_to_port,
    hook_place,
    program_of,
    said_of_bridge,
)
from kronos_installer.network.ifupdown.management import stanzas_of
from kronos_installer.network.ifupdown.options import HOOKS
from kronos_installer.network.ifupdown.port_options import first_lacks_mtu, port_options
from kronos_installer.network.ifupdown.text import InterfacesText, Keyword, Line, Statement, parse_interfaces
from kronos_installer.network.stack import BRIDGE, BridgeKind, NetworkEdit
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.network.ifupdown.text import Option
    from kronos_installer.network.stack import Management


@dataclass(frozen=True)
class _Move:
    """What the move is: the interface's stanzas, the lines that stay with it, and what makes the bridge.

    `starts_port`: the port needs an `auto` of its own, before the bridge's. Without one, bridge-utils
    brings up a plain NIC, but nobody makes a bond or a VLAN, or sets what a port's stanza says.
    """

    management: Management
    bridge: BridgeKind
    stanzas: tuple[Statement, ...]
    port_options: tuple[tuple[Statement, Option], ...]
    starts_port: bool

    @property
    def port(self) -> str:
        return self.management.interface

    def bridge_value(self, option: Option) -> str:
        """Return what an option of the interface's says once it is the bridge's."""
        is_named = option.name in HOOKS and hook_place(option.value, self.port) is HookPlace.BRIDGE
        return said_of_bridge(option.value, self.port) if is_named else option.value

    @property
    def bridge_options(self) -> tuple[str, ...]:
        return bridge_options(self.port, self.management.mac, self.bridge, starts_port=self.starts_port)


def _plan_move(statements: Sequence[Statement], management: Management, bridge: BridgeKind) -> _Move:
    stanzas = stanzas_of(statements, management.interface)
    # bridge-utils gives the first stanza's mtu to the port, which will do for a NIC and a bond; Open vSwitch takes
    # the bridge's from the port; and below a VLAN the script of vlan-interfaces(5) must see it in time.
    with_mtu = bridge is BridgeKind.OPENVSWITCH or management.kind is NicKind.VLAN or first_lacks_mtu(stanzas)
    found = port_options(stanzas, with_mtu=with_mtu)
    for stanza, option in found if bridge is BridgeKind.OPENVSWITCH else ():
        if option.name in HOOKS and program_of(option.value) == TC:
            raise refusal("interfaces-hook", "Open vSwitch takes its ports' queueing disciplines away",
                          at=f"{stanza.path}:{option.line}", remedy="remove the command, or choose the bridge backend")  # fmt: skip
    plain = management.kind is NicKind.ETHERNET and bridge is BridgeKind.LINUX
    return _Move(management, bridge, stanzas, found, bool(found) or not plain)


@dataclass
class _Edit:
    """The edit of all files: which statement has already become what only one may be."""

    move: _Move
    texts: dict[str, InterfacesText]
    starts_inline: bool
    started: bool = False
    bridged: bool = False
    changes: dict[str, dict[int, str]] = field(default_factory=dict)

    def change(self, statement: Statement) -> None:
        """Note the lines that take a statement's place, if anything does."""
        line = self.texts[statement.path].lines[statement.index]
        changes = self.changes.setdefault(statement.path, {})
        if statement in self.move.stanzas:
            changes[statement.index] = self._header(line, statement)
            changes |= dict(self._options(statement))
        elif self.move.port in statement.names:
            if statement.keyword is Keyword.NO_AUTO_DOWN and not statement.about:
                changes[statement.index] = _replace_word(line.raw, self.move.port, BRIDGE)
            if statement.keyword is Keyword.AUTO or statement.first in ("allow-auto", "allow-hotplug"):
                changes[statement.index] = self._start(statement, line)

    def _options(self, stanza: Statement) -> Iterator[tuple[int, str]]:
        """Yield the lines of a stanza that do not stay as they are: the port's, and commands that name the interface."""
        for option in stanza.options:
            if belongs_to_port(option, self.move.port):
                yield option.index, ""
            elif option.name in HOOKS and option.value != self.move.bridge_value(option):
                yield (
                    option.index,
                    said_of_bridge(self.texts[stanza.path].lines[option.index].raw, self.move.port),
                )

    def _header(self, line: Line, statement: Statement) -> str:
        raw = _replace_word(_ended(line.raw), self.move.port, BRIDGE, count=1)
        if self.bridged:
            return raw
        self.bridged = True
        indent = _indent_of(self.texts[statement.path], statement)
        return self._port_stanza() + raw + "".join(f"{indent}{o}\n" for o in self.move.bridge_options)

    def _port_stanza(self) -> str:
        start = f"auto {self.move.port}\n" if self.move.starts_port and self.starts_inline else ""
        options = [_ended(self.texts[stanza.path].lines[o.index].raw) for stanza, o in self.move.port_options]
        return f"{start}iface {self.move.port} inet manual\n{''.join(options)}\n"

    def _start(self, statement: Statement, line: Line) -> str:
        first_time, self.started = not self.started, True
        if statement.about:  # inside the interface's stanza: "auto" alone speaks of it
            return _replace_word(line.raw, statement.first, "auto") if first_time else ""
        port = self.move.port
        both = f"{port} {BRIDGE}" if self.move.starts_port else BRIDGE
        others = [word for word in statement.words if word != port]
        started = f"auto {both}\n" if first_time else ""
        if not others:
            return started
        if statement.keyword is Keyword.AUTO and first_time:
            return _replace_word(line.raw, port, both)
        return _ended(_replace_word(line.raw, port, "")) + started


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
    move = _plan_move(statements, management, bridge)
    starts = [s for s in statements if move.port in s.names and s.keyword in (Keyword.AUTO, Keyword.ALLOW)]
    edit = _Edit(move, {text.path: text for text in texts}, starts_inline=bool(starts and starts[0].about))
    for statement in statements:
        edit.change(statement)
    new_texts = {path: edit.texts[path].render(changes) for path, changes in edit.changes.items() if changes}
    _verify(new_texts, statements, move)
    return NetworkEdit(
        files={path: text.encode("latin-1") for path, text in new_texts.items()},
        switch=tuple(switch_commands(management, bridge)),
        switch_back=tuple(switch_back_commands(management, bridge)),
        needs=NEEDS[bridge],
    )


def _verify(new_texts: dict[str, str], statements: Sequence[Statement], move: _Move) -> None:
    """Read the result back as ifupdown will. Raises ProblemError unless bridge and port have all that the port had."""
    new: list[Statement] = []
    for path, text in new_texts.items():
        new += parse_interfaces(path, text).statements
    new += [statement for statement in statements if statement.path not in new_texts]
    bridge = _said(stanzas_of(new, BRIDGE))
    port = _said(stanzas_of(new, move.port))
    first = move.stanzas[0].words[1:]
    wanted = [
        (*s.words[1:], o.name, move.bridge_value(o))
        for s in move.stanzas
        for o in s.options
        if not belongs_to_port(o, move.port)
    ]
    wanted += [(*first, *option.split(" ", 1)) for option in move.bridge_options]
    wanted_port = [("inet", "manual", o.name, o.value) for _, o in move.port_options]
    started = [n for s in new if s.keyword is Keyword.AUTO for n in s.names if n in (move.port, BRIDGE)]
    allowed = [s for s in new if s.keyword is Keyword.ALLOW and move.port in s.names]
    wanted_start = [move.port, BRIDGE] if move.starts_port else [BRIDGE]
    if (bridge, port, started, allowed) != (sorted(wanted), sorted(wanted_port), wanted_start, []):
        raise refusal("interfaces-edit", "the network configuration is written in a way that cannot be edited safely",
                      at=move.stanzas[0].at, remedy="write each statement on a line of its own")  # fmt: skip


def _said(stanzas: Sequence[Statement]) -> list[tuple[str, ...]]:
    """Return all that stanzas say, sorted: family, method, option, value."""
    return sorted((*s.words[1:], o.name, o.value) for s in stanzas for o in s.options)

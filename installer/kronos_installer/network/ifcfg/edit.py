"""The ifcfg files once the management interface is a port of the bridge. Pure.

A new ifcfg file of the bridge takes over every line that configures IP; the interface's own keeps the rest and gets
BRIDGE=. Routes and rules move to files of the bridge's name.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from kronos_installer.detect.owners import names_interface
from kronos_installer.network.ifcfg.carried import copied, moves
from kronos_installer.network.ifcfg.interfaces import FOLDER, SIDE_FILES
from kronos_installer.network.ifcfg.shell_file import parse_shell_file
from kronos_installer.network.network_manager.edit import GUESTS_FILE, GUESTS_SNIPPET
from kronos_installer.network.stack import BRIDGE, Management, NetworkEdit
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kronos_installer.network.ifcfg.interfaces import Interface

BRIDGE_FILE = f"{FOLDER}/ifcfg-{BRIDGE}"
BRIDGE_SIDES = tuple(f"{FOLDER}/{kind}-{BRIDGE}" for kind in SIDE_FILES)
_UP = ("nmcli", "--wait", "30", "connection", "up")
_RELOAD = (("nmcli", "general", "reload", "conf"), ("nmcli", "connection", "reload"))
_RESTART = (("systemctl", "restart", "network.service"),)


def make_edit(
    interface: Interface,
    management: Management,
    identity: Mapping[str, str],
    needs: tuple[tuple[str, ...], ...],
) -> NetworkEdit:
    """Return the new files; `identity` are variables that replace or join those that move.

    Raises ProblemError for routes that cannot be told apart from the interface's own.
    """
    bridge, port = _bridge_text(interface, management, identity), _port_text(interface)
    _verify(interface, identity, bridge, port)
    files: dict[str, bytes | None] = {BRIDGE_FILE: _bytes(bridge), interface.path: _bytes(port)}
    modes = {BRIDGE_FILE: interface.state.mode}
    for path, state in interface.sides.items():
        kind = path.removeprefix(f"{FOLDER}/").partition("-")[0]
        new = f"{FOLDER}/{kind}-{BRIDGE}"
        if new in files:
            raise refusal("ifcfg-route", f"the {kind} file is one of two for {interface.name}", at=f"{path}:1",
                          remedy="make them one")  # fmt: skip
        files |= {
            path: None,
            new: _bytes(_moved_routes(path, state.content.decode("latin-1"), interface.name)),
        }
        modes[new] = state.mode
    if not interface.by_network_manager:
        return NetworkEdit(files, switch=_RESTART, switch_back=_RESTART, modes=modes, needs=needs)
    files[GUESTS_SNIPPET] = GUESTS_FILE
    port_up = (*_UP, "ifname", interface.name)
    return NetworkEdit(
        files,
        # The bridge without a port has no carrier: it is not waited for.
        switch=(*_RELOAD, ("nmcli", "--wait", "0", "connection", "up", "uuid", _uuid(interface)), port_up),
        switch_back=(*_RELOAD, port_up),
        modes=modes | {GUESTS_SNIPPET: 0o644},
        needs=needs,
    )


def _uuid(interface: Interface) -> str:
    """Return the bridge's uuid, made from the interface's, or from its file where that has none."""
    own = interface.file.value("UUID")
    base = uuid.UUID(own) if own else uuid.uuid5(uuid.NAMESPACE_URL, f"file://{interface.path}")
    return str(uuid.uuid5(base, BRIDGE))


def _bridge_text(interface: Interface, management: Management, identity: Mapping[str, str]) -> str:
    new = {"DEVICE": BRIDGE, "NAME": BRIDGE, "UUID": _uuid(interface), "TYPE": "Bridge", "ONBOOT": "yes",
           # NetworkManager and the scripts each read one of the two.
           "MACADDR": management.mac, "BRIDGE_MACADDR": management.mac, "STP": "no", "DELAY": "0"}  # fmt: skip
    lines = [f"{name}={value}\n" for name, value in new.items()]
    for assignment in interface.file.assignments:
        taken = moves(assignment.name) or copied(assignment.name)
        if taken and assignment.name not in identity:
            lines.append(interface.file.lines[assignment.index].removesuffix("\n") + "\n")
    return "".join(lines) + "".join(f"{name}={value}\n" for name, value in identity.items())


def _port_text(interface: Interface) -> str:
    gone = {a.index for a in interface.file.assignments if moves(a.name)}
    kept = [line for index, line in enumerate(interface.file.lines) if index not in gone]
    return "".join(f"{line.removesuffix(chr(10))}\n" for line in kept) + f"BRIDGE={BRIDGE}\n"


def _moved_routes(path: str, text: str, name: str) -> str:
    """Return routes or rules with the bridge in the interface's place. Raises ProblemError for other mentions of it."""
    moved = re.sub(rf"(?<!\S)(dev|iif|oif)([ \t]+){re.escape(name)}(?!\S)", rf"\g<1>\g<2>{BRIDGE}", text)
    for number, line in enumerate(moved.splitlines(), 1):
        if names_interface(line, name) and not line.lstrip().startswith("#"):
            raise refusal("ifcfg-route", f"names {name} in a way that is not understood", at=f"{path}:{number}",
                          remedy=f"write 'dev {name}', or leave the name out")  # fmt: skip
    return moved


def _verify(interface: Interface, identity: Mapping[str, str], bridge: str, port: str) -> None:
    """Read the result back. Raises ProblemError unless nothing was lost and the port has no addresses."""
    old = {a.name: a.value for a in interface.file.assignments}
    new_bridge = {a.name: a.value for a in parse_shell_file(BRIDGE_FILE, bridge).assignments}
    new_port = {a.name: a.value for a in parse_shell_file(interface.path, port).assignments}
    carried = {name: value for name, value in old.items() if moves(name) or copied(name)}
    carried.update(identity)
    stays = {name: value for name, value in old.items() if not moves(name)} | {"BRIDGE": BRIDGE}
    if new_port != stays or not carried.items() <= new_bridge.items():
        raise refusal("ifcfg-edit", "the file is written in a way that cannot be edited safely", at=interface.path + ":1",
                      remedy="write each assignment on a line of its own")  # fmt: skip


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")

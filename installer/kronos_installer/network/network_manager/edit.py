"""The profiles once the management interface is a port of the bridge. Pure.

A new profile of the bridge takes over all that configures IP, line for line; the interface's own profile keeps the
rest and becomes the bridge's port, in its own file and under its own uuid.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from kronos_installer.network.network_manager.carried import COPIED_KEYS, MOVED_GROUPS, MOVED_KEYS
from kronos_installer.network.network_manager.keyfile import KeyFile, parse_keyfile
from kronos_installer.network.network_manager.profiles import ETC, RUN
from kronos_installer.network.network_manager.settings import SNIPPETS
from kronos_installer.network.stack import (
    BRIDGE,
    GUESTS_INTERFACES,
    QEMUS_INTERFACES,
    Management,
    NetworkEdit,
)
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kronos_installer.network.network_manager.identity import Identity
    from kronos_installer.network.network_manager.profiles import Profile

BRIDGE_PROFILE = f"{ETC}/{BRIDGE}.nmconnection"
PORT_PROFILE = f"{ETC}/{BRIDGE}-port.nmconnection"
GUESTS_SNIPPET = f"{SNIPPETS}/zz-xapi.conf"
# NetworkManager would ask for addresses on them. Not the list `unmanaged-devices`: one of exceptions alone means another
# thing once it has a name too, and one that excepts all Ethernet devices excepts these.
_NOT_OURS = ";".join(f"interface-name:{name}" for name in (*GUESTS_INTERFACES, QEMUS_INTERFACES))
GUESTS_FILE = f"[device-xapi]\nmatch-device={_NOT_OURS}\nmanaged=false\n".encode()
_SECRET_MODE = 0o600
_PUBLIC_MODE = 0o644
_UP_S = "30"


def profiles_of(profile: Profile) -> tuple[str, ...]:
    """Return the new files of an edit of `profile`, where no other profile may be."""
    return (BRIDGE_PROFILE, *((PORT_PROFILE,) if not profile.path.startswith(f"{ETC}/") else ()))


def make_edit(profile: Profile, management: Management, identity: Identity) -> NetworkEdit:
    """Return the new profiles. Raises ProblemError when they do not say what the old one said."""
    bridge_uuid = str(uuid.uuid5(uuid.UUID(profile.uuid), BRIDGE))
    in_etc = profile.path.startswith(f"{ETC}/")
    # One that NetworkManager made up is there until the reboot, and hides others of its uuid; a package's is hidden.
    made_up = profile.path.startswith(f"{RUN}/")
    port_uuid = str(uuid.uuid5(uuid.UUID(profile.uuid), "port")) if made_up else profile.uuid
    bridge = _bridge_text(profile, management, identity, bridge_uuid)
    port = _port_text(profile, management, bridge_uuid, port_uuid)
    _verify(profile, identity, bridge, port)
    port_path = profile.path if in_etc else PORT_PROFILE
    up = ("nmcli", "--wait", _UP_S, "connection", "up", "uuid")
    # NetworkManager makes its own profile up again where there is none.
    back = ("nmcli", "--wait", _UP_S, "device", "connect", management.interface)
    reload = (("nmcli", "general", "reload", "conf"), ("nmcli", "connection", "reload"))
    return NetworkEdit(
        files={
            BRIDGE_PROFILE: bridge.encode(),
            port_path: port.encode(),
            GUESTS_SNIPPET: GUESTS_FILE,
        },
        # The bridge without a port has no carrier: it is not waited for.
        switch=(
            *reload,
            ("nmcli", "--wait", "0", "connection", "up", "uuid", bridge_uuid),
            (*up, port_uuid),
        ),
        switch_back=(*reload, back if profile.generated else (*up, profile.uuid)),
        modes=dict.fromkeys(profiles_of(profile), _SECRET_MODE) | {GUESTS_SNIPPET: _PUBLIC_MODE},
    )


def _bridge_text(profile: Profile, management: Management, identity: Identity, bridge_uuid: str) -> str:
    connection = {"id": BRIDGE, "uuid": bridge_uuid, "type": "bridge", "interface-name": BRIDGE}
    file = profile.file
    carried = {e.key: e.value for e in file.of_group("connection") if e.key in MOVED_KEYS | COPIED_KEYS}
    # What NetworkManager made up itself comes after all others.
    carried.pop("autoconnect-priority" if profile.generated else "", None)
    # `mac-address` of [bridge] is deprecated for this (nm-settings(5)).
    ethernet = {"cloned-mac-address": management.mac}
    if mtu := profile.wired("mtu"):
        ethernet["mtu"] = mtu
    text = _group("connection", connection | carried) + "\n" + _group("ethernet", ethernet)
    text += "\n" + _group("bridge", {"stp": "false"})
    for group in MOVED_GROUPS:
        if group in file.group_names:
            text += "\n" + _moved(file, group, {"ipv4": identity.ipv4, "ipv6": identity.ipv6}.get(group, {}))
    return text


def _group(name: str, values: Mapping[str, str]) -> str:
    return f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in values.items())


def _moved(file: KeyFile, group: str, instead: Mapping[str, str]) -> str:
    """Return a group line for line, comments too, with other values for the keys of `instead`."""
    replaced = {entry.at for entry in file.of_group(group) if entry.key in instead}
    kept = [
        line
        for number, (line, of) in enumerate(zip(file.lines, file.groups, strict=True), 1)
        if of == group and f"{file.path}:{number}" not in replaced
    ]
    text = "".join(kept).rstrip("\n")
    return text + "\n" + "".join(f"{key}={value}\n" for key, value in instead.items())


def _port_text(profile: Profile, management: Management, bridge_uuid: str, port_uuid: str) -> str:
    """Return the old profile without what moved, as a port of the bridge."""
    file = profile.file
    dropped = {e.at for e in file.of_group("connection") if e.key in MOVED_KEYS}
    port = {"master": bridge_uuid, "slave-type": "bridge"}
    changed: dict[str, str] = {}
    if port_uuid != profile.uuid:
        changed = {"uuid": port_uuid, "id": f"{BRIDGE}-port"}
    if profile.generated:
        dropped |= {
            e.at for e in file.of_group("connection") if e.key in ("autoconnect-priority", "timestamp")
        }
    if not profile.interface and not profile.mac:
        port["interface-name"] = management.interface
    text = ""
    written = False
    for number, (line, group) in enumerate(zip(file.lines, file.groups, strict=True), 1):
        at = f"{file.path}:{number}"
        if group in MOVED_GROUPS or group == ".nmmeta" or at in dropped:
            continue
        entry = next((e for e in file.of_group(group) if e.at == at), None)
        if entry and group == "connection" and entry.key in changed:
            text += f"{entry.key}={changed[entry.key]}\n"
        else:
            text += line if line.endswith("\n") else f"{line}\n"
        if group == "connection" and not written:
            text += "".join(f"{key}={value}\n" for key, value in port.items())
            written = True
    return text.rstrip("\n") + "\n"


def _verify(profile: Profile, identity: Identity, bridge: str, port: str) -> None:
    """Read the result back. Raises ProblemError unless nothing was lost and the port has no addresses."""
    old, new = profile.file, parse_keyfile(BRIDGE_PROFILE, bridge)
    left = parse_keyfile(profile.path, port)
    same = not any(group in left.group_names for group in MOVED_GROUPS)
    for group in MOVED_GROUPS:
        instead = {"ipv4": identity.ipv4, "ipv6": identity.ipv6}.get(group, {})
        before = {e.key: e.value for e in old.of_group(group)} | (instead if group in old.group_names else {})
        same = same and before == {e.key: e.value for e in new.of_group(group)}
    stays = [e for e in old.entries if e.group not in (*MOVED_GROUPS, "connection", ".nmmeta")]
    same = same and all(left.get(e.group, e.key) for e in stays)
    if not same:
        raise refusal("nm-edit", "the connection is written in a way that cannot be edited safely", at=profile.at,
                      remedy="have NetworkManager write it anew: nmcli connection modify")  # fmt: skip

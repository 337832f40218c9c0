"""The files that put the management addresses on the bridge. Pure.

A later file cannot take keys out of a definition: netplan merges. So the lines that move are taken out of the
operator's files, where all else stays, and one new file has the bridge. A definition for several NICs stays as it
is, for the others; the port gets one of its own, whose unit networkd finds first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.network.netplan.carried import KEPT_OF_MATCH
from kronos_installer.network.netplan.definitions import (
    PHYSICAL,
    Definition,
    definitions_for,
    read_definitions,
    unit_name,
)
from kronos_installer.network.netplan.document import (
    get,
    make_mapping,
    make_node,
    make_scalar,
    parse_document,
    plain,
    render,
    words,
)
from kronos_installer.network.netplan.management import copied_keys, identity, moved_keys
from kronos_installer.network.netplan.text_edit import without_keys
from kronos_installer.network.networkd import cloud_init
from kronos_installer.network.networkd.edit import GUESTS_UNIT, NOT_FOR_UNITS, guests_unit
from kronos_installer.network.networkd.management import may_match
from kronos_installer.network.networkd.unit_text import render_unit
from kronos_installer.network.stack import BRIDGE, BridgeKind, Management, NetworkEdit
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import yaml

    from kronos_installer.network.netplan.config import NetplanConfig
    from kronos_installer.network.netplan.document import Document, Plain

NEW_FILE = "/etc/netplan/99-xapi.yaml"
# netplan has no words for an IAID; networkd reads this beside the unit that netplan makes.
DROP_IN = f"/etc/systemd/network/{unit_name(BRIDGE)}.d/10-xapi.conf"
OVS_VSCTL = "/usr/bin/ovs-vsctl"
_COMMENT = "# Made by xapi-host-setup; `xapi-host-setup rollback` takes it away.\n"


def move_to_bridge(config: NetplanConfig, management: Management, bridge: BridgeKind) -> NetworkEdit:
    """Return the edit. Raises ProblemError for what cannot be written or does not read back as meant."""
    nic = next(n for n in config.nics if n.name == management.interface)
    definition, _ = definitions_for(config.definitions, nic)
    if definition is None:
        raise refusal(
            "management-unknown", f"no definition is for {nic.name}", at=management.at, remedy="look again"
        )
    port = (
        _port_id(config, definition, nic.name)
        if definition.by_match and _is_pattern(definition)
        else definition.id
    )
    if bridge is BridgeKind.OPENVSWITCH:
        _check_openvswitch(config, definition, port, nic.name)
    texts = {} if port != definition.id else _texts_without(definition)
    tree = _tree(definition, management, port, bridge)
    texts[NEW_FILE] = _COMMENT + render(tree)
    _verify(config, definition, port, texts, tree)
    files: dict[str, bytes | None] = {path: text.encode() for path, text in texts.items()}
    sections, _ = identity(config, nic.name, definition)
    if sections:
        files[DROP_IN] = render_unit(sections, _COMMENT).encode()
    if any(
        any(definitions_for(config.definitions, other)) or may_match(config.networkd_units, other)
        for other in NOT_FOR_UNITS
    ):
        files[GUESTS_UNIT] = render_unit(guests_unit(), _COMMENT).encode()
    if config.tell_cloud_init:
        files[cloud_init.DISABLE_PATH] = cloud_init.DISABLE_CONTENT
    modes = dict.fromkeys(files, 0o644) | {NEW_FILE: 0o600}
    is_linux = bridge is BridgeKind.LINUX
    away = (
        ("ip", "link", "delete", "dev", BRIDGE)
        if is_linux
        else ("ovs-vsctl", "--if-exists", "del-br", BRIDGE)
    )
    return NetworkEdit(files, (("netplan", "apply"),), (away, ("netplan", "apply")), modes,
                       () if is_linux else (("openvswitch-switch", OVS_VSCTL),))  # fmt: skip


def _is_pattern(definition: Definition) -> bool:
    """Tell whether the definition may be for other NICs too, now or later."""
    match = definition.keys["match"]
    names = words(get(match, "name")) or ("*",)
    exact = len(names) == 1 and not any(sign in names[0] for sign in "*?[")
    return not exact and get(match, "macaddress") is None


def _port_id(config: NetplanConfig, definition: Definition, name: str) -> str:
    """Return an ID for the NIC alone whose unit networkd finds before that of the definition for several."""
    taken = {d.id for d in config.definitions}
    for id_ in (name, f"0-{name}"):
        if id_ not in taken and unit_name(id_).encode() < unit_name(definition.id).encode():
            return id_
    raise refusal("netplan-match", f"{definition.id} comes before any definition of {name} alone", at=definition.at,
                  remedy="let the ID begin with a letter")  # fmt: skip


def _check_openvswitch(config: NetplanConfig, definition: Definition, port: str, name: str) -> None:
    """Refuse what netplan makes something else of below Open vSwitch: it takes IDs for names of ports."""
    if port != name:
        raise refusal("openvswitch-unsupported", f"netplan would give Open vSwitch the ID {port} as the port's name",
                      at=definition.at, remedy=f"define the interface under the ID {name}")  # fmt: skip
    for other in config.definitions:
        if (
            other.type == "vlans"
            and other is not definition
            and plain(other.keys.get("link", make_scalar(""))) == port
        ):
            raise refusal("openvswitch-unsupported", f"the VLAN {other.id} stands on {name}", at=other.at,
                          remedy="choose the network backend 'bridge', or remove the VLAN")  # fmt: skip


def _texts_without(definition: Definition) -> dict[str, str]:
    gone = moved_keys(definition)
    new = {place.document.path: (place, without_keys(place, gone)) for place in definition.places}
    return {path: text for path, (place, text) in new.items() if text != place.document.text}


def _tree(definition: Definition, management: Management, port: str, bridge: BridgeKind) -> yaml.MappingNode:
    """Return the new file: the bridge with all that moves, and the port where it needs a definition of its own."""
    carried = {key: definition.keys[key] for key in (*copied_keys(definition), *moved_keys(definition))}
    kind: dict[str, yaml.Node] = {"parameters": make_node({"stp": False, "forward-delay": 0})}
    if bridge is BridgeKind.OPENVSWITCH:
        kind = {"parameters": make_node({"stp": False}), "openvswitch": make_node({})}
    made = {"interfaces": make_node([port]), "macaddress": make_scalar(management.mac, quoted=True)}
    network: dict[str, yaml.Node] = {"version": make_node(2)}
    if port != definition.id:
        match = make_node({"match": {"name": management.interface}})
        kept = {key: value for key, value in definition.keys.items() if key in KEPT_OF_MATCH}
        network[PHYSICAL] = make_mapping({port: make_mapping({"match": match.value[0][1], **kept})})
    network["bridges"] = make_mapping(
        {BRIDGE: make_mapping({"renderer": make_node("networkd"), **made, **kind, **carried})}
    )
    return make_mapping({"network": make_mapping(network)})


def _verify(
    config: NetplanConfig, old: Definition, port: str, texts: Mapping[str, str], tree: yaml.Node
) -> None:
    """Read the result back as netplan will. Raises ProblemError unless exactly what is meant has changed."""
    documents: list[Document] = [d for d in config.documents if d.path not in texts]
    documents += [parse_document(path, text.encode()) for path, text in texts.items()]
    documents.sort(key=lambda d: d.path.rpartition("/")[2].encode())
    found = _plain_definitions(read_definitions(documents))
    wanted = _plain_definitions(config.definitions)
    if port == old.id:
        wanted[old.id] = {k: v for k, v in wanted[old.id].items() if k not in moved_keys(old)}
    new = parse_document(NEW_FILE, render(tree).encode())
    wanted |= _plain_definitions(read_definitions([new]))
    bridge = wanted[BRIDGE]
    if found == wanted and all(bridge[key] == plain(old.keys[key]) for key in moved_keys(old)):
        return
    raise refusal("netplan-edit", "the configuration is written in a way that cannot be edited safely", at=old.at,
                  remedy="write each key on a line of its own")  # fmt: skip


def _plain_definitions(definitions: Sequence[Definition]) -> dict[str, dict[str, Plain]]:
    return {d.id: {key: plain(value) for key, value in d.keys.items()} for d in definitions}

"""What netplan makes of all its files together: one definition for each ID. Pure. netplan(5)."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kronos_installer.detect.nics import NicKind
from kronos_installer.network.netplan.document import entries, get, is_true, merged, scalar, words
from kronos_installer.network.networkd.match import Answer
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import yaml

    from kronos_installer.detect.nics import Nic
    from kronos_installer.network.netplan.document import Document

PHYSICAL = "ethernets"
_KINDS = {"bonds": NicKind.BOND, "vlans": NicKind.VLAN, "bridges": NicKind.BRIDGE}
_NOT_DEFINITIONS = ("version", "renderer", "openvswitch")


@dataclass(frozen=True)
class Place:
    """A definition in one file: the node of its ID, and its mapping."""

    document: Document
    name: yaml.ScalarNode
    body: yaml.Node


@dataclass(frozen=True)
class Definition:
    """An ID with the keys that count, merged from all its places."""

    type: str
    id: str
    keys: Mapping[str, yaml.Node]
    places: tuple[Place, ...]
    renderer: str

    @property
    def at(self) -> str:
        """File and line where it is defined first."""
        return self.places[0].document.at(self.places[0].name)

    def at_key(self, key: str) -> str:
        """File and line where a key is set last."""
        found = [(p.document, name) for p in self.places for name, _ in entries(p.body) if name.value == key]
        return found[-1][0].at(found[-1][1]) if found else self.at

    @property
    def is_addressed(self) -> bool:
        """Whether it gives addresses."""
        dhcp = is_true(self.keys.get("dhcp4")) or is_true(self.keys.get("dhcp6"))
        return dhcp or "addresses" in self.keys

    @property
    def by_match(self) -> bool:
        """Whether it is for what `match` finds; `set-name` makes that one interface."""
        return "match" in self.keys and "set-name" not in self.keys

    def matches(self, nic: Nic) -> Answer:
        """Tell whether the definition is for an interface, by the name that this has once it is up."""
        if self.type != PHYSICAL:
            kind = _KINDS.get(self.type, nic.kind)
            return Answer.YES if nic.name == self.id and nic.kind is kind else Answer.NO
        if not self.by_match:
            return Answer.YES if (scalar(self.keys.get("set-name")) or self.id) in nic.names else Answer.NO
        answers = {_matches(name.value, value, nic) for name, value in entries(self.keys["match"])}
        return next((a for a in (Answer.NO, Answer.UNCLEAR) if a in answers), Answer.YES)


def _matches(key: str, value: yaml.Node, nic: Nic) -> Answer:
    if key == "name":
        found = any(fnmatchcase(name, word) for word in words(value) for name in nic.names)
        return Answer.YES if found else Answer.NO
    if key == "macaddress":
        return Answer.YES if scalar(value).lower() == nic.mac else Answer.NO
    return Answer.UNCLEAR


def read_definitions(documents: Sequence[Document]) -> tuple[Definition, ...]:
    """Merge the files, in the order in which netplan reads them. Raises ProblemError for what netplan refuses."""
    found: dict[str, list[tuple[str, Place]]] = {}
    renderers: dict[str, str] = {"": "networkd"}
    for document in documents:
        network = get(document.root, "network")
        for type_name, group in entries(network):
            if type_name.value == "renderer":
                renderers[""] = scalar(group)
            for name, body in entries(group) if type_name.value not in _NOT_DEFINITIONS else ():
                if name.value == "renderer":
                    renderers[type_name.value] = scalar(body)
                else:
                    found.setdefault(name.value, []).append((type_name.value, Place(document, name, body)))
    return tuple(_definition(id_, places, renderers) for id_, places in found.items())


def _definition(id_: str, found: Sequence[tuple[str, Place]], renderers: Mapping[str, str]) -> Definition:
    keys: dict[str, yaml.Node] = {}
    places = tuple(place for _, place in found)
    type_name = found[0][0]
    for other, place in found:
        if other != type_name or (scalar(place.body) not in ("", "null", "~")):
            raise refusal("netplan-unparsable", f"{id_} is not one mapping of one type", at=place.document.at(place.name),
                          remedy="correct it; `netplan generate` says more")  # fmt: skip
        for key, value in entries(place.body):
            keys[key.value] = merged(keys[key.value], value) if key.value in keys else value
    renderer = scalar(keys.get("renderer")) or renderers.get(type_name) or renderers[""]
    return Definition(type_name, id_, keys, places, renderer)


def unit_name(id_: str) -> str:
    """Return the name of the unit that netplan makes for networkd of a definition."""
    return f"10-netplan-{id_}.network"


def definitions_for(
    definitions: Sequence[Definition], nic: Nic
) -> tuple[Definition | None, tuple[Definition, ...]]:
    """Return the interface's definition, and those of which one cannot tell: as networkd takes the first unit."""
    unclear: list[Definition] = []
    for definition in sorted(definitions, key=lambda d: unit_name(d.id).encode()):
        answer = definition.matches(nic)
        if answer is Answer.YES:
            return definition, tuple(unclear)
        if answer is Answer.UNCLEAR:
            unclear.append(definition)
    return None, tuple(unclear)

"""The device lists of NetworkManager.conf(5), section "Device List Format", and the names of nm-settings(5). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXCEPT = "except:"
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\Z")
# What decides by hardware that the facts do not hold.
_UNKNOWN = ("driver:", "s390-subchannels:", "dhcp-plugin:", "nm-version", "env:")


@dataclass(frozen=True)
class Device:
    """What a list is matched against; `type` in NetworkManager's words: ethernet, bond, vlan, bridge."""

    name: str
    mac: str
    type: str


def matches(specs: Iterable[str], device: Device) -> bool | None:
    """Tell whether the list covers the device, None where that is not to be told.

    Any `except:` that matches wins; a list of nothing but exceptions covers all the rest.
    """
    positive: list[bool | None] = []
    negative: list[bool | None] = []
    for spec in specs:
        if spec.startswith(_EXCEPT):
            negative.append(_matches_one(spec.removeprefix(_EXCEPT), device))
        else:
            positive.append(_matches_one(spec, device))
    if True in negative or not (positive or negative):
        return False
    covered = _any(positive) if positive else True
    if covered is False:
        return False
    return None if covered is None or None in negative else True


def covers_name(patterns: Iterable[str], name: str) -> bool:
    """Tell whether `match.interface-name` of nm-settings(5) holds: one of the optional patterns, all mandatory ones.

    `&` makes one mandatory and `!` turns it round, mandatory unless `|` stands before; a backslash ends these signs.
    """
    optional: list[bool] = []
    mandatory: list[bool] = []
    for pattern in patterns:
        bare = pattern[1:] if pattern.startswith(("&", "|")) else pattern
        inverted = bare.startswith("!")
        found = fnmatchcase(name, bare.removeprefix("!").removeprefix("\\")) is not inverted
        (mandatory if pattern.startswith(("&", "!")) else optional).append(found)
    return all(mandatory) and (any(optional) or not optional)


def _any(answers: list[bool | None]) -> bool | None:
    if True in answers:
        return True
    return None if None in answers else False


def _matches_one(spec: str, device: Device) -> bool | None:
    tag, colon, value = spec.partition(":")
    if spec == "*":
        return True
    if spec.startswith(_UNKNOWN):
        # A bridge, bond or VLAN has no driver that a list of hardware would name.
        return None if device.type == "ethernet" else False
    if tag == "interface-name" and colon:
        if value.startswith("="):
            return value[1:] == device.name
        return fnmatchcase(device.name, re.sub(r"\[", "[[]", value.removeprefix("~")))
    if tag == "type" and colon:
        return value == device.type
    if tag == "mac" and colon:
        return value.lower() == device.mac
    if _MAC.match(spec):
        return spec.lower() == device.mac
    return spec == device.name

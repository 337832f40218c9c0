"""LVM's volume groups and the space that is left in them (vgs(8), lvmreport(7))."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from kronos_installer.detect.readings import ask, json_list, json_object, number_of, text_of, unknown
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host import Runner
    from kronos_installer.problem import Problem

_REPORT = ("--reportformat", "json", "--units", "b", "--nosuffix", "--options")
VGS = ("vgs", *_REPORT, "vg_name,vg_size,vg_free,vg_attr")
PVS = ("pvs", *_REPORT, "pv_name,vg_name")
_EXPORTED, _PARTIAL = 2, 3


@dataclass(frozen=True)
class VolumeGroup:
    """A volume group; sizes in bytes. `usable` is false for an exported one, one that is read-only or lacks a disk."""

    name: str
    size: int
    free: int
    usable: bool
    physical_volumes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the record for programs."""
        return asdict(self)


def read_volume_groups(query: Runner) -> tuple[tuple[VolumeGroup, ...], tuple[Problem, ...]]:
    """Return the volume groups, none where LVM is not installed; what cannot be read becomes a Problem."""
    try:
        groups, volumes = ask(query, VGS), ask(query, PVS)
        if groups is None or volumes is None:
            return (), ()
        return parse_volume_groups(groups, volumes), ()
    except KronosError as error:
        return (), (
            unknown("lvm-unknown", "LVM's volume groups are not known", error, "see why `vgs` fails"),
        )


def parse_volume_groups(groups: str, volumes: str) -> tuple[VolumeGroup, ...]:
    """Parse vgs' and pvs' JSON reports. Raises UnreadableError."""
    members: dict[str, tuple[str, ...]] = {}
    for row in _rows(volumes, "pv"):
        name = text_of(row.get("vg_name"))
        members[name] = (*members.get(name, ()), text_of(row.get("pv_name")))
    return tuple(_group(row, members) for row in _rows(groups, "vg"))


def _rows(text: str, key: str) -> Iterator[dict[str, Any]]:
    what = f"{key}s"
    for report in json_list(json_object(text, what).get("report"), what):
        yield from json_list(report.get(key) or [], what)


def _group(row: dict[str, Any], members: dict[str, tuple[str, ...]]) -> VolumeGroup:
    """`vg_attr` is six letters: writeable, resizeable, exported, partial, allocation, clustered (vgs(8))."""
    name, attributes = text_of(row.get("vg_name")), text_of(row.get("vg_attr")).ljust(6, "-")
    usable = attributes[0] == "w" and attributes[_EXPORTED] == "-" and attributes[_PARTIAL] == "-"
    return VolumeGroup(
        name, number_of(row.get("vg_size")), number_of(row.get("vg_free")), usable, members.get(name, ())
    )

"""Volume groups in directories, for the simulator and for tests.

A device is a directory, as SimulatedIscsi makes them; what LVM would write at its beginning is in `group.json`,
{"name", "volumes": {name: {"extents", "tags"}}}, volumes are sparse files in `volumes`. A file `signature` says what
else is on the device. An active volume is a link below `dev`.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from xapi_shim.storage.simulated_iscsi import LUN
from xapi_shim.storage.volume_groups import Group, GroupState, LvmError, Volume

if TYPE_CHECKING:
    from pathlib import Path

EXTENT_BYTES = 4 << 20
# What is on a device before anybody writes there, at the beginning and the end of each volume.
OLD_DATA = b"somebody else's!" * 256
_GROUP, _VOLUMES, _SIGNATURE = "group.json", "volumes", "signature"


class SimulatedVolumeGroups:
    """LVM's groups on simulated devices."""

    def __init__(self, dev: Path) -> None:
        self._dev = dev

    async def signatures(self, device: Path) -> tuple[str, ...]:
        found = device / _SIGNATURE
        return tuple(found.read_text().split()) if found.exists() else ()

    async def group_on(self, device: Path) -> str:
        path = device / _GROUP
        return str(json.loads(path.read_text())["name"]) if path.exists() else ""

    async def state(self, group: Group) -> GroupState | None:
        if await self.group_on(group.device) != group.name:
            return None
        extents = json.loads((group.device / LUN).read_text())["size"] // EXTENT_BYTES
        volumes = tuple(
            Volume(name, one["extents"] * EXTENT_BYTES, frozenset(one["tags"]))
            for name, one in sorted(_read(group)["volumes"].items())
        )
        used = sum(volume.size_bytes for volume in volumes) // EXTENT_BYTES
        return GroupState(EXTENT_BYTES, extents, extents - used, volumes)

    async def make_group(self, group: Group) -> None:
        (group.device / _VOLUMES).mkdir()
        _write(group, {"name": group.name, "volumes": {}})

    async def remove_group(self, group: Group) -> None:
        (group.device / _GROUP).unlink()
        shutil.rmtree(group.device / _VOLUMES)

    async def create(self, group: Group, name: str, extents: int) -> None:
        content = _read(group)
        content["volumes"][name] = {"extents": extents, "tags": []}
        _fill(_file(group, name), 0, extents * EXTENT_BYTES)
        _write(group, content)

    async def remove(self, group: Group, name: str) -> None:
        await self.deactivate(group, name)
        content = _read(group)
        del content["volumes"][name]
        _write(group, content)
        _file(group, name).unlink()

    async def rename(self, group: Group, name: str, new_name: str) -> None:
        content = _read(group)
        if new_name in content["volumes"]:
            raise LvmError(new_name, "there is such a volume already", code=43)
        content["volumes"][new_name] = content["volumes"].pop(name)
        _file(group, name).rename(_file(group, new_name))
        _write(group, content)

    async def set_extents(self, group: Group, name: str, extents: int) -> None:
        content = _read(group)
        before, content["volumes"][name]["extents"] = content["volumes"][name]["extents"], extents
        if extents > before:
            _fill(_file(group, name), before * EXTENT_BYTES, extents * EXTENT_BYTES)
        os.truncate(_file(group, name), extents * EXTENT_BYTES)
        _write(group, content)

    async def tag(self, group: Group, name: str, *, add: str = "", remove: str = "") -> None:
        content = _read(group)
        tags = set(content["volumes"][name]["tags"]) - {remove} | ({add} if add else set())
        content["volumes"][name]["tags"] = sorted(tags)
        _write(group, content)

    async def activate(self, group: Group, name: str) -> Path:
        path = self._dev / group.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_symlink():
            path.symlink_to(_file(group, name))
        return path

    async def deactivate(self, group: Group, name: str) -> None:
        (self._dev / group.name / name).unlink(missing_ok=True)

    async def deactivate_all(self, group_name: str) -> None:
        if (self._dev / group_name).exists():
            shutil.rmtree(self._dev / group_name)

    async def zero(self, path: Path, begin: int, end: int) -> None:
        with path.open("r+b") as file:
            after = file.seek(0, os.SEEK_END)
            file.truncate(begin)
            file.truncate(max(end, after))

    async def copy(self, source: Path, target: Path) -> None:
        with source.open("rb") as read, target.open("r+b") as write:
            shutil.copyfileobj(read, write)


def _read(group: Group) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((group.device / _GROUP).read_text())
    return content


def _write(group: Group, content: dict[str, Any]) -> None:
    (group.device / _GROUP).write_text(json.dumps(content))


def _file(group: Group, name: str) -> Path:
    return group.device / _VOLUMES / name


def _fill(path: Path, begin: int, end: int) -> None:
    """Put old data at both ends of what is new of a volume."""
    with path.open("r+b" if path.exists() else "w+b") as file:
        for at in (begin, end - len(OLD_DATA)):
            file.seek(at)
            file.write(OLD_DATA)

"""The volumes of an SR that is a volume group: each a logical volume, raw and thick, on a device that hosts share.

The group is `VG_XenStorage-<uuid of the SR>`, a volume in it `LV-<uuid of the VDI>`; other volumes are not ours.

**One host at a time changes a group's metadata.** There is no lock between hosts: the API has all that changes
a group run on one host (work_place.py: the master where it has the SR plugged, else one of those that have it,
always the same). That is everything here but `attach`, `detach`, `volume_path` and `probe`. Hosts that only use
volumes read the metadata, which LVM writes in one go and reads past the page cache.

**A volume is active only where it is used.** `volume_path` activates, or loads the size that the metadata say by
now: so a host has no mapping of what others use, and a size that the master changed is seen at the guest's next
start. Nothing is activated at boot (autoactivation is off): the daemon does, once it knows that the LUN is the one.

**A new volume reads as zeros.** Its extents hold what was there before, which may be another guest's. So it is
made as `NEW-<maker>-<uuid of the VDI>`, written with zeros (or with the copy), and then renamed, which is one write
of metadata: killed in the middle, it leaves a volume that no scan shows, and that its maker's next scan removes. A
volume that grows has its former size in a tag until the new part is zeros; one that has the tag still is told of
with that size and not given to guests, and the next scan here cuts it off. Both names carry the maker: another host
may be at work on it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from xapi_shim.base.identifiers import is_uuid
from xapi_shim.storage.image_directory import MAX_BYTES
from xapi_shim.storage.interface import (
    SrExistsError,
    SrMissingError,
    SrNoSpaceError,
    SrNotEmptyError,
    SrStat,
    StorageError,
    VolumeDamagedError,
    VolumeExistsError,
    VolumeInfo,
    VolumeMissingError,
    VolumeSizeError,
)
from xapi_shim.storage.volume_groups import Group, LvmError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from xapi_shim.storage.interface import ImageFormat
    from xapi_shim.storage.volume_groups import GroupState, Volume, VolumeGroups

GROUP: Final = "VG_XenStorage-"
_VOLUME = "LV-"
_NEW = "NEW-"
_GROWING = "xapi.growing."

# What this process is amid making, by group and name: no scan of its takes that for a leftover.
_AT_WORK: set[tuple[str, str]] = set()


class GroupSr:
    """The volumes of the SR `sr_uuid`; `maker` is this machine among those that have the SR."""

    def __init__(self, sr_uuid: str, *, groups: VolumeGroups, maker: str) -> None:
        self._uuid, self._groups, self._maker = sr_uuid, groups, maker

    async def _device(self) -> Path:
        """Return the device that the group is on. Raises SrMissingError where this host does not have it."""
        raise NotImplementedError

    async def _group(self) -> Group:
        return Group(await self._device(), f"{GROUP}{self._uuid}")

    async def _state(self, group: Group) -> GroupState:
        state = await self._groups.state(group)
        if state is None:
            raise SrMissingError(f"{group.name} on {group.device}")
        return state

    async def _make_group(self) -> None:
        """Make the group. Raises SrExistsError where anything is known to be on the device; then nothing is changed."""
        group = await self._group()
        there = await self._groups.group_on(group.device)
        if there.startswith(GROUP):
            raise SrExistsError(f"{group.device}: the SR {there.removeprefix(GROUP)}", kind="device")
        if found := await self._groups.signatures(group.device):
            raise SrExistsError(f"{group.device}: {', '.join(found)}", kind="device")
        await self._groups.make_group(group)

    async def _remove_group(self) -> None:
        """Remove the group. Raises SrMissingError, SrNotEmptyError."""
        group = await self._group()
        await self._tidy(group)
        if (await self._state(group)).volumes:
            raise SrNotEmptyError(group.name)
        await self._groups.deactivate_all(group.name)
        await self._groups.remove_group(group)

    async def scan(self) -> tuple[VolumeInfo, ...]:
        group = await self._group()
        await self._tidy(group)
        return tuple(_info(volume) for volume in (await self._state(group)).volumes if _uuid_of(volume))

    async def stat(self) -> SrStat:
        state = await self._state(await self._group())
        return SrStat(
            physical_size_bytes=state.extents * state.extent_bytes,
            physical_utilisation_bytes=(state.extents - state.free_extents) * state.extent_bytes,
            virtual_allocation_bytes=sum(_size(volume) for volume in state.volumes if _uuid_of(volume)),
        )

    async def volume_create(self, uuid: str, virtual_size_bytes: int, *, name: str = "") -> VolumeInfo:  # noqa: ARG002
        """Make a volume. That its extents are written with zeros may take long: as long as writing so much takes."""
        if virtual_size_bytes <= 0:
            raise VolumeSizeError(virtual_size_bytes, "it must be more than nothing")

        async def fill(path: Path, size: int) -> None:
            await self._groups.zero(path, 0, size)

        return await self._add(uuid, virtual_size_bytes, fill)

    async def volume_clone(self, uuid: str, new_uuid: str) -> VolumeInfo:
        """Copy a volume in full. The source must not be written to meanwhile."""
        group = await self._group()
        source = await self._existing(group, uuid)

        async def fill(path: Path, size: int) -> None:
            await self._groups.copy(await self._groups.activate(group, source.name), path)
            await self._groups.zero(path, source.size_bytes, size)

        return await self._add(new_uuid, source.size_bytes, fill)

    async def _add(self, uuid: str, size: int, fill: Callable[[Path, int], Awaitable[None]]) -> VolumeInfo:
        """Let `fill` write a volume that no scan shows, and give it its name when that is on the device."""
        if not is_uuid(uuid):
            raise VolumeMissingError(uuid)
        group = await self._group()
        state = await self._state(group)
        if state.find(f"{_VOLUME}{uuid}") is not None:
            raise VolumeExistsError(uuid)
        extents = _extents(size, state)
        if extents > state.free_extents:
            raise SrNoSpaceError(extents * state.extent_bytes, state.free_extents * state.extent_bytes)
        new = f"{_NEW}{self._maker}-{uuid}"
        if (group.name, new) in _AT_WORK:
            raise VolumeExistsError(uuid)
        _AT_WORK.add((group.name, new))
        try:
            if state.find(new) is not None:
                await self._groups.remove(group, new)
            await self._groups.create(group, new, extents)
            try:
                await fill(await self._groups.activate(group, new), extents * state.extent_bytes)
                await self._groups.deactivate(group, new)
                await self._groups.rename(group, new, f"{_VOLUME}{uuid}")
            except BaseException:
                # What cannot be removed now, the next scan removes.
                with suppress(StorageError):
                    await self._groups.remove(group, new)
                raise
        finally:
            _AT_WORK.discard((group.name, new))
        return _info(await self._existing(group, uuid))

    async def volume_destroy(self, uuid: str) -> None:
        group = await self._group()
        volume = await self._existing(group, uuid)
        await self._groups.remove(group, volume.name)

    async def volume_resize(self, uuid: str, virtual_size_bytes: int) -> VolumeInfo:
        group = await self._group()
        volume = await self._existing(group, uuid)
        # Of one that was cut short what is behind its former size is not known to be zeros.
        before = _size(volume)
        if virtual_size_bytes < before:
            raise VolumeSizeError(virtual_size_bytes, f"it has {before} and cannot shrink")
        state = await self._state(group)
        extents, had = _extents(virtual_size_bytes, state), volume.size_bytes // state.extent_bytes
        if extents - had > state.free_extents:
            raise SrNoSpaceError(
                (extents - had) * state.extent_bytes, state.free_extents * state.extent_bytes
            )
        if extents * state.extent_bytes > before:
            await self._grow(group, volume, extents, extents * state.extent_bytes)
        elif _mark(volume):
            await self._cut(group, volume)
        return _info(await self._existing(group, uuid))

    async def _grow(self, group: Group, volume: Volume, extents: int, size: int) -> None:
        """Make a volume as large as `size`, and what is new of it zeros; then it is of that size."""
        marked = _mark(volume)
        mark = marked or f"{_GROWING}{volume.size_bytes}.{self._maker}"
        _AT_WORK.add((group.name, volume.name))
        try:
            if not marked:
                await self._groups.tag(group, volume.name, add=mark)
            try:
                if volume.size_bytes != size:
                    await self._groups.set_extents(group, volume.name, extents)
                await self._groups.zero(await self._groups.activate(group, volume.name), _size(volume), size)
                await self._groups.deactivate(group, volume.name)
            except BaseException:
                with suppress(StorageError):
                    await self._cut(group, replace(volume, tags=volume.tags | {mark}))
                raise
            await self._groups.tag(group, volume.name, remove=mark)
        finally:
            _AT_WORK.discard((group.name, volume.name))

    async def _cut(self, group: Group, volume: Volume) -> None:
        """Have a volume that did not grow be what it was."""
        state = await self._state(group)
        await self._groups.deactivate(group, volume.name)
        there = state.find(volume.name)
        if there is not None and there.size_bytes != _size(volume):
            await self._groups.set_extents(group, volume.name, _size(volume) // state.extent_bytes)
        await self._groups.tag(group, volume.name, remove=_mark(volume))

    async def volume_path(self, uuid: str) -> tuple[Path, ImageFormat]:
        group = await self._group()
        volume = await self._existing(group, uuid)
        if _mark(volume):
            raise VolumeDamagedError(
                uuid, "it was growing when that was cut short; scan its SR, or resize it"
            )
        return await self._groups.activate(group, volume.name), "raw"

    async def _existing(self, group: Group, uuid: str) -> Volume:
        if not is_uuid(uuid):
            raise VolumeMissingError(uuid)
        volume = (await self._state(group)).find(f"{_VOLUME}{uuid}")
        if volume is None:
            raise VolumeMissingError(uuid)
        return volume

    async def _tidy(self, group: Group) -> None:
        """Take back what this host was amid when it was cut short; what is in use still is left for the next time."""
        for volume in (await self._state(group)).volumes:
            if (group.name, volume.name) in _AT_WORK:
                continue
            with suppress(LvmError):
                if volume.name.startswith(f"{_NEW}{self._maker}-"):
                    await self._groups.remove(group, volume.name)
                elif _mark(volume).endswith(f".{self._maker}"):
                    await self._cut(group, volume)


def _uuid_of(volume: Volume) -> str:
    """Return the uuid of the VDI that a volume is, "" for one that is none."""
    uuid = volume.name.removeprefix(_VOLUME)
    return uuid if volume.name.startswith(_VOLUME) and is_uuid(uuid) else ""


def _mark(volume: Volume) -> str:
    """Return the tag of a volume that is growing, "" for others."""
    return next((tag for tag in sorted(volume.tags) if _marked_size(tag) is not None), "")


def _marked_size(tag: str) -> int | None:
    size = tag.removeprefix(_GROWING).partition(".")[0]
    return int(size) if tag.startswith(_GROWING) and size.isascii() and size.isdigit() else None


def _size(volume: Volume) -> int:
    """Return a volume's size for guests: what is behind that is not known to be zeros."""
    marked = _marked_size(_mark(volume))
    return volume.size_bytes if marked is None else min(marked, volume.size_bytes)


def _info(volume: Volume) -> VolumeInfo:
    return VolumeInfo(_uuid_of(volume), _size(volume), volume.size_bytes)


def _extents(size_bytes: int, state: GroupState) -> int:
    """Return how many extents hold a volume. Raises VolumeSizeError."""
    if size_bytes > MAX_BYTES:
        raise VolumeSizeError(size_bytes, f"at most {MAX_BYTES} can be had")
    return -(-size_bytes // state.extent_bytes)

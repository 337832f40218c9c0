"""An SR in memory, for the simulator and for tests of what stands above storage."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.storage.image_directory import rounded_size
from xapi_shim.storage.interface import (
    DriverInfo,
    NotSupportedError,
    SrConfigError,
    SrExistsError,
    SrMissingError,
    SrNoSpaceError,
    SrNotEmptyError,
    SrStat,
    VolumeExistsError,
    VolumeInfo,
    VolumeMissingError,
    VolumeSizeError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.storage.interface import ImageFormat

DEFAULT_SIZE_BYTES = 1 << 40


@dataclass
class _Device:
    """What a directory would be: it outlives the drivers that are made for it."""

    size_bytes: int
    volumes: dict[str, VolumeInfo] = field(default_factory=dict)


# A driver keeps no state of its own, so the devices are the process's, as files are the host's.
_DEVICES: dict[tuple[str, str], _Device] = {}


class SimulatedSr:
    """An SR named by device_config['location'] and its uuid; volumes are thick, so that it can be full.

    The SR of a location that no `create` has named is made by the first `attach`.
    """

    def __init__(self, device_config: Mapping[str, str], sr_uuid: str) -> None:
        self._location = device_config.get("location", sr_uuid)
        self._key = (self._location, "" if "location" in device_config else sr_uuid)
        size = device_config.get("size", str(DEFAULT_SIZE_BYTES))
        if not size.isascii() or not size.isdigit():
            raise SrConfigError("size", f"not a number of bytes: {size!r}")
        self._size = int(size)

    def driver_info(self) -> DriverInfo:
        return DriverInfo(
            type="dummy",
            name="Simulated",
            description="Virtual disks that exist in memory only",
            vendor="Kronos",
            version="1.0",
            capabilities=("SR_SCAN", "VDI_CREATE", "VDI_DELETE", "VDI_RESIZE", "VDI_CLONE"),
            configuration=(("location", "any name"), ("size", "bytes of the whole SR")),
        )

    async def probe(self) -> str:
        raise NotSupportedError("SR.probe")

    async def create(self, size_bytes: int) -> None:
        if self._key in _DEVICES and _DEVICES[self._key].volumes:
            raise SrExistsError(self._location)
        _DEVICES[self._key] = _Device(size_bytes or self._size)

    async def attach(self) -> None:
        _DEVICES.setdefault(self._key, _Device(self._size))

    async def detach(self) -> None:
        """Keep the volumes, as a device does."""

    async def destroy(self) -> None:
        if self._device.volumes:
            raise SrNotEmptyError(self._location)
        del _DEVICES[self._key]

    async def scan(self) -> tuple[VolumeInfo, ...]:
        return tuple(volume for _, volume in sorted(self._device.volumes.items()))

    async def stat(self) -> SrStat:
        used = sum(volume.virtual_size_bytes for volume in self._device.volumes.values())
        return SrStat(self._device.size_bytes, used, used)

    async def volume_create(self, uuid: str, virtual_size_bytes: int, *, name: str = "") -> VolumeInfo:
        size = rounded_size(virtual_size_bytes)
        if uuid in self._device.volumes:
            raise VolumeExistsError(uuid)
        await self._check_space(size)
        return self._put(VolumeInfo(uuid, size, size, name))

    async def volume_destroy(self, uuid: str) -> None:
        self._volume(uuid)
        del self._device.volumes[uuid]

    async def volume_resize(self, uuid: str, virtual_size_bytes: int) -> VolumeInfo:
        size, volume = rounded_size(virtual_size_bytes), self._volume(uuid)
        if size < volume.virtual_size_bytes:
            raise VolumeSizeError(virtual_size_bytes, f"it has {volume.virtual_size_bytes} and cannot shrink")
        await self._check_space(size - volume.virtual_size_bytes)
        return self._put(replace(volume, virtual_size_bytes=size, physical_utilisation_bytes=size))

    async def volume_clone(self, uuid: str, new_uuid: str) -> VolumeInfo:
        return await self.volume_create(new_uuid, self._volume(uuid).virtual_size_bytes)

    async def volume_path(self, uuid: str) -> tuple[Path, ImageFormat]:
        """Return a path that no file is at: simulated guests read none."""
        self._volume(uuid)
        return Path("/nonexistent") / self._location.strip("/") / f"{uuid}.raw", "raw"

    @property
    def _device(self) -> _Device:
        try:
            return _DEVICES[self._key]
        except KeyError:
            raise SrMissingError(self._location) from None

    def _volume(self, uuid: str) -> VolumeInfo:
        try:
            return self._device.volumes[uuid]
        except KeyError:
            raise VolumeMissingError(uuid) from None

    def _put(self, volume: VolumeInfo) -> VolumeInfo:
        self._device.volumes[volume.uuid] = volume
        return volume

    async def _check_space(self, needed_bytes: int) -> None:
        stat = await self.stat()
        free = stat.physical_size_bytes - stat.physical_utilisation_bytes
        if needed_bytes > free:
            raise SrNoSpaceError(needed_bytes, free)

"""The `file` SR: a directory of qcow2 images, one a volume, thin.

A volume is <uuid>.qcow2; what does not have such a name is not ours and is left alone. A
new image is made under a name that no scan sees, made durable and renamed, so that a crash
leaves either a whole volume or a leftover that the next attach removes.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xapi_shim.base.atomic_file import fsync_directory
from xapi_shim.base.identifiers import is_uuid
from xapi_shim.storage import qemu_img
from xapi_shim.storage.interface import (
    DriverInfo,
    SrConfigError,
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
from xapi_shim.storage.qemu_img import QemuImgError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from xapi_shim.storage.interface import ImageFormat

_SUFFIX = ".qcow2"
_TEMPORARY = ".new-"
# A sector is 512 bytes; qcow2's own limit for 64 KiB clusters is 2 EiB, the L1 table's far less.
SECTOR_BYTES: Final = 512
MAX_BYTES: Final = 16 << 40
# What an empty image takes (a few clusters of 64 KiB), asked to be free before one is begun.
EMPTY_IMAGE_BYTES: Final = 1 << 20
SCANS_AT_ONCE: Final = 8


class FileSr:
    """An SR in the directory device_config['location']. Raises SrConfigError when that cannot be one."""

    def __init__(self, device_config: Mapping[str, str], sr_uuid: str) -> None:
        location = device_config.get("location", "")
        if not location:
            raise SrConfigError("location", "the directory is not given")
        if not location.startswith("/") or ".." in Path(location).parts or not location.isprintable():
            raise SrConfigError("location", f"not an absolute path: {location!r}")
        self._directory = Path(location)
        self._uuid = sr_uuid

    def driver_info(self) -> DriverInfo:
        return DriverInfo(
            type="file",
            name="Directory of qcow2 images",
            description="Thin virtual disks as qcow2 files in a directory of this host",
            vendor="Kronos",
            version="1.0",
            capabilities=(
                "SR_SCAN",
                "SR_UPDATE",
                "VDI_CREATE",
                "VDI_DELETE",
                "VDI_ATTACH",
                "VDI_DETACH",
                "VDI_RESIZE",
                "VDI_CLONE",
            ),
            configuration=(("location", "absolute path of the directory"),),
        )

    async def create(self, size_bytes: int) -> None:  # noqa: ARG002 -- a directory has no size of its own
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(path.suffix == _SUFFIX for path in self._directory.iterdir()):
                raise SrExistsError(str(self._directory))
        except OSError as error:
            raise SrConfigError("location", f"{self._directory}: {error.strerror}") from error

    async def attach(self) -> None:
        self._check()
        for leftover in self._directory.glob(f"{_TEMPORARY}*"):
            leftover.unlink(missing_ok=True)

    async def detach(self) -> None:
        """Do nothing: a directory needs no unplugging."""

    async def destroy(self) -> None:
        self._check()
        if self._volumes():
            raise SrNotEmptyError(str(self._directory))
        await self.attach()
        try:
            self._directory.rmdir()
        except OSError:
            return  # it holds files of somebody else's, or is a mount point: only ours had to go

    async def scan(self) -> tuple[VolumeInfo, ...]:
        self._check()
        at_once = asyncio.Semaphore(SCANS_AT_ONCE)

        async def info(uuid: str) -> VolumeInfo:
            async with at_once:
                return await self._info(uuid)

        found = await asyncio.gather(*map(info, self._volumes()), return_exceptions=True)
        volumes = []
        for volume in found:
            # One that was destroyed meanwhile, or is damaged, does not hide the others.
            if isinstance(volume, BaseException):
                if not isinstance(volume, (VolumeMissingError, VolumeDamagedError)):
                    raise volume
            else:
                volumes.append(volume)
        return tuple(volumes)

    async def stat(self) -> SrStat:
        volumes = await self.scan()
        device = os.statvfs(self._directory)
        return SrStat(
            physical_size_bytes=device.f_blocks * device.f_frsize,
            physical_utilisation_bytes=(device.f_blocks - device.f_bfree) * device.f_frsize,
            virtual_allocation_bytes=sum(volume.virtual_size_bytes for volume in volumes),
        )

    async def volume_create(self, uuid: str, virtual_size_bytes: int, *, name: str = "") -> VolumeInfo:  # noqa: ARG002
        size = rounded_size(virtual_size_bytes)

        async def make(image: Path) -> None:
            await qemu_img.create_qcow2(image, size)

        return await self._add(uuid, make, EMPTY_IMAGE_BYTES)

    async def volume_clone(self, uuid: str, new_uuid: str) -> VolumeInfo:
        """Copy a volume in full. The source must not be written to meanwhile."""
        source = self._existing(uuid)
        needed = (await self._info(uuid)).physical_utilisation_bytes

        async def make(image: Path) -> None:
            await qemu_img.copy_qcow2(source, image)

        return await self._add(new_uuid, make, needed)

    async def _add(self, uuid: str, make: Callable[[Path], Awaitable[None]], needed_bytes: int) -> VolumeInfo:
        """Let `make` write an image aside, and give it its name when it is whole and on the disk."""
        path = self._path(uuid)
        self._check()
        if path.exists():
            raise VolumeExistsError(uuid)
        if self._free_bytes() < needed_bytes:
            raise SrNoSpaceError(needed_bytes, self._free_bytes())
        image = self._directory / f"{_TEMPORARY}{uuid}-{secrets.token_hex(4)}"
        try:
            await make(image)
            image.chmod(0o600)
            await asyncio.to_thread(_publish, image, path)
        except QemuImgError as error:
            raise self._storage_error(error, needed_bytes) from error
        except FileExistsError as error:
            raise VolumeExistsError(uuid) from error
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from error
        finally:
            image.unlink(missing_ok=True)
        return await self._info(uuid)

    async def volume_destroy(self, uuid: str) -> None:
        path = self._existing(uuid)
        try:
            path.unlink()
            fsync_directory(self._directory)
        except FileNotFoundError as error:
            raise VolumeMissingError(uuid) from error
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from error

    async def volume_resize(self, uuid: str, virtual_size_bytes: int) -> VolumeInfo:
        size = rounded_size(virtual_size_bytes)
        before = await self._info(uuid)
        if size < before.virtual_size_bytes:
            raise VolumeSizeError(virtual_size_bytes, f"it has {before.virtual_size_bytes} and cannot shrink")
        try:
            await qemu_img.resize_qcow2(self._existing(uuid), size)
        except QemuImgError as error:
            raise self._storage_error(error, EMPTY_IMAGE_BYTES) from error
        return await self._info(uuid)

    async def volume_path(self, uuid: str) -> tuple[Path, ImageFormat]:
        return self._existing(uuid), "qcow2"

    def _check(self) -> None:
        if not self._directory.is_dir():
            raise SrMissingError(str(self._directory))

    def _volumes(self) -> list[str]:
        """Return the uuids of all images, sorted."""
        names = (
            path.stem
            for path in self._directory.glob(f"*{_SUFFIX}")
            if path.is_file() and not path.is_symlink()
        )
        return sorted(name for name in names if is_uuid(name))

    def _path(self, uuid: str) -> Path:
        """Return where a volume is or would be. Raises VolumeMissingError for what is no uuid."""
        if not is_uuid(uuid):
            raise VolumeMissingError(uuid)  # and never a path out of the directory
        return self._directory / f"{uuid}{_SUFFIX}"

    def _existing(self, uuid: str) -> Path:
        self._check()
        path = self._path(uuid)
        if not path.is_file() or path.is_symlink():
            raise VolumeMissingError(uuid)
        return path

    async def _info(self, uuid: str) -> VolumeInfo:
        path = self._existing(uuid)
        try:
            info = await qemu_img.read_info(path)
        except QemuImgError as error:
            if not path.exists():
                raise VolumeMissingError(uuid) from error
            raise VolumeDamagedError(uuid, error.detail) from error
        if info.has_backing_file:
            # We make none; one put here by hand could name any file of the host.
            raise VolumeDamagedError(uuid, "it rests on another file")
        return VolumeInfo(uuid, info.virtual_size_bytes, info.actual_size_bytes)

    def _free_bytes(self) -> int:
        device = os.statvfs(self._directory)
        return device.f_bavail * device.f_frsize

    def _storage_error(self, error: QemuImgError, needed_bytes: int) -> StorageError:
        return SrNoSpaceError(needed_bytes, self._free_bytes()) if error.no_space else error


def rounded_size(size_bytes: int) -> int:
    """Return a size in whole sectors. Raises VolumeSizeError."""
    if size_bytes <= 0:
        raise VolumeSizeError(size_bytes, "it must be more than nothing")
    if size_bytes > MAX_BYTES:
        raise VolumeSizeError(size_bytes, f"at most {MAX_BYTES} can be had")
    return size_bytes + -size_bytes % SECTOR_BYTES


def _publish(image: Path, path: Path) -> None:
    """Make an image durable, then visible. Raises FileExistsError, OSError."""
    fd = os.open(image, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    # A link, unlike a rename, never replaces a volume made meanwhile.
    os.link(image, path)
    image.unlink()
    fsync_directory(path.parent)

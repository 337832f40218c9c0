"""A directory of qcow2 images, one a volume, thin: what `file` and `nfs` SRs are made of.

A volume is <uuid>.qcow2; what does not have such a name is not ours and is left alone. A
new image is made under a name that no scan sees, made durable and renamed, so that a crash
leaves either a whole volume or a leftover that the next attach removes.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from xapi_shim.base.atomic_file import fsync_directory
from xapi_shim.base.identifiers import is_uuid
from xapi_shim.storage import qemu_img
from xapi_shim.storage.interface import (
    SrMissingError,
    SrNoSpaceError,
    SrStat,
    StorageError,
    VolumeDamagedError,
    VolumeExistsError,
    VolumeInfo,
    VolumeMissingError,
    VolumeSizeError,
)
from xapi_shim.storage.off_loop import NotAnsweringError, off_loop, off_loop_within
from xapi_shim.storage.qemu_img import QemuImgError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from xapi_shim.storage.interface import ImageFormat

    P = ParamSpec("P")
T = TypeVar("T")

_SUFFIX = ".qcow2"
_TEMPORARY = ".new-"
# A sector is 512 bytes; qcow2's own limit for 64 KiB clusters is 2 EiB, the L1 table's far less.
SECTOR_BYTES: Final = 512
MAX_BYTES: Final = 16 << 40
# What an empty image takes (a few clusters of 64 KiB), asked to be free before one is begun.
EMPTY_IMAGE_BYTES: Final = 1 << 20
SCANS_AT_ONCE: Final = 8
# An image that was just written goes to the disk whole before it is a volume.
WRITE_BACK_S: Final = 3600.0


class ImageDirectory:
    """The volumes of `directory`. What may hang with the storage is done off the event loop.

    `maker` is who makes images there, where that are several hosts: what another is amid making is no leftover.
    """

    def __init__(self, directory: Path, *, maker: str = "") -> None:
        self._directory = directory
        self._temporary = f"{_TEMPORARY}{maker}-" if maker else _TEMPORARY

    async def attach(self) -> None:
        await self._check()
        await self._do(_remove_leftovers, self._directory, self._temporary)

    async def scan(self) -> tuple[VolumeInfo, ...]:
        await self._check()
        at_once = asyncio.Semaphore(SCANS_AT_ONCE)

        async def info(uuid: str) -> VolumeInfo:
            async with at_once:
                return await self._info(uuid)

        found = await asyncio.gather(
            *map(info, await self._do(volumes_in, self._directory)), return_exceptions=True
        )
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
        device = await self._do(os.statvfs, self._directory)
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
        source = await self._existing(uuid)
        needed = (await self._info(uuid)).physical_utilisation_bytes

        async def make(image: Path) -> None:
            await qemu_img.copy_qcow2(source, image)

        return await self._add(new_uuid, make, needed)

    async def _add(self, uuid: str, make: Callable[[Path], Awaitable[None]], needed_bytes: int) -> VolumeInfo:
        """Let `make` write an image aside, and give it its name when it is whole and on the disk."""
        path = self._path(uuid)
        await self._check()
        if await self._do(path.exists):
            raise VolumeExistsError(uuid)
        free_bytes = await self._free_bytes()
        if free_bytes < needed_bytes:
            raise SrNoSpaceError(needed_bytes, free_bytes)
        image = self._directory / f"{self._temporary}{uuid}-{secrets.token_hex(4)}"
        try:
            await make(image)
            await self._do(image.chmod, 0o600)
            await off_loop_within(WRITE_BACK_S, str(self._directory), partial(_publish, image, path))
        except QemuImgError as error:
            raise await self._storage_error(error, needed_bytes) from error
        except FileExistsError as error:
            raise VolumeExistsError(uuid) from error
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from error
        finally:
            # What cannot be removed now, the next attach removes.
            with suppress(OSError, NotAnsweringError):
                await self._do(image.unlink, missing_ok=True)
        return await self._info(uuid)

    async def volume_destroy(self, uuid: str) -> None:
        path = await self._existing(uuid)
        try:
            await self._do(path.unlink)
            await self._do(fsync_directory, self._directory)
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
            await qemu_img.resize_qcow2(await self._existing(uuid), size)
        except QemuImgError as error:
            raise await self._storage_error(error, EMPTY_IMAGE_BYTES) from error
        return await self._info(uuid)

    async def volume_path(self, uuid: str) -> tuple[Path, ImageFormat]:
        return await self._existing(uuid), "qcow2"

    async def _check(self) -> None:
        if not await self._do(self._directory.is_dir):
            raise SrMissingError(str(self._directory))

    async def _do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await off_loop(str(self._directory), function, *args, **kwargs)

    def _path(self, uuid: str) -> Path:
        """Return where a volume is or would be. Raises VolumeMissingError for what is no uuid."""
        if not is_uuid(uuid):
            raise VolumeMissingError(uuid)  # and never a path out of the directory
        return self._directory / f"{uuid}{_SUFFIX}"

    async def _existing(self, uuid: str) -> Path:
        await self._check()
        path = self._path(uuid)
        if not await self._do(_is_image, path):
            raise VolumeMissingError(uuid)
        return path

    async def _info(self, uuid: str) -> VolumeInfo:
        path = await self._existing(uuid)
        try:
            info = await qemu_img.read_info(path)
        except QemuImgError as error:
            if not await self._do(path.exists):
                raise VolumeMissingError(uuid) from error
            raise VolumeDamagedError(uuid, error.detail) from error
        if info.has_backing_file:
            # We make none; one put here by hand could name any file of the host.
            raise VolumeDamagedError(uuid, "it rests on another file")
        return VolumeInfo(uuid, info.virtual_size_bytes, info.actual_size_bytes)

    async def _free_bytes(self) -> int:
        device = await self._do(os.statvfs, self._directory)
        return device.f_bavail * device.f_frsize

    async def _storage_error(self, error: QemuImgError, needed_bytes: int) -> StorageError:
        return SrNoSpaceError(needed_bytes, await self._free_bytes()) if error.no_space else error


def volumes_in(directory: Path) -> list[str]:
    """Return the uuids of all images of a directory, sorted. Raises OSError."""
    return sorted(
        path.stem for path in directory.glob(f"*{_SUFFIX}") if is_uuid(path.stem) and _is_image(path)
    )


def has_images(directory: Path) -> bool:
    """Say whether there are image files in a directory, whatever their names. Raises OSError."""
    return any(path.suffix == _SUFFIX for path in directory.iterdir())


def remove_if_ours(directory: Path) -> None:
    """Remove a directory without volumes; one that holds files of somebody else's stays, and so does a mount point."""
    _remove_leftovers(directory, _TEMPORARY)
    with suppress(OSError):
        directory.rmdir()


def _remove_leftovers(directory: Path, named: str) -> None:
    for leftover in directory.glob(f"{named}*"):
        leftover.unlink(missing_ok=True)


def _is_image(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


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

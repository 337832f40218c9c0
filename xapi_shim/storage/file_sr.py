"""The `file` SR: a directory of this host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from xapi_shim.storage.image_directory import ImageDirectory, has_images, remove_if_ours, volumes_in
from xapi_shim.storage.interface import (
    DriverInfo,
    NotSupportedError,
    SrConfigError,
    SrExistsError,
    SrNotEmptyError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

VOLUME_CAPABILITIES: Final = (
    "SR_SCAN",
    "SR_UPDATE",
    "VDI_CREATE",
    "VDI_DELETE",
    "VDI_ATTACH",
    "VDI_DETACH",
    "VDI_RESIZE",
    "VDI_CLONE",
)


class FileSr(ImageDirectory):
    """An SR in the directory device_config['location']. Raises SrConfigError when that cannot be one."""

    def __init__(self, device_config: Mapping[str, str], sr_uuid: str) -> None:  # noqa: ARG002
        super().__init__(local_directory(device_config))

    def driver_info(self) -> DriverInfo:
        return DriverInfo(
            type="file",
            name="Directory of qcow2 images",
            description="Thin virtual disks as qcow2 files in a directory of this host",
            vendor="Kronos",
            version="1.0",
            capabilities=VOLUME_CAPABILITIES,
            configuration=(("location", "absolute path of the directory"),),
        )

    async def probe(self) -> str:
        raise NotSupportedError("SR.probe")

    async def create(self, size_bytes: int) -> None:  # noqa: ARG002 -- a directory has no size of its own
        try:
            await self._do(self._directory.mkdir, mode=0o700, parents=True, exist_ok=True)
            if await self._do(has_images, self._directory):
                raise SrExistsError(str(self._directory))
        except OSError as error:
            raise SrConfigError("location", f"{self._directory}: {error.strerror}") from error

    async def detach(self) -> None:
        """Do nothing: a directory needs no unplugging."""

    async def destroy(self) -> None:
        await self._check()
        if await self._do(volumes_in, self._directory):
            raise SrNotEmptyError(str(self._directory))
        await self._do(remove_if_ours, self._directory)


def local_directory(device_config: Mapping[str, str], *, code: int = 94) -> Path:
    """Return device_config['location'] as a directory of this host. Raises SrConfigError."""
    location = device_config.get("location", "")
    if not location:
        raise SrConfigError("location", "the directory is not given", code=code)
    if not location.startswith("/") or ".." in Path(location).parts or not location.isprintable():
        raise SrConfigError("location", f"not an absolute path: {location!r}", code=code)
    return Path(location)

"""The `iso` SR: a library of *.iso files, in a directory of this host or on an NFS server, that guests read only.

A volume's location is its file's name, as with the reference; its uuid follows from the SR's and
the name, so that it is the same in each scan and after the SR was forgotten and introduced again.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xapi_shim.base.identifiers import is_uuid
from xapi_shim.storage.file_sr import local_directory
from xapi_shim.storage.interface import (
    DriverInfo,
    MountError,
    NotSupportedError,
    SrConfigError,
    SrMissingError,
    SrStat,
    VolumeInfo,
    VolumeMissingError,
)
from xapi_shim.storage.mounts import NfsSource, checked_path, checked_server
from xapi_shim.storage.nfs_sr import nfs_options, unmounted
from xapi_shim.storage.off_loop import off_loop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.storage.interface import ImageFormat
    from xapi_shim.storage.mounts import Mounts

_SUFFIX = ".iso"
# The reference's numbers (sm_error_codes).
_NO_LOCATION, _MOUNT, _UNMOUNT, _BAD_LOCATION, _LOCAL_PATH = 220, 222, 223, 225, 226
# nfs(5). soft: nothing is written that could be lost, and a guest is told that its medium is gone.
OPTIONS: Final = ("ro", "soft", "timeo=100", "retrans=3", "nosharecache", "nosuid", "nodev", "noexec")


class IsoSr:
    """The library at device_config['location']: a directory, or `server:/path`. Raises SrConfigError."""

    def __init__(
        self, device_config: Mapping[str, str], sr_uuid: str, *, mounts: Mounts, below: Path
    ) -> None:
        self._uuid, self._mounts = sr_uuid, mounts
        self._source = _source(device_config)
        if self._source is None:
            self._directory = local_directory(device_config, code=_BAD_LOCATION)
        elif is_uuid(sr_uuid) or not sr_uuid:
            self._directory = below / (sr_uuid or "none")
        else:
            raise SrConfigError("location", f"not the uuid of an SR: {sr_uuid!r}", code=_BAD_LOCATION)
        self._options = (*OPTIONS, *nfs_options(device_config))

    def driver_info(self) -> DriverInfo:
        return DriverInfo(
            type="iso",
            name="ISO",
            description="Installation media as ISO files that guests read",
            vendor="Kronos",
            version="1.0",
            capabilities=("SR_SCAN", "SR_UPDATE", "VDI_ATTACH", "VDI_DETACH"),
            configuration=(
                ("location", "absolute path of a directory, or server:/path"),
                ("legacy_mode", "true for a directory of this host"),
                ("type", "nfs_iso for an NFS server"),
                ("nfsversion", "protocol version; the best that both know by default"),
                ("options", "more mount options, see nfs(5)"),
            ),
            content_type="iso",
            sharable=self._source is not None,
            remote=self._source is not None,
        )

    async def probe(self) -> str:
        raise NotSupportedError("SR.probe")

    async def create(self, size_bytes: int) -> None:
        """Do nothing: what is there is shown."""

    async def attach(self) -> None:
        if self._source is not None:
            try:
                await self._mounts.mount_nfs(self._source, self._directory, self._options)
            except MountError as error:
                error.code = _MOUNT
                raise
        await self._check()

    async def detach(self) -> None:
        if self._source is not None:
            await unmounted(self._mounts, self._directory, code=_UNMOUNT)

    async def destroy(self) -> None:
        """Do nothing: the files are not ours."""

    async def scan(self) -> tuple[VolumeInfo, ...]:
        await self._check()
        found = await off_loop(str(self._directory), _images, self._directory)
        return tuple(self._info(name, size) for name, size in sorted(found.items()))

    async def stat(self) -> SrStat:
        await self._check()
        device = await off_loop(str(self._directory), os.statvfs, self._directory)
        used = (device.f_blocks - device.f_bfree) * device.f_frsize
        return SrStat(
            device.f_blocks * device.f_frsize, used, sum(v.virtual_size_bytes for v in await self.scan())
        )

    async def volume_create(self, uuid: str, virtual_size_bytes: int, *, name: str = "") -> VolumeInfo:  # noqa: ARG002
        raise NotSupportedError("VDI.create")

    async def volume_destroy(self, uuid: str) -> None:  # noqa: ARG002
        raise NotSupportedError("VDI.destroy")

    async def volume_resize(self, uuid: str, virtual_size_bytes: int) -> VolumeInfo:  # noqa: ARG002
        raise NotSupportedError("VDI.resize")

    async def volume_clone(self, uuid: str, new_uuid: str) -> VolumeInfo:  # noqa: ARG002
        raise NotSupportedError("VDI.clone")

    async def volume_path(self, uuid: str) -> tuple[Path, ImageFormat]:
        """Return the path of the file that `uuid`, a VolumeInfo.key, names."""
        await self._check()
        path = self._directory / uuid
        if "/" in uuid or await off_loop(str(self._directory), _size, path, self._directory) is None:
            raise VolumeMissingError(uuid)
        return path, "raw"

    def _info(self, name: str, size: int) -> VolumeInfo:
        volume = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._uuid}/{name}"))
        return VolumeInfo(volume, size, size, name=name, read_only=True, location=name)

    async def _check(self) -> None:
        """Raise SrMissingError unless the library is there, and the mount point's."""
        if self._source is not None and self._mounts.mounted_at(self._directory) != str(self._source):
            raise SrMissingError(str(self._source))
        if not await off_loop(str(self._directory), self._directory.is_dir):
            raise _MissingDirectoryError(str(self._directory))


class _MissingDirectoryError(SrMissingError):
    code = _LOCAL_PATH


def _source(device_config: Mapping[str, str]) -> NfsSource | None:
    """Return the server's directory, None for one of this host. Raises SrConfigError."""
    location, kind = device_config.get("location", ""), device_config.get("type", "")
    if not location:
        raise SrConfigError("location", "the directory is not given", code=_NO_LOCATION)
    if kind not in ("", "nfs_iso"):
        raise SrConfigError("type", f"not a kind of library that is served: {kind!r}", code=_BAD_LOCATION)
    if device_config.get("legacy_mode", "") == "true" or (location.startswith("/") and kind != "nfs_iso"):
        return None
    server, separator, path = location.partition(":/")
    if not separator:
        raise SrConfigError("location", f"neither a path nor server:/path: {location!r}", code=_BAD_LOCATION)
    server = checked_server(server, key="location", code=_BAD_LOCATION)
    return NfsSource(server, checked_path(f"/{path}", key="location", code=_BAD_LOCATION))


def _images(directory: Path) -> dict[str, int]:
    """Return the sizes of a library's files by name. Names that no record can hold are left out. Raises OSError."""
    names = (path for path in directory.iterdir() if path.name.isprintable())
    sizes = {path.name: _size(path, directory) for path in names}
    return {name: size for name, size in sizes.items() if size}


def _size(path: Path, directory: Path) -> int | None:
    """Return an image's size, None for what is none: a link must stay in the library, or it named any file of the host."""
    if path.suffix.lower() != _SUFFIX:
        return None
    try:
        # realpath, as Path.resolve raises RuntimeError for a circle of links.
        real = Path(os.path.realpath(path, strict=True))
        if not real.is_relative_to(os.path.realpath(directory)):
            return None
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None  # gone meanwhile, or a link to nothing

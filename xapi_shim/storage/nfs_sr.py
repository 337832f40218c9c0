"""The `nfs` SR: a directory of qcow2 images on an NFS server, named by the SR's uuid, mounted by each host.

As with the reference, device_config names the directory above (`server`, `serverpath`), so that one
export holds several SRs; what is mounted is the SR's own directory.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xapi_shim.base.atomic_file import fsync_directory
from xapi_shim.base.identifiers import is_uuid
from xapi_shim.storage.file_sr import VOLUME_CAPABILITIES
from xapi_shim.storage.image_directory import ImageDirectory, remove_if_ours, volumes_in
from xapi_shim.storage.interface import (
    DriverInfo,
    MountError,
    SrConfigError,
    SrExistsError,
    SrMissingError,
    SrNotEmptyError,
    StorageError,
)
from xapi_shim.storage.mounts import NfsSource, checked_path, checked_server
from xapi_shim.storage.off_loop import off_loop
from xapi_shim.storage.xml_answers import nfs_exports, sr_list

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from xapi_shim.storage.mounts import Export, Mounts

VERSIONS: Final = ("3", "4", "4.0", "4.1", "4.2")
# nfs(5). hard: a guest waits for its server, and no write of its is lost; timeo is in tenths of a
# second. nosharecache: SRs of one export with other options are mounts of their own.
OPTIONS: Final = ("hard", "timeo=100", "retrans=3", "nosharecache", "nosuid", "nodev", "noexec")
# What device_config['options'] may choose: none of these lets a mount do more than it may.
_CHOICE = re.compile(
    r"(?:no)?(?:ac|cto|resvport|lock)|(?:timeo|retrans|rsize|wsize|nconnect|port|mountport|actimeo)=[0-9]{1,9}"
    r"|(?:ac(?:reg|dir)(?:min|max))=[0-9]{1,9}|(?:proto|mountproto)=(?:tcp6?|udp6?|rdma6?)"
    r"|sec=(?:sys|none|krb5[ip]?)|lookupcache=(?:all|none|pos|positive)"
)


class NfsSr(ImageDirectory):
    """An SR on device_config['server']. Raises SrConfigError when the configuration cannot be one.

    `serverpath` may be missing for `probe` alone. `below` is where mounts are made, `maker` this machine
    among those that have the SR.
    """

    def __init__(
        self, device_config: Mapping[str, str], sr_uuid: str, *, mounts: Mounts, below: Path, maker: str = ""
    ) -> None:
        self._server = checked_server(device_config.get("server", ""))
        path = device_config.get("serverpath", "")
        self._source = NfsSource(self._server, checked_path(path)) if path else None
        self._options = (*OPTIONS, *nfs_options(device_config))
        self._uuid, self._mounts, self._below = sr_uuid, mounts, below
        super().__init__(below / (sr_uuid or "none"), maker=maker or this_machine())

    def driver_info(self) -> DriverInfo:
        return DriverInfo(
            type="nfs",
            name="NFS",
            description="Thin virtual disks as qcow2 files on an NFS server",
            vendor="Kronos",
            version="1.0",
            capabilities=("SR_PROBE", *VOLUME_CAPABILITIES),
            configuration=(
                ("server", "name or address of the server"),
                ("serverpath", "path on the server; the SR is a directory below it"),
                (
                    "nfsversion",
                    f"protocol version: {', '.join(VERSIONS)}; the best that both know by default",
                ),
                ("options", "more mount options, see nfs(5)"),
            ),
            sharable=True,
            remote=True,
        )

    async def probe(self) -> str:
        """Return the SRs of `serverpath`. Raises SrConfigError 101 with the exports where that is not given."""
        if self._source is None:
            exports = nfs_exports(self._server, await self._exports())
            raise SrConfigError(
                "serverpath", "the path on the server is not given", code=101, details=exports
            )
        async with self._export(self._source) as export:
            names = await off_loop(str(export), os.listdir, export)
        return sr_list(sorted(name for name in names if is_uuid(name)))

    async def create(self, size_bytes: int) -> None:  # noqa: ARG002 -- the export's is what there is
        own = self._own()
        async with self._export(own[0]) as export:
            directory = export / self._uuid
            try:
                await off_loop(str(export), directory.mkdir, mode=0o700)
                await off_loop(str(export), fsync_directory, export)
            except FileExistsError as error:
                raise SrExistsError(str(own[1])) from error
            except OSError as error:
                raise _NfsCreateError(str(own[1]), error.strerror or "") from error

    async def attach(self) -> None:
        _, own = self._own()
        await self._mounts.mount_nfs(own, self._directory, self._options)
        await super().attach()

    async def detach(self) -> None:
        await unmounted(self._mounts, self._directory)

    async def destroy(self) -> None:
        source, own = self._own()
        async with self._export(source) as export:
            directory = export / self._uuid
            if not await off_loop(str(export), directory.is_dir):
                raise SrMissingError(str(own))
            if await off_loop(str(export), volumes_in, directory):
                raise SrNotEmptyError(str(own))
            await off_loop(str(export), remove_if_ours, directory)

    async def _check(self) -> None:
        """Raise SrMissingError unless the SR is mounted: a bare mount point would take volumes too."""
        _, own = self._own()
        if self._mounts.mounted_at(self._directory) != str(own):
            raise SrMissingError(str(own))
        await super()._check()

    def _own(self) -> tuple[NfsSource, NfsSource]:
        """Return the directory of SRs, and the SR's in it. Raises SrConfigError."""
        if self._source is None:
            raise SrConfigError("serverpath", "the path on the server is not given", code=101)
        if not is_uuid(self._uuid):
            raise SrConfigError("serverpath", f"not the uuid of an SR: {self._uuid!r}", code=103)
        return self._source, self._source.below(self._uuid)

    async def _exports(self) -> tuple[Export, ...]:
        try:
            return await self._mounts.exports(self._server)
        except MountError as error:
            raise _NfsTargetError(self._server, error.detail) from error

    @asynccontextmanager
    async def _export(self, source: NfsSource) -> AsyncIterator[Path]:
        """Have the directory of SRs mounted for as long as the block takes. Raises MountError."""
        target = self._below / f"export-{secrets.token_hex(8)}"
        await self._mounts.mount_nfs(source, target, self._options)
        try:
            yield target
        finally:
            await unmounted(self._mounts, target)


class _NfsTargetError(StorageError):
    code = 108  # NFSTarget

    def __init__(self, server: str, detail: str) -> None:
        super().__init__(f"{server} does not say what it serves: {detail}", resolution="give the serverpath")


class _NfsCreateError(StorageError):
    code = 88  # NFSCreate

    def __init__(self, where: str, detail: str) -> None:
        super().__init__(f"{where} cannot be made: {detail}", resolution="let root of this host write there")


@cache
def this_machine() -> str:
    """Return a name of this machine that no other has, in a few characters (machine-id(5), which is not to be told)."""
    try:
        told = Path("/etc/machine-id").read_bytes().strip()
    except OSError:
        told = b""
    return hashlib.sha256(b"xapi nfs" + (told or os.uname().nodename.encode())).hexdigest()[:16]


async def unmounted(mounts: Mounts, target: Path, *, code: int = 74) -> None:
    """Let go of a mount. Raises MountError of that code: NFSUnMount."""
    try:
        await mounts.unmount(target)
    except MountError as error:
        error.code = code
        raise


def nfs_options(device_config: Mapping[str, str]) -> tuple[str, ...]:
    """Return the mount options that a device_config chooses. Raises SrConfigError 72 (NFSVersion), 1 (InvalidArg)."""
    version = device_config.get("nfsversion", "")
    if version and version not in VERSIONS:
        raise SrConfigError("nfsversion", f"not one of {', '.join(VERSIONS)}: {version!r}", code=72)
    chosen = tuple(option for option in device_config.get("options", "").split(",") if option)
    for option in chosen:
        if not _CHOICE.fullmatch(option):
            raise SrConfigError("options", f"not a mount option that may be chosen: {option!r}", code=1)
    return (*([f"vers={version}"] if version else []), *chosen)

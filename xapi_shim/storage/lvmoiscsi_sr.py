"""The `lvmoiscsi` SR: a volume group on a LUN of an iSCSI target, raw thick volumes in it (group_sr.py).

The device_config is the reference's: `target` and `port` are the portal, `targetIQN` the target, `SCSIid` the LUN,
which is known by that and not by its number, since targets number anew. One portal is used: device_configs that name
several, for multipath, are refused. The daemon logs in, not the host's boot: the LUN's devices are there while the SR
is plugged.
"""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from xapi_shim.base.identifiers import is_uuid
from xapi_shim.storage.file_sr import VOLUME_CAPABILITIES
from xapi_shim.storage.group_sr import GROUP, GroupSr
from xapi_shim.storage.interface import DriverInfo, SrConfigError, SrMissingError
from xapi_shim.storage.iscsi import (
    Portal,
    Target,
    checked_chap,
    checked_name,
    checked_port,
    checked_scsi_id,
)
from xapi_shim.storage.mounts import checked_server
from xapi_shim.storage.nfs_sr import this_machine
from xapi_shim.storage.xml_answers import iscsi_luns, iscsi_targets, sr_list

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from xapi_shim.storage.iscsi import Iscsi
    from xapi_shim.storage.volume_groups import VolumeGroups


class LvmOverIscsiSr(GroupSr):
    """An SR on the LUN device_config['SCSIid']. Raises SrConfigError when the configuration cannot be one.

    `targetIQN` and `SCSIid` may be missing for `probe` alone.
    """

    def __init__(
        self,
        device_config: Mapping[str, str],
        sr_uuid: str,
        *,
        iscsi: Iscsi,
        groups: VolumeGroups,
        maker: str = "",
    ) -> None:
        _check_one_portal(device_config)
        server = device_config.get("target", "")
        if not server:
            raise SrConfigError("target", "the server is not given", code=95)
        self._portal = Portal(
            checked_server(server, key="target", code=140), checked_port(device_config.get("port", ""))
        )
        name, scsi_id = device_config.get("targetIQN", ""), device_config.get("SCSIid", "")
        self._target = Target(self._portal, checked_name(name)) if name else None
        self._scsi_id = checked_scsi_id(scsi_id) if scsi_id else ""
        self._chap = checked_chap(device_config)
        self._iscsi = iscsi
        super().__init__(sr_uuid, groups=groups, maker=maker or this_machine())

    def driver_info(self) -> DriverInfo:
        return DriverInfo(
            type="lvmoiscsi",
            name="LVM over iSCSI",
            description="Thick virtual disks as logical volumes on a LUN of an iSCSI target",
            vendor="Kronos",
            version="1.0",
            capabilities=("SR_PROBE", *VOLUME_CAPABILITIES),
            configuration=(
                ("target", "name or address of the iSCSI server"),
                ("targetIQN", "name of the target"),
                ("SCSIid", "identity of the LUN, as a probe without it tells"),
                ("port", "TCP port of the server, 3260 by default"),
                ("chapuser", "user's name for CHAP"),
                ("chappassword", "password for CHAP; kept as a secret, as chappassword_secret"),
            ),
            sharable=True,
            remote=True,
        )

    async def probe(self) -> str:
        """Return the SR of the LUN.

        Raises SrConfigError 96 with the targets where `targetIQN` is not given, 107 with the LUNs without `SCSIid`.
        """
        if self._target is None:
            found = iscsi_targets(await self._iscsi.discover(self._portal, self._chap))
            raise SrConfigError("targetIQN", "the target is not given", code=96, details=found)
        async with self._session() as target:
            if not self._scsi_id:
                luns = iscsi_luns(await self._iscsi.luns(target))
                raise SrConfigError("SCSIid", "the LUN is not given", code=107, details=luns)
            there = await self._groups.group_on(await self._device())
        uuid = there.removeprefix(GROUP)
        return sr_list([uuid] if there.startswith(GROUP) and is_uuid(uuid) else [])

    async def create(self, size_bytes: int) -> None:  # noqa: ARG002 -- the LUN's is what there is
        self._check_whole()
        async with self._session():
            await self._make_group()

    async def attach(self) -> None:
        """Have the LUN's device here. Nothing of it is activated: `volume_path` does that."""
        target = self._check_whole()
        await self._iscsi.open(target, self._chap, self._uuid)
        try:
            group = await self._group()
            if await self._groups.group_on(group.device) != group.name:
                raise SrMissingError(f"{group.name} on the LUN {self._scsi_id} of {target}")
        except BaseException:
            await self._iscsi.close(target, self._uuid)
            raise

    async def detach(self) -> None:
        target = self._check_whole()
        await self._groups.deactivate_all(f"{GROUP}{self._uuid}")
        await self._iscsi.close(target, self._uuid)

    async def destroy(self) -> None:
        self._check_whole()
        async with self._session():
            await self._remove_group()

    async def _device(self) -> Path:
        """Return the LUN's device, by nothing that may wait for the target. Raises SrMissingError."""
        target = self._check_whole()
        for lun in await self._iscsi.luns(target):
            if lun.scsi_id == self._scsi_id:
                return lun.device
        raise SrMissingError(f"the LUN {self._scsi_id} of {target}")

    def _check_whole(self) -> Target:
        """Return the target of a device_config that names an SR's LUN. Raises SrConfigError 96, 107."""
        if self._target is None:
            raise SrConfigError("targetIQN", "the target is not given", code=96)
        if not self._scsi_id:
            raise SrConfigError("SCSIid", "the LUN is not given", code=107)
        return self._target

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Target]:
        """Have the target's LUNs for as long as the block takes. Raises IscsiError."""
        assert self._target is not None
        user = f"probe-{secrets.token_hex(8)}"
        await self._iscsi.open(self._target, self._chap, user)
        try:
            yield self._target
        finally:
            await self._iscsi.close(self._target, user)


def _check_one_portal(device_config: Mapping[str, str]) -> None:
    """Raise SrConfigError 1 (InvalidArg) for a device_config that names several portals."""
    several = {"target": ",", "targetIQN": ",", "port": ","}
    for key, mark in several.items():
        if mark in device_config.get(key, ""):
            raise SrConfigError(
                key, "one is wanted: several paths to a LUN (multipath) are not served", code=1
            )
    for key in ("multihomed", "multiSession"):
        if device_config.get(key, "false") not in ("", "false"):
            raise SrConfigError(key, "several paths to a LUN (multipath) are not served", code=1)

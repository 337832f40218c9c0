"""SR.*: storage repositories."""

from __future__ import annotations

import uuid as uuids
from contextlib import suppress
from typing import TYPE_CHECKING

from xapi_shim.api.allowed import update_sr
from xapi_shim.api.operations import operation
from xapi_shim.api.other_hosts import is_live
from xapi_shim.api.storage_access import (
    check_capability,
    driver_of,
    driver_of_pbd,
    local_pbd,
    make_driver,
    refresh_sizes,
    storage_errors,
)
from xapi_shim.api.storage_secrets import destroy_pbds, without_passwords
from xapi_shim.api.vdi import add_vdi, remove_vdi
from xapi_shim.datamodel.errors import (
    OperationNotAllowedError,
    SrHasNoPbdsError,
    SrHasPbdError,
    SrNotEmptyError,
    SrUuidExistsError,
)
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.storage.interface import StorageError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.database.database import Database
    from xapi_shim.storage.interface import DriverInfo, SrDriver, VolumeInfo


def add_sr(tools: Toolstack, *, type_: str, name: str, description: str = "", content_type: str = "user",
           shared: bool = False, sm_config: dict[str, str] | None = None, uuid: str = "") -> str:  # fmt: skip
    """Make an SR's row."""
    sr = tools.db.create(
        "SR",
        {
            "uuid": uuid,
            "name_label": name,
            "name_description": description,
            "type": type_,
            "content_type": content_type,
            "shared": shared,
            "sm_config": sm_config or {},
        },
    )
    update_sr(tools.db, sr)
    return sr


async def create(  # noqa: PLR0913 -- the declared parameters
    call: Call,
    host: str,
    device_config: dict[str, str],
    physical_size: int,
    name_label: str,
    name_description: str,
    type: str,  # noqa: A002
    content_type: str,
    shared: bool,  # noqa: FBT001
    sm_config: dict[str, str],
) -> str:
    """Make an SR on its device, and plug it into this host.

    The pool's other hosts get a PBD of one that is shared, which is theirs to plug (`pbds_to_plug`).
    Raises SR_UNKNOWN_DRIVER, SR_BACKEND_FAILURE_*.
    """
    tools, db = call.tools, call.db
    if host not in (tools.host, NULL_REF):
        raise OperationNotAllowedError("the host is not this one")
    sr_uuid = str(uuids.uuid4())
    driver = make_driver(tools, type, device_config, sr_uuid)
    info = driver.driver_info()
    if shared and not info.sharable:
        raise OperationNotAllowedError(f"an SR of type {type} cannot be shared")
    with storage_errors(sr_uuid):
        await driver.create(physical_size)
        await _attach_new(driver)
    with db.transaction():
        sr = add_sr(tools, type_=type, name=name_label, description=name_description,
                    content_type=_content_type(info, content_type), shared=shared, sm_config=sm_config,
                    uuid=sr_uuid)  # fmt: skip
        kept = without_passwords(db, device_config)
        for one in db.refs("host") if shared else [tools.host]:
            here = one == tools.host
            db.create(
                "PBD",
                {"host": one, "SR": sr, "device_config": kept, "currently_attached": here},
            )
        update_sr(db, sr)
    # A library of media is full from the start.
    await scan_sr(tools, sr)
    return sr


def pbds_to_plug(db: Database, sr: str) -> list[str]:
    """Return the PBDs by which live hosts could have an SR that they do not have plugged."""
    return [
        pbd
        for pbd in db.items("SR", sr, "PBDs")
        if not db.flag("PBD", pbd, "currently_attached") and is_live(db, db.text("PBD", pbd, "host"))
    ]


async def _attach_new(driver: SrDriver) -> None:
    """Attach an SR that was just made; what cannot be attached is not left behind. Raises StorageError."""
    try:
        await driver.attach()
    except StorageError:
        with suppress(StorageError):
            await driver.destroy()
        raise


def _content_type(info: DriverInfo, asked: str) -> str:
    """Return what an SR holds: the driver's word where it is one of its own, else what was asked for."""
    return asked or "user" if info.content_type == "user" else info.content_type


async def probe(
    call: Call,
    host: str,  # noqa: ARG001 -- the dispatcher refuses another than this one
    device_config: dict[str, str],
    type: str,  # noqa: A002
    sm_config: dict[str, str],  # noqa: ARG001
) -> str:
    """Return the SRs that are where device_config leads, as XML.

    Raises SR_UNKNOWN_DRIVER, SR_BACKEND_FAILURE_*, of which these have XML in their third parameter: 101 a server's
    exports, 96 the targets of an iSCSI server, 107 a target's LUNs. SR_OPERATION_NOT_SUPPORTED for a kind of SR that cannot look.
    """
    driver = make_driver(call.tools, type, device_config, "")
    check_capability(driver, "SR_PROBE", NULL_REF)
    with storage_errors(""):
        return await driver.probe()


async def introduce(
    call: Call,
    uuid: str,
    name_label: str,
    name_description: str,
    type: str,  # noqa: A002
    content_type: str,
    shared: bool,  # noqa: FBT001
    sm_config: dict[str, str],
) -> str:
    """Make the record of an SR that exists; PBD.create and PBD.plug follow. Raises SR_UUID_EXISTS."""
    if uuid and call.db.find_uuid("SR", uuid):
        raise SrUuidExistsError(uuid)
    return add_sr(call.tools, type_=type, name=name_label, description=name_description,
                  content_type=content_type or "user", shared=shared, sm_config=sm_config, uuid=uuid)  # fmt: skip


async def forget(call: Call, sr: str) -> None:
    """Remove the records of an unplugged SR, and leave its disks. Raises SR_HAS_PBD."""
    _check_unplugged(call, sr)
    with operation(call, "SR", sr, "forget"):
        _remove(call.db, sr)


def _remove(db: Database, sr: str) -> None:
    with db.transaction():
        for vdi in db.items("SR", sr, "VDIs"):
            remove_vdi(db, vdi)
        destroy_pbds(db, db.items("SR", sr, "PBDs"))
        db.destroy("SR", sr)


async def destroy(call: Call, sr: str) -> None:
    """Destroy an empty, unplugged SR on its device. Raises SR_HAS_PBD, SR_NOT_EMPTY, SR_HAS_NO_PBDS."""
    db = call.db
    _check_unplugged(call, sr)
    pbd = local_pbd(call.tools, sr)
    if pbd is None:
        raise SrHasNoPbdsError(sr)
    if any(db.flag("VDI", vdi, "managed") for vdi in db.items("SR", sr, "VDIs")):
        raise SrNotEmptyError
    driver = driver_of_pbd(call.tools, pbd)
    with operation(call, "SR", sr, "destroy"):
        with storage_errors(sr):
            await driver.destroy()
        _remove(db, sr)


def _check_unplugged(call: Call, sr: str) -> None:
    if any(call.db.flag("PBD", pbd, "currently_attached") for pbd in call.db.items("SR", sr, "PBDs")):
        raise SrHasPbdError(sr)


async def scan(call: Call, sr: str) -> None:
    """Make the VDI records what the driver finds. Raises SR_HAS_NO_PBDS, SR_BACKEND_FAILURE_*."""
    with operation(call, "SR", sr, "scan"):
        await scan_sr(call.tools, sr)


async def scan_sr(tools: Toolstack, sr: str) -> None:
    """Do SR.scan: new volumes get records, records without a volume are marked missing."""
    db = tools.db
    driver = driver_of(tools, sr)
    if driver is None:
        raise SrHasNoPbdsError(sr)
    with storage_errors(sr):
        found = {volume.key: volume for volume in await driver.scan()}
    with db.transaction():
        known = {db.text("VDI", vdi, "location"): vdi for vdi in db.items("SR", sr, "VDIs")}
        for key, volume in found.items():
            if key in known:
                _refresh(tools, known[key], volume)
            else:
                _introduce(tools, sr, volume)
        for key, vdi in known.items():
            db.set("VDI", vdi, "missing", key not in found)
    await refresh_sizes(tools, sr)


def _refresh(tools: Toolstack, vdi: str, volume: VolumeInfo) -> None:
    tools.db.update(
        "VDI",
        vdi,
        virtual_size=volume.virtual_size_bytes,
        physical_utilisation=volume.physical_utilisation_bytes,
    )


def _introduce(tools: Toolstack, sr: str, volume: VolumeInfo) -> None:
    add_vdi(tools, sr, volume, {"type": "user", "name_label": volume.name, "sharable": volume.read_only})


async def update(call: Call, sr: str) -> None:
    with operation(call, "SR", sr, "update"):
        await refresh_sizes(call.tools, sr)


async def get_supported_types(call: Call) -> list[str]:
    return sorted(call.tools.sr_types)


async def set_name_label(call: Call, sr: str, value: str) -> None:
    call.db.set("SR", sr, "name_label", value)


async def set_name_description(call: Call, sr: str, value: str) -> None:
    call.db.set("SR", sr, "name_description", value)


MESSAGES = {
    "SR.create": create,
    "SR.probe": probe,
    "SR.introduce": introduce,
    "SR.forget": forget,
    "SR.destroy": destroy,
    "SR.scan": scan,
    "SR.update": update,
    "SR.get_supported_types": get_supported_types,
    "SR.set_name_label": set_name_label,
    "SR.set_name_description": set_name_description,
}

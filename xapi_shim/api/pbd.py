"""PBD.*: how a host reaches an SR."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api.allowed import update_sr
from xapi_shim.api.operations import operation
from xapi_shim.api.other_hosts import check_here
from xapi_shim.api.own_host import is_master
from xapi_shim.api.sr import scan_sr
from xapi_shim.api.storage_access import driver_of_pbd, storage_errors
from xapi_shim.api.storage_secrets import destroy_pbds, without_passwords
from xapi_shim.api.vdi import check_unused
from xapi_shim.datamodel.errors import OperationNotAllowedError, PbdExistsError
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.datamodel.model import Value


async def create(call: Call, args: dict[str, Value]) -> str:
    """Make a PBD's record. Raises PBD_EXISTS [sr; host; pbd]."""
    db = call.db
    values = Coercion(db.model).constructor(db.model.classes["PBD"], args)
    sr, host = cast("str", values["SR"]), cast("str", values["host"])
    for pbd in db.items("SR", sr, "PBDs"):
        if db.text("PBD", pbd, "host") == host:
            raise PbdExistsError(sr, host, pbd)
    with operation(call, "SR", sr, "pbd_create"), db.transaction():
        config = without_passwords(db, cast("dict[str, str]", values["device_config"]))
        return db.create("PBD", {**values, "device_config": cast("Value", config)})


async def plug(call: Call, self: str) -> None:
    """Attach the SR to this host. Raises HOST_OFFLINE [host], SR_UNKNOWN_DRIVER, SR_BACKEND_FAILURE_*."""
    check_here(call.tools, call.db.text("PBD", self, "host"))
    if not call.db.flag("PBD", self, "currently_attached"):
        with operation(call, "SR", call.db.text("PBD", self, "SR"), "plug"):
            await plug_pbd(call.tools, self)


async def plug_pbd(tools: Toolstack, pbd: str) -> None:
    """Do PBD.plug: attach, record, scan. A member does not scan what others have plugged: they may be changing it."""
    db = tools.db
    sr = db.text("PBD", pbd, "SR")
    driver = driver_of_pbd(tools, pbd)
    others = [other for other in db.items("SR", sr, "PBDs") if other != pbd]
    is_known = any(db.flag("PBD", other, "currently_attached") for other in others)
    with storage_errors(sr):
        await driver.attach()
    with db.transaction():
        db.set("PBD", pbd, "currently_attached", value=True)
        update_sr(db, sr)
    if is_master(tools) or not is_known:
        await scan_sr(tools, sr)


async def unplug(call: Call, self: str) -> None:
    """Detach the SR from this host. Raises HOST_OFFLINE [host], VDI_IN_USE while a guest here uses one of its disks."""
    db = call.db
    if not db.flag("PBD", self, "currently_attached"):
        return
    check_here(call.tools, db.text("PBD", self, "host"))
    sr = db.text("PBD", self, "SR")
    for vdi in db.items("SR", sr, "VDIs"):
        check_unused(db, vdi, "detach", host=call.tools.host)
    driver = driver_of_pbd(call.tools, self)
    with operation(call, "SR", sr, "unplug"):
        with storage_errors(sr):
            await driver.detach()
        db.set("PBD", self, "currently_attached", value=False)


async def destroy(call: Call, self: str) -> None:
    if call.db.flag("PBD", self, "currently_attached"):
        raise OperationNotAllowedError("PBD currently attached")
    with operation(call, "SR", call.db.text("PBD", self, "SR"), "pbd_destroy"):
        destroy_pbds(call.db, [self])


MESSAGES = {
    "PBD.create": create,
    "PBD.plug": plug,
    "PBD.unplug": unplug,
    "PBD.destroy": destroy,
}

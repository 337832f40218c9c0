"""VM.* and VM_appliance.*: whether the storage that a recovery needs is there. Recovering is not here.

Only sessions of this pool are known (any other is HANDLE_INVALID): its own records are what is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import VmIsPartOfAnApplianceError, VmRequiresSrError
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database


def missing_srs(db: Database, vm: str) -> list[str]:
    """Return the SRs of a VM's disks that no host has plugged, in order."""
    found: dict[str, None] = {}
    for vbd in db.items("VM", vm, "VBDs"):
        vdi = db.text("VBD", vbd, "VDI")
        if db.text("VBD", vbd, "type") != "Disk" or not db.exists("VDI", vdi):
            continue
        sr = db.text("VDI", vdi, "SR")
        if not any(db.flag("PBD", pbd, "currently_attached") for pbd in db.items("SR", sr, "PBDs")):
            found[sr] = None
    return list(found)


async def get_srs_required(call: Call, self: str, session_to: str) -> list[str]:
    """Return the SRs that are to be plugged before a VM can be recovered."""
    call.db.assert_exists("session", session_to)
    return missing_srs(call.db, self)


async def assert_can_be_recovered(call: Call, self: str, session_to: str) -> None:
    """Raise VM_IS_PART_OF_AN_APPLIANCE [vm; appliance], VM_REQUIRES_SR [vm; SR]."""
    db = call.db
    db.assert_exists("session", session_to)
    appliance = db.text("VM", self, "appliance")
    if appliance != NULL_REF and db.exists("VM_appliance", appliance):
        raise VmIsPartOfAnApplianceError(self, appliance)
    _check_srs(db, self)


def _check_srs(db: Database, vm: str) -> None:
    for sr in missing_srs(db, vm):
        raise VmRequiresSrError(vm, sr)


async def get_appliance_srs_required(call: Call, self: str, session_to: str) -> list[str]:
    """Return the SRs that are to be plugged before an appliance can be recovered."""
    db = call.db
    db.assert_exists("session", session_to)
    found = [sr for vm in db.items("VM_appliance", self, "VMs") for sr in missing_srs(db, vm)]
    return list(dict.fromkeys(found))


async def assert_appliance_can_be_recovered(call: Call, self: str, session_to: str) -> None:
    """Raise VM_REQUIRES_SR [vm; SR]."""
    call.db.assert_exists("session", session_to)
    for vm in call.db.items("VM_appliance", self, "VMs"):
        _check_srs(call.db, vm)


MESSAGES = {
    "VM.get_SRs_required_for_recovery": get_srs_required,
    "VM.assert_can_be_recovered": assert_can_be_recovered,
    "VM_appliance.get_SRs_required_for_recovery": get_appliance_srs_required,
    "VM_appliance.assert_can_be_recovered": assert_appliance_can_be_recovered,
}

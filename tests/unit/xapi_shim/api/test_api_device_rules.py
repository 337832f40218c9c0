"""What may be done to drives and interfaces: each rule, by itself."""

from dataclasses import replace

import pytest

from xapi_shim.api.device_rules import (
    VBD_OPERATIONS,
    VIF_OPERATIONS,
    DiskFacts,
    DriveFacts,
    InterfaceFacts,
    Running,
    VmFacts,
    disk_error,
    vbd_error,
    vif_error,
)

RUNNING, HALTED = VmFacts("vm", "Running"), VmFacts("vm", "Halted")
PLUGGED, UNPLUGGED = DriveFacts("vbd", attached=True), DriveFacts("vbd", attached=False)
EMPTY = DriveFacts("vbd", attached=False, empty=True, removable=True, read_only=True)
FULL = DriveFacts("vbd", attached=True, removable=True, read_only=True)
DISK = DiskFacts("vdi", "sr")


def allowed(vm, drive, disk=DISK):
    return [op for op in VBD_OPERATIONS if vbd_error(vm, drive, disk, op) is None]


def told(error):
    return None if error is None else error.description()


@pytest.mark.parametrize(
    ("vm", "drive", "operations"),
    [
        (HALTED, UNPLUGGED, ["attach"]),
        (RUNNING, UNPLUGGED, ["attach", "plug"]),
        (RUNNING, PLUGGED, ["attach", "unplug", "unplug_force"]),
        (VmFacts("vm", "Paused"), PLUGGED, ["attach"]),
        (HALTED, EMPTY, ["attach", "insert"]),
        (RUNNING, EMPTY, ["attach", "insert"]),
        (RUNNING, FULL, ["attach", "eject", "unplug", "unplug_force"]),
        (VmFacts("vm", "Suspended"), FULL, ["attach"]),
        (RUNNING, replace(PLUGGED, unpluggable=False), ["attach"]),
        (replace(RUNNING, lacks_drivers=True), PLUGGED, ["attach", "unplug_force"]),
        (replace(RUNNING, control_domain=True), UNPLUGGED, ["attach"]),
        (replace(RUNNING, running=Running("pause", "t")), PLUGGED, ["attach"]),
        (RUNNING, replace(PLUGGED, running=Running("unplug", "t")), ["unplug_force"]),
        (RUNNING, replace(PLUGGED, running=Running("plug", "t")), []),
    ],
)
def test_what_may_be_done_to_a_drive(vm, drive, operations):
    assert allowed(vm, drive) == operations


@pytest.mark.parametrize(
    ("vm", "drive", "op", "error"),
    [
        (HALTED, UNPLUGGED, "plug", ["VM_BAD_POWER_STATE", "vm", "running", "halted"]),
        (RUNNING, PLUGGED, "plug", ["DEVICE_ALREADY_ATTACHED", "vbd"]),
        (RUNNING, UNPLUGGED, "unplug", ["DEVICE_ALREADY_DETACHED", "vbd"]),
        (RUNNING, EMPTY, "plug", ["VBD_IS_EMPTY", "vbd"]),
        (RUNNING, EMPTY, "eject", ["VBD_IS_EMPTY", "vbd"]),
        (RUNNING, FULL, "insert", ["VBD_NOT_EMPTY", "vbd"]),
        (RUNNING, PLUGGED, "eject", ["VBD_NOT_REMOVABLE_MEDIA", "vbd"]),
        (RUNNING, replace(PLUGGED, unpluggable=False), "unplug", ["VBD_NOT_UNPLUGGABLE", "vbd"]),
        (replace(RUNNING, lacks_drivers=True), UNPLUGGED, "plug", ["VM_MISSING_PV_DRIVERS", "vm"]),
        (
            replace(RUNNING, running=Running("pause", "task")),
            PLUGGED,
            "unplug",
            ["OTHER_OPERATION_IN_PROGRESS", "VM", "vm", "pause", "task"],
        ),
    ],
)
def test_what_is_wrong_with_it(vm, drive, op, error):
    assert told(vbd_error(vm, drive, DISK, op)) == error


@pytest.mark.parametrize(
    ("disk", "read_only", "error"),
    [
        (DISK, False, None),
        (replace(DISK, readers=1), True, None),
        (replace(DISK, readers=1), False, ["VDI_IN_USE", "vdi", "plug"]),
        (replace(DISK, writers=1), True, ["VDI_IN_USE", "vdi", "plug"]),
        (replace(DISK, writers=1), False, ["VDI_IN_USE", "vdi", "plug"]),
        (replace(DISK, writers=2, readers=1, sharable=True), False, None),
        (replace(DISK, read_only=True), True, None),
        (replace(DISK, read_only=True), False, ["VDI_READONLY", "vdi"]),
        (replace(DISK, missing=True), False, ["VDI_MISSING", "sr", "vdi"]),
        (
            replace(DISK, running=Running("resize", "t")),
            False,
            ["OTHER_OPERATION_IN_PROGRESS", "VDI", "vdi", "resize", "t"],
        ),
    ],
)
def test_who_may_have_a_disk(disk, read_only, error):
    assert told(disk_error(disk, "plug", read_only=read_only)) == error
    drive = replace(UNPLUGGED, read_only=read_only)
    assert told(vbd_error(RUNNING, drive, disk, "plug")) == error
    assert (vbd_error(RUNNING, PLUGGED, disk, "unplug") is None) is True


@pytest.mark.parametrize(
    ("vm", "attached", "operations"),
    [
        (HALTED, False, ["attach"]),
        (RUNNING, False, ["attach", "plug"]),
        (RUNNING, True, ["attach", "unplug"]),
        (VmFacts("vm", "Paused"), True, ["attach"]),
        (replace(RUNNING, lacks_drivers=True), True, ["attach"]),
        (replace(RUNNING, running=Running("pause", "t")), True, ["attach"]),
    ],
)
def test_what_may_be_done_to_an_interface(vm, attached, operations):
    vif = InterfaceFacts("vif", attached)
    assert [op for op in VIF_OPERATIONS if vif_error(vm, vif, op) is None] == operations
    busy = replace(vif, running=Running("plug", "t"))
    assert told(vif_error(vm, busy, "attach")) == ["OTHER_OPERATION_IN_PROGRESS", "VIF", "vif", "plug", "t"]

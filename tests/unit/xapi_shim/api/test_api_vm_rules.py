"""What may be asked of a VM: the table of states, and each rule over it."""

from dataclasses import replace

import pytest

from xapi_shim.api.device_rules import Running
from xapi_shim.api.vm_rules import LISTED, STATES, UNIMPLEMENTED, VmState, allowed_vm_operations, vm_error
from xapi_shim.datamodel.registry import DATAMODEL

HALTED, RUNNING, PAUSED = (VmState("vm", state) for state in ("Halted", "Running", "Paused"))


def test_the_operations_are_the_declared_ones():
    declared = set(DATAMODEL.enums["vm_operations"])
    assert set(STATES) <= declared
    assert set(LISTED) <= declared
    assert declared >= UNIMPLEMENTED
    assert not UNIMPLEMENTED & set(LISTED)


@pytest.mark.parametrize(
    ("vm", "operations"),
    [
        (
            HALTED,
            {
                "changing_NVRAM", "changing_dynamic_range", "changing_shadow_memory", "changing_static_range", "clone",
                "destroy", "make_into_template", "start", "start_on",
            },
        ),
        (
            RUNNING,
            {
                "changing_VCPUs_live", "changing_dynamic_range", "clean_reboot", "clean_shutdown", "hard_reboot",
                "hard_shutdown", "pause",
            },
        ),
        (PAUSED, {"hard_reboot", "hard_shutdown", "unpause"}),
        (VmState("vm", "Suspended"), {"clone", "hard_shutdown"}),
        (
            replace(HALTED, template=True),
            {
                "changing_NVRAM", "changing_dynamic_range", "changing_shadow_memory", "changing_static_range", "clone",
                "destroy", "provision",
            },
        ),
        (replace(RUNNING, control_domain=True), set()),
        (replace(RUNNING, running=(Running("clean_shutdown", "t"),)), {"hard_reboot", "hard_shutdown"}),
        (replace(RUNNING, running=(Running("pause", "t"),)), set()),
    ],
)  # fmt: skip
def test_operations_follow_the_state(vm, operations):
    assert set(allowed_vm_operations(vm)) == operations


def test_what_is_blocked_or_lasting_is_not_allowed():
    blocked = replace(RUNNING, blocked={"pause": "WHY", "start": "NOT"})
    assert "pause" not in allowed_vm_operations(blocked)
    assert "destroy" not in allowed_vm_operations(replace(HALTED, template=True, default_template=True))


@pytest.mark.parametrize(
    ("vm", "op", "error"),
    [
        (replace(RUNNING, blocked={"start": "NOT"}), "start", ["OPERATION_BLOCKED", "vm", "NOT"]),
        (RUNNING, "start", ["VM_BAD_POWER_STATE", "vm", "halted", "running"]),
        (HALTED, "hard_reboot", ["VM_BAD_POWER_STATE", "vm", "running", "halted"]),
        (HALTED, "unpause", ["VM_BAD_POWER_STATE", "vm", "paused", "halted"]),
        (replace(HALTED, template=True), "start", ["VM_IS_TEMPLATE", "vm"]),
        (
            replace(HALTED, template=True, default_template=True),
            "destroy",
            ["VM_CANNOT_DELETE_DEFAULT_TEMPLATE", "vm"],
        ),
        (
            replace(RUNNING, running=(Running("pause", "t"),)),
            "clean_shutdown",
            ["OTHER_OPERATION_IN_PROGRESS", "VM", "vm", "pause", "t"],
        ),
    ],
)
def test_what_is_wrong_with_an_operation(vm, op, error):
    assert vm_error(vm, op).description() == error


def test_asking_is_always_allowed():
    busy = replace(RUNNING, running=(Running("pause", "t"),), blocked={"get_boot_record": "NO"})
    assert vm_error(busy, "get_boot_record") is None

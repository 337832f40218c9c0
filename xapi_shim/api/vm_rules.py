"""What may be asked of a VM now: pure, one function that says what is wrong with an operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import (
    OperationBlockedError,
    OperationNotAllowedError,
    OtherOperationInProgressError,
    VmBadPowerStateError,
    VmCannotDeleteDefaultTemplateError,
    VmIsTemplateError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.api.device_rules import Running
    from xapi_shim.datamodel.errors.base import XenAPIError

_ANY = ("Halted", "Paused", "Running", "Suspended")
# The power states in which an operation makes sense; the first is what errors ask for.
STATES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "start", "start_on", "provision", "destroy", "make_into_template", "changing_static_range",
            "changing_memory_limits", "changing_shadow_memory", "changing_VCPUs", "changing_NVRAM", "create_vtpm",
            "import", "reverting",
        ),
        ("Halted",),
    ),
    **dict.fromkeys(("clone", "copy", "export"), ("Halted", "Suspended")),
    **dict.fromkeys(("resume", "resume_on", "csvm"), ("Suspended",)),
    **dict.fromkeys(
        (
            "pause", "clean_shutdown", "clean_reboot", "suspend", "checkpoint", "snapshot_with_quiesce", "pool_migrate",
            "changing_VCPUs_live", "changing_memory_live", "awaiting_memory_live", "changing_shadow_memory_live",
            "send_sysrq", "send_trigger", "call_plugin", "sysprep",
        ),
        ("Running",),
    ),
    "unpause": ("Paused",),
    "hard_reboot": ("Running", "Paused"),
    "hard_shutdown": ("Running", "Paused", "Suspended"),
    "shutdown": ("Running", "Paused", "Suspended"),
    "changing_dynamic_range": ("Halted", "Running"),
    "migrate_send": ("Halted", "Running", "Suspended"),
}  # fmt: skip
# What is told in allowed_operations: of the reference's list what is implemented. It leaves out what
# is asked for without being offered (sending keys, changing limits one by one).
LISTED = (
    "changing_NVRAM", "changing_VCPUs_live", "changing_dynamic_range", "changing_shadow_memory",
    "changing_static_range", "clean_reboot", "clean_shutdown", "clone", "destroy", "hard_reboot", "hard_shutdown",
    "make_into_template", "pause", "provision", "start", "start_on", "unpause",
)  # fmt: skip
UNIMPLEMENTED = frozenset(
    {
        "snapshot", "copy", "create_template", "revert", "checkpoint", "snapshot_with_quiesce", "suspend", "csvm",
        "resume", "resume_on", "pool_migrate", "migrate_send", "query_services",
        "changing_shadow_memory_live", "data_source_op", "import", "export", "metadata_export", "reverting",
        "create_vtpm", "sysprep",
    }
)  # fmt: skip
_OF_TEMPLATES = frozenset(
    {
        "changing_NVRAM", "changing_VCPUs", "changing_dynamic_range", "changing_memory_limits",
        "changing_shadow_memory", "changing_static_range", "clone", "copy", "create_template", "destroy", "export",
        "metadata_export", "provision",
    }
)  # fmt: skip
_ALWAYS = frozenset({"assert_operation_valid", "get_boot_record", "update_allowed_operations"})
# A guest that does not react to a clean request can still be stopped the hard way.
OVERRIDES: dict[str, set[str]] = {
    "hard_shutdown": {"clean_shutdown", "clean_reboot", "shutdown"},
    "hard_reboot": {"clean_shutdown", "clean_reboot", "shutdown"},
    "unplug_force": {"unplug"},
}


@dataclass(frozen=True)
class VmState:
    """A VM by what decides about operations; `blocked` maps operations to the codes to refuse them with."""

    ref: str
    power_state: str
    template: bool = False
    default_template: bool = False
    control_domain: bool = False
    blocked: Mapping[str, str] = field(default_factory=dict)
    running: tuple[Running, ...] = ()


def vm_error(vm: VmState, op: str) -> XenAPIError | None:
    """Return what is wrong with doing `op` to a VM."""
    if op in _ALWAYS:
        return None
    if op in vm.blocked:
        return OperationBlockedError(vm.ref, vm.blocked[op])
    states = STATES.get(op, _ANY)
    if vm.power_state not in states:
        return VmBadPowerStateError(vm.ref, states[0].lower(), vm.power_state.lower())
    for running in vm.running:
        if running.operation not in OVERRIDES.get(op, set()):
            return OtherOperationInProgressError("VM", vm.ref, running.operation, running.task)
    if vm.template and op not in _OF_TEMPLATES:
        return VmIsTemplateError(vm.ref)
    if vm.default_template and op == "destroy":
        return VmCannotDeleteDefaultTemplateError(vm.ref)
    if vm.control_domain:
        return OperationNotAllowedError("this is the control domain")
    return None


def allowed_vm_operations(vm: VmState) -> list[str]:
    """Return what may be asked of a VM now; only templates are provisioned."""
    return [op for op in LISTED if vm_error(vm, op) is None and (vm.template or op != "provision")]

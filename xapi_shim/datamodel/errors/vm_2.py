"""XenAPI errors: vm, part 2."""

from __future__ import annotations

from xapi_shim.datamodel.errors.base import XenAPIError


class VmNoEmptyCdVbdError(XenAPIError):
    code = "VM_NO_EMPTY_CD_VBD"
    names = ("vm",)


class VmNoSuspendSrError(XenAPIError):
    code = "VM_NO_SUSPEND_SR"
    names = ("vm",)


class VmNoVcpusError(XenAPIError):
    """The VM has no virtual processor."""

    code = "VM_NO_VCPUS"
    names = ("vm",)


class VmOldPvDriversError(XenAPIError):
    """The guest's drivers are too old for that."""

    code = "VM_OLD_PV_DRIVERS"
    names = ("vm", "major", "minor")


class VmPciBusFullError(XenAPIError):
    code = "VM_PCI_BUS_FULL"
    names = ("VM",)


class VmPvDriversInUseError(XenAPIError):
    code = "VM_PV_DRIVERS_IN_USE"
    names = ("vm",)


class VmRebootedError(XenAPIError):
    code = "VM_REBOOTED"
    names = ("vm",)


class VmRequiresGpuError(XenAPIError):
    code = "VM_REQUIRES_GPU"
    names = ("vm", "GPU_group")


class VmRequiresIommuError(XenAPIError):
    code = "VM_REQUIRES_IOMMU"
    names = ("host",)


class VmRequiresNetworkError(XenAPIError):
    """No host can both run the VM and reach the network."""

    code = "VM_REQUIRES_NETWORK"
    names = ("vm", "network")


class VmRequiresSrError(XenAPIError):
    """No host can both run the VM and reach the repository."""

    code = "VM_REQUIRES_SR"
    names = ("vm", "sr")


class VmRequiresVdiError(XenAPIError):
    """The VM needs a disk that its host cannot reach."""

    code = "VM_REQUIRES_VDI"
    names = ("vm", "vdi")


class VmRequiresVgpuError(XenAPIError):
    code = "VM_REQUIRES_VGPU"
    names = ("vm", "GPU_group", "vGPU_type")


class VmRequiresVusbError(XenAPIError):
    code = "VM_REQUIRES_VUSB"
    names = ("vm", "USB_group")


class VmRevertFailedError(XenAPIError):
    """Taking the VM back to the kept state failed."""

    code = "VM_REVERT_FAILED"
    names = ("vm", "snapshot")


class VmShutdownTimeoutError(XenAPIError):
    """The guest did not shut down in time."""

    code = "VM_SHUTDOWN_TIMEOUT"
    names = ("vm", "timeout")


class VmSnapshotFailedError(XenAPIError):
    code = "VM_SNAPSHOT_FAILED"


class VmSnapshotWithQuiesceFailedError(XenAPIError):
    code = "VM_SNAPSHOT_WITH_QUIESCE_FAILED"
    names = ("vm",)


class VmSnapshotWithQuiesceNotSupportedError(XenAPIError):
    code = "VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED"
    names = ("vm", "error")


class VmSnapshotWithQuiescePluginDeosNotRespondError(XenAPIError):
    code = "VM_SNAPSHOT_WITH_QUIESCE_PLUGIN_DEOS_NOT_RESPOND"
    names = ("vm",)


class VmSnapshotWithQuiesceTimeoutError(XenAPIError):
    code = "VM_SNAPSHOT_WITH_QUIESCE_TIMEOUT"
    names = ("vm",)


class VmSuspendTimeoutError(XenAPIError):
    code = "VM_SUSPEND_TIMEOUT"
    names = ("vm", "timeout")


class VmTooManyVcpusError(XenAPIError):
    code = "VM_TOO_MANY_VCPUS"
    names = ("vm",)


class VmToImportIsNotNewerVersionError(XenAPIError):
    code = "VM_TO_IMPORT_IS_NOT_NEWER_VERSION"
    names = ("vm", "existing_version", "version_to_import")


class VmUnsafeBootError(XenAPIError):
    code = "VM_UNSAFE_BOOT"
    names = ("vm",)


class VtpmMaxAmountReachedError(XenAPIError):
    code = "VTPM_MAX_AMOUNT_REACHED"
    names = ("amount",)


class XenIncompatibleError(XenAPIError):
    """The hypervisor's version does not fit."""

    code = "XEN_INCOMPATIBLE"

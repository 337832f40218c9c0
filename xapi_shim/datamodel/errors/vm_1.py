"""XenAPI errors: vm, part 1."""

from __future__ import annotations

from xapi_shim.datamodel.errors.base import XenAPIError


class BootloaderFailedError(XenAPIError):
    """The program that finds the guest's kernel failed."""

    code = "BOOTLOADER_FAILED"
    names = ("vm", "msg")


class BootDevicePassthroughDisallowedError(XenAPIError):
    code = "BOOT_DEVICE_PASSTHROUGH_DISALLOWED"
    names = ("device",)


class CannotEvacuateHostError(XenAPIError):
    code = "CANNOT_EVACUATE_HOST"
    names = ("errors",)


class CannotResetControlDomainError(XenAPIError):
    code = "CANNOT_RESET_CONTROL_DOMAIN"
    names = ("vm",)


class DomainBuilderErrorError(XenAPIError):
    code = "DOMAIN_BUILDER_ERROR"
    names = ("function", "code", "message")


class DomainExistsError(XenAPIError):
    """The VM has a domain left over on the host."""

    code = "DOMAIN_EXISTS"
    names = ("vm", "domid")


class DuplicateVmError(XenAPIError):
    code = "DUPLICATE_VM"
    names = ("vm",)


class FeatureRequiresHvmError(XenAPIError):
    """Only guests with hardware virtualisation have the feature."""

    code = "FEATURE_REQUIRES_HVM"
    names = ("details",)


class FeatureRestrictedError(XenAPIError):
    """The edition does not include the feature."""

    code = "FEATURE_RESTRICTED"


class GpuGroupContainsNoPgpusError(XenAPIError):
    code = "GPU_GROUP_CONTAINS_NO_PGPUS"
    names = ("gpu_group",)


class GpuGroupContainsPgpuError(XenAPIError):
    code = "GPU_GROUP_CONTAINS_PGPU"
    names = ("pgpus",)


class GpuGroupContainsVgpuError(XenAPIError):
    code = "GPU_GROUP_CONTAINS_VGPU"
    names = ("vgpus",)


class ImportErrorError(XenAPIError):
    """The import cannot be used; the parameter says why."""

    code = "IMPORT_ERROR"
    names = ("msg",)


class ImportErrorAttachedDisksNotFoundError(XenAPIError):
    code = "IMPORT_ERROR_ATTACHED_DISKS_NOT_FOUND"


class ImportErrorCannotHandleChunkedError(XenAPIError):
    code = "IMPORT_ERROR_CANNOT_HANDLE_CHUNKED"


class ImportErrorFailedToFindObjectError(XenAPIError):
    code = "IMPORT_ERROR_FAILED_TO_FIND_OBJECT"
    names = ("id",)


class ImportErrorPrematureEofError(XenAPIError):
    code = "IMPORT_ERROR_PREMATURE_EOF"


class ImportErrorSomeChecksumsFailedError(XenAPIError):
    code = "IMPORT_ERROR_SOME_CHECKSUMS_FAILED"


class ImportErrorUnexpectedFileError(XenAPIError):
    code = "IMPORT_ERROR_UNEXPECTED_FILE"
    names = ("filename_expected", "filename_found")


class ImportIncompatibleVersionError(XenAPIError):
    code = "IMPORT_INCOMPATIBLE_VERSION"


class InvalidClusterStackError(XenAPIError):
    code = "INVALID_CLUSTER_STACK"
    names = ("cluster_stack",)


class LicenceRestrictionError(XenAPIError):
    """The licence does not include the feature."""

    code = "LICENCE_RESTRICTION"
    names = ("feature",)


class LicenseCannotDowngradeWhileInPoolError(XenAPIError):
    code = "LICENSE_CANNOT_DOWNGRADE_WHILE_IN_POOL"


class LicenseCheckoutErrorError(XenAPIError):
    code = "LICENSE_CHECKOUT_ERROR"
    names = ("code", "message")


class LicenseDoesNotSupportPoolingError(XenAPIError):
    code = "LICENSE_DOES_NOT_SUPPORT_POOLING"


class LicenseDoesNotSupportXhaError(XenAPIError):
    code = "LICENSE_DOES_NOT_SUPPORT_XHA"


class LicenseExpiredError(XenAPIError):
    code = "LICENSE_EXPIRED"


class LicenseFileDeprecatedError(XenAPIError):
    code = "LICENSE_FILE_DEPRECATED"


class LicenseHostPoolMismatchError(XenAPIError):
    code = "LICENSE_HOST_POOL_MISMATCH"


class LicenseProcessingErrorError(XenAPIError):
    code = "LICENSE_PROCESSING_ERROR"


class MemoryConstraintViolationError(XenAPIError):
    """The memory limits contradict each other."""

    code = "MEMORY_CONSTRAINT_VIOLATION"
    names = ("constraint",)


class MemoryConstraintViolationMaxpinError(XenAPIError):
    """The memory limits differ where they must be one."""

    code = "MEMORY_CONSTRAINT_VIOLATION_MAXPIN"
    names = ("reason",)


class MemoryConstraintViolationOrderError(XenAPIError):
    """The memory limits are not in ascending order."""

    code = "MEMORY_CONSTRAINT_VIOLATION_ORDER"


class NvidiaSriovMisconfiguredError(XenAPIError):
    code = "NVIDIA_SRIOV_MISCONFIGURED"
    names = ("host", "device_name")


class NvidiaToolsErrorError(XenAPIError):
    code = "NVIDIA_TOOLS_ERROR"
    names = ("host",)


class OnlyAllowedOnOemEditionError(XenAPIError):
    code = "ONLY_ALLOWED_ON_OEM_EDITION"
    names = ("command",)


class PgpuInsufficientCapacityForVgpuError(XenAPIError):
    code = "PGPU_INSUFFICIENT_CAPACITY_FOR_VGPU"
    names = ("pgpu", "vgpu_type")


class PgpuInUseByVmError(XenAPIError):
    code = "PGPU_IN_USE_BY_VM"
    names = ("VMs",)


class PgpuNotCompatibleWithGpuGroupError(XenAPIError):
    code = "PGPU_NOT_COMPATIBLE_WITH_GPU_GROUP"
    names = ("type", "group_types")


class SuspendImageNotAccessibleError(XenAPIError):
    code = "SUSPEND_IMAGE_NOT_ACCESSIBLE"
    names = ("vdi",)


class SuspendVdiReplacementIsNotIdenticalError(XenAPIError):
    code = "SUSPEND_VDI_REPLACEMENT_IS_NOT_IDENTICAL"


class UnknownBootloaderError(XenAPIError):
    """There is no such program to find a kernel."""

    code = "UNKNOWN_BOOTLOADER"
    names = ("vm", "bootloader")


class VgpuDestinationIncompatibleError(XenAPIError):
    code = "VGPU_DESTINATION_INCOMPATIBLE"
    names = ("reason", "vgpu", "host")


class VgpuGuestDriverLimitError(XenAPIError):
    code = "VGPU_GUEST_DRIVER_LIMIT"
    names = ("reason", "vm", "host")


class VgpuSuspensionNotSupportedError(XenAPIError):
    code = "VGPU_SUSPENSION_NOT_SUPPORTED"
    names = ("reason", "vgpu", "host")


class VgpuTypeNotCompatibleError(XenAPIError):
    code = "VGPU_TYPE_NOT_COMPATIBLE"
    names = ("type",)


class VgpuTypeNotCompatibleWithRunningTypeError(XenAPIError):
    code = "VGPU_TYPE_NOT_COMPATIBLE_WITH_RUNNING_TYPE"
    names = ("pgpu", "type", "running_type")


class VgpuTypeNotEnabledError(XenAPIError):
    code = "VGPU_TYPE_NOT_ENABLED"
    names = ("type", "enabled_types")


class VgpuTypeNotSupportedError(XenAPIError):
    code = "VGPU_TYPE_NOT_SUPPORTED"
    names = ("type", "supported_types")


class VgpuTypeNoLongerSupportedError(XenAPIError):
    code = "VGPU_TYPE_NO_LONGER_SUPPORTED"
    names = ("type",)


class VmppArchiveMoreFrequentThanBackupError(XenAPIError):
    code = "VMPP_ARCHIVE_MORE_FREQUENT_THAN_BACKUP"


class VmppHasVmError(XenAPIError):
    code = "VMPP_HAS_VM"


class VmssHasVmError(XenAPIError):
    code = "VMSS_HAS_VM"


class VmsFailedToCooperateError(XenAPIError):
    code = "VMS_FAILED_TO_COOPERATE"


class VmAssignedToProtectionPolicyError(XenAPIError):
    code = "VM_ASSIGNED_TO_PROTECTION_POLICY"
    names = ("vm", "vmpp")


class VmAssignedToSnapshotScheduleError(XenAPIError):
    code = "VM_ASSIGNED_TO_SNAPSHOT_SCHEDULE"
    names = ("vm", "vmss")


class VmAttachedToMoreThanOneVdiWithTimeoffsetMarkedAsResetOnBootError(XenAPIError):
    code = "VM_ATTACHED_TO_MORE_THAN_ONE_VDI_WITH_TIMEOFFSET_MARKED_AS_RESET_ON_BOOT"
    names = ("vm",)


class VmBadPowerStateError(XenAPIError):
    """The VM is in another power state than is needed."""

    code = "VM_BAD_POWER_STATE"
    names = ("vm", "expected", "actual")


class VmBiosStringsAlreadySetError(XenAPIError):
    code = "VM_BIOS_STRINGS_ALREADY_SET"


class VmCallPluginRateLimitError(XenAPIError):
    code = "VM_CALL_PLUGIN_RATE_LIMIT"
    names = ("VM", "interval", "wait")


class VmCannotDeleteDefaultTemplateError(XenAPIError):
    """Templates of the product stay."""

    code = "VM_CANNOT_DELETE_DEFAULT_TEMPLATE"
    names = ("vm",)


class VmCheckpointResumeFailedError(XenAPIError):
    code = "VM_CHECKPOINT_RESUME_FAILED"
    names = ("vm",)


class VmCheckpointSuspendFailedError(XenAPIError):
    code = "VM_CHECKPOINT_SUSPEND_FAILED"
    names = ("vm",)


class VmCrashedError(XenAPIError):
    code = "VM_CRASHED"
    names = ("vm",)


class VmDuplicateVbdDeviceError(XenAPIError):
    code = "VM_DUPLICATE_VBD_DEVICE"
    names = ("vm", "vbd", "device")


class VmFailedShutdownAcknowledgmentError(XenAPIError):
    """The guest did not answer the request to shut down."""

    code = "VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT"
    names = ("vm",)


class VmFailedSuspendAcknowledgmentError(XenAPIError):
    code = "VM_FAILED_SUSPEND_ACKNOWLEDGMENT"
    names = ("vm",)


class VmHaltedError(XenAPIError):
    code = "VM_HALTED"
    names = ("vm",)


class VmHasCheckpointError(XenAPIError):
    code = "VM_HAS_CHECKPOINT"
    names = ("vm",)


class VmHasNoSuspendVdiError(XenAPIError):
    code = "VM_HAS_NO_SUSPEND_VDI"
    names = ("vm",)


class VmHasPciAttachedError(XenAPIError):
    """The VM holds a device of its host."""

    code = "VM_HAS_PCI_ATTACHED"
    names = ("vm",)


class VmHasSriovVifError(XenAPIError):
    code = "VM_HAS_SRIOV_VIF"
    names = ("vm",)


class VmHasTooManySnapshotsError(XenAPIError):
    code = "VM_HAS_TOO_MANY_SNAPSHOTS"
    names = ("vm",)


class VmHasVgpuError(XenAPIError):
    code = "VM_HAS_VGPU"
    names = ("vm",)


class VmHasVusbsError(XenAPIError):
    code = "VM_HAS_VUSBS"
    names = ("VM",)


class VmHostIncompatibleVersionError(XenAPIError):
    code = "VM_HOST_INCOMPATIBLE_VERSION"
    names = ("host", "vm")


class VmHostIncompatibleVersionMigrateError(XenAPIError):
    code = "VM_HOST_INCOMPATIBLE_VERSION_MIGRATE"
    names = ("host", "vm")


class VmHostIncompatibleVirtualHardwarePlatformVersionError(XenAPIError):
    code = "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION"
    names = ("host", "host_versions", "vm", "vm_version")


class VmHvmRequiredError(XenAPIError):
    """The host lacks the hardware virtualisation that the VM needs."""

    code = "VM_HVM_REQUIRED"
    names = ("vm",)


class VmIncompatibleWithThisHostError(XenAPIError):
    code = "VM_INCOMPATIBLE_WITH_THIS_HOST"
    names = ("vm", "host", "reason")


class VmIsImmobileError(XenAPIError):
    code = "VM_IS_IMMOBILE"
    names = ("VM",)


class VmIsPartOfAnApplianceError(XenAPIError):
    code = "VM_IS_PART_OF_AN_APPLIANCE"
    names = ("vm", "appliance")


class VmIsProtectedError(XenAPIError):
    """High availability keeps the VM; unprotect it first."""

    code = "VM_IS_PROTECTED"
    names = ("vm",)


class VmIsSnapshotError(XenAPIError):
    """A kept state cannot be used like that."""

    code = "VM_IS_SNAPSHOT"


class VmIsTemplateError(XenAPIError):
    """A template cannot be used like that."""

    code = "VM_IS_TEMPLATE"
    names = ("vm",)


class VmIsUsingNestedVirtError(XenAPIError):
    code = "VM_IS_USING_NESTED_VIRT"
    names = ("VM",)


class VmLacksFeatureError(XenAPIError):
    code = "VM_LACKS_FEATURE"
    names = ("vm",)


class VmMemorySizeTooLowError(XenAPIError):
    code = "VM_MEMORY_SIZE_TOO_LOW"
    names = ("vm",)


class VmMemoryTargetWaitTimeoutError(XenAPIError):
    code = "VM_MEMORY_TARGET_WAIT_TIMEOUT"


class VmMigrateContactRemoteServiceFailedError(XenAPIError):
    code = "VM_MIGRATE_CONTACT_REMOTE_SERVICE_FAILED"


class VmMigrateFailedError(XenAPIError):
    code = "VM_MIGRATE_FAILED"
    names = ("vm", "source", "destination", "msg")


class VmMissingPvDriversError(XenAPIError):
    """The guest lacks the drivers for that."""

    code = "VM_MISSING_PV_DRIVERS"
    names = ("vm",)


class VmNonSuspendableError(XenAPIError):
    code = "VM_NON_SUSPENDABLE"
    names = ("vm", "reason")


class VmNotResidentHereError(XenAPIError):
    """The VM does not run on this host."""

    code = "VM_NOT_RESIDENT_HERE"
    names = ("vm", "host")


class VmNoCrashdumpSrError(XenAPIError):
    code = "VM_NO_CRASHDUMP_SR"
    names = ("vm",)

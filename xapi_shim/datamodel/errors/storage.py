"""XenAPI errors: storage."""

from __future__ import annotations

from xapi_shim.datamodel.errors.base import XenAPIError


class CannotCreateStateFileError(XenAPIError):
    code = "CANNOT_CREATE_STATE_FILE"


class DeviceAlreadyAttachedError(XenAPIError):
    """The guest has the device already."""

    code = "DEVICE_ALREADY_ATTACHED"
    names = ("device",)


class DeviceAlreadyDetachedError(XenAPIError):
    """The guest has released the device already."""

    code = "DEVICE_ALREADY_DETACHED"
    names = ("device",)


class DeviceAlreadyExistsError(XenAPIError):
    """The VM has a device of that number."""

    code = "DEVICE_ALREADY_EXISTS"
    names = ("device",)


class DeviceAttachTimeoutError(XenAPIError):
    code = "DEVICE_ATTACH_TIMEOUT"
    names = ("type", "ref")


class DeviceDetachRejectedError(XenAPIError):
    """The guest refused to release the device."""

    code = "DEVICE_DETACH_REJECTED"
    names = ("type", "ref", "msg")


class DeviceDetachTimeoutError(XenAPIError):
    """The guest did not release the device in time."""

    code = "DEVICE_DETACH_TIMEOUT"
    names = ("type", "ref")


class DeviceNotAttachedError(XenAPIError):
    """The guest does not have the device."""

    code = "DEVICE_NOT_ATTACHED"
    names = ("VBD",)


class DiskVbdMustBeReadwriteForHvmError(XenAPIError):
    code = "DISK_VBD_MUST_BE_READWRITE_FOR_HVM"
    names = ("vbd",)


class InvalidDeviceError(XenAPIError):
    """No drive or interface has that number or name."""

    code = "INVALID_DEVICE"
    names = ("device",)


class MirrorFailedError(XenAPIError):
    code = "MIRROR_FAILED"
    names = ("vdi",)


class NotAllowedOnOemEditionError(XenAPIError):
    code = "NOT_ALLOWED_ON_OEM_EDITION"
    names = ("command",)


class NoLocalStorageError(XenAPIError):
    code = "NO_LOCAL_STORAGE"


class PbdExistsError(XenAPIError):
    """The host has a connection to the repository already."""

    code = "PBD_EXISTS"
    names = ("sr", "host", "pbd")


class PusbVdiConflictError(XenAPIError):
    code = "PUSB_VDI_CONFLICT"
    names = ("PUSB", "VDI")


class RedoLogIsEnabledError(XenAPIError):
    code = "REDO_LOG_IS_ENABLED"


class SmPluginCommunicationFailureError(XenAPIError):
    code = "SM_PLUGIN_COMMUNICATION_FAILURE"
    names = ("sm",)


class SrAttachedError(XenAPIError):
    code = "SR_ATTACHED"


class SrAttachFailedError(XenAPIError):
    """Connecting to the repository failed."""

    code = "SR_ATTACH_FAILED"
    names = ("sr",)


class SrDeviceInUseError(XenAPIError):
    code = "SR_DEVICE_IN_USE"


class SrDoesNotSupportMigrationError(XenAPIError):
    code = "SR_DOES_NOT_SUPPORT_MIGRATION"
    names = ("sr", "capabilities")


class SrFullError(XenAPIError):
    """The repository has too little room."""

    code = "SR_FULL"
    names = ("requested", "maximum")


class SrHasMultiplePbdsError(XenAPIError):
    """Several hosts are connected to the repository."""

    code = "SR_HAS_MULTIPLE_PBDS"
    names = ("PBD",)


class SrHasNoPbdsError(XenAPIError):
    """No host is connected to the repository."""

    code = "SR_HAS_NO_PBDS"
    names = ("sr",)


class SrHasPbdError(XenAPIError):
    """A host is still connected to the repository."""

    code = "SR_HAS_PBD"
    names = ("sr",)


class SrIndestructibleError(XenAPIError):
    code = "SR_INDESTRUCTIBLE"
    names = ("sr",)


class SrIsCacheSrError(XenAPIError):
    """The repository caches disks of a host."""

    code = "SR_IS_CACHE_SR"
    names = ("host",)


class SrNotAttachedError(XenAPIError):
    code = "SR_NOT_ATTACHED"
    names = ("sr",)


class SrNotEmptyError(XenAPIError):
    """There are still disks in the repository."""

    code = "SR_NOT_EMPTY"


class SrNotSharableError(XenAPIError):
    code = "SR_NOT_SHARABLE"
    names = ("sr", "host")


class SrNotSharedError(XenAPIError):
    code = "SR_NOT_SHARED"


class SrOperationNotSupportedError(XenAPIError):
    """The storage driver cannot do that."""

    code = "SR_OPERATION_NOT_SUPPORTED"
    names = ("sr",)


class SrRequiresUpgradeError(XenAPIError):
    """The repository must be upgraded first."""

    code = "SR_REQUIRES_UPGRADE"
    names = ("SR",)


class SrSourceSpaceInsufficientError(XenAPIError):
    code = "SR_SOURCE_SPACE_INSUFFICIENT"
    names = ("sr",)


class SrSuspendSpaceInsufficientError(XenAPIError):
    code = "SR_SUSPEND_SPACE_INSUFFICIENT"
    names = ("sr",)


class SrUnhealthyError(XenAPIError):
    code = "SR_UNHEALTHY"
    names = ("sr", "health", "fix")


class SrUnknownDriverError(XenAPIError):
    """There is no storage driver of that name."""

    code = "SR_UNKNOWN_DRIVER"
    names = ("driver",)


class SrUuidExistsError(XenAPIError):
    """A repository of that uuid is known already."""

    code = "SR_UUID_EXISTS"
    names = ("uuid",)


class SrVdiLockingFailedError(XenAPIError):
    """The storage did not get its lock on disks."""

    code = "SR_VDI_LOCKING_FAILED"


class UsbAlreadyAttachedError(XenAPIError):
    code = "USB_ALREADY_ATTACHED"
    names = ("PUSB", "VM")


class UsbGroupConflictError(XenAPIError):
    code = "USB_GROUP_CONFLICT"
    names = ("USB_group",)


class UsbGroupContainsNoPusbsError(XenAPIError):
    code = "USB_GROUP_CONTAINS_NO_PUSBS"
    names = ("usb_group",)


class UsbGroupContainsPusbError(XenAPIError):
    code = "USB_GROUP_CONTAINS_PUSB"
    names = ("pusbs",)


class UsbGroupContainsVusbError(XenAPIError):
    code = "USB_GROUP_CONTAINS_VUSB"
    names = ("vusbs",)


class VbdCdsMustBeReadonlyError(XenAPIError):
    """Disc drives do not write."""

    code = "VBD_CDS_MUST_BE_READONLY"


class VbdIsEmptyError(XenAPIError):
    """There is nothing in the drive."""

    code = "VBD_IS_EMPTY"
    names = ("vbd",)


class VbdMissingError(XenAPIError):
    """The VM has no such drive."""

    code = "VBD_MISSING"


class VbdNotEmptyError(XenAPIError):
    """There is something in the drive."""

    code = "VBD_NOT_EMPTY"
    names = ("vbd",)


class VbdNotRemovableMediaError(XenAPIError):
    """The drive's disk cannot be taken out."""

    code = "VBD_NOT_REMOVABLE_MEDIA"
    names = ("vbd",)


class VbdNotUnpluggableError(XenAPIError):
    code = "VBD_NOT_UNPLUGGABLE"
    names = ("vbd",)


class VbdTrayLockedError(XenAPIError):
    """The guest holds the drive's tray."""

    code = "VBD_TRAY_LOCKED"
    names = ("vbd",)


class VdiCbtEnabledError(XenAPIError):
    code = "VDI_CBT_ENABLED"
    names = ("vdi",)


class VdiContainsMetadataOfThisPoolError(XenAPIError):
    code = "VDI_CONTAINS_METADATA_OF_THIS_POOL"
    names = ("vdi", "pool")


class VdiContentIdMissingError(XenAPIError):
    code = "VDI_CONTENT_ID_MISSING"


class VdiCopyFailedError(XenAPIError):
    code = "VDI_COPY_FAILED"


class VdiHasRrdsError(XenAPIError):
    """The disk holds measurements."""

    code = "VDI_HAS_RRDS"
    names = ("vdi",)


class VdiIncompatibleTypeError(XenAPIError):
    code = "VDI_INCOMPATIBLE_TYPE"
    names = ("vdi", "type")


class VdiInUseError(XenAPIError):
    """The disk is being used."""

    code = "VDI_IN_USE"
    names = ("vdi", "operation")


class VdiIoErrorError(XenAPIError):
    """Reading or writing the disk failed."""

    code = "VDI_IO_ERROR"


class VdiIsAPhysicalDeviceError(XenAPIError):
    code = "VDI_IS_A_PHYSICAL_DEVICE"
    names = ("vdi",)


class VdiIsEncryptedError(XenAPIError):
    code = "VDI_IS_ENCRYPTED"
    names = ("vdi",)


class VdiIsNotIsoError(XenAPIError):
    code = "VDI_IS_NOT_ISO"
    names = ("vdi", "type")


class VdiIsSharableError(XenAPIError):
    code = "VDI_IS_SHARABLE"


class VdiLocationMissingError(XenAPIError):
    """The repository has nothing at that place."""

    code = "VDI_LOCATION_MISSING"
    names = ("sr", "location")


class VdiMissingError(XenAPIError):
    """The storage has lost the disk."""

    code = "VDI_MISSING"
    names = ("sr", "vdi")


class VdiNeedsVmForMigrateError(XenAPIError):
    code = "VDI_NEEDS_VM_FOR_MIGRATE"
    names = ("vdi",)


class VdiNotAvailableError(XenAPIError):
    """The disk cannot be reached now."""

    code = "VDI_NOT_AVAILABLE"
    names = ("vdi",)


class VdiNotInMapError(XenAPIError):
    code = "VDI_NOT_IN_MAP"
    names = ("vdi",)


class VdiNotManagedError(XenAPIError):
    """The storage keeps the disk for itself."""

    code = "VDI_NOT_MANAGED"
    names = ("vdi",)


class VdiNotSparseError(XenAPIError):
    """The disk is not kept in a sparse format."""

    code = "VDI_NOT_SPARSE"
    names = ("vdi",)


class VdiNoCbtMetadataError(XenAPIError):
    code = "VDI_NO_CBT_METADATA"
    names = ("vdi",)


class VdiOnBootModeIncompatibleWithOperationError(XenAPIError):
    code = "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"


class VdiReadonlyError(XenAPIError):
    """The disk must not be written."""

    code = "VDI_READONLY"
    names = ("vdi",)


class VdiTooLargeError(XenAPIError):
    """The disk is larger than the format allows."""

    code = "VDI_TOO_LARGE"
    names = ("vdi", "maximum size")


class VdiTooSmallError(XenAPIError):
    """The disk is too small."""

    code = "VDI_TOO_SMALL"
    names = ("vdi", "minimum size")


class XenVssReqErrorAddingVolumeToSnapsetFailedError(XenAPIError):
    code = "XEN_VSS_REQ_ERROR_ADDING_VOLUME_TO_SNAPSET_FAILED"
    names = ("vm", "error_code")


class XenVssReqErrorCreatingSnapshotError(XenAPIError):
    code = "XEN_VSS_REQ_ERROR_CREATING_SNAPSHOT"
    names = ("vm", "error_code")


class XenVssReqErrorCreatingSnapshotXmlStringError(XenAPIError):
    code = "XEN_VSS_REQ_ERROR_CREATING_SNAPSHOT_XML_STRING"
    names = ("vm", "error_code")


class XenVssReqErrorInitFailedError(XenAPIError):
    code = "XEN_VSS_REQ_ERROR_INIT_FAILED"
    names = ("vm", "error_code")


class XenVssReqErrorNoVolumesSupportedError(XenAPIError):
    code = "XEN_VSS_REQ_ERROR_NO_VOLUMES_SUPPORTED"
    names = ("vm", "error_code")


class XenVssReqErrorPreparingWritersError(XenAPIError):
    code = "XEN_VSS_REQ_ERROR_PREPARING_WRITERS"
    names = ("vm", "error_code")


class XenVssReqErrorProvNotLoadedError(XenAPIError):
    code = "XEN_VSS_REQ_ERROR_PROV_NOT_LOADED"
    names = ("vm", "error_code")


class XenVssReqErrorStartSnapshotSetFailedError(XenAPIError):
    code = "XEN_VSS_REQ_ERROR_START_SNAPSHOT_SET_FAILED"
    names = ("vm", "error_code")

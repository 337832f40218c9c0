"""XenAPI errors: general."""

from __future__ import annotations

from xapi_shim.datamodel.errors.base import XenAPIError


class ActivationWhileNotFreeError(XenAPIError):
    code = "ACTIVATION_WHILE_NOT_FREE"


class BallooningDisabledError(XenAPIError):
    code = "BALLOONING_DISABLED"


class BallooningTimeoutBeforeMigrationError(XenAPIError):
    code = "BALLOONING_TIMEOUT_BEFORE_MIGRATION"
    names = ("vm",)


class BlockedRepoUrlError(XenAPIError):
    code = "BLOCKED_REPO_URL"
    names = ("url",)


class CannotChangePifPropertiesError(XenAPIError):
    code = "CANNOT_CHANGE_PIF_PROPERTIES"
    names = ("PIF",)


class CannotEnableRedoLogError(XenAPIError):
    code = "CANNOT_ENABLE_REDO_LOG"
    names = ("reason",)


class CannotFetchPatchError(XenAPIError):
    code = "CANNOT_FETCH_PATCH"
    names = ("uuid",)


class CannotFindOemBackupPartitionError(XenAPIError):
    code = "CANNOT_FIND_OEM_BACKUP_PARTITION"


class CannotFindPatchError(XenAPIError):
    code = "CANNOT_FIND_PATCH"


class CannotFindStatePartitionError(XenAPIError):
    code = "CANNOT_FIND_STATE_PARTITION"


class CannotFindUpdateError(XenAPIError):
    code = "CANNOT_FIND_UPDATE"


class CannotForgetSriovLogicalError(XenAPIError):
    code = "CANNOT_FORGET_SRIOV_LOGICAL"
    names = ("PIF",)


class CannotRestartDeviceModelError(XenAPIError):
    code = "CANNOT_RESTART_DEVICE_MODEL"
    names = ("ref",)


class CanNotPeriodicSyncUpdatesError(XenAPIError):
    code = "CAN_NOT_PERIODIC_SYNC_UPDATES"


class CanNotSyncUpdatesError(XenAPIError):
    code = "CAN_NOT_SYNC_UPDATES"


class CertRefreshInProgressError(XenAPIError):
    code = "CERT_REFRESH_IN_PROGRESS"


class ClientErrorError(XenAPIError):
    code = "CLIENT_ERROR"


class CpuFeatureMaskingNotSupportedError(XenAPIError):
    code = "CPU_FEATURE_MASKING_NOT_SUPPORTED"
    names = ("details",)


class CreaterepoFailedError(XenAPIError):
    code = "CREATEREPO_FAILED"


class DbUniquenessConstraintViolationError(XenAPIError):
    code = "DB_UNIQUENESS_CONSTRAINT_VIOLATION"
    names = ("table", "field", "value")


class DefaultSrNotFoundError(XenAPIError):
    code = "DEFAULT_SR_NOT_FOUND"
    names = ("sr",)


class DesignateNewMasterInProgressError(XenAPIError):
    code = "DESIGNATE_NEW_MASTER_IN_PROGRESS"


class ExtensionProtocolFailureError(XenAPIError):
    code = "EXTENSION_PROTOCOL_FAILURE"


class FailedToStartEmulatorError(XenAPIError):
    code = "FAILED_TO_START_EMULATOR"
    names = ("vm", "name", "msg")


class FieldTypeErrorError(XenAPIError):
    """The argument is not of the declared type."""

    code = "FIELD_TYPE_ERROR"
    names = ("field",)


class HandleInvalidError(XenAPIError):
    """The ref points to nothing of that class."""

    code = "HANDLE_INVALID"
    names = ("class", "handle")


class IllegalInFipsModeError(XenAPIError):
    code = "ILLEGAL_IN_FIPS_MODE"


class IllegalVbdDeviceError(XenAPIError):
    code = "ILLEGAL_VBD_DEVICE"
    names = ("vbd", "device")


class IncompatibleClusterStackActiveError(XenAPIError):
    code = "INCOMPATIBLE_CLUSTER_STACK_ACTIVE"
    names = ("cluster_stack",)


class IncompatibleStatefileSrError(XenAPIError):
    code = "INCOMPATIBLE_STATEFILE_SR"
    names = ("SR type",)


class InternalErrorError(XenAPIError):
    """The toolstack failed in a way that has no code of its own."""

    code = "INTERNAL_ERROR"
    names = ("message",)


class InvalidCidrAddressSpecifiedError(XenAPIError):
    code = "INVALID_CIDR_ADDRESS_SPECIFIED"
    names = ("parameter",)


class InvalidEditionError(XenAPIError):
    code = "INVALID_EDITION"
    names = ("edition",)


class InvalidGpgkeyPathError(XenAPIError):
    code = "INVALID_GPGKEY_PATH"
    names = ("gpgkey_path",)


class InvalidIpAddressSpecifiedError(XenAPIError):
    code = "INVALID_IP_ADDRESS_SPECIFIED"
    names = ("parameter",)


class InvalidNtpConfigError(XenAPIError):
    code = "INVALID_NTP_CONFIG"
    names = ("reason",)


class InvalidValueError(XenAPIError):
    """The field cannot have that value."""

    code = "INVALID_VALUE"
    names = ("field", "value")


class IsTunnelAccessPifError(XenAPIError):
    code = "IS_TUNNEL_ACCESS_PIF"
    names = ("PIF",)


class LocationNotUniqueError(XenAPIError):
    code = "LOCATION_NOT_UNIQUE"
    names = ("SR", "location")


class MapDuplicateKeyError(XenAPIError):
    """The map has that key already."""

    code = "MAP_DUPLICATE_KEY"
    names = ("type", "param_name", "uuid", "key")


class MessageDeprecatedError(XenAPIError):
    """The message is about to be given up."""

    code = "MESSAGE_DEPRECATED"


class MessageMethodUnknownError(XenAPIError):
    """There is no message of that name."""

    code = "MESSAGE_METHOD_UNKNOWN"
    names = ("method",)


class MessageParameterCountMismatchError(XenAPIError):
    """The message takes another number of arguments."""

    code = "MESSAGE_PARAMETER_COUNT_MISMATCH"
    names = ("method", "expected", "received")


class MessageRemovedError(XenAPIError):
    """The message was given up and is answered no more."""

    code = "MESSAGE_REMOVED"


class NotAllowedWhenNtpIsEnabledError(XenAPIError):
    code = "NOT_ALLOWED_WHEN_NTP_IS_ENABLED"
    names = ("host",)


class NotImplementedError_(XenAPIError):
    """The message is declared and nobody has written it yet."""

    code = "NOT_IMPLEMENTED"
    names = ("function",)


class NotInEmergencyModeError(XenAPIError):
    code = "NOT_IN_EMERGENCY_MODE"


class NotSystemDomainError(XenAPIError):
    code = "NOT_SYSTEM_DOMAIN"
    names = ("vm",)


class NotTrustedCertificateError(XenAPIError):
    code = "NOT_TRUSTED_CERTIFICATE"
    names = ("ref",)


class NoCompatibleClusterHostError(XenAPIError):
    code = "NO_COMPATIBLE_CLUSTER_HOST"
    names = ("host",)


class NoMoreRedoLogsAllowedError(XenAPIError):
    code = "NO_MORE_REDO_LOGS_ALLOWED"


class ObjectNolongerExistsError(XenAPIError):
    code = "OBJECT_NOLONGER_EXISTS"


class OperationBlockedError(XenAPIError):
    """The VM's owner forbade the operation."""

    code = "OPERATION_BLOCKED"
    names = ("ref", "code")


class OperationNotAllowedError(XenAPIError):
    """It may not be done; the parameter says why."""

    code = "OPERATION_NOT_ALLOWED"
    names = ("reason",)


class OperationPartiallyFailedError(XenAPIError):
    code = "OPERATION_PARTIALLY_FAILED"
    names = ("operation",)


class OtherOperationInProgressError(XenAPIError):
    """Something else is being done to the object."""

    code = "OTHER_OPERATION_IN_PROGRESS"
    names = ("class", "object", "operation_type", "operation_ref")


class OutOfSpaceError(XenAPIError):
    """The host's own disk is full."""

    code = "OUT_OF_SPACE"
    names = ("location",)


class ProvisionFailedOutOfSpaceError(XenAPIError):
    code = "PROVISION_FAILED_OUT_OF_SPACE"


class ProvisionOnlyAllowedOnTemplateError(XenAPIError):
    code = "PROVISION_ONLY_ALLOWED_ON_TEMPLATE"


class RequiredPifIsUnpluggedError(XenAPIError):
    code = "REQUIRED_PIF_IS_UNPLUGGED"
    names = ("PIF",)


class RevertOnlyAllowedOnSnapshotError(XenAPIError):
    code = "REVERT_ONLY_ALLOWED_ON_SNAPSHOT"


class SysprepError(XenAPIError):
    code = "SYSPREP"
    names = ("vm", "message")


class SystemStatusMustUseTarOnOemError(XenAPIError):
    code = "SYSTEM_STATUS_MUST_USE_TAR_ON_OEM"


class SystemStatusRetrievalFailedError(XenAPIError):
    code = "SYSTEM_STATUS_RETRIEVAL_FAILED"
    names = ("reason",)


class TelemetryNextCollectionTooLateError(XenAPIError):
    code = "TELEMETRY_NEXT_COLLECTION_TOO_LATE"
    names = ("timestamp",)


class TooBusyError(XenAPIError):
    code = "TOO_BUSY"


class TooManyGroupsError(XenAPIError):
    code = "TOO_MANY_GROUPS"


class TooManyStorageMigratesError(XenAPIError):
    code = "TOO_MANY_STORAGE_MIGRATES"
    names = ("number",)


class TooManyVusbsError(XenAPIError):
    code = "TOO_MANY_VUSBS"
    names = ("number",)


class UuidInvalidError(XenAPIError):
    """Nothing of that class has the uuid."""

    code = "UUID_INVALID"
    names = ("type", "uuid")


class V6dFailureError(XenAPIError):
    code = "V6D_FAILURE"


class ValueNotSupportedError(XenAPIError):
    """The field could have that value, but not here."""

    code = "VALUE_NOT_SUPPORTED"
    names = ("field", "value", "reason")


class VcpuMaxNotCoresPerSocketMultipleError(XenAPIError):
    code = "VCPU_MAX_NOT_CORES_PER_SOCKET_MULTIPLE"
    names = ("vcpu_max", "cores_per_socket")


class XapiHookFailedError(XenAPIError):
    code = "XAPI_HOOK_FAILED"
    names = ("hook_name", "reason", "stdout", "exit_code")


class XenapiMissingPluginError(XenAPIError):
    """There is no plugin of that name."""

    code = "XENAPI_MISSING_PLUGIN"
    names = ("name",)


class XenapiPluginFailureError(XenAPIError):
    """The plugin failed."""

    code = "XENAPI_PLUGIN_FAILURE"
    names = ("status", "stdout", "stderr")


class XmlrpcUnmarshalFailureError(XenAPIError):
    code = "XMLRPC_UNMARSHAL_FAILURE"
    names = ("expected", "received")

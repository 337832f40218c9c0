"""XenAPI errors: host, part 3."""

from __future__ import annotations

from xapi_shim.datamodel.errors.base import XenAPIError


class ServerCertificateKeyMismatchError(XenAPIError):
    code = "SERVER_CERTIFICATE_KEY_MISMATCH"


class ServerCertificateKeyRsaLengthNotSupportedError(XenAPIError):
    code = "SERVER_CERTIFICATE_KEY_RSA_LENGTH_NOT_SUPPORTED"
    names = ("length",)


class ServerCertificateKeyRsaMultiNotSupportedError(XenAPIError):
    code = "SERVER_CERTIFICATE_KEY_RSA_MULTI_NOT_SUPPORTED"


class ServerCertificateNotValidYetError(XenAPIError):
    code = "SERVER_CERTIFICATE_NOT_VALID_YET"
    names = ("now", "not_before")


class ServerCertificateSignatureNotSupportedError(XenAPIError):
    code = "SERVER_CERTIFICATE_SIGNATURE_NOT_SUPPORTED"


class SetConsoleTimeoutPartiallyFailedError(XenAPIError):
    code = "SET_CONSOLE_TIMEOUT_PARTIALLY_FAILED"
    names = ("hosts",)


class SetSshAutoModePartiallyFailedError(XenAPIError):
    code = "SET_SSH_AUTO_MODE_PARTIALLY_FAILED"
    names = ("hosts",)


class SetSshTimeoutPartiallyFailedError(XenAPIError):
    code = "SET_SSH_TIMEOUT_PARTIALLY_FAILED"
    names = ("hosts",)


class SlaveRequiresManagementInterfaceError(XenAPIError):
    code = "SLAVE_REQUIRES_MANAGEMENT_INTERFACE"


class SslVerifyErrorError(XenAPIError):
    code = "SSL_VERIFY_ERROR"
    names = ("reason",)


class SyncBundleInProgressError(XenAPIError):
    code = "SYNC_BUNDLE_IN_PROGRESS"


class SyncUpdatesInProgressError(XenAPIError):
    code = "SYNC_UPDATES_IN_PROGRESS"


class TlsConnectionFailedError(XenAPIError):
    code = "TLS_CONNECTION_FAILED"
    names = ("address", "port")


class TlsVerificationEnableInProgressError(XenAPIError):
    code = "TLS_VERIFICATION_ENABLE_IN_PROGRESS"


class TlsVerificationNotEnabledInPoolError(XenAPIError):
    code = "TLS_VERIFICATION_NOT_ENABLED_IN_POOL"


class TrustedCertificateAlreadyExistsError(XenAPIError):
    code = "TRUSTED_CERTIFICATE_ALREADY_EXISTS"
    names = ("fingerprint",)


class TrustedCertificateExpiredError(XenAPIError):
    code = "TRUSTED_CERTIFICATE_EXPIRED"
    names = ("now", "not_after")


class TrustedCertificateInvalidError(XenAPIError):
    code = "TRUSTED_CERTIFICATE_INVALID"


class TrustedCertificateNotValidYetError(XenAPIError):
    code = "TRUSTED_CERTIFICATE_NOT_VALID_YET"
    names = ("now", "not_before")


class UpdateinfoHashMismatchError(XenAPIError):
    code = "UPDATEINFO_HASH_MISMATCH"


class UpdateAlreadyAppliedError(XenAPIError):
    code = "UPDATE_ALREADY_APPLIED"
    names = ("update",)


class UpdateAlreadyAppliedInPoolError(XenAPIError):
    code = "UPDATE_ALREADY_APPLIED_IN_POOL"
    names = ("update",)


class UpdateAlreadyExistsError(XenAPIError):
    code = "UPDATE_ALREADY_EXISTS"
    names = ("uuid",)


class UpdateApplyFailedError(XenAPIError):
    code = "UPDATE_APPLY_FAILED"
    names = ("output",)


class UpdateIsAppliedError(XenAPIError):
    code = "UPDATE_IS_APPLIED"


class UpdatePoolApplyFailedError(XenAPIError):
    code = "UPDATE_POOL_APPLY_FAILED"
    names = ("hosts",)


class UpdatePrecheckFailedConflictPresentError(XenAPIError):
    code = "UPDATE_PRECHECK_FAILED_CONFLICT_PRESENT"
    names = ("update", "conflict_update")


class UpdatePrecheckFailedGpgkeyNotImportedError(XenAPIError):
    code = "UPDATE_PRECHECK_FAILED_GPGKEY_NOT_IMPORTED"
    names = ("update",)


class UpdatePrecheckFailedOutOfSpaceError(XenAPIError):
    code = "UPDATE_PRECHECK_FAILED_OUT_OF_SPACE"
    names = ("update", "available_space", "required_space ")


class UpdatePrecheckFailedPrerequisiteMissingError(XenAPIError):
    code = "UPDATE_PRECHECK_FAILED_PREREQUISITE_MISSING"
    names = ("update", "prerequisite_update")


class UpdatePrecheckFailedUnknownErrorError(XenAPIError):
    code = "UPDATE_PRECHECK_FAILED_UNKNOWN_ERROR"
    names = ("update", "info")


class UpdatePrecheckFailedWrongServerVersionError(XenAPIError):
    code = "UPDATE_PRECHECK_FAILED_WRONG_SERVER_VERSION"
    names = ("update", "installed_version", "required_version ")


class UpdateSyncingRemotePoolCoordinatorConnectionFailedError(XenAPIError):
    code = "UPDATE_SYNCING_REMOTE_POOL_COORDINATOR_CONNECTION_FAILED"


class UpdateSyncingRemotePoolCoordinatorServiceFailedError(XenAPIError):
    code = "UPDATE_SYNCING_REMOTE_POOL_COORDINATOR_SERVICE_FAILED"


class WlbAuthenticationFailedError(XenAPIError):
    code = "WLB_AUTHENTICATION_FAILED"


class WlbConnectionRefusedError(XenAPIError):
    code = "WLB_CONNECTION_REFUSED"


class WlbConnectionResetError(XenAPIError):
    code = "WLB_CONNECTION_RESET"


class WlbDisabledError(XenAPIError):
    code = "WLB_DISABLED"


class WlbInternalErrorError(XenAPIError):
    code = "WLB_INTERNAL_ERROR"


class WlbMalformedRequestError(XenAPIError):
    code = "WLB_MALFORMED_REQUEST"


class WlbMalformedResponseError(XenAPIError):
    code = "WLB_MALFORMED_RESPONSE"
    names = ("method", "reason", "response")


class WlbNotInitializedError(XenAPIError):
    code = "WLB_NOT_INITIALIZED"


class WlbTimeoutError(XenAPIError):
    code = "WLB_TIMEOUT"
    names = ("configured_timeout",)


class WlbUnknownHostError(XenAPIError):
    code = "WLB_UNKNOWN_HOST"


class WlbUrlInvalidError(XenAPIError):
    code = "WLB_URL_INVALID"
    names = ("url",)


class WlbXenserverAuthenticationFailedError(XenAPIError):
    code = "WLB_XENSERVER_AUTHENTICATION_FAILED"


class WlbXenserverConnectionRefusedError(XenAPIError):
    code = "WLB_XENSERVER_CONNECTION_REFUSED"


class WlbXenserverMalformedResponseError(XenAPIError):
    code = "WLB_XENSERVER_MALFORMED_RESPONSE"


class WlbXenserverTimeoutError(XenAPIError):
    code = "WLB_XENSERVER_TIMEOUT"


class WlbXenserverUnknownHostError(XenAPIError):
    code = "WLB_XENSERVER_UNKNOWN_HOST"

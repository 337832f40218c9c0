"""XenAPI errors: host, part 2."""

from __future__ import annotations

from xapi_shim.datamodel.errors.base import XenAPIError


class HostNotLiveError(XenAPIError):
    """The host has not answered lately."""

    code = "HOST_NOT_LIVE"


class HostOfflineError(XenAPIError):
    """The host does not answer."""

    code = "HOST_OFFLINE"
    names = ("host",)


class HostPendingMandatoryGuidanceNotEmptyError(XenAPIError):
    code = "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY"
    names = ("host",)


class HostPowerOnModeDisabledError(XenAPIError):
    code = "HOST_POWER_ON_MODE_DISABLED"


class HostStillBootingError(XenAPIError):
    """The toolstack is still starting."""

    code = "HOST_STILL_BOOTING"


class HostUnknownToMasterError(XenAPIError):
    code = "HOST_UNKNOWN_TO_MASTER"
    names = ("host",)


class HostXapiVersionHigherThanCoordinatorError(XenAPIError):
    code = "HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR"
    names = ("host_xapi_version",)


class InvalidBaseUrlError(XenAPIError):
    code = "INVALID_BASE_URL"
    names = ("url",)


class InvalidFeatureStringError(XenAPIError):
    code = "INVALID_FEATURE_STRING"
    names = ("details",)


class InvalidPatchError(XenAPIError):
    code = "INVALID_PATCH"


class InvalidPatchWithLogError(XenAPIError):
    code = "INVALID_PATCH_WITH_LOG"
    names = ("log",)


class InvalidRepomdXmlError(XenAPIError):
    code = "INVALID_REPOMD_XML"


class InvalidRepositoryDomainAllowlistError(XenAPIError):
    code = "INVALID_REPOSITORY_DOMAIN_ALLOWLIST"
    names = ("domains",)


class InvalidRepositoryProxyCredentialError(XenAPIError):
    code = "INVALID_REPOSITORY_PROXY_CREDENTIAL"


class InvalidRepositoryProxyUrlError(XenAPIError):
    code = "INVALID_REPOSITORY_PROXY_URL"
    names = ("url",)


class InvalidUpdateError(XenAPIError):
    code = "INVALID_UPDATE"
    names = ("info",)


class InvalidUpdateinfoXmlError(XenAPIError):
    code = "INVALID_UPDATEINFO_XML"


class InvalidUpdateSyncDayError(XenAPIError):
    code = "INVALID_UPDATE_SYNC_DAY"
    names = ("day",)


class JoiningHostCannotBeMasterOfOtherHostsError(XenAPIError):
    code = "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"


class JoiningHostCannotContainSharedSrsError(XenAPIError):
    code = "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"


class JoiningHostCannotHaveRunningOrSuspendedVmsError(XenAPIError):
    code = "JOINING_HOST_CANNOT_HAVE_RUNNING_OR_SUSPENDED_VMS"


class JoiningHostCannotHaveRunningVmsError(XenAPIError):
    code = "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"


class JoiningHostCannotHaveVmsWithCurrentOperationsError(XenAPIError):
    code = "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS"


class JoiningHostConnectionFailedError(XenAPIError):
    """The pool's master could not be reached."""

    code = "JOINING_HOST_CONNECTION_FAILED"


class JoiningHostServiceFailedError(XenAPIError):
    code = "JOINING_HOST_SERVICE_FAILED"


class MissingConnectionDetailsError(XenAPIError):
    code = "MISSING_CONNECTION_DETAILS"


class MultipleUpdateRepositoriesEnabledError(XenAPIError):
    code = "MULTIPLE_UPDATE_REPOSITORIES_ENABLED"


class NotSupportedDuringUpgradeError(XenAPIError):
    code = "NOT_SUPPORTED_DURING_UPGRADE"


class NoClusterHostsReachableError(XenAPIError):
    code = "NO_CLUSTER_HOSTS_REACHABLE"
    names = ("cluster",)


class NoHostsAvailableError(XenAPIError):
    """No host could take the guest."""

    code = "NO_HOSTS_AVAILABLE"


class NoRepositoriesConfiguredError(XenAPIError):
    code = "NO_REPOSITORIES_CONFIGURED"


class NoRepositoryEnabledError(XenAPIError):
    code = "NO_REPOSITORY_ENABLED"


class PatchAlreadyAppliedError(XenAPIError):
    code = "PATCH_ALREADY_APPLIED"
    names = ("patch",)


class PatchAlreadyExistsError(XenAPIError):
    code = "PATCH_ALREADY_EXISTS"
    names = ("uuid",)


class PatchApplyFailedError(XenAPIError):
    code = "PATCH_APPLY_FAILED"
    names = ("output",)


class PatchApplyFailedBackupFilesExistError(XenAPIError):
    code = "PATCH_APPLY_FAILED_BACKUP_FILES_EXIST"
    names = ("output",)


class PatchIsAppliedError(XenAPIError):
    code = "PATCH_IS_APPLIED"


class PatchPrecheckFailedIsoMountedError(XenAPIError):
    code = "PATCH_PRECHECK_FAILED_ISO_MOUNTED"
    names = ("patch",)


class PatchPrecheckFailedOutOfSpaceError(XenAPIError):
    code = "PATCH_PRECHECK_FAILED_OUT_OF_SPACE"
    names = ("patch", "found_space", "required_required")


class PatchPrecheckFailedPrerequisiteMissingError(XenAPIError):
    code = "PATCH_PRECHECK_FAILED_PREREQUISITE_MISSING"
    names = ("patch", "prerequisite_patch_uuid_list")


class PatchPrecheckFailedUnknownErrorError(XenAPIError):
    code = "PATCH_PRECHECK_FAILED_UNKNOWN_ERROR"
    names = ("patch", "info")


class PatchPrecheckFailedVmRunningError(XenAPIError):
    code = "PATCH_PRECHECK_FAILED_VM_RUNNING"
    names = ("patch",)


class PatchPrecheckFailedWrongServerBuildError(XenAPIError):
    code = "PATCH_PRECHECK_FAILED_WRONG_SERVER_BUILD"
    names = ("patch", "found_build", "required_build")


class PatchPrecheckFailedWrongServerVersionError(XenAPIError):
    code = "PATCH_PRECHECK_FAILED_WRONG_SERVER_VERSION"
    names = ("patch", "found_version", "required_version")


class PoolAuthAlreadyEnabledError(XenAPIError):
    code = "POOL_AUTH_ALREADY_ENABLED"
    names = ("host",)


class PoolAuthDisableFailedError(XenAPIError):
    code = "POOL_AUTH_DISABLE_FAILED"
    names = ("host", "message")


class PoolAuthDisableFailedInvalidAccountError(XenAPIError):
    code = "POOL_AUTH_DISABLE_FAILED_INVALID_ACCOUNT"
    names = ("host", "message")


class PoolAuthDisableFailedPermissionDeniedError(XenAPIError):
    code = "POOL_AUTH_DISABLE_FAILED_PERMISSION_DENIED"
    names = ("host", "message")


class PoolAuthDisableFailedWrongCredentialsError(XenAPIError):
    code = "POOL_AUTH_DISABLE_FAILED_WRONG_CREDENTIALS"
    names = ("host", "message")


class PoolAuthEnableFailedError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED"
    names = ("host", "message")


class PoolAuthEnableFailedDomainLookupFailedError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_DOMAIN_LOOKUP_FAILED"
    names = ("host", "message")


class PoolAuthEnableFailedDuplicateHostnameError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_DUPLICATE_HOSTNAME"
    names = ("host", "message")


class PoolAuthEnableFailedInvalidAccountError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_INVALID_ACCOUNT"
    names = ("host", "message")


class PoolAuthEnableFailedInvalidOuError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_INVALID_OU"
    names = ("host", "message")


class PoolAuthEnableFailedInvalidTrustedCertsError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_INVALID_TRUSTED_CERTS"
    names = ("host", "message")


class PoolAuthEnableFailedNoSupportEncryptTypeError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_NO_SUPPORT_ENCRYPT_TYPE"
    names = ("host", "message")


class PoolAuthEnableFailedNoTrustedCertsError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_NO_TRUSTED_CERTS"
    names = ("host", "message")


class PoolAuthEnableFailedPermissionDeniedError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_PERMISSION_DENIED"
    names = ("host", "message")


class PoolAuthEnableFailedSetupTlsConnectionError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_SETUP_TLS_CONNECTION"
    names = ("host", "message")


class PoolAuthEnableFailedUnavailableError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_UNAVAILABLE"
    names = ("host", "message")


class PoolAuthEnableFailedWrongCredentialsError(XenAPIError):
    code = "POOL_AUTH_ENABLE_FAILED_WRONG_CREDENTIALS"
    names = ("host", "message")


class PoolJoiningExternalAuthMismatchError(XenAPIError):
    code = "POOL_JOINING_EXTERNAL_AUTH_MISMATCH"


class PoolJoiningHostCaCertificatesConflictError(XenAPIError):
    code = "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT"


class PoolJoiningHostHasBondsError(XenAPIError):
    code = "POOL_JOINING_HOST_HAS_BONDS"


class PoolJoiningHostHasNetworkSriovsError(XenAPIError):
    code = "POOL_JOINING_HOST_HAS_NETWORK_SRIOVS"


class PoolJoiningHostHasNonManagementVlansError(XenAPIError):
    code = "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS"


class PoolJoiningHostHasTunnelsError(XenAPIError):
    code = "POOL_JOINING_HOST_HAS_TUNNELS"


class PoolJoiningHostManagementVlanDoesNotMatchError(XenAPIError):
    code = "POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH"
    names = ("local", "remote")


class PoolJoiningHostMustHaveOnlyOneIpOnClusteringNetworkError(XenAPIError):
    code = "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK"


class PoolJoiningHostMustHavePhysicalManagementNicError(XenAPIError):
    code = "POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC"


class PoolJoiningHostMustHaveSameApiVersionError(XenAPIError):
    code = "POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION"
    names = ("host_api_version", "master_api_version")


class PoolJoiningHostMustHaveSameDbSchemaError(XenAPIError):
    code = "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA"
    names = ("host_db_schema", "master_db_schema")


class PoolJoiningHostMustHaveSameProductVersionError(XenAPIError):
    code = "POOL_JOINING_HOST_MUST_HAVE_SAME_PRODUCT_VERSION"


class PoolJoiningHostMustOnlyHavePhysicalPifsError(XenAPIError):
    code = "POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS"


class PoolJoiningHostTlsVerificationMismatchError(XenAPIError):
    code = "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"


class PoolJoiningHostTrustedCertificatesConflictError(XenAPIError):
    code = "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT"
    names = ("ref_in_pool", "ref_on_host")


class PoolJoiningMasterCertificateNotInPoolBundleError(XenAPIError):
    code = "POOL_JOINING_MASTER_CERTIFICATE_NOT_IN_POOL_BUNDLE"
    names = ("master_uuid",)


class PoolJoiningPoolBundleEmptyAfterImportError(XenAPIError):
    code = "POOL_JOINING_POOL_BUNDLE_EMPTY_AFTER_IMPORT"
    names = ("bundle_path",)


class PoolJoiningPoolCannotEnableClusteringOnVlanNetworkError(XenAPIError):
    code = "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK"
    names = ("vlan",)


class PoolJoiningSmFeaturesIncompatibleError(XenAPIError):
    code = "POOL_JOINING_SM_FEATURES_INCOMPATIBLE"
    names = ("pool_sm_ref", "candidate_sm_ref")


class PoolSecretRotationPendingError(XenAPIError):
    code = "POOL_SECRET_ROTATION_PENDING"


class RepositoryAlreadyExistsError(XenAPIError):
    code = "REPOSITORY_ALREADY_EXISTS"
    names = ("ref",)


class RepositoryCleanupFailedError(XenAPIError):
    code = "REPOSITORY_CLEANUP_FAILED"


class RepositoryIsInUseError(XenAPIError):
    code = "REPOSITORY_IS_IN_USE"


class ReposyncFailedError(XenAPIError):
    code = "REPOSYNC_FAILED"


class RepoShouldBeSingleOneEnabledError(XenAPIError):
    code = "REPO_SHOULD_BE_SINGLE_ONE_ENABLED"


class RestoreIncompatibleVersionError(XenAPIError):
    code = "RESTORE_INCOMPATIBLE_VERSION"


class RestoreScriptFailedError(XenAPIError):
    code = "RESTORE_SCRIPT_FAILED"
    names = ("log",)


class RestoreTargetMgmtIfNotInBackupError(XenAPIError):
    code = "RESTORE_TARGET_MGMT_IF_NOT_IN_BACKUP"


class RestoreTargetMissingDeviceError(XenAPIError):
    code = "RESTORE_TARGET_MISSING_DEVICE"
    names = ("device",)


class ServerCertificateChainInvalidError(XenAPIError):
    code = "SERVER_CERTIFICATE_CHAIN_INVALID"


class ServerCertificateExpiredError(XenAPIError):
    code = "SERVER_CERTIFICATE_EXPIRED"
    names = ("now", "not_after")


class ServerCertificateInvalidError(XenAPIError):
    code = "SERVER_CERTIFICATE_INVALID"


class ServerCertificateKeyAlgorithmNotSupportedError(XenAPIError):
    code = "SERVER_CERTIFICATE_KEY_ALGORITHM_NOT_SUPPORTED"
    names = ("algorithm_oid",)


class ServerCertificateKeyInvalidError(XenAPIError):
    code = "SERVER_CERTIFICATE_KEY_INVALID"

"""XenAPI errors: host, part 1."""

from __future__ import annotations

from xapi_shim.datamodel.errors.base import XenAPIError


class ApplyGuidanceFailedError(XenAPIError):
    code = "APPLY_GUIDANCE_FAILED"
    names = ("ref",)


class ApplyLivepatchFailedError(XenAPIError):
    code = "APPLY_LIVEPATCH_FAILED"
    names = ("livepatch",)


class ApplyUpdatesFailedError(XenAPIError):
    code = "APPLY_UPDATES_FAILED"
    names = ("ref",)


class ApplyUpdatesInProgressError(XenAPIError):
    code = "APPLY_UPDATES_IN_PROGRESS"


class BackupScriptFailedError(XenAPIError):
    code = "BACKUP_SCRIPT_FAILED"
    names = ("log",)


class BundleRepositoryAlreadyExistsError(XenAPIError):
    code = "BUNDLE_REPOSITORY_ALREADY_EXISTS"
    names = ("ref",)


class BundleRepoNotEnabledError(XenAPIError):
    code = "BUNDLE_REPO_NOT_ENABLED"


class BundleSyncFailedError(XenAPIError):
    code = "BUNDLE_SYNC_FAILED"


class BundleUnpackFailedError(XenAPIError):
    code = "BUNDLE_UNPACK_FAILED"
    names = ("error",)


class CannotContactHostError(XenAPIError):
    """The other host could not be reached."""

    code = "CANNOT_CONTACT_HOST"
    names = ("host",)


class CannotDestroyDisasterRecoveryTaskError(XenAPIError):
    code = "CANNOT_DESTROY_DISASTER_RECOVERY_TASK"
    names = ("reason",)


class CannotDestroySystemNetworkError(XenAPIError):
    code = "CANNOT_DESTROY_SYSTEM_NETWORK"
    names = ("network",)


class CaCertificateExpiredError(XenAPIError):
    code = "CA_CERTIFICATE_EXPIRED"


class CaCertificateInvalidError(XenAPIError):
    code = "CA_CERTIFICATE_INVALID"


class CaCertificateNotValidYetError(XenAPIError):
    code = "CA_CERTIFICATE_NOT_VALID_YET"


class CertificateAlreadyExistsError(XenAPIError):
    code = "CERTIFICATE_ALREADY_EXISTS"
    names = ("name",)


class CertificateCorruptError(XenAPIError):
    code = "CERTIFICATE_CORRUPT"
    names = ("name",)


class CertificateDoesNotExistError(XenAPIError):
    code = "CERTIFICATE_DOES_NOT_EXIST"
    names = ("name",)


class CertificateLacksPurposeError(XenAPIError):
    code = "CERTIFICATE_LACKS_PURPOSE"


class CertificateLibraryCorruptError(XenAPIError):
    code = "CERTIFICATE_LIBRARY_CORRUPT"


class CertificateNameInvalidError(XenAPIError):
    code = "CERTIFICATE_NAME_INVALID"
    names = ("name",)


class ClusteredSrDegradedError(XenAPIError):
    code = "CLUSTERED_SR_DEGRADED"
    names = ("sr",)


class ClusteringDisabledError(XenAPIError):
    code = "CLUSTERING_DISABLED"
    names = ("cluster_host",)


class ClusteringEnabledError(XenAPIError):
    code = "CLUSTERING_ENABLED"
    names = ("cluster_host",)


class ClusterAlreadyExistsError(XenAPIError):
    code = "CLUSTER_ALREADY_EXISTS"


class ClusterCreateInProgressError(XenAPIError):
    code = "CLUSTER_CREATE_IN_PROGRESS"


class ClusterDoesNotHaveOneNodeError(XenAPIError):
    code = "CLUSTER_DOES_NOT_HAVE_ONE_NODE"
    names = ("number_of_nodes",)


class ClusterForceDestroyFailedError(XenAPIError):
    code = "CLUSTER_FORCE_DESTROY_FAILED"
    names = ("cluster",)


class ClusterHasNoCertificateError(XenAPIError):
    code = "CLUSTER_HAS_NO_CERTIFICATE"


class ClusterHostIsLastError(XenAPIError):
    code = "CLUSTER_HOST_IS_LAST"
    names = ("cluster_host",)


class ClusterHostNotJoinedError(XenAPIError):
    code = "CLUSTER_HOST_NOT_JOINED"
    names = ("cluster_host",)


class ClusterStackInUseError(XenAPIError):
    code = "CLUSTER_STACK_IN_USE"
    names = ("cluster_stack",)


class ConfigureRepositoriesInProgressError(XenAPIError):
    code = "CONFIGURE_REPOSITORIES_IN_PROGRESS"


class CouldNotImportDatabaseError(XenAPIError):
    code = "COULD_NOT_IMPORT_DATABASE"
    names = ("reason",)


class CouldNotUpdateIgmpSnoopingEverywhereError(XenAPIError):
    code = "COULD_NOT_UPDATE_IGMP_SNOOPING_EVERYWHERE"


class CrlAlreadyExistsError(XenAPIError):
    code = "CRL_ALREADY_EXISTS"
    names = ("name",)


class CrlCorruptError(XenAPIError):
    code = "CRL_CORRUPT"
    names = ("name",)


class CrlDoesNotExistError(XenAPIError):
    code = "CRL_DOES_NOT_EXIST"
    names = ("name",)


class CrlNameInvalidError(XenAPIError):
    code = "CRL_NAME_INVALID"
    names = ("name",)


class DisableSshFailedError(XenAPIError):
    code = "DISABLE_SSH_FAILED"
    names = ("host",)


class DisableSshPartiallyFailedError(XenAPIError):
    code = "DISABLE_SSH_PARTIALLY_FAILED"
    names = ("hosts",)


class EnableSshFailedError(XenAPIError):
    code = "ENABLE_SSH_FAILED"
    names = ("host",)


class EnableSshPartiallyFailedError(XenAPIError):
    code = "ENABLE_SSH_PARTIALLY_FAILED"
    names = ("hosts",)


class GetHostUpdatesFailedError(XenAPIError):
    code = "GET_HOST_UPDATES_FAILED"
    names = ("ref",)


class GetUpdatesFailedError(XenAPIError):
    code = "GET_UPDATES_FAILED"


class GetUpdatesInProgressError(XenAPIError):
    code = "GET_UPDATES_IN_PROGRESS"


class HaAbortNewMasterError(XenAPIError):
    code = "HA_ABORT_NEW_MASTER"
    names = ("reason",)


class HaCannotChangeBondStatusOfMgmtIfaceError(XenAPIError):
    code = "HA_CANNOT_CHANGE_BOND_STATUS_OF_MGMT_IFACE"


class HaConstraintViolationNetworkNotSharedError(XenAPIError):
    code = "HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED"
    names = ("network",)


class HaConstraintViolationSrNotSharedError(XenAPIError):
    code = "HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED"
    names = ("SR",)


class HaDisableInProgressError(XenAPIError):
    code = "HA_DISABLE_IN_PROGRESS"


class HaEnableInProgressError(XenAPIError):
    code = "HA_ENABLE_IN_PROGRESS"


class HaFailedToFormLivesetError(XenAPIError):
    code = "HA_FAILED_TO_FORM_LIVESET"


class HaHeartbeatDaemonStartupFailedError(XenAPIError):
    code = "HA_HEARTBEAT_DAEMON_STARTUP_FAILED"


class HaHostCannotAccessStatefileError(XenAPIError):
    code = "HA_HOST_CANNOT_ACCESS_STATEFILE"


class HaHostCannotSeePeersError(XenAPIError):
    code = "HA_HOST_CANNOT_SEE_PEERS"
    names = ("host", "all", "subset")


class HaHostIsArmedError(XenAPIError):
    code = "HA_HOST_IS_ARMED"
    names = ("host",)


class HaIsEnabledError(XenAPIError):
    code = "HA_IS_ENABLED"


class HaLostStatefileError(XenAPIError):
    code = "HA_LOST_STATEFILE"


class HaNotEnabledError(XenAPIError):
    code = "HA_NOT_ENABLED"


class HaNotInstalledError(XenAPIError):
    code = "HA_NOT_INSTALLED"
    names = ("host",)


class HaNoPlanError(XenAPIError):
    code = "HA_NO_PLAN"


class HaOperationWouldBreakFailoverPlanError(XenAPIError):
    code = "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"


class HaPoolIsEnabledButHostIsDisabledError(XenAPIError):
    code = "HA_POOL_IS_ENABLED_BUT_HOST_IS_DISABLED"


class HaShouldBeFencedError(XenAPIError):
    code = "HA_SHOULD_BE_FENCED"
    names = ("host",)


class HaTooFewHostsError(XenAPIError):
    code = "HA_TOO_FEW_HOSTS"


class HostsFailedToDisableCachingError(XenAPIError):
    code = "HOSTS_FAILED_TO_DISABLE_CACHING"


class HostsFailedToEnableCachingError(XenAPIError):
    code = "HOSTS_FAILED_TO_ENABLE_CACHING"


class HostsNotCompatibleError(XenAPIError):
    code = "HOSTS_NOT_COMPATIBLE"


class HostsNotHomogeneousError(XenAPIError):
    code = "HOSTS_NOT_HOMOGENEOUS"
    names = ("reason",)


class HostBrokenError(XenAPIError):
    code = "HOST_BROKEN"


class HostCannotAttachNetworkError(XenAPIError):
    """The host cannot bring the network up."""

    code = "HOST_CANNOT_ATTACH_NETWORK"
    names = ("host", "network")


class HostCannotDestroySelfError(XenAPIError):
    code = "HOST_CANNOT_DESTROY_SELF"
    names = ("host",)


class HostCannotReadMetricsError(XenAPIError):
    code = "HOST_CANNOT_READ_METRICS"


class HostCannotSeeSrError(XenAPIError):
    code = "HOST_CANNOT_SEE_SR"


class HostCdDriveEmptyError(XenAPIError):
    code = "HOST_CD_DRIVE_EMPTY"


class HostDisabledError(XenAPIError):
    """The host starts no guests until it is enabled."""

    code = "HOST_DISABLED"
    names = ("host",)


class HostDisabledIndefinitelyError(XenAPIError):
    code = "HOST_DISABLED_INDEFINITELY"
    names = ("host",)


class HostDisabledUntilRebootError(XenAPIError):
    code = "HOST_DISABLED_UNTIL_REBOOT"
    names = ("host",)


class HostDriverNoHardwareError(XenAPIError):
    code = "HOST_DRIVER_NO_HARDWARE"
    names = ("driver variant",)


class HostEvacuateInProgressError(XenAPIError):
    code = "HOST_EVACUATE_IN_PROGRESS"
    names = ("host",)


class HostEvacuateVmNotHaProtectedError(XenAPIError):
    code = "HOST_EVACUATE_VM_NOT_HA_PROTECTED"
    names = ("vm",)


class HostEvacuationIsRequiredError(XenAPIError):
    code = "HOST_EVACUATION_IS_REQUIRED"
    names = ("host",)


class HostHasNoManagementIpError(XenAPIError):
    code = "HOST_HAS_NO_MANAGEMENT_IP"


class HostHasResidentVmsError(XenAPIError):
    code = "HOST_HAS_RESIDENT_VMS"
    names = ("host",)


class HostInEmergencyModeError(XenAPIError):
    """The host has lost its master."""

    code = "HOST_IN_EMERGENCY_MODE"


class HostInUseError(XenAPIError):
    """The host is still needed by the object."""

    code = "HOST_IN_USE"
    names = ("host", "type", "ref")


class HostIsLiveError(XenAPIError):
    code = "HOST_IS_LIVE"
    names = ("host",)


class HostIsSlaveError(XenAPIError):
    """The host called is not the master; the parameter says who is."""

    code = "HOST_IS_SLAVE"
    names = ("Master IP address",)


class HostItsOwnSlaveError(XenAPIError):
    code = "HOST_ITS_OWN_SLAVE"


class HostMasterCannotTalkBackError(XenAPIError):
    code = "HOST_MASTER_CANNOT_TALK_BACK"
    names = ("ip",)


class HostNameInvalidError(XenAPIError):
    code = "HOST_NAME_INVALID"
    names = ("reason",)


class HostNotDisabledError(XenAPIError):
    code = "HOST_NOT_DISABLED"


class HostNotEnoughFreeMemoryError(XenAPIError):
    """The host has too little memory left for the guest."""

    code = "HOST_NOT_ENOUGH_FREE_MEMORY"
    names = ("needed", "available")


class HostNotEnoughPcpusError(XenAPIError):
    code = "HOST_NOT_ENOUGH_PCPUS"
    names = ("vcpus", "pcpus")

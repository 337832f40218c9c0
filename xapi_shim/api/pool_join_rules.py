"""What forbids that a host joins a pool: one rule a function, in the order in which the reference asks. Pure.

Where the facts of the reference do not fit a host of Kronos, the rule says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api.other_hosts import is_live
from xapi_shim.api.pool_join_network_rules import (
    NETWORK_RULES,
    check_backend,
    check_cluster_network,
    check_kind,
)
from xapi_shim.api.pool_join_side import Side, master_side
from xapi_shim.datamodel.errors import (
    ClusteringEnabledError,
    HaIsEnabledError,
    HostIsLiveError,
    HostPendingMandatoryGuidanceNotEmptyError,
    HostsNotCompatibleError,
    HostsNotHomogeneousError,
    HostStillBootingError,
    JoiningHostCannotBeMasterOfOtherHostsError,
    JoiningHostCannotContainSharedSrsError,
    JoiningHostCannotHaveRunningVmsError,
    JoiningHostCannotHaveVmsWithCurrentOperationsError,
    LicenceRestrictionError,
    LicenseHostPoolMismatchError,
    NotSupportedDuringUpgradeError,
    OperationNotAllowedError,
    PoolJoiningExternalAuthMismatchError,
    PoolJoiningHostCaCertificatesConflictError,
    PoolJoiningHostMustHaveSameApiVersionError,
    PoolJoiningHostMustHaveSameDbSchemaError,
    PoolJoiningHostTlsVerificationMismatchError,
    PoolJoiningHostTrustedCertificatesConflictError,
    PoolJoiningSmFeaturesIncompatibleError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xapi_shim.database.database import Database

# The most hosts of a pool (published limit of the reference).
MAX_HOSTS = 64
# What must be equal beside the product's name. The reference does not compare builds; here each member's code works
# on the master's rows, all of them.
COMPATIBLE = ("platform_version", "xapi_build")
# What may differ if the join is forced.
HOMOGENEOUS = ("xapi", "xen")
# Guests that migrate find the same processor; the reference levels features, and so asks for the vendor only.
SAME_CPU = ("vendor", "family")
_TRUSTED = ("ca", "pinned")


def check_join(joiner: Database, host: str, master: Database, *, force: bool) -> None:
    """Raise the first thing that forbids that `host`, whose own database `joiner` is, joins the pool of `master`.

    With `force` the hosts may differ in processor and in Xen. The errors are those of the rules below; codes and
    order are the reference's.
    """
    mine, its = Side(joiner, host), master_side(master)
    for rule in RULES:
        if not (force and rule is check_homogeneous):
            rule(mine, its)


def check_size(joiner: Side, master: Side) -> None:
    """Raise LICENCE_RESTRICTION [Pool_size] for a full pool, as of a licence that ends there."""
    known = master.db.find_uuid("host", joiner.text("uuid"))
    if known is None and len(master.db.refs("host")) >= MAX_HOSTS:
        raise LicenceRestrictionError("Pool_size")


def check_management(joiner: Side, _: Side) -> None:
    """Raise HOST_STILL_BOOTING [] for a host that does not know how it is reached."""
    if joiner.management is None:
        raise HostStillBootingError


def check_own_ha(joiner: Side, _: Side) -> None:
    if joiner.pool_flag("ha_enabled"):
        raise HaIsEnabledError


def check_own_cluster(joiner: Side, _: Side) -> None:
    """Raise CLUSTERING_ENABLED [Cluster_host]."""
    db = joiner.db
    for member in db.refs("Cluster_host"):
        if db.text("Cluster_host", member, "host") == joiner.host and db.flag(
            "Cluster_host", member, "enabled"
        ):
            raise ClusteringEnabledError(member)


def check_pool_ha(_: Side, master: Side) -> None:
    if master.pool_flag("ha_enabled"):
        raise HaIsEnabledError


def check_not_myself(joiner: Side, master: Side) -> None:
    """Raise OPERATION_NOT_ALLOWED [why] for a pool that the host is in, or of whose database its own is a copy.

    Raises HOST_IS_LIVE [host] where another with its uuid runs in the pool, which the reference does not ask. One
    that is dead is this host, whose join was cut short.
    """
    same = master.db.find_uuid("host", joiner.text("uuid"))
    if same == master.host:
        raise OperationNotAllowedError("the host is the pool's master")
    if len({side.db.text("pool", side.pool, "uuid") for side in (joiner, master)}) == 1 or (
        same != joiner.host and master.db.exists("host", joiner.host)
    ):
        raise OperationNotAllowedError("the host's database is a copy of the pool's")
    if same is not None and is_live(master.db, same):
        raise HostIsLiveError(same)


def check_alone(joiner: Side, _: Side) -> None:
    if len(joiner.db.refs("host")) > 1:
        raise JoiningHostCannotBeMasterOfOtherHostsError


def check_guests(joiner: Side, _: Side) -> None:
    """Refuse guests that have a domain, paused ones too, and operations that are at work on any."""
    db, dom0 = joiner.db, joiner.text("control_domain")
    vms = db.refs("VM")
    if any(vm != dom0 and db.text("VM", vm, "power_state") in ("Running", "Paused") for vm in vms):
        raise JoiningHostCannotHaveRunningVmsError
    if any(db.mapping("VM", vm, "current_operations") for vm in vms):
        raise JoiningHostCannotHaveVmsWithCurrentOperationsError


def check_guidance(joiner: Side, master: Side) -> None:
    """Raise HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY [host]."""
    for side in (joiner, master):
        if side.db.items("host", side.host, "pending_guidances"):
            raise HostPendingMandatoryGuidanceNotEmptyError(side.host)


def _product(side: Side) -> str:
    return side.version("product_brand") or side.version("platform_name")


def check_compatible(joiner: Side, master: Side) -> None:
    """Raise HOSTS_NOT_COMPATIBLE [] for another product or another version of it."""
    if _product(joiner) != _product(master) or any(
        joiner.version(key) != master.version(key) for key in COMPATIBLE
    ):
        raise HostsNotCompatibleError


def check_homogeneous(joiner: Side, master: Side) -> None:
    """Raise HOSTS_NOT_HOMOGENEOUS [why]."""
    for key in HOMOGENEOUS:
        if joiner.version(key) != master.version(key):
            raise HostsNotHomogeneousError(f"the versions of {key} differ")
    for key in SAME_CPU:
        if joiner.cpu(key) != master.cpu(key):
            raise HostsNotHomogeneousError(f"the processors differ in their {key}")


def check_storage(joiner: Side, _: Side) -> None:
    db = joiner.db
    if any(db.flag("SR", sr, "shared") and not db.flag("SR", sr, "is_tools_sr") for sr in db.refs("SR")):
        raise JoiningHostCannotContainSharedSrsError


def check_external_auth(joiner: Side, master: Side) -> None:
    directories = {
        (side.text("external_auth_type"), side.text("external_auth_service_name").lower())
        for side in (joiner, master)
    }
    if len(directories) > 1:
        raise PoolJoiningExternalAuthMismatchError


def check_edition(joiner: Side, master: Side) -> None:
    """Raise LICENSE_HOST_POOL_MISMATCH [why]."""
    mine = joiner.text("edition")
    for host in master.db.refs("host"):
        if (its := master.db.text("host", host, "edition")) != mine:
            raise LicenseHostPoolMismatchError(f'the host has edition "{mine}", the pool "{its}"')


def check_api_version(joiner: Side, master: Side) -> None:
    """Raise POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION [host's; master's]."""
    versions = [
        ".".join(str(side.db.number("host", side.host, f"API_version_{part}")) for part in ("major", "minor"))
        for side in (joiner, master)
    ]
    if versions[0] != versions[1]:
        raise PoolJoiningHostMustHaveSameApiVersionError(*versions)


def check_schema(joiner: Side, master: Side) -> None:
    """Raise POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA [host's; master's]; an unknown one is not the same."""
    schemas = [side.version("db_schema") for side in (joiner, master)]
    if schemas[0] != schemas[1] or not schemas[0]:
        raise PoolJoiningHostMustHaveSameDbSchemaError(*schemas)


def check_updates(joiner: Side, master: Side) -> None:
    """Raise HOSTS_NOT_HOMOGENEOUS [why] for different updates, of those that all hosts are to have."""
    if _updates(joiner) != _updates(master):
        raise HostsNotHomogeneousError("the hosts' updates differ")


def _updates(side: Side) -> set[str]:
    db = side.db
    known = (ref for ref in db.items("host", side.host, "updates") if db.exists("pool_update", ref))
    return {
        db.text("pool_update", ref, "uuid")
        for ref in known
        if db.flag("pool_update", ref, "enforce_homogeneity")
    }


def check_tls_verification(joiner: Side, master: Side) -> None:
    if joiner.pool_flag("tls_verification_enabled") != master.pool_flag("tls_verification_enabled"):
        raise PoolJoiningHostTlsVerificationMismatchError


def check_authorities(joiner: Side, master: Side) -> None:
    """Raise POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT [names] for names that mean different certificates."""
    mine, its = _authorities(joiner.db), _authorities(master.db)
    if names := sorted(name for name in mine.keys() & its.keys() if mine[name] != its[name]):
        raise PoolJoiningHostCaCertificatesConflictError(*names)


def _authorities(db: Database) -> Mapping[str, str]:
    """Return the fingerprints of the authorities that have names, by these."""
    return {
        db.text("Certificate", ref, "name"): db.text("Certificate", ref, "fingerprint_sha256")
        for ref in db.refs("Certificate")
        if db.text("Certificate", ref, "type") == "ca" and db.text("Certificate", ref, "name")
    }


def check_trusted(joiner: Side, master: Side) -> None:
    """Raise POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT [pool's; host's].

    That is for a certificate that both trust, for purposes which overlap and are not the same.
    """
    mine, its = _trusted(joiner.db), _trusted(master.db)
    for fingerprint in sorted(mine.keys() & its.keys()):
        own = set(joiner.db.items("Certificate", mine[fingerprint], "purpose"))
        other = set(master.db.items("Certificate", its[fingerprint], "purpose"))
        if own != other and own & other:
            raise PoolJoiningHostTrustedCertificatesConflictError(its[fingerprint], mine[fingerprint])


def _trusted(db: Database) -> Mapping[str, str]:
    """Return the trusted certificates without a name, by their fingerprints."""
    return {
        db.text("Certificate", ref, "fingerprint_sha256"): ref
        for ref in db.refs("Certificate")
        if db.text("Certificate", ref, "type") in _TRUSTED and not db.text("Certificate", ref, "name")
    }


def check_not_updating(joiner: Side, master: Side) -> None:
    if joiner.is_updating or master.is_updating:
        raise NotSupportedDuringUpgradeError


def check_storage_features(joiner: Side, master: Side) -> None:
    """Raise POOL_JOINING_SM_FEATURES_INCOMPATIBLE [pool's SM; host's SM or ""].

    Each of the pool's drivers must be here, and able to do at least what the pool's can.
    """
    mine = {joiner.db.text("SM", ref, "type"): ref for ref in joiner.db.refs("SM")}
    for ref in master.db.refs("SM"):
        own = mine.get(master.db.text("SM", ref, "type"))
        has = _features(joiner.db, own) if own else {}
        if own is None or any(has.get(name, -1) < at for name, at in _features(master.db, ref).items()):
            raise PoolJoiningSmFeaturesIncompatibleError(ref, own or "")


def _features(db: Database, ref: str) -> dict[str, int]:
    return cast("dict[str, int]", db.get("SM", ref, "features"))


RULES: tuple[Callable[[Side, Side], None], ...] = (
    check_size, check_management, check_own_ha, check_own_cluster, check_cluster_network, check_pool_ha,
    check_not_myself, check_alone, check_guests, check_guidance, check_compatible, check_homogeneous,
    check_storage, *NETWORK_RULES, check_external_auth, check_edition, check_backend, check_api_version,
    check_schema, check_updates, check_kind, check_tls_verification, check_authorities, check_trusted,
    check_not_updating, check_storage_features,
)  # fmt: skip

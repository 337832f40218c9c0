"""What of a host's network forbids that it joins a pool; see xapi_shim.api.pool_join_rules. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import (
    OperationNotAllowedError,
    PoolJoiningHostHasBondsError,
    PoolJoiningHostHasNetworkSriovsError,
    PoolJoiningHostHasNonManagementVlansError,
    PoolJoiningHostHasTunnelsError,
    PoolJoiningHostManagementVlanDoesNotMatchError,
    PoolJoiningHostMustHaveOnlyOneIpOnClusteringNetworkError,
    PoolJoiningPoolCannotEnableClusteringOnVlanNetworkError,
)

if TYPE_CHECKING:
    from xapi_shim.api.pool_join_side import Side
    from xapi_shim.database.database import Database

BRIDGE, OPENVSWITCH = "bridge", "openvswitch"
# Disks are served to others on networks of one of these two purposes, not of both in a pool.
_NBD = frozenset({"nbd", "insecure_nbd"})


def check_cluster_network(joiner: Side, master: Side) -> None:
    """Ask for one address on the network of a cluster that new hosts are to be in.

    Raises POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK [tag],
    POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK [].
    """
    db = master.db
    member = next(iter(db.refs("Cluster_host")), None)
    if member is None or not _takes_all(db, member):
        return
    pif = db.text("Cluster_host", member, "PIF")
    if not db.exists("PIF", pif):
        return
    tag = db.number("PIF", pif, "VLAN")
    if tag > 0 and not db.flag("PIF", pif, "management"):
        raise PoolJoiningPoolCannotEnableClusteringOnVlanNetworkError(str(tag))
    bonds = db.items("PIF", pif, "bond_master_of")
    below = [slave for bond in bonds for slave in db.items("Bond", bond, "slaves")] or [pif]
    bridges = {_bridge(db, one) for one in below}
    mine = joiner.db.items("host", joiner.host, "PIFs")
    found = [one for one in mine if _bridge(joiner.db, one) in bridges and joiner.db.text("PIF", one, "IP")]
    if len(found) != 1:
        raise PoolJoiningHostMustHaveOnlyOneIpOnClusteringNetworkError


def _takes_all(db: Database, member: str) -> bool:
    cluster = db.text("Cluster_host", member, "cluster")
    return db.exists("Cluster", cluster) and db.flag("Cluster", cluster, "pool_auto_join")


def _bridge(db: Database, pif: str) -> str:
    network = db.text("PIF", pif, "network")
    return db.text("network", network, "bridge") if db.exists("network", network) else ""


def check_no_bonds(joiner: Side, _: Side) -> None:
    """Refuse any, the management's too: a pool has its bonds made on all hosts alike."""
    if joiner.db.refs("Bond"):
        raise PoolJoiningHostHasBondsError


def check_no_tunnels(joiner: Side, _: Side) -> None:
    if joiner.db.refs("tunnel"):
        raise PoolJoiningHostHasTunnelsError


def check_no_sriov(joiner: Side, _: Side) -> None:
    if joiner.db.refs("network_sriov"):
        raise PoolJoiningHostHasNetworkSriovsError


def check_vlans(joiner: Side, _: Side) -> None:
    """Refuse VLANs but the one that the host is managed by."""
    db = joiner.db
    for vlan in db.refs("VLAN"):
        pif = db.text("VLAN", vlan, "untagged_PIF")
        if not (db.exists("PIF", pif) and db.flag("PIF", pif, "management")):
            raise PoolJoiningHostHasNonManagementVlansError


def check_management_vlan(joiner: Side, master: Side) -> None:
    """Ask for the same tag. A master whose records do not say how it is managed is not held against the host."""
    mine, its = joiner.management, master.management
    if mine is None or its is None:
        return
    tags = [str(side.db.number("PIF", pif, "VLAN")) for side, pif in ((joiner, mine), (master, its))]
    if tags[0] != tags[1]:
        raise PoolJoiningHostManagementVlanDoesNotMatchError(*tags)


NETWORK_RULES = (check_no_bonds, check_no_tunnels, check_no_sriov, check_vlans, check_management_vlan)


def check_backend(joiner: Side, master: Side) -> None:
    """Ask for the same kind of switch, and with Open vSwitch for the same controller or none."""
    backend = joiner.version("network_backend") or BRIDGE
    if backend != (master.version("network_backend") or BRIDGE):
        raise OperationNotAllowedError("the network backends differ")
    mine, its = _controller(joiner.db), _controller(master.db)
    if backend == OPENVSWITCH and mine is not None and mine != its:
        raise OperationNotAllowedError("the SDN controllers differ")


def _controller(db: Database) -> tuple[str, str, int] | None:
    """Return the controller's protocol, address and port; a pool has one at the most."""
    for ref in db.refs("SDN_controller"):
        protocol, address = (db.text("SDN_controller", ref, name) for name in ("protocol", "address"))
        return protocol, address, db.number("SDN_controller", ref, "port")
    return None


def check_kind(joiner: Side, master: Side) -> None:
    """Ask that both are managed over IPv4 or both over IPv6, and for one way of serving disks."""
    mine, its = joiner.management, master.management
    if mine is not None and its is not None:
        kinds = {
            side.db.text("PIF", pif, "primary_address_type") for side, pif in ((joiner, mine), (master, its))
        }
        if len(kinds) > 1:
            raise OperationNotAllowedError("one host is managed over IPv4, the other over IPv6")
    purposes = [_purposes(side.db) for side in (joiner, master)]
    if all(purposes) and purposes[0] != purposes[1]:
        raise OperationNotAllowedError("networks of purpose nbd and of insecure_nbd do not go together")


def _purposes(db: Database) -> set[str]:
    return {word for ref in db.refs("network") for word in db.items("network", ref, "purpose")} & _NBD

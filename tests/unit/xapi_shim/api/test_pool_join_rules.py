"""What forbids that a host joins a pool or leaves one: each rule with its error, and the order of the rules."""

import pytest
from pool_hosts import started

from xapi_shim.api.pool_join_rules import MAX_HOSTS, RULES, check_join
from xapi_shim.api.pool_join_side import Side, master_side
from xapi_shim.api.pool_leave import check_eject
from xapi_shim.api.pool_merge import join_operations
from xapi_shim.api.vm_records import add_vm
from xapi_shim.database.replication import perform
from xapi_shim.datamodel.errors import XenAPIError


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    root = tmp_path_factory.mktemp("pool")
    return started(root / "joiner", 2), started(root / "master", 1)


class AllowedError(Exception):
    """Takes back what a test did to the two databases."""


def refusal(hosts, *changes, force=False):
    """Return the error of a join after changes, the two hosts' refs in words; None where there is none."""
    joiner, master = hosts
    try:
        with joiner.db.transaction(), master.db.transaction():
            for change in changes:
                change(joiner, master)
            check_join(joiner.db, joiner.host, master.db, force=force)
            raise AllowedError
    except AllowedError:
        return None
    except XenAPIError as error:
        words = {joiner.host: "joiner", master.host: "master"}
        return [words.get(word, word) for word in error.description()]


def management(tools):
    return next(pif for pif in tools.db.refs("PIF") if tools.db.flag("PIF", pif, "management"))


def version(**values):
    def change(joiner, _):
        old = joiner.db.mapping("host", joiner.host, "software_version")
        joiner.db.set("host", joiner.host, "software_version", {**old, **values})

    return change


def cpu(key):
    def change(joiner, _):
        old = joiner.db.mapping("host", joiner.host, "cpu_info")
        joiner.db.set("host", joiner.host, "cpu_info", {**old, key: "another"})

    return change


def own(**values):
    return lambda joiner, _: joiner.db.update("host", joiner.host, **values)


def own_pool(**values):
    return lambda joiner, _: joiner.db.update("pool", joiner.pool, **values)


def its_pool(**values):
    return lambda _, master: master.db.update("pool", master.pool, **values)


def has(cls, ref="OpaqueRef:it", **values):
    return lambda joiner, _: joiner.db.create(cls, values, ref=ref)


def both_have(cls, first, second):
    def change(joiner, master):
        joiner.db.create(cls, first, ref="OpaqueRef:mine")
        master.db.create(cls, second, ref="OpaqueRef:its")

    return change


def full(_, master):
    for _ in range(MAX_HOSTS - 1):
        master.db.create("host", {"edition": "free"})


def unmanaged(joiner, _):
    joiner.db.set("PIF", management(joiner), "management", value=False)


def clustered(joiner, _):
    joiner.db.create("Cluster_host", {"host": joiner.host, "enabled": True}, ref="OpaqueRef:member")


def cluster_on(tag, ip):
    def change(joiner, master):
        pif = management(master)
        if tag:
            pif = master.db.create(
                "PIF", {"host": master.host, "VLAN": tag, "network": master.db.refs("network")[0]}
            )
        cluster = master.db.create("Cluster", {"pool_auto_join": True})
        master.db.create("Cluster_host", {"cluster": cluster, "host": master.host, "PIF": pif})
        joiner.db.set("PIF", management(joiner), "IP", ip)

    return change


def same_host(joiner, master):
    joiner.db.set("host", joiner.host, "uuid", master.db.text("host", master.host, "uuid"))


def same_pool(joiner, master):
    joiner.db.set("pool", joiner.pool, "uuid", master.db.text("pool", master.pool, "uuid"))


def copied(joiner, master):
    master.db.create("host", {"edition": "free"}, ref=joiner.host)


def known(*, live):
    def change(joiner, master):
        metrics = master.db.create("host_metrics", {"live": live})
        uuid = joiner.db.text("host", joiner.host, "uuid")
        master.db.create("host", {"uuid": uuid, "metrics": metrics, "edition": "free"}, ref="OpaqueRef:known")

    return change


def vm(**values):
    return lambda joiner, _: add_vm(joiner.db, {"name_label": "guest", **values})


def guidance(side):
    return lambda *hosts: hosts[side].db.set("host", hosts[side].host, "pending_guidances", ["reboot_host"])


def vlan(*, managed):
    """The host has a VLAN, by which it is managed or not."""

    def change(joiner, _):
        pif = management(joiner)
        tagged = joiner.db.create("PIF", {"host": joiner.host, "VLAN": 7, "management": managed})
        joiner.db.create("VLAN", {"tagged_PIF": pif, "untagged_PIF": tagged, "tag": 7})
        joiner.db.set("PIF", pif, "management", value=not managed)

    return change


def update(side, uuid, *, enforced=True):
    def change(*hosts):
        tools = hosts[side]
        ref = tools.db.create("pool_update", {"uuid": uuid, "enforce_homogeneity": enforced})
        tools.db.set("host", tools.host, "updates", [ref])

    return change


def ipv6(joiner, _):
    joiner.db.set("PIF", management(joiner), "primary_address_type", "IPv6")


def certificates(first, second):
    return both_have("Certificate", {"type": "ca", **first}, {"type": "ca", **second})


def openvswitch(joiner, master):
    for tools in (joiner, master):
        old = tools.db.mapping("host", tools.host, "software_version")
        tools.db.set("host", tools.host, "software_version", {**old, "network_backend": "openvswitch"})


CONTROLLER = {"protocol": "ssl", "address": "192.0.2.7", "port": 6632}
NOT_ALLOWED = "OPERATION_NOT_ALLOWED"
# In the order of the rules: what is wrong, and what is said.
REFUSED = [
    (full, ["LICENCE_RESTRICTION", "Pool_size"]),
    (unmanaged, ["HOST_STILL_BOOTING"]),
    (own_pool(ha_enabled=True), ["HA_IS_ENABLED"]),
    (clustered, ["CLUSTERING_ENABLED", "OpaqueRef:member"]),
    (cluster_on(5, "192.0.2.2"), ["POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK", "5"]),
    (cluster_on(0, ""), ["POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK"]),
    (its_pool(ha_enabled=True), ["HA_IS_ENABLED"]),
    (same_host, [NOT_ALLOWED, "the host is the pool's master"]),
    (same_pool, [NOT_ALLOWED, "the host's database is a copy of the pool's"]),
    (copied, [NOT_ALLOWED, "the host's database is a copy of the pool's"]),
    (known(live=True), ["HOST_IS_LIVE", "OpaqueRef:known"]),
    (has("host"), ["JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"]),
    (vm(power_state="Running"), ["JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"]),
    (vm(power_state="Paused"), ["JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"]),
    (vm(current_operations={"task": "start"}), ["JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS"]),
    (guidance(0), ["HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", "joiner"]),
    (guidance(1), ["HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", "master"]),
    (version(product_brand="another"), ["HOSTS_NOT_COMPATIBLE"]),
    (version(platform_version="0"), ["HOSTS_NOT_COMPATIBLE"]),
    (version(xapi_build="0"), ["HOSTS_NOT_COMPATIBLE"]),
    (version(xapi="0"), ["HOSTS_NOT_HOMOGENEOUS", "the versions of xapi differ"]),
    (version(xen="0"), ["HOSTS_NOT_HOMOGENEOUS", "the versions of xen differ"]),
    (cpu("vendor"), ["HOSTS_NOT_HOMOGENEOUS", "the processors differ in their vendor"]),
    (cpu("family"), ["HOSTS_NOT_HOMOGENEOUS", "the processors differ in their family"]),
    (has("SR", shared=True), ["JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"]),
    (has("Bond"), ["POOL_JOINING_HOST_HAS_BONDS"]),
    (has("tunnel"), ["POOL_JOINING_HOST_HAS_TUNNELS"]),
    (has("network_sriov"), ["POOL_JOINING_HOST_HAS_NETWORK_SRIOVS"]),
    (vlan(managed=False), ["POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS"]),
    (vlan(managed=True), ["POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH", "7", "-1"]),
    (own(external_auth_type="AD"), ["POOL_JOINING_EXTERNAL_AUTH_MISMATCH"]),
    (own(external_auth_service_name="d"), ["POOL_JOINING_EXTERNAL_AUTH_MISMATCH"]),
    (own(edition="e"), ["LICENSE_HOST_POOL_MISMATCH", 'the host has edition "e", the pool "free"']),
    (version(network_backend="openvswitch"), [NOT_ALLOWED, "the network backends differ"]),
    (own(API_version_minor=1), ["POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION", "2.1", "2.23"]),
    (version(db_schema="5.1"), ["POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA", "5.1", "5.909"]),
    (update(0, "u"), ["HOSTS_NOT_HOMOGENEOUS", "the hosts' updates differ"]),
    (ipv6, [NOT_ALLOWED, "one host is managed over IPv4, the other over IPv6"]),
    (both_have("network", {"purpose": ["nbd"]}, {"purpose": ["insecure_nbd"]}),
     [NOT_ALLOWED, "networks of purpose nbd and of insecure_nbd do not go together"]),
    (own_pool(tls_verification_enabled=True), ["POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"]),
    (certificates({"name": "a", "fingerprint_sha256": "1"}, {"name": "a", "fingerprint_sha256": "2"}),
     ["POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT", "a"]),
    (certificates({"fingerprint_sha256": "1", "purpose": ["licensing"]}, {"fingerprint_sha256": "1", "purpose": ["licensing", "x"]}),
     ["POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT", "OpaqueRef:its", "OpaqueRef:mine"]),
    (own_pool(current_operations={"task": "apply_updates"}), ["NOT_SUPPORTED_DURING_UPGRADE"]),
    (its_pool(current_operations={"task": "apply_updates"}), ["NOT_SUPPORTED_DURING_UPGRADE"]),
    (both_have("SM", {"type": "nfs"}, {"type": "iscsi"}), ["POOL_JOINING_SM_FEATURES_INCOMPATIBLE", "OpaqueRef:its", ""]),
    (both_have("SM", {"type": "t", "features": {"A": 1}}, {"type": "t", "features": {"A": 2}}),
     ["POOL_JOINING_SM_FEATURES_INCOMPATIBLE", "OpaqueRef:its", "OpaqueRef:mine"]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error"), REFUSED, ids=[" ".join(error)[:60] for _, error in REFUSED])
def test_a_host_is_refused(hosts, change, error):
    assert refusal(hosts) is None
    assert refusal(hosts, change) == error


ALLOWED = [
    cluster_on(0, "192.0.2.2"),
    known(live=False),
    vm(power_state="Halted"),
    vm(power_state="Suspended"),
    has("SR", shared=True, is_tools_sr=True),
    update(0, "u", enforced=False),
    certificates({"name": "a", "fingerprint_sha256": "1"}, {"name": "b", "fingerprint_sha256": "2"}),
    certificates(
        {"fingerprint_sha256": "1", "purpose": ["a"]}, {"fingerprint_sha256": "1", "purpose": ["b"]}
    ),
    both_have("network", {"purpose": ["nbd"]}, {"purpose": ["nbd"]}),
    both_have("SM", {"type": "t", "features": {"A": 2, "B": 1}}, {"type": "t", "features": {"A": 1}}),
]


@pytest.mark.parametrize("change", ALLOWED)
def test_a_host_is_not_refused(hosts, change):
    assert refusal(hosts, change) is None


def test_what_is_the_same_on_both_sides_is_no_hindrance(hosts):
    assert refusal(hosts, update(0, "u"), update(1, "u")) is None
    joined = own(external_auth_type="AD", external_auth_service_name="A.Example")
    assert refusal(hosts, joined, lambda _, master: master.db.update(
        "host", master.host, external_auth_type="AD", external_auth_service_name="a.example")) is None  # fmt: skip


def test_controllers_of_switches_are_the_same_or_the_pools_alone(hosts):
    mine = has("SDN_controller", **CONTROLLER)
    assert refusal(hosts, mine) is None
    assert refusal(hosts, openvswitch, mine) == [NOT_ALLOWED, "the SDN controllers differ"]
    assert refusal(hosts, openvswitch, both_have("SDN_controller", CONTROLLER, CONTROLLER)) is None
    assert (
        refusal(hosts, openvswitch, lambda _, master: master.db.create("SDN_controller", CONTROLLER)) is None
    )


def test_force_overlooks_the_processor_and_nothing_that_comes_before_or_after(hosts):
    assert refusal(hosts, cpu("vendor"), version(xen="0"), force=True) is None
    assert refusal(hosts, cpu("vendor"), version(xapi_build="0"), force=True) == ["HOSTS_NOT_COMPATIBLE"]
    assert refusal(hosts, cpu("vendor"), has("Bond"), force=True) == ["POOL_JOINING_HOST_HAS_BONDS"]


def test_every_rule_refuses_something_and_the_rules_are_asked_in_order(hosts):
    ranks = [next(i for i, rule in enumerate(RULES) if speaks(hosts, rule, change)) for change, _ in REFUSED]
    assert ranks == sorted(ranks)
    assert set(ranks) == set(range(len(RULES)))


def test_of_two_hindrances_the_first_is_told(hosts):
    wrong = {tuple(error): change for change, error in REFUSED}
    kept = wrong[("JOINING_HOST_CANNOT_HAVE_RUNNING_VMS",)]
    later = wrong[("POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH",)]
    assert refusal(hosts, later, kept) == ["JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"]
    assert refusal(hosts, later, full) == ["LICENCE_RESTRICTION", "Pool_size"]


def speaks(hosts, rule, change):
    joiner, master = hosts
    try:
        with joiner.db.transaction(), master.db.transaction():
            change(joiner, master)
            rule(Side(joiner.db, joiner.host), master_side(master.db))
            raise AllowedError
    except AllowedError:
        return False
    except XenAPIError:
        return True


@pytest.fixture
def pool(tmp_path):
    joiner, master = started(tmp_path / "joiner", 2), started(tmp_path / "master", 1)
    perform(master.db, join_operations(joiner.db, joiner.host, master.db))
    return master.db, joiner.host, master.host


def test_a_host_leaves_without_guests_only(pool):
    db, host, master = pool
    check_eject(db, host)

    def refused(of):
        with pytest.raises(XenAPIError) as refusal:
            check_eject(db, of)
        return refusal.value.description()

    guest = add_vm(db, {"power_state": "Running", "resident_on": host})
    said = f"VM {db.text('VM', guest, 'uuid')} is on the host"
    assert refused(host) == [NOT_ALLOWED, said]
    db.set("VM", guest, "power_state", "Paused")
    assert refused(host) == [NOT_ALLOWED, said]
    db.set("VM", guest, "power_state", "Halted")
    check_eject(db, host)
    assert refused(master) == [NOT_ALLOWED, "the pool's master cannot leave it"]
    (row,) = db.refs("pool")
    db.set("pool", row, "current_operations", {"task": "apply_updates"})
    assert refused(master) == ["NOT_SUPPORTED_DURING_UPGRADE"]
    db.set("pool", row, "ha_enabled", value=True)
    assert refused(host) == ["HA_IS_ENABLED"]

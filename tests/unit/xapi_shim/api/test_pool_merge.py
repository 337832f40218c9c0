"""What joining brings into a pool's records and leaving takes from them, with databases as the daemon fills them."""

import pytest
from pool_hosts import dangling, one_of_each, rows, started

from xapi_shim.api.pool_leave import leave_operations
from xapi_shim.api.pool_merge import join_operations
from xapi_shim.api.pool_rows import OWNERS, PARTS, POOLS, WHOLE, own_fields
from xapi_shim.api.vm_records import add_vm
from xapi_shim.database.database import Database
from xapi_shim.database.replication import Create, Put, perform
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import NULL_REF


@pytest.fixture
def master(tmp_path):
    return started(tmp_path / "master", 1)


@pytest.fixture
def joiner(tmp_path):
    return started(tmp_path / "joiner", 2, nics=("eth0", "eth1"))


def join(joiner, master):
    perform(master.db, join_operations(joiner.db, joiner.host, master.db))


def leave(joiner, master):
    perform(master.db, leave_operations(master.db, joiner.host))


def guest(tools, **values):
    """Make a halted guest with a disk on the host's own storage, a disc drive and an interface."""
    db = tools.db
    vm = add_vm(db, {"name_label": "guest", "affinity": tools.host, **values})
    disk = db.create(
        "VDI", {"SR": db.with_label("SR", "Local storage")[0], "location": "disk", "managed": True}
    )
    db.create("VBD", {"VM": vm, "VDI": disk, "type": "Disk", "userdevice": "0"})
    db.create("VBD", {"VM": vm, "VDI": disk, "type": "CD", "userdevice": "1"})
    db.create(
        "VIF", {"VM": vm, "network": db.text("PIF", db.items("host", tools.host, "PIFs")[0], "network")}
    )
    return vm


def assert_sound(db, before=frozenset()):
    assert dangling(db) <= before
    for cls, table in db.tables.items():
        uuids = [row.values["uuid"] for row in table.rows.values() if "uuid" in row.values]
        assert len(uuids) == len(set(uuids)), cls
    again = Database(DATAMODEL)  # the derived ends are what the other ends say
    perform(again, everything(db))
    assert rows(again) == rows(db)


def everything(db):
    """Return what makes a database like another: its own fields only, then refs."""
    every = [(cls, ref) for cls in db.tables for ref in db.refs(cls)]
    yield from (Create(cls, ref, {"uuid": db.get(cls, ref, "uuid")}) for cls, ref in every)
    for cls, ref in every:
        yield from (Put(cls, ref, f.name, db.get(cls, ref, f.name)) for f in own_fields(db, cls))


def test_every_class_of_the_database_is_decided():
    groups = (WHOLE, OWNERS, PARTS, POOLS)
    decided = [cls for group in groups for cls in group]
    assert sorted(decided) == sorted(Database(DATAMODEL).tables)
    for cls, fields in OWNERS.items():
        for field in fields:
            owner = DATAMODEL.classes[cls].by_name[field].type.name
            before = (*WHOLE, *POOLS, *list(OWNERS)[: list(OWNERS).index(cls)])
            assert owner in before, (cls, field)
    for cls, holders in PARTS.items():
        for holder, field in holders:
            assert cls in DATAMODEL.classes[holder].by_name[field].type_text


def test_a_host_comes_with_all_that_is_its_own(joiner, master):
    vm = guest(joiner)
    own, before = rows(joiner.db), rows(master.db)
    join(joiner, master)
    db = master.db
    assert_sound(db)
    assert db.refs("pool") == [master.pool]
    assert {
        key: row for key, row in rows(db).items() if key in before and key[0] not in ("network", "role")
    } == {key: row for key, row in before.items() if key[0] not in ("network", "role")}
    host = db.values("host", joiner.host)
    assert (host["hostname"], host["address"], host["enabled"]) == ("host2", "192.0.2.2", False)
    assert not db.flag("host_metrics", host["metrics"], "live")
    for cls, many in (
        ("host_cpu", "host_CPUs"),
        ("PIF", "PIFs"),
        ("PBD", "PBDs"),
        ("Certificate", "certificates"),
    ):
        assert set(host[many]) == {ref for c, ref in own if c == cls} != set()
    assert host["resident_VMs"] == [joiner.db.text("host", joiner.host, "control_domain")]
    assert not any(db.flag("PBD", pbd, "currently_attached") for pbd in host["PBDs"])
    assert len(db.with_label("SR", "Local storage")) == 2
    assert rows(db)["VM", vm] == own["VM", vm]
    assert len(db.with_label("VM", "Linux kernel and ramdisk")) == 1


# What is otherwise as long as the host is not up as a member, or is the master's where both have it.
CHANGED = {("host", "enabled"), ("host_metrics", "live"), ("PBD", "currently_attached"), ("PIF", "network"),
           ("VIF", "network")}  # fmt: skip


def test_nothing_is_lost_on_the_way(joiner, master):
    """Rows are made one after the other: what names a later one, or each other, is named in the end."""
    db = joiner.db
    snapshot = add_vm(db, {"is_a_snapshot": True})
    db.set("VM", snapshot, "snapshot_of", guest(joiner))
    pifs = db.items("host", joiner.host, "PIFs")
    bond = db.create("Bond", {"master": pifs[0], "primary_slave": pifs[1]})
    db.set("PIF", pifs[1], "bond_slave_of", bond)
    devices = [db.create("PCI", {"host": joiner.host}) for _ in range(2)]
    db.set("PCI", devices[0], "physical_function", devices[1])
    own = {key: row for key, row in rows(db).items() if key[0] != "network"}
    join(joiner, master)
    assert_sound(master.db)
    lost = [
        (cls, name)
        for (cls, ref), row in rows(master.db).items()
        for name, value in own.get((cls, ref), {}).items()
        if (cls, name) not in CHANGED and row[name] != value
    ]
    assert lost == []
    assert {"Bond", "PCI", "VM"} <= {cls for cls, ref in own if master.db.exists(cls, ref)}


def test_disks_of_a_repository_that_the_pool_knows_come_to_it(joiner, master):
    guest(joiner)
    (sr,) = joiner.db.refs("SR")
    its = master.db.create("SR", {"uuid": joiner.db.text("SR", sr, "uuid")})
    join(joiner, master)
    assert not master.db.exists("SR", sr)
    assert master.db.items("SR", its, "VDIs") == joiner.db.items("SR", sr, "VDIs") != []
    assert master.db.items("SR", its, "PBDs") == joiner.db.items("SR", sr, "PBDs") != []
    assert_sound(master.db)


def test_networks_are_one_where_the_bridge_is(joiner, master):
    network = master.db.text("PIF", master.db.items("host", master.host, "PIFs")[0], "network")
    vm = guest(joiner)
    join(joiner, master)
    db = master.db
    pifs = {db.text("PIF", pif, "device"): pif for pif in db.items("host", joiner.host, "PIFs")}
    assert db.text("PIF", pifs["eth0"], "network") == network
    assert db.text("VIF", db.items("VM", vm, "VIFs")[0], "network") == network
    assert len(db.items("network", network, "PIFs")) == 2
    other = db.text("PIF", pifs["eth1"], "network")
    assert (db.text("network", other, "bridge"), joiner.db.exists("network", other)) == ("breth1", True)


def test_internal_networks_stay_apart(joiner, master):
    mine = joiner.db.create("network", {"bridge": "xapi0", "name_label": "internal"})
    its = master.db.create("network", {"bridge": "xapi0"})
    further = joiner.db.create("network", {"bridge": "xapi1"})
    another = joiner.db.create("network", {"bridge": "xapi3"})
    master.db.create("network", {"bridge": "xapi3"})
    join(joiner, master)
    bridges = [master.db.text("network", ref, "bridge") for ref in (mine, its, further, another)]
    assert bridges == ["xapi2", "xapi0", "xapi1", "xapi4"]
    assert joiner.db.text("network", mine, "bridge") == "xapi0"


def test_what_names_a_row_that_does_not_come_names_nothing(joiner, master):
    vm = guest(joiner)
    pool = joiner.pool
    disk = joiner.db.create("VDI", {"SR": joiner.db.refs("SR")[0], "metadata_of_pool": pool})
    tools_sr = joiner.db.create("SR", {"is_tools_sr": True, "shared": True})
    disc = joiner.db.create("VDI", {"SR": tools_sr})
    drive = joiner.db.create("VBD", {"VM": vm, "VDI": disc, "type": "CD", "empty": False})
    secret = joiner.db.create("secret", {"value": "the pool's"})
    joiner.db.set("pool", pool, "wlb_password", secret)
    joiner.db.set("VM", vm, "current_operations", {"OpaqueRef:task": "start"})
    join(joiner, master)
    db = master.db
    assert db.text("VDI", disk, "metadata_of_pool") == NULL_REF
    assert (db.text("VBD", drive, "VDI"), db.flag("VBD", drive, "empty")) == (NULL_REF, True)
    assert [db.exists(c, r) for c, r in (("SR", tools_sr), ("VDI", disc), ("secret", secret))] == [False] * 3
    assert db.mapping("VM", vm, "current_operations") == {}


def test_what_comes_is_not_the_joiners_own_lists(joiner, master):
    join(joiner, master)
    mine, its = (tools.db.values("host", joiner.host) for tools in (joiner, master))
    shared = [name for name, value in mine.items() if isinstance(value, list | dict) and value is its[name]]
    assert shared == []


def test_leaving_gives_back_what_there_was(joiner, master):
    before = rows(master.db)
    join(joiner, master)
    brought = set(master.db.refs("network")) - {ref for cls, ref in before if cls == "network"}
    leave(joiner, master)
    assert len(brought) == 1
    assert {key: row for key, row in rows(master.db).items() if key[1] not in brought} == before
    assert_sound(master.db)


def test_guests_stay_without_what_was_on_the_host(joiner, master):
    vm = guest(joiner)
    join(joiner, master)
    master.db.update("pool", master.pool, default_SR=joiner.db.refs("SR")[0])
    leave(joiner, master)
    db = master.db
    assert_sound(db)
    assert db.text("VM", vm, "affinity") == NULL_REF
    (drive,) = db.items("VM", vm, "VBDs")
    assert (db.text("VBD", drive, "type"), db.flag("VBD", drive, "empty")) == ("CD", True)
    assert len(db.items("VM", vm, "VIFs")) == 1
    assert db.text("pool", master.pool, "default_SR") == NULL_REF


def test_shared_storage_stays_for_the_others(joiner, master):
    join(joiner, master)
    db = master.db
    shared = db.create("SR", {"shared": True, "name_label": "shared"})
    for host in (joiner.host, master.host):
        secret = db.create("secret", {"value": "s"})
        uuid = db.text("secret", secret, "uuid")
        db.create("PBD", {"host": host, "SR": shared, "device_config": {"password_secret": uuid}})
    disk = db.create("VDI", {"SR": shared})
    leave(joiner, master)
    (pbd,) = db.items("SR", shared, "PBDs")
    assert db.text("PBD", pbd, "host") == master.host
    assert db.exists("VDI", disk)
    kept = [db.text("secret", ref, "uuid") for ref in db.refs("secret")]
    assert kept == [db.mapping("PBD", pbd, "device_config")["password_secret"]]


def test_a_secret_that_another_host_uses_too_stays(joiner, master):
    join(joiner, master)
    db = master.db
    sr, secret = db.create("SR", {"shared": True}), db.create("secret", {"value": "s"})
    for host in (joiner.host, master.host):
        config = {"password_secret": db.text("secret", secret, "uuid")}
        db.create("PBD", {"host": host, "SR": sr, "device_config": config})
    leave(joiner, master)
    assert db.exists("secret", secret)


def test_control_domains_of_the_host_go_wherever_they_are(joiner, master):
    join(joiner, master)
    db = master.db
    (sr,) = joiner.db.refs("SR")
    dom0 = db.text("host", joiner.host, "control_domain")
    db.set("VM", dom0, "resident_on", NULL_REF)
    runs = add_vm(db, {"is_control_domain": True, "resident_on": joiner.host})
    halted = add_vm(db, {"is_control_domain": True})
    db.create("VBD", {"VM": halted, "VDI": db.create("VDI", {"SR": sr}), "type": "Disk"})
    others = add_vm(db, {"is_control_domain": True, "resident_on": master.host})
    leave(joiner, master)
    assert [db.exists("VM", vm) for vm in (dom0, runs, halted, others)] == [False, False, False, True]
    assert_sound(db)


def test_an_observer_of_one_host_does_not_become_one_of_all(joiner, master):
    join(joiner, master)
    db = master.db
    one = db.create("Observer", {"hosts": [joiner.host], "enabled": True})
    both = db.create("Observer", {"hosts": [joiner.host, master.host], "enabled": True})
    leave(joiner, master)
    assert [(db.items("Observer", o, "hosts"), db.flag("Observer", o, "enabled")) for o in (one, both)] == [
        ([], False),
        ([master.host], True),
    ]


def test_joining_again_after_a_crash_brings_the_host_anew_and_leaves_guests_alone(joiner, master):
    vm = guest(joiner)
    join(joiner, master)
    db = master.db
    db.set("VM", vm, "name_label", "renamed in the pool")
    db.set("host", joiner.host, "address", "192.0.2.99")
    stale = db.create("PIF", {"host": joiner.host, "device": "eth9"})
    before = rows(db)
    join(joiner, master)
    assert_sound(db)
    assert not db.exists("PIF", stale)
    assert db.text("host", joiner.host, "address") == "192.0.2.2"
    assert db.text("VM", vm, "name_label") == "renamed in the pool"
    assert set(rows(db)) == set(before) - {("PIF", stale)}


def test_a_host_that_was_set_up_anew_takes_the_place_of_its_dead_self(tmp_path, joiner, master):
    vm = guest(joiner)
    join(joiner, master)
    anew = started(tmp_path / "anew", 2)
    assert anew.host != joiner.host
    join(anew, master)
    db = master.db
    assert_sound(db)
    assert sorted(db.refs("host")) == sorted([master.host, anew.host])
    assert len(db.refs("SR")) == 2
    assert db.exists("VM", vm)
    assert len(db.refs("PIF")) == 2


def test_a_guest_that_the_pool_has_stays_the_pools(joiner, master):
    vm = guest(joiner)
    uuid = joiner.db.text("VM", vm, "uuid")
    its = add_vm(master.db, {"uuid": uuid, "name_label": "the pool's"})
    snapshot = add_vm(joiner.db, {"is_a_snapshot": True, "snapshot_of": vm})
    join(joiner, master)
    db = master.db
    assert not db.exists("VM", vm)
    assert db.refs("VBD") == [] == db.items("VM", its, "VBDs")
    assert db.items("VM", its, "snapshots") == [snapshot]
    assert_sound(db)


def test_rows_of_every_class_join_and_leave(joiner, master):
    """No ref leads nowhere, whatever names whatever; what stays of the joiner is what documentation says stays."""
    one_of_each(master.db)
    mine = one_of_each(joiner.db)
    strays = dangling(master.db)
    before = rows(master.db)
    join(joiner, master)
    db = master.db
    assert_sound(db, strays)
    brought = {cls for cls, ref in mine.items() if db.exists(cls, ref)}
    assert brought == set(DATAMODEL_TABLES) - set(POOLS) - NOT_NAMED
    leave(joiner, master)
    assert_sound(db, strays)
    stays = {cls for cls, ref in mine.items() if db.exists(cls, ref)}
    assert stays == GUESTS | {
        "network",
        "VM_appliance",
        "VMPP",
        "VMSS",
        "VM_group",
        "GPU_group",
        "VGPU_type",
        "PVS_site",
        "PVS_server",
    }
    after = rows(db)
    assert {key: row for key, row in before.items() if row != after.get(key)} == {}


# What belongs to something of the pool's, the pool's own secret, and metrics that are no host's.
NOT_NAMED = {"host_patch", "Cluster_host", "secret", "host_metrics"}
DATAMODEL_TABLES = Database(DATAMODEL).tables
GUESTS = {
    "VM",
    "VM_metrics",
    "VM_guest_metrics",
    "VIF",
    "VIF_metrics",
    "console",
    "VTPM",
    "VGPU",
    "PVS_proxy",
    "blob",
}

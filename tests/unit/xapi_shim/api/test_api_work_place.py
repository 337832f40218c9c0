"""On which host a message's implementation runs."""

import itertools

import pytest
from two_hosts import IMPLEMENTED, two_hosts

from xapi_shim.api.other_hosts import OF_RECORDS
from xapi_shim.api.own_host import operation_key
from xapi_shim.api.work_place import OWN_PLACES, PLACES, RECORDS_ONLY, first_ref, host_parameter, work_host
from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.errors import NoHostsAvailableError
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import NULL_REF

DECLARED = all_messages(DATAMODEL)


@pytest.fixture
async def pool(tmp_path):
    return await two_hosts(tmp_path)


@pytest.mark.parametrize("key", sorted(IMPLEMENTED))
def test_every_message_that_is_served_has_a_place(key):
    found = first_ref(key)
    assert key in RECORDS_ONLY or host_parameter(key) is not None or found is None or found[1] in PLACES


def test_the_tables_name_messages_that_are_served():
    assert sorted(RECORDS_ONLY - OF_RECORDS - IMPLEMENTED.keys()) == []
    assert sorted(OWN_PLACES.keys() - IMPLEMENTED.keys()) == []
    assert set(PLACES) <= set(DATAMODEL.classes)


def arguments(key, refs):
    """Return arguments of a message's types, with these refs by class."""
    made = []
    for param in DECLARED[key][1].params:
        kind = str(param.type.kind)
        made.append(
            refs.get(param.type.name, NULL_REF) if kind == "ref" else {} if kind in ("record", "map") else ""
        )
    return made


async def test_no_message_breaks_whatever_its_refs_are(pool):
    db = pool.db
    objects = {name: db.refs(name)[0] for name, table in db.tables.items() if table.rows}
    bare = {name: db.create(name, {}) for name in db.tables if name != "role"}
    kinds = (objects, {}, dict.fromkeys(db.tables, "OpaqueRef:dead"), bare)
    for key, refs in itertools.product(sorted(IMPLEMENTED), kinds):
        host = work_host(db, key, arguments(key, refs), pool.master.ref)
        assert host is None or db.exists("host", host), key


async def test_a_pool_of_one_host_asks_nobody(pool):
    vm = pool.vm()
    pool.db.destroy("host", pool.member.ref)
    assert work_host(pool.db, "VM.start", [vm, False, False], pool.master.ref) is None
    assert work_host(pool.db, "host.dmesg", [pool.master.ref], pool.master.ref) is None


async def test_guests_and_their_devices(pool):
    db, here, there = pool.db, pool.master.ref, pool.member.ref
    sr = await pool.sr(pool.member)
    vm, halted = pool.vm(), pool.vm()
    await pool.disk(pool.member, sr, vm)
    vdi = await pool.disk(pool.member, sr, halted)
    (vbd,), (other,) = db.items("VM", vm, "VBDs"), db.items("VM", halted, "VBDs")
    vif = db.create(
        "VIF", {"VM": vm, "network": db.refs("network")[0], "device": "0", "MAC": "52:54:00:12:34:56"}
    )
    assert work_host(db, "VM.start", [vm, False, False], here) == there, "its disk is there"
    await pool.member.do("VM.start", vm, False, False)
    for key, *args in (
        ("VM.start", vm, False, False), ("VM.hard_shutdown", vm), ("VM.set_VCPUs_number_live", vm, 1),
        ("VM.power_state_reset", vm), ("VBD.plug", vbd), ("VBD.insert", vbd, vdi), ("VIF.move", vif, NULL_REF),
        ("VIF.configure_ipv4", vif, "None", "", ""), ("VBD.assert_attachable", vbd), ("VBD.assert_attachable", other),
    ):  # fmt: skip
        assert work_host(db, key, args, here) == there, key
    for key, *args in (
        ("VM.set_order", vm, 1), ("VM.clone", vm, "x"), ("VBD.create", {"VM": vm}), ("VBD.insert", other, vdi),
        ("VM.hard_shutdown", halted), ("VM.get_possible_hosts", vm), ("VM.assert_can_boot_here", vm, there),
    ):  # fmt: skip
        assert work_host(db, key, args, here) is None, key


async def test_a_vm_that_cannot_start_is_refused_before_a_host_is_chosen(pool):
    db, vm = pool.db, pool.vm()
    for host in (pool.master, pool.member):
        db.set("host", host.ref, "enabled", value=False)
    with pytest.raises(NoHostsAvailableError):
        work_host(db, "VM.start", [vm, False, False], pool.master.ref)
    db.set("VM", vm, "is_a_template", value=True)
    assert work_host(db, "VM.start", [vm, False, False], pool.master.ref) is None
    db.update("VM", vm, is_a_template=False, power_state="Suspended")
    assert work_host(db, "VM.start", [vm, False, False], pool.master.ref) is None


async def test_named_hosts(pool):
    db, vm, here, there = pool.db, pool.vm(), pool.master.ref, pool.member.ref
    for key, *args in (
        ("VM.start_on", vm, there, False, False), ("host.reboot", there), ("PIF.scan", there),
        ("network.attach", db.refs("network")[0], there), ("Observer.register", NULL_REF, there),
        ("SR.create", there, {}, 0, "", "", "nfs", "", True, {}), ("SR.probe", there, {}, "nfs", {}),
    ):  # fmt: skip
        assert work_host(db, key, args, here) == there, key
    pool.metrics(pool.member, memory_free=1 << 60)
    assert work_host(db, "VM.start_on", [vm, NULL_REF, False, False], here) == there
    for key, *args in (
        ("pool.is_slave", there),
        ("host.declare_dead", there),
        ("host.set_power_on_mode", there, "", {}),
    ):
        assert work_host(db, key, args, here) is None, key


async def test_storage(pool):
    db, here, there = pool.db, pool.master.ref, pool.member.ref
    local = await pool.sr(pool.member)
    vdi = await pool.disk(pool.member, local)
    for key, *args in (
        ("SR.scan", local), ("SR.update", local), ("SR.destroy", local), ("VDI.create", {"SR": local}),
        ("VDI.introduce", "", "", "", local, *[""] * 15), ("VDI.destroy", vdi), ("VDI.resize", vdi, 1),
        ("PBD.plug", pool.pbd(local, pool.member)),
    ):  # fmt: skip
        assert work_host(db, key, args, here) == there, key
    for key, *args in (("SR.forget", local), ("VDI.set_name_label", vdi, "x"), ("VDI.db_forget", vdi)):
        assert work_host(db, key, args, here) is None, key
    shared = await pool.sr(pool.master, pool.member, shared=True)
    assert [work_host(db, "SR.scan", [shared], host) for host in (here, there)] == [here, there]
    assert work_host(db, "SR.scan", [shared], "OpaqueRef:neither") == here, "the master"
    for key, name, place in (
        (operation_key("", there, "1"), "vdi_create", there),
        (operation_key("", there, "1"), "scan", here),
        (operation_key("", here, "1"), "vdi_resize", here),
        ("OpaqueRef:gone", "vdi_create", here),
    ):
        db.set("SR", shared, "current_operations", {key: name})
        assert work_host(db, "VDI.create", [{"SR": shared}], here) == place, "who changes it goes on"
    db.set("SR", shared, "current_operations", {})
    db.set("pool", pool.master.tools.pool, "master", there)
    assert work_host(db, "SR.scan", [shared], "OpaqueRef:neither") == there, "the master"
    pool.metrics(pool.master, live=False)
    assert work_host(db, "SR.scan", [shared], here) == there, "the one that lives"
    await pool.member.do("PBD.unplug", pool.pbd(local, pool.member))
    assert work_host(db, "SR.destroy", [local], here) == there, "it could have it"


async def test_what_is_asked_of_the_dead(pool):
    db, vm, here, there = pool.db, pool.vm(), pool.master.ref, pool.member.ref
    await pool.member.do("VM.start", vm, False, False)
    pool.metrics(pool.member, live=False)
    assert work_host(db, "VM.hard_shutdown", [vm], here) == there
    assert work_host(db, "VM.power_state_reset", [vm], here) is None
    await pool.master.do("VM.power_state_reset", vm)
    assert db.text("VM", vm, "power_state") == "Halted"


async def test_tasks_are_cancelled_where_their_work_is(pool):
    task = pool.member.task()
    assert work_host(pool.db, "task.cancel", [task], pool.master.ref) == pool.member.ref
    assert work_host(pool.db, "task.destroy", [task], pool.master.ref) is None

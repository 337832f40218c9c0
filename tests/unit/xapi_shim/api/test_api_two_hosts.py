"""Two hosts over the same records: each makes true what is its own, and leaves alone what is the other's."""

import asyncio

import pytest
from two_hosts import machine, two_hosts

from xapi_shim.api.guest_watch import Reaction, Recorded, decide
from xapi_shim.api.host_record import NotInPoolError
from xapi_shim.api.own_host import belongs_here, is_master, operation_key, worker_of
from xapi_shim.api.sr import pbds_to_plug
from xapi_shim.api.startup import refresh_metrics
from xapi_shim.database.sqlite_store import StoreError
from xapi_shim.datamodel.errors import (
    HostCannotAttachNetworkError,
    HostOfflineError,
    PoolJoiningExternalAuthMismatchError,
    VdiInUseError,
    VmNotResidentHereError,
)
from xapi_shim.xen.interface import DomainInfo, RunState


@pytest.fixture
async def pool(tmp_path):
    return await two_hosts(tmp_path)


def own(db, cls, host):
    return [ref for ref in db.refs(cls) if db.text(cls, ref, "host") == host.ref]


async def test_each_host_has_records_of_its_own(pool):
    db = pool.db
    assert pool.master.ref != pool.member.ref
    assert (is_master(pool.master.tools), is_master(pool.member.tools)) == (True, False)
    assert len(db.refs("pool")) == 1
    assert len(db.refs("SR")) == 1, "a member makes no local SR"
    assert len([v for v in db.refs("VM") if db.flag("VM", v, "is_default_template")]) == 1
    for host in (pool.master, pool.member):
        assert len(own(db, "host_cpu", host)) == 2
        dom0 = db.text("host", host.ref, "control_domain")
        assert db.text("VM", dom0, "resident_on") == host.ref
        assert db.items("host", host.ref, "allowed_operations") == ["provision", "vm_start"]


async def test_a_second_start_changes_nothing_of_the_other_host(pool):
    db = pool.db
    before = {ref: dict(db.values("host_cpu", ref)) for ref in own(db, "host_cpu", pool.master)}
    metrics = db.text("host", pool.master.ref, "metrics")
    pool.metrics(pool.master, memory_free=1)
    generation = db.generation
    await pool.member.start()
    assert {ref: dict(db.values("host_cpu", ref)) for ref in own(db, "host_cpu", pool.master)} == before
    assert db.number("host_metrics", metrics, "memory_free") == 1
    for cls in ("PIF", "PBD", "SR", "network", "pool", "host"):
        changes = db.changes_since(cls, generation)
        assert {
            r for r in changes.modified if r not in (pool.member.ref, *own(db, "PIF", pool.member))
        } == set(), cls
        assert changes.created + changes.deleted == (), cls


async def test_templates_and_a_repository_to_begin_with_are_the_masters(pool):
    db = pool.db
    made = [(cls, ref) for cls in ("SR", "PBD") for ref in db.refs(cls)]
    made += [("VM", vm) for vm in db.refs("VM") if db.flag("VM", vm, "is_default_template")]
    for cls, ref in made:
        db.destroy(cls, ref)
    for host, there in ((pool.member, 0), (pool.master, 1)):
        await host.start()
        assert len(db.refs("SR")) == there
        assert len([vm for vm in db.refs("VM") if db.flag("VM", vm, "is_default_template")]) == there


async def test_a_member_that_its_pool_does_not_know_takes_no_other_hosts_record(pool, tmp_path):
    stranger = machine(pool.db, tmp_path / "more", 1, pool.member.sessions)
    stranger.facts.inventory["INSTALLATION_UUID"] = "33333333-3333-4333-8333-333333333333"
    with pytest.raises(NotInPoolError, match="33333333"):
        await stranger.start()
    assert len(pool.db.refs("host")) == 2


async def test_a_master_whose_inventory_was_lost_is_still_the_master(pool):
    before = pool.master.ref
    pool.master.facts.inventory.clear()
    await pool.master.start()
    assert (pool.master.ref, len(pool.db.refs("host"))) == (before, 2)


async def test_guests_of_the_other_host_are_left_alone(pool):
    db = pool.db
    there, here = pool.vm(), pool.vm()
    await pool.member.do("VM.start", there, False, False)
    await pool.master.do("VM.start", here, False, False)
    assert [db.text("VM", vm, "resident_on") for vm in (there, here)] == [pool.member.ref, pool.master.ref]
    # Both are the first guest of their hypervisor.
    assert db.number("VM", there, "domid") == db.number("VM", here, "domid")
    for host in (pool.master, pool.member):
        await host.start()
        assert [db.text("VM", vm, "power_state") for vm in (there, here)] == ["Running", "Running"]
        assert [db.text("VM", vm, "resident_on") for vm in (there, here)] == [
            pool.member.ref,
            pool.master.ref,
        ]
    pool.member.xen.guest_poweroff(db.text("VM", there, "uuid"))
    await pool.master.watch.settle()
    assert db.text("VM", there, "power_state") == "Running"
    await pool.member.watch.settle()
    assert [db.text("VM", vm, "power_state") for vm in (there, here)] == ["Halted", "Running"]


async def test_no_host_acts_on_its_own_domain_with_the_number_of_the_other_hosts(pool):
    db = pool.db
    there, here = pool.vm(), pool.vm()
    await pool.member.do("VM.start", there, False, False)
    await pool.master.do("VM.start", here, False, False)
    for key, *args in (
        ("VM.hard_shutdown",), ("VM.clean_shutdown",), ("VM.hard_reboot",), ("VM.pause",), ("VM.send_sysrq", "h"),
    ):  # fmt: skip
        with pytest.raises(VmNotResidentHereError) as refused:
            await pool.master.do(key, there, *args)
        assert refused.value.params == (there, pool.master.ref)
    assert [d.run_state for d in await pool.master.xen.domains()] == [RunState.RUNNING] * 2
    assert db.text("VM", here, "power_state") == "Running"


async def test_sizes_are_of_guests_here(pool):
    db, vm = pool.db, pool.vm()
    await pool.member.do("VM.start", vm, False, False)
    metrics = db.text("VM", vm, "metrics")
    stray = DomainInfo(db.text("VM", vm, "uuid"), 9, "stray", RunState.PAUSED, None, 77, 1, 0.0)
    pool.master.xen._domains[9] = stray
    await refresh_metrics(pool.master.tools)
    assert db.number("VM_metrics", metrics, "memory_actual") != 77


def recorded(state="Running", **whose):
    return Recorded(state, 5, "destroy", "restart", "destroy", **whose)


def domain(state):
    return DomainInfo("u", 5, "n", state, None, 0, 1, 0.0)


@pytest.mark.parametrize(
    ("vm", "found", "reaction"),
    [
        (recorded(elsewhere=True), None, Reaction.NOTHING),
        (recorded(elsewhere=True), domain(RunState.RUNNING), Reaction.HOLD),
        (recorded(elsewhere=True), domain(RunState.PAUSED), Reaction.NOTHING),
        (recorded(elsewhere=True), domain(RunState.SHUTDOWN), Reaction.NOTHING),
        (recorded(foreign=True), None, Reaction.NOTHING),
        (recorded("Halted", foreign=True), domain(RunState.RUNNING), Reaction.RECORD_RUNNING),
    ],
)
def test_what_a_vm_that_is_not_this_hosts_asks_for(vm, found, reaction):
    assert decide(vm, found) is reaction


async def test_the_second_of_two_domains_of_one_vm_is_paused_until_its_record_is_free(pool):
    db, vm = pool.db, pool.vm()
    uuid = db.text("VM", vm, "uuid")
    await pool.member.do("VM.start", vm, False, False)
    # The member was taken for dead, and the VM started on the master.
    await pool.master.do("host.declare_dead", pool.member.ref)
    assert db.text("VM", vm, "power_state") == "Halted"
    assert "start" in db.items("VM", vm, "allowed_operations")
    await pool.master.do("VM.start", vm, False, False)
    await pool.member.start()
    states = {d.uuid: d.run_state for d in await pool.member.xen.domains()}
    assert states[uuid] is RunState.PAUSED
    assert (db.text("VM", vm, "power_state"), db.text("VM", vm, "resident_on")) == (
        "Running",
        pool.master.ref,
    )
    await pool.master.do("VM.hard_shutdown", vm)
    await pool.member.watch.settle()
    assert (db.text("VM", vm, "power_state"), db.text("VM", vm, "resident_on")) == ("Paused", pool.member.ref)


class Store:
    """Where records are kept, and may be refused."""

    def __init__(self):
        self.full, self.refused = False, asyncio.Event()

    def generation(self):
        return 0

    def load(self):
        return ()

    def commit(self, changes, generation):
        if self.full:
            self.refused.set()
            raise StoreError("there is no room")


async def test_what_could_not_be_recorded_is_recorded_later(tmp_path):
    store = Store()
    pool = await two_hosts(tmp_path, store)
    db, vm = pool.db, pool.vm()
    await pool.member.do("VM.start", vm, False, False)
    halted = asyncio.Event()
    db.on_change(lambda: halted.set() if db.text("VM", vm, "power_state") == "Halted" else None)
    watching = asyncio.create_task(pool.member.watch.run())
    async with asyncio.timeout(10):
        store.full = True
        pool.member.xen.xl_destroy(db.text("VM", vm, "uuid"))
        await store.refused.wait()
        store.full = False
        await halted.wait()
    watching.cancel()


async def test_what_runs_nowhere_is_the_masters(pool):
    db, vm = pool.db, pool.vm()
    assert (belongs_here(pool.master.tools, vm), belongs_here(pool.member.tools, vm)) == (True, False)
    db.update("VM", vm, power_state="Running", domid=7)
    await pool.member.watch.settle()
    assert db.text("VM", vm, "power_state") == "Running"
    await pool.master.watch.settle()
    assert db.text("VM", vm, "power_state") == "Halted"


async def test_operations_of_the_other_host_go_on_when_a_host_starts(pool):
    db, vm = pool.db, pool.vm()
    sr = db.refs("SR")[0]
    keys = {
        "master": pool.master.task(),
        "member": pool.member.task(),
        "member without a task": operation_key("", pool.member.ref, "1|clone"),
        "nobody": "OpaqueRef:a task that is gone",
    }
    assert [worker_of(db, key) for key in keys.values()] == [
        pool.master.ref, pool.member.ref, pool.member.ref, None,
    ]  # fmt: skip
    everybody = dict.fromkeys(keys.values(), "clone")
    for cls, ref in (("VM", vm), ("SR", sr)):
        db.set(cls, ref, "current_operations", dict(everybody))
    await pool.member.start()
    for cls, ref in (("VM", vm), ("SR", sr)):
        assert set(db.mapping(cls, ref, "current_operations")) == {keys["master"], keys["nobody"]}
    assert db.items("VM", vm, "allowed_operations") == []
    db.set("VM", vm, "current_operations", dict(everybody))
    await pool.master.start()
    left = {keys["member"], keys["member without a task"]}
    assert set(db.mapping("VM", vm, "current_operations")) == left
    await pool.member.start()
    assert "start" in db.items("VM", vm, "allowed_operations")


async def test_disks_that_the_other_host_is_giving_a_guest_stay_reserved(pool):
    db = pool.db
    sr = await pool.sr(pool.master, pool.member, shared=True)
    vm = pool.vm()
    await pool.disk(pool.master, sr, vm)
    (vbd,) = db.items("VM", vm, "VBDs")
    db.set("VM", vm, "current_operations", {pool.member.task(): "start"})
    db.set("VBD", vbd, "reserved", value=True)
    await pool.master.start()
    assert db.flag("VBD", vbd, "reserved")
    await pool.member.start()
    assert not db.flag("VBD", vbd, "reserved")


async def test_devices_are_those_of_the_guests_own_host(pool):
    db = pool.db
    sr = await pool.sr(pool.master, pool.member, shared=True)
    there, here = pool.vm(), pool.vm()
    await pool.disk(pool.master, sr, there)
    await pool.member.do("VM.start", there, False, False)
    await pool.master.do("VM.start", here, False, False)
    (vbd,) = db.items("VM", there, "VBDs")
    await pool.master.start()
    assert db.flag("VBD", vbd, "currently_attached")


async def test_a_shared_repository_has_a_pbd_for_every_host(pool):
    db = pool.db
    sr = await pool.sr(pool.master, shared=True)
    plugged = {
        db.text("PBD", p, "host"): db.flag("PBD", p, "currently_attached") for p in db.items("SR", sr, "PBDs")
    }
    assert plugged == {pool.master.ref: True, pool.member.ref: False}
    assert pbds_to_plug(db, sr) == [pool.pbd(sr, pool.member)]
    pool.metrics(pool.member, live=False)
    assert pbds_to_plug(db, sr) == []
    own_sr = await pool.sr(pool.master)
    assert len(db.items("SR", own_sr, "PBDs")) == 1


async def test_a_repository_is_unplugged_from_one_host_while_the_other_uses_it(pool):
    db = pool.db
    sr = await pool.sr(pool.master, pool.member, shared=True)
    vm = pool.vm()
    await pool.disk(pool.master, sr, vm)
    await pool.member.do("VM.start", vm, False, False)
    with pytest.raises(HostOfflineError):
        await pool.master.do("PBD.unplug", pool.pbd(sr, pool.member))
    with pytest.raises(VdiInUseError):
        await pool.member.do("PBD.unplug", pool.pbd(sr, pool.member))
    await pool.master.do("PBD.unplug", pool.pbd(sr, pool.master))
    assert "unplug" in db.items("SR", sr, "allowed_operations"), "plugged is what any host has plugged"


async def test_a_member_does_not_scan_what_others_have_plugged(pool):
    db = pool.db
    sr = await pool.sr(pool.master, shared=True)
    vdi = await pool.disk(pool.master, sr)
    # As if the master were amid making it: the volume is there, the record is not.
    db.destroy("VDI", vdi)
    await pool.member.do("PBD.plug", pool.pbd(sr, pool.member))
    assert db.items("SR", sr, "VDIs") == []


async def test_networks_of_other_hosts_and_bridges_of_ones_own(pool):
    db = pool.db
    network = db.create("network", {"bridge": "xenbr7"})
    pif = db.create("PIF", {"device": "eth7", "network": network, "host": pool.member.ref})
    vm, inside = pool.vm(), db.create("network", {"bridge": "xapi0"})
    with pytest.raises(HostCannotAttachNetworkError) as refused:
        await pool.master.do("network.attach", network, pool.master.ref)
    assert refused.value.params == (pool.master.ref, network)
    db.destroy("PIF", pif)
    vif = db.create(
        "VIF",
        {"VM": vm, "network": inside, "device": "0", "MAC": "52:54:00:12:34:56", "currently_attached": True},
    )
    db.set("VM", vm, "resident_on", pool.member.ref)
    for host in (pool.master, pool.member):
        await host.do("network.attach_for_vm", host.ref, vm)
        await host.do("network.detach_for_vm", host.ref, vm)
    bridges = [[b.name for b in (await host.network.read()).bridges] for host in (pool.master, pool.member)]
    assert bridges == [["xenbr0"], ["xenbr0", "xapi0"]]
    assert db.text("VIF", vif, "network") == inside


async def test_the_master_speaks_for_the_pool(pool):
    db = pool.db
    assert await pool.member.do("pool.is_slave", pool.member.ref)
    assert not await pool.member.do("pool.is_slave", pool.master.ref)
    db.update("pool", pool.master.tools.pool, tls_verification_enabled=True)
    for host in (pool.member, pool.master):
        await host.do("host.emergency_disable_tls_verification")
    told = [one["obj_uuid"] for one in pool.master.tools.messages.all().values()]
    assert sorted(told) == sorted(db.text("host", host.ref, "uuid") for host in (pool.master, pool.member))
    assert pool.member.tools.messages.all() == {}


async def test_hosts_that_ask_other_directories_are_noticed(pool):
    the_pool = pool.master.tools.pool
    await pool.master.do("pool.detect_nonhomogeneous_external_auth", the_pool)
    pool.db.update("host", pool.member.ref, external_auth_type="AD", external_auth_service_name="example.org")
    with pytest.raises(PoolJoiningExternalAuthMismatchError):
        await pool.master.do("pool.detect_nonhomogeneous_external_auth", the_pool)
    pool.db.update("host", pool.master.ref, external_auth_type="AD", external_auth_service_name="example.org")
    await pool.master.do("pool.detect_nonhomogeneous_external_auth", the_pool)


async def test_a_dead_hosts_work_is_over(pool):
    db = pool.db
    sr = await pool.sr(pool.master, pool.member, shared=True)
    db.set("SR", sr, "current_operations", {pool.member.task(): "destroy"})
    await pool.master.do("host.declare_dead", pool.member.ref)
    assert db.mapping("SR", sr, "current_operations") == {}
    assert "scan" in db.items("SR", sr, "allowed_operations")
    assert not db.flag("PBD", pool.pbd(sr, pool.member), "currently_attached")

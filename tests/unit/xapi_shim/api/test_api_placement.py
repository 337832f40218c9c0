"""Where a VM of a pool starts."""

import pytest
from two_hosts import two_hosts

from xapi_shim.api.placement import choose_host, free_memory, needed_memory, possible_hosts, unsuitable
from xapi_shim.datamodel.errors import (
    HostDisabledError,
    HostNotEnoughFreeMemoryError,
    HostNotLiveError,
    NoHostsAvailableError,
    VmHvmRequiredError,
    VmRequiresNetworkError,
    VmRequiresSrError,
)

GIB = 1 << 30


@pytest.fixture
async def pool(tmp_path):
    pool = await two_hosts(tmp_path)
    # As of long ago: what was started since is reckoned.
    for host in (pool.master, pool.member):
        pool.metrics(host, memory_free=8 * GIB, last_updated="20260101T00:00:00Z")
    return pool


async def test_the_host_with_the_most_free_memory_then_the_first_by_uuid(pool):
    vm = pool.vm()
    assert choose_host(pool.db, vm) == pool.master.ref
    pool.metrics(pool.member, memory_free=9 * GIB)
    assert choose_host(pool.db, vm) == pool.member.ref


async def test_affinity_comes_first_where_it_has_the_memory(pool):
    vm = pool.vm(affinity=pool.member.ref)
    assert choose_host(pool.db, vm) == pool.member.ref
    pool.metrics(pool.member, memory_free=needed_memory(pool.db, vm))
    assert choose_host(pool.db, vm) == pool.member.ref
    pool.metrics(pool.member, memory_free=needed_memory(pool.db, vm) - 1)
    assert choose_host(pool.db, vm) == pool.master.ref
    # Nobody seems to have it: the one that comes nearest is asked, and says what it has.
    for host in (pool.master, pool.member):
        pool.metrics(host, memory_free=1)
    assert choose_host(pool.db, vm) == pool.member.ref


async def test_what_was_started_since_the_memory_was_read_is_reckoned(pool):
    db, first, second = pool.db, pool.vm(), pool.vm()
    before = free_memory(db, pool.master.ref)
    await pool.master.do("VM.start", first, False, False)
    assert free_memory(db, pool.master.ref) == before - needed_memory(db, first)
    assert choose_host(db, second) == pool.member.ref
    pool.metrics(pool.master, last_updated="20990101T00:00:00Z")
    assert free_memory(db, pool.master.ref) == before


async def test_a_host_must_take_guests_and_run(pool):
    db, vm, host = pool.db, pool.vm(), pool.master.ref
    db.set("host", host, "enabled", value=False)
    assert isinstance(unsuitable(db, vm, host), HostDisabledError)
    assert unsuitable(db, vm, host).params == (host,)
    db.set("host", host, "enabled", value=True)
    pool.metrics(pool.master, live=False)
    assert isinstance(unsuitable(db, vm, host), HostNotLiveError)
    assert (possible_hosts(db, vm), choose_host(db, vm)) == ([pool.member.ref], pool.member.ref)
    db.set("VM", vm, "domain_type", "hvm")
    assert isinstance(unsuitable(db, vm, pool.member.ref), VmHvmRequiredError)


async def test_disks_must_be_plugged_there(pool):
    db, vm = pool.db, pool.vm()
    local = await pool.sr(pool.member)
    await pool.disk(pool.member, local, vm)
    wrong = unsuitable(db, vm, pool.master.ref)
    assert isinstance(wrong, VmRequiresSrError)
    assert wrong.params == (vm, local)
    assert choose_host(db, vm) == pool.member.ref
    shared = await pool.sr(pool.master, shared=True)
    await pool.disk(pool.master, shared, vm)
    assert possible_hosts(db, vm) == []
    with pytest.raises(NoHostsAvailableError):
        choose_host(db, vm)
    db.set("VM", vm, "affinity", pool.member.ref)
    with pytest.raises(VmRequiresSrError) as wrong:
        choose_host(db, vm)
    assert wrong.value.params == (vm, shared)
    await pool.member.do("PBD.plug", pool.pbd(shared, pool.member))
    assert possible_hosts(db, vm) == [pool.member.ref]


async def test_networks_must_lead_out_there_or_nowhere(pool):
    db, vm = pool.db, pool.vm()
    inside, outside = db.create("network", {"bridge": "xapi0"}), db.create("network", {"bridge": "xenbr9"})
    db.create("VIF", {"VM": vm, "network": inside, "device": "0"})
    assert possible_hosts(db, vm) == [pool.master.ref, pool.member.ref]
    db.create("VIF", {"VM": vm, "network": outside, "device": "1"})
    db.create("PIF", {"device": "eth9", "network": outside, "host": pool.master.ref})
    wrong = unsuitable(db, vm, pool.member.ref)
    assert isinstance(wrong, VmRequiresNetworkError)
    assert wrong.params == (vm, outside)
    assert choose_host(db, vm) == pool.master.ref


async def test_the_only_host_says_itself_what_is_wrong(pool):
    vm = pool.vm()
    pool.db.destroy("host", pool.member.ref)
    pool.db.set("host", pool.master.ref, "enabled", value=False)
    assert choose_host(pool.db, vm) == pool.master.ref


async def test_messages_answer_for_other_hosts_from_their_records(pool):
    db, vm = pool.db, pool.vm()
    await pool.master.do("VM.assert_can_boot_here", vm, pool.member.ref)
    pool.metrics(pool.member, memory_free=5)
    with pytest.raises(HostNotEnoughFreeMemoryError) as wrong:
        await pool.master.do("VM.assert_can_boot_here", vm, pool.member.ref)
    assert wrong.value.params == (str(needed_memory(db, vm)), "5")
    # The host itself knows better.
    await pool.member.do("VM.assert_can_boot_here", vm, pool.member.ref)
    assert await pool.master.do("VM.get_possible_hosts", vm) == [pool.master.ref, pool.member.ref]

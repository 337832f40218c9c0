"""Which networks two hosts' interfaces are in: those on bridges of one name share one."""

from dataclasses import replace

import pytest
from two_hosts import two_hosts

from xapi_shim.api.host_interfaces import record_interfaces
from xapi_shim.network.interface import Bridge, Vlan
from xapi_shim.network.simulated import SimulatedNetwork


@pytest.fixture
async def pool(tmp_path):
    return await two_hosts(tmp_path)


def host_with(*nics, vlans=()):
    """Return interfaces like those of a host that has these NICs, by name and bridge."""
    own = SimulatedNetwork().interfaces
    made = tuple(
        replace(own.nics[0], device=device, bridge=bridge, mac=f"52:54:00:00:01:0{n}")
        for n, (device, bridge) in enumerate(nics)
    )
    bridges = {bridge for _, bridge in nics if bridge} | {vlan.bridge for vlan in vlans}
    return replace(own, nics=made, vlans=vlans, bridges=tuple(Bridge(b, "", 1500) for b in sorted(bridges)))


def networks(pool, host):
    """Return by device and tag the network and the bridge of a host's interfaces."""
    db = pool.db
    pifs = db.items("host", host.ref, "PIFs")
    found = {
        (db.text("PIF", p, "device"), db.number("PIF", p, "VLAN")): db.text("PIF", p, "network") for p in pifs
    }
    return {key: (network, db.text("network", network, "bridge")) for key, network in found.items()}


def record(pool, host, interfaces):
    record_interfaces(host.tools, interfaces)
    return networks(pool, host)


def vlan(tag, bridge):
    return Vlan(f"eth0.{tag}", "52:54:00:00:02:01", 1500, carrier=True, below="eth0", tag=tag, bridge=bridge)


async def test_bridges_of_one_name_are_one_network(pool):
    master, member = networks(pool, pool.master), networks(pool, pool.member)
    assert master == member
    ((network, bridge),) = master.values()
    assert bridge == "xenbr0"
    assert len(pool.db.items("network", network, "PIFs")) == 2


async def test_interfaces_outside_of_bridges_are_matched_by_name(pool):
    both = (("eth0", "xenbr0"), ("eth1", None))
    master = record(pool, pool.master, host_with(*both))
    assert record(pool, pool.member, host_with(*both)) == master
    assert master["eth1", -1][1] == "breth1"


async def test_another_name_of_the_bridge_is_another_network(pool):
    before = networks(pool, pool.master)
    member = record(pool, pool.member, host_with(("eth0", "br-lan")))
    assert networks(pool, pool.master) == before, "the master's interface stays where it is"
    assert member["eth0", -1][1] == "br-lan"
    assert member["eth0", -1][0] != before["eth0", -1][0]
    assert record(pool, pool.member, host_with(("eth0", "xenbr0"))) == before
    assert [n for n in pool.db.refs("network") if pool.db.text("network", n, "bridge") == "br-lan"] == []


async def test_a_network_with_guests_stays_when_its_interface_leaves(pool):
    member = record(pool, pool.member, host_with(("eth0", "br-lan")))
    network = member["eth0", -1][0]
    pool.db.create("VIF", {"VM": pool.vm(), "network": network, "device": "0"})
    record(pool, pool.member, host_with(("eth0", "xenbr0")))
    assert pool.db.exists("network", network)


async def test_the_only_host_of_a_network_names_it(pool):
    record(pool, pool.master, host_with(("eth0", "xenbr0"), ("eth1", "br1")))
    before = networks(pool, pool.master)["eth1", -1]
    after = record(pool, pool.master, host_with(("eth0", "xenbr0"), ("eth1", "br2")))["eth1", -1]
    assert (before[0], after[1]) == (after[0], "br2")


async def test_another_nic_takes_the_bridge_over(pool):
    before = networks(pool, pool.master)["eth0", -1]
    member = record(pool, pool.member, host_with(("eth0", None), ("eth1", "xenbr0")))
    assert member["eth1", -1] == before
    assert member["eth0", -1][0] != before[0]
    assert member["eth0", -1][1] == "breth0"
    gone = record(pool, pool.member, host_with(("eth2", "xenbr0")))
    assert gone["eth2", -1] == before
    assert gone["eth1", -1][0] != before[0]


async def test_two_nics_of_one_host_are_in_two_networks(pool):
    member = record(pool, pool.member, host_with(("eth0", "xenbr0"), ("eth1", "xenbr0")))
    assert member["eth0", -1][0] != member["eth1", -1][0]


async def test_other_tags_are_other_networks(pool):
    master = record(
        pool, pool.master, host_with(("eth0", "xenbr0"), vlans=(vlan(5, "br-guests"), vlan(7, "br-seven")))
    )
    member = record(
        pool, pool.member, host_with(("eth0", "xenbr0"), vlans=(vlan(6, "br-guests"), vlan(7, "br-seven")))
    )
    assert member["eth0", 6][0] != master["eth0", 5][0]
    assert member["eth0", 7] == master["eth0", 7]


async def test_a_network_without_uplinks_is_no_hosts(pool):
    inside = pool.db.create("network", {"bridge": "br1"})
    member = record(pool, pool.member, host_with(("eth0", "xenbr0"), ("eth1", "br1")))
    assert member["eth1", -1][0] != inside

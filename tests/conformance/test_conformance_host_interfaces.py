"""The host's own bonds and VLANs, as host set-up finds and keeps them below the management bridge."""

from dataclasses import replace

from xapi_shim.network.interface import Bond, Bridge, Nic, Vlan

NULL = "OpaqueRef:NULL"
MAC = "52:54:00:00:00:01"
ETH0, ETH1 = (
    Nic(name, mac, 1500, carrier=carrier, speed_mbit=1000, full_duplex=True)
    for name, mac, carrier in (("eth0", MAC, True), ("eth1", "52:54:00:00:00:02", False))
)


def vlan_on_bond(network):
    """Return the simulated host's network with a VLAN on a bond as the bridge's port."""
    bond = Bond("bond0", MAC, 1500, carrier=True, mode="active-backup", members=("eth0", "eth1"))
    vlan = Vlan("bond0.5", MAC, 1500, carrier=True, below="bond0", tag=5, bridge="xenbr0")
    other = Vlan("bond0.6", MAC, 1500, carrier=True, below="bond0", tag=6)
    container = Bond("bond7", MAC, 1500, carrier=True, mode="active-backup", members=())
    bridge = Bridge("xenbr0", MAC, 1500, ("bond0.5",))
    return replace(
        network.interfaces, nics=(ETH0, ETH1), bonds=(bond, container), vlans=(vlan, other), bridges=(bridge,)
    )


def by_device(api):
    return {(pif["device"], pif["VLAN"]): (ref, pif) for ref, pif in api.PIF.get_all_records().items()}


def test_a_vlan_on_a_bond_carries_the_management_address(running, api):
    (host,), (first,) = api.host.get_all(), api.PIF.get_all()
    network = running.daemon.tools.network
    before = network.interfaces
    network.interfaces = vlan_on_bond(network)
    api.PIF.scan(host)
    pifs = by_device(api)
    assert set(pifs) == {("eth0", "-1"), ("eth1", "-1"), ("bond0", "-1"), ("bond0", "5")}
    (nic, _), (_, second), (bond_pif, bond_record), (vlan_pif, vlan_record) = (
        pifs[key] for key in (("eth0", "-1"), ("eth1", "-1"), ("bond0", "-1"), ("bond0", "5"))
    )
    assert nic == first
    assert api.host.get_management_interface(host) == vlan_pif
    assert (vlan_record["IP"], vlan_record["physical"]) == ("192.0.2.10", False)
    assert [ref for ref, pif in pifs.values() if pif["management"]] == [vlan_pif]
    assert api.network.get_bridge(vlan_record["network"]) == "xenbr0"
    assert [n["bridge"] for n in api.network.get_all_records().values()].count("xenbr0") == 1
    (bond,) = api.Bond.get_all_records().items()
    assert (bond[1]["master"], bond[1]["mode"], bond[1]["links_up"]) == (bond_pif, "active-backup", "1")
    assert (set(bond[1]["slaves"]), bond[1]["primary_slave"]) == ({nic, pifs["eth1", "-1"][0]}, nic)
    assert second["bond_slave_of"] == bond[0]
    assert bond_record["bond_master_of"] == [bond[0]]
    (vlan,) = api.VLAN.get_all_records().items()
    assert (vlan[1]["tagged_PIF"], vlan[1]["untagged_PIF"], vlan[1]["tag"]) == (bond_pif, vlan_pif, "5")
    assert (vlan_record["VLAN_master_of"], bond_record["VLAN_slave_of"]) == (vlan[0], [vlan[0]])

    api.PIF.scan(host)
    assert set(by_device(api)) == set(pifs)
    assert (api.Bond.get_all(), api.VLAN.get_all()) == ([bond[0]], [vlan[0]])

    network.interfaces = before
    api.PIF.scan(host)
    assert api.host.get_management_interface(host) == first
    assert api.PIF.get_bond_slave_of(first) == NULL
    assert api.PIF.get_currently_attached(vlan_pif) is False
    bridges = {ref: api.network.get_bridge(api.PIF.get_network(ref)) for ref in (first, vlan_pif)}
    assert bridges == {first: "xenbr0", vlan_pif: "brbond0.5"}


def test_a_bridge_of_open_vswitch_is_the_hosts_backend(running, api):
    (host,) = api.host.get_all()
    assert api.host.get_software_version(host)["network_backend"] == "bridge"
    network = running.daemon.tools.network
    bridges = tuple(replace(bridge, is_openvswitch=True) for bridge in network.interfaces.bridges)
    network.interfaces = replace(network.interfaces, bridges=bridges)
    api.host.refresh_pack_info(host)
    assert api.host.get_software_version(host)["network_backend"] == "openvswitch"

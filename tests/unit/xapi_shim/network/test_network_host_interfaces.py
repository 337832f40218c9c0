"""A host's network from the texts of ip(8), resolv.conf and a sysfs of files."""

import json

import pytest

from xapi_shim.network.host_interfaces import (
    IpTexts,
    NicHardware,
    parse_host,
    parse_resolv_conf,
    switch_names,
)
from xapi_shim.network.interface import Bond, Bridge, IpMode, ManagementAddress, NetworkError, Vlan
from xapi_shim.network.nic_hardware import pci_names, read_hardware

MAC = "52:54:00:12:34:56"
UP = NicHardware(carrier=True, speed_mbit=1000, full_duplex=True, driver="e1000")


def link(name, kind=None, **more):
    entry = {"ifname": name, "address": MAC, "mtu": 1500, **more}
    return {**entry, "linkinfo": {"info_kind": kind}} if kind else entry


def inet(local, prefixlen=24, **more):
    return {
        "family": "inet6" if ":" in local else "inet",
        "local": local,
        "prefixlen": prefixlen,
        "scope": "global",
    } | more


def texts(links, addresses=(), routes=(), routes6=(), switches=()):
    named = [{"ifname": name, "addr_info": info} for name, info in dict(addresses).items()]
    return IpTexts(*(json.dumps(x) for x in (links, named, list(routes), list(routes6))), dict(switches))


BRIDGED = [
    link("lo"),
    link("eth0", master="xenbr0"),
    link("xenbr0", "bridge"),
    link("vif1.0", master="xenbr0"),
]


def test_a_host_with_a_management_bridge():
    found = parse_host(
        texts(
            [{}, *BRIDGED],
            {"lo": [inet("127.0.0.1", 8, scope="host")], "xenbr0": [inet("192.0.2.7", 23), inet("fe80::1", 64, scope="link"), inet("2001:db8::7", 64)]},
            [{"dst": "default", "gateway": "192.0.2.1", "dev": "xenbr0"}],
            [{"dst": "default", "gateway": "fe80::99", "dev": "xenbr0", "metric": 1024}],
        ),
        {"eth0": UP},
        "# made by hand\nnameserver 192.0.2.53\nsearch example\nnameserver 2001:db8::53\nnameserver bad\n",
    )  # fmt: skip
    assert [(nic.device, nic.bridge, nic.speed_mbit, nic.mac) for nic in found.nics] == [
        ("eth0", "xenbr0", 1000, MAC)
    ]
    assert found.bridges == (Bridge("xenbr0", MAC, 1500, ("eth0", "vif1.0")),)
    assert found.management == ManagementAddress(
        "xenbr0", IpMode.STATIC, "192.0.2.7", "255.255.254.0", "192.0.2.1",
        ("192.0.2.53", "2001:db8::53"), ("2001:db8::7/64",), "fe80::99",
    )  # fmt: skip


def test_a_leased_address_and_the_better_of_two_routes():
    addresses = {"eth0": [inet("192.0.2.2", dynamic=True)], "eth1": [inet("198.51.100.2")]}
    routes = [
        {"dev": "eth1", "gateway": "198.51.100.1", "metric": 600},
        {"dev": "eth0", "gateway": "192.0.2.1", "metric": 100},
        {"dev": "wg0", "metric": 1},
    ]
    found = parse_host(texts([link("eth0"), link("eth1")], addresses, routes), {"eth0": UP, "eth1": UP}, "")
    assert found.management is not None
    assert (found.management.interface, found.management.mode) == ("eth0", IpMode.DHCP)
    assert found.management.gateway == "192.0.2.1"


def test_an_address_without_a_route_and_none_at_all():
    nic = {"eth0": UP}
    found = parse_host(texts([link("eth0")], {"eth0": [inet("192.0.2.2", 32)]}), nic, "")
    assert found.management is not None
    assert (found.management.netmask, found.management.gateway) == ("255.255.255.255", "")
    assert (
        parse_host(texts([link("eth0")], {"eth0": [inet("fe80::1", 64, scope="link")]}), nic, "").management
        is None
    )
    assert parse_host(IpTexts("[]", "", "[{ }]", ""), {}, "").management is None


def test_ipv6_only():
    six = {"eth0": [inet("2001:db8::2", 64, temporary=True), inet("2001:db8::7", 64)]}
    route = [{"dev": "eth0", "gateway": "fe80::1"}]
    own = parse_host(texts([link("eth0")], six, [], route), {"eth0": UP}, "").management
    assert own == ManagementAddress("eth0", IpMode.NONE, "", "", "", (), ("2001:db8::7/64",), "fe80::1")


def test_a_member_of_a_bond_is_no_bridges_port():
    links = [link("eth0", master="bond0", permaddr="52:54:00:00:00:99"), link("bond0", "bond")]
    (nic,) = parse_host(texts(links), {"eth0": UP}, "").nics
    assert (nic.bridge, nic.mac) == (None, "52:54:00:00:00:99")


# As Debian 12's `ip -json -details link` has them, but for what is not read.
VLAN_ON_BOND = [
    link("eth0", master="bond0"),
    link("eth1", master="bond0"),
    link("bond0", operstate="UP") | {"linkinfo": {"info_kind": "bond", "info_data": {"mode": "active-backup", "miimon": 100}}},
    link("bond0.5", link="bond0", operstate="UP", master="xenbr0")
    | {"linkinfo": {"info_kind": "vlan", "info_data": {"protocol": "802.1Q", "id": 5}, "info_slave_kind": "bridge"}},
    link("xenbr0", "bridge", operstate="UP"),
]  # fmt: skip


def test_a_vlan_on_a_bond_below_the_bridge():
    found = parse_host(texts(VLAN_ON_BOND, {"xenbr0": [inet("192.0.2.10")]}), {"eth0": UP, "eth1": UP}, "")
    assert [(nic.device, nic.bridge) for nic in found.nics] == [("eth0", None), ("eth1", None)]
    assert found.bonds == (Bond("bond0", MAC, 1500, True, "active-backup", ("eth0", "eth1")),)
    assert found.vlans == (Vlan("bond0.5", MAC, 1500, True, "bond0", 5, "xenbr0"),)
    assert found.management is not None
    assert (found.management.interface, found.backend) == ("xenbr0", "bridge")


def test_a_bridge_of_open_vswitch():
    links = [
        link("eth0", master="ovs-system"),
        link("vif1.0", master="ovs-system"),
        link("eth1", master="ovs-system"),
        *(link(name, "openvswitch") for name in ("ovs-system", "xenbr0", "other", "port0")),
    ]
    assert switch_names(json.dumps(links)) == ("xenbr0", "other", "port0")
    switches = {"xenbr0": ("eth0", "vif1.0"), "other": ("eth1",)}
    found = parse_host(
        texts(links, {"xenbr0": [inet("192.0.2.10")]}, switches=switches), {"eth0": UP, "eth1": UP}, ""
    )
    assert [(nic.device, nic.bridge) for nic in found.nics] == [("eth0", "xenbr0"), ("eth1", "other")]
    assert found.bridges == (
        Bridge("xenbr0", MAC, 1500, ("eth0", "vif1.0"), is_openvswitch=True),
        Bridge("other", MAC, 1500, ("eth1",), is_openvswitch=True),
    )
    assert found.management is not None
    assert (found.management.interface, found.backend) == ("xenbr0", "openvswitch")


@pytest.mark.parametrize("text", ["{", '[{"mtu": 1}]', "[1]"])
def test_another_form_is_an_error(text):
    with pytest.raises(NetworkError, match="something else"):
        parse_host(IpTexts(text, "[]", "[]", "[]"), {"eth0": UP}, "")


def test_resolv_conf():
    assert parse_resolv_conf(
        "nameserver 192.0.2.1 # first\n nameserver\t::1\n;nameserver 1.1.1.1\nnameserver\n"
    ) == (
        "192.0.2.1",
        "::1",
    )


PCI_IDS = "# comment\n8086  Intel Corporation\n\t100e  82540EM Gigabit\n\t\t8086 1  sub\n1af4  Red Hat, Inc.\n\t100e  other\n"


@pytest.mark.parametrize(
    ("vendor", "device", "names"),
    [
        ("8086", "100e", ("Intel Corporation", "82540EM Gigabit")),
        ("8086", "ffff", ("Intel Corporation", "")),
        ("1af4", "100e", ("Red Hat, Inc.", "other")),
        ("dead", "100e", ("", "")),
    ],
)
def test_pci_names(vendor, device, names):
    assert pci_names(PCI_IDS.splitlines(), vendor, device) == names


def test_hardware_from_sysfs(tmp_path):
    slot = tmp_path / "sys/devices/pci0000:00/0000:00:03.0"
    (slot / "virtio0").mkdir(parents=True)
    (slot / "vendor").write_text("0x8086\n")
    (slot / "device").write_text("0x100e\n")
    (tmp_path / "usr/share/misc").mkdir(parents=True)
    (tmp_path / "usr/share/misc/pci.ids").write_text(PCI_IDS)
    for name in ("eth0", "vif1.0", "lo"):
        (tmp_path / "sys/class/net" / name).mkdir(parents=True)
    eth0, vif = tmp_path / "sys/class/net/eth0", tmp_path / "sys/class/net/vif1.0"
    (eth0 / "device").symlink_to(slot / "virtio0")
    (slot / "virtio0/driver").symlink_to("../bus/drivers/virtio_net")
    for file, text in {"carrier": "1\n", "speed": "-1\n", "duplex": "full\n"}.items():
        (eth0 / file).write_text(text)
    (vif / "device").mkdir()
    (vif / "device/subsystem").symlink_to("../../bus/xen-backend")
    assert read_hardware(tmp_path) == {
        "eth0": NicHardware(
            carrier=True, speed_mbit=0, full_duplex=True, vendor_id="8086", device_id="100e",
            vendor_name="Intel Corporation", device_name="82540EM Gigabit",
            pci_bus_path="0000:00:03.0", driver="virtio_net",
        )
    }  # fmt: skip
    assert read_hardware(tmp_path / "nowhere") == {}

"""Records that others tell of: hosts that join, interfaces, VLANs, snapshots made elsewhere."""

import uuid
from dataclasses import replace

import pytest
from test_conformance_host import again

from xapi_shim.network.interface import Nic

NULL = "OpaqueRef:NULL"


@pytest.fixture
def network(api):
    return api.network.create({"name_label": "n", "name_description": "", "MTU": "1500", "other_config": {}})


def introduce(api, network, host, call=None, **change):
    values = {"device": "eth0", "network": network, "host": host, "MAC": "52:54:00:00:00:09", "MTU": "1500",
              "VLAN": "7", "physical": False, "ip_configuration_mode": "None", "IP": "", "netmask": "", "gateway": "",
              "DNS": "", "bond_slave_of": NULL, "VLAN_master_of": NULL, "management": False,
              "other_config": {"by": "test"}, **change}  # fmt: skip
    return (call or api.PIF.db_introduce)(*values.values())


def test_a_host_that_joins_is_a_record(api, refused):
    given = str(uuid.uuid4())
    host = api.host.create(given, "other", "", "other.example", "192.0.2.20")
    record = api.host.get_record(host)
    assert (record["uuid"], record["name_label"], record["address"]) == (given, "other", "192.0.2.20")
    assert record["enabled"] is False
    assert record["latest_synced_updates_applied"] == "unknown"
    assert api.host_metrics.get_live(record["metrics"]) is False
    assert host in api.host.get_all()
    for wrong in (given, "", "no uuid"):
        assert refused("UUID_INVALID", api.host.create, wrong, "other", "", "o", "192.0.2.21")[1:] == [
            "host",
            wrong,
        ]
    api.host.destroy(host)
    assert host not in api.host.get_all()
    assert api.host_metrics.get_all() == [api.host.get_metrics(api.host.get_all()[0])]


def test_interfaces_and_vlans_are_records(running, api, network, refused):
    (host,), (physical,) = api.host.get_all(), api.PIF.get_all()
    for change, name in (({"host": NULL}, "host"), ({"network": NULL}, "network")):
        arguments = {"host": host, "network": network, **change}
        assert refused("HANDLE_INVALID", lambda given=arguments: introduce(api, **given))[1:] == [name, NULL]
    pif = introduce(api, network, host)
    record = api.PIF.get_record(pif)
    assert (record["device"], record["VLAN"], record["other_config"]) == ("eth0", "7", {"by": "test"})
    assert (record["primary_address_type"], record["currently_attached"]) == ("IPv4", False)
    assert api.PIF_metrics.get_carrier(record["metrics"]) is False
    vlan = api.VLAN.pool_introduce(physical, pif, "7", {})
    assert api.PIF.get_VLAN_master_of(pif) == vlan
    assert api.PIF.get_VLAN_slave_of(physical) == [vlan]
    refused("OPERATION_NOT_ALLOWED", api.PIF.db_forget, physical)
    # At the next start the physical interface is found again, not its VLAN's for it.
    later = again(running)
    assert later.PIF.get_device(physical) == "eth0"
    assert later.PIF.get_currently_attached(physical) is True
    assert set(later.PIF.get_all()) == {physical, pif}
    assert later.PIF.get_network(pif) == network
    later.PIF.db_forget(pif)
    assert later.PIF.get_all() == [physical]
    assert later.PIF_metrics.get_all() == []
    other = introduce(later, network, host, call=later.PIF.pool_introduce, VLAN="8")
    assert later.PIF.get_VLAN(other) == "8"


def test_a_repository_is_reached_in_another_way(api, refused):
    (pbd,) = api.PBD.get_all()
    refused("OPERATION_NOT_ALLOWED", api.PBD.set_device_config, pbd, {"location": "/elsewhere"})
    api.PBD.unplug(pbd)
    told = refused("VALUE_NOT_SUPPORTED", api.PBD.set_device_config, pbd, {"SRmaster": "true"})
    assert told[1:3] == ["SRmaster", "true"]
    api.PBD.set_device_config(pbd, {"location": "/elsewhere"})
    assert api.PBD.get_device_config(pbd) == {"location": "/elsewhere"}


def test_a_vm_is_said_to_be_a_snapshot(api, vm):
    copy = api.VM.clone(vm, "copy")
    api.VM.update_snapshot_metadata(copy, vm, "20260102T03:04:05Z", "backup-7")
    record = api.VM.get_record(copy)
    assert (record["is_a_snapshot"], record["snapshot_of"]) == (True, vm)
    assert record["snapshot_time"] == "20260102T03:04:05Z"
    assert record["transportable_snapshot_id"] == "backup-7"
    assert api.VM.get_snapshots(vm) == [copy]


def test_a_clusters_network_is_that_of_its_hosts(running, api, network, refused):
    (host,), (pif,) = api.host.get_all(), api.PIF.get_all()
    db = running.daemon.tools.db
    cluster = running.do(db.create, "Cluster", {})
    assert api.Cluster.get_network(cluster) == NULL
    running.do(db.create, "Cluster_host", {"cluster": cluster, "host": host, "PIF": pif})
    assert api.Cluster.get_network(cluster) == api.PIF.get_network(pif)
    other = introduce(api, network, host)
    running.do(db.create, "Cluster_host", {"cluster": cluster, "host": host, "PIF": other})
    refused("INTERNAL_ERROR", api.Cluster.get_network, cluster)


def test_interfaces_of_the_host_are_found(running, api, refused):
    (host,), (first,) = api.host.get_all(), api.PIF.get_all()
    network = running.daemon.tools.network
    new = Nic("eth1", "52:54:00:00:00:02", 9000, carrier=True, speed_mbit=1000, full_duplex=True, bridge=None)
    network.interfaces = replace(network.interfaces, nics=(*network.interfaces.nics, new))
    assert api.PIF.get_all() == [first]
    api.PIF.scan(host)
    (second,) = set(api.PIF.get_all()) - {first}
    record = api.PIF.get_record(second)
    assert (record["device"], record["MAC"], record["MTU"]) == ("eth1", "52:54:00:00:00:02", "9000")
    assert (record["currently_attached"], record["management"], record["physical"]) == (True, False, True)
    assert api.network.get_PIFs(record["network"]) == [second]
    network.interfaces = replace(network.interfaces, nics=network.interfaces.nics[:1])
    api.PIF.scan(host)
    assert api.PIF.get_currently_attached(second) is False
    assert api.PIF.get_currently_attached(first) is True


def test_nothing_is_done_here_for_another_host(running, api, refused):
    other = api.host.create(str(uuid.uuid4()), "other", "", "other.example", "192.0.2.20")
    machine = running.daemon.tools.system.machine
    for call in (api.host.shutdown, api.host.reboot, api.PIF.scan, api.host.enable, api.host.disable,
                 api.host.restart_agent, api.host.enable_ssh, api.host.dmesg):  # fmt: skip
        assert refused("HOST_OFFLINE", call, other)[1:] == [other]
    refused("HOST_OFFLINE", api.host.set_hostname_live, other, "elsewhere")
    refused("HOST_OFFLINE", api.host.call_plugin, other, "plugin", "main", {})
    assert (machine.done, machine.hostname) == ([], "")
    (pool,) = api.pool.get_all()
    assert refused("DISABLE_SSH_PARTIALLY_FAILED", api.pool.disable_ssh, pool)[1:] == [other]
    (sr,) = api.SR.get_by_name_label("Local storage")
    pbd = api.PBD.create({"host": other, "SR": sr, "device_config": {}, "other_config": {}})
    assert refused("HOST_OFFLINE", api.PBD.plug, pbd)[1:] == [other]
    assert api.host.get_enabled(other) is False
    api.host.declare_dead(other)
    api.PBD.destroy(pbd)
    api.host.destroy(other)

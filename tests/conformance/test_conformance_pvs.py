"""Provisioning servers as records: sites, servers, caches, proxies."""

import pytest
from test_conformance_devices import new_interface

NULL = "OpaqueRef:NULL"


@pytest.fixture
def open_vswitch(running, api):
    """Have the host say that its networks are Open vSwitch's."""
    (host,) = api.host.get_all()
    db, software = running.daemon.tools.db, api.host.get_software_version(host)
    changed = {**software, "network_backend": "openvswitch"}
    running.do(lambda: db.set("host", host, "software_version", changed))


def test_bridges_have_no_proxies(api, vm, refused):
    vif = new_interface(api, vm)
    assert refused("OPENVSWITCH_NOT_ACTIVE", api.PVS_site.introduce, "s", "", "u")[1:] == []
    refused("OPENVSWITCH_NOT_ACTIVE", api.PVS_server.introduce, ["192.0.2.1"], "1", "2", NULL)
    refused("OPENVSWITCH_NOT_ACTIVE", api.PVS_proxy.create, NULL, vif)


@pytest.mark.usefixtures("open_vswitch")
def test_a_site_has_servers(api, refused):
    site = api.PVS_site.introduce("site", "first", "pvs-uuid")
    assert api.PVS_site.get_record(site)["PVS_uuid"] == "pvs-uuid"
    introduce = api.PVS_server.introduce
    assert refused("INVALID_IP_ADDRESS_SPECIFIED", introduce, ["2001:db8::1"], "1", "2", site)[1:] == [
        "addresses"
    ]
    for first, last, name in (("0", "2", "first_port"), ("1", "65536", "last_port"), ("7", "6", "last_port")):
        assert refused("VALUE_NOT_SUPPORTED", introduce, ["192.0.2.1"], first, last, site)[1] == name
    refused("HANDLE_INVALID", introduce, ["192.0.2.1"], "6910", "6930", NULL)
    server = introduce(["192.0.2.1", "192.0.2.2", "192.0.2.1"], "6910", "6930", site)
    record = api.PVS_server.get_record(server)
    assert sorted(record["addresses"]) == ["192.0.2.1", "192.0.2.2"]
    assert (record["first_port"], record["last_port"], record["site"]) == ("6910", "6930", site)
    told = refused("PVS_SERVER_ADDRESS_IN_USE", introduce, ["192.0.2.3", "192.0.2.2"], "1", "2", site)
    assert told[1:] == ["192.0.2.2"]
    assert refused("PVS_SITE_CONTAINS_SERVERS", api.PVS_site.forget, site)[1:] == [server]
    api.PVS_server.forget(server)
    api.PVS_site.forget(site)
    assert api.PVS_site.get_all() == api.PVS_server.get_all() == []


@pytest.mark.usefixtures("open_vswitch")
def test_caches_and_proxies(running, api, vm, refused):
    (host,), (sr,) = api.host.get_all(), api.SR.get_by_name_label("Local storage")
    site, db = api.PVS_site.introduce("site", "", ""), running.daemon.tools.db
    wish = {"host": host, "SR": sr, "site": site, "size": "1073741824"}
    cache = api.PVS_cache_storage.create(wish)
    assert api.PVS_cache_storage.get_size(cache) == "1073741824"
    assert api.PVS_cache_storage.get_VDI(cache) == NULL
    assert refused("PVS_CACHE_STORAGE_ALREADY_PRESENT", api.PVS_cache_storage.create, wish)[1:] == [
        site,
        host,
    ]
    refused("HANDLE_INVALID", api.PVS_cache_storage.create, {**wish, "SR": NULL})
    first, second = new_interface(api, vm), new_interface(api, vm, "1")
    assert refused("INVALID_DEVICE", api.PVS_proxy.create, site, second)[1:] == ["1"]
    proxy = api.PVS_proxy.create(site, first)
    record = api.PVS_proxy.get_record(proxy)
    assert (record["status"], record["currently_attached"], record["VIF"]) == ("stopped", False, first)
    assert refused("PVS_PROXY_ALREADY_PRESENT", api.PVS_proxy.create, site, first)[1:] == [proxy]
    # As if one ran.
    running.do(lambda: db.set("PVS_proxy", proxy, "currently_attached", value=True))
    assert refused("PVS_SITE_CONTAINS_RUNNING_PROXIES", api.PVS_site.forget, site)[1:] == [proxy]
    assert refused("PVS_CACHE_STORAGE_IS_IN_USE", api.PVS_cache_storage.destroy, cache)[1:] == [cache]
    running.do(lambda: db.set("PVS_proxy", proxy, "currently_attached", value=False))
    api.PVS_proxy.destroy(proxy)
    api.PVS_cache_storage.destroy(cache)
    api.PVS_cache_storage.create(wish)
    api.PVS_site.forget(site)
    assert api.PVS_cache_storage.get_all() == []
    api.VM.start(vm, False, False)
    other = api.PVS_site.introduce("other", "", "")
    refused("NOT_IMPLEMENTED", api.PVS_proxy.create, other, first)

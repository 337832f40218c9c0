"""What guests' agents are told through xenstore: addresses, remote desktop, the pool's settings."""

import pytest
from test_conformance_devices import new_interface

FOLDER = "xenserver/device/vif/{}/static-ip-setting"


@pytest.fixture
def vif(api, vm):
    return new_interface(api, vm)


def told(running, api, vm, folder):
    """Return what a guest is told below `folder`."""
    keys = running.do(running.xen.keys.get, int(api.VM.get_domid(vm))) or {}
    return {
        key.removeprefix(f"{folder}/"): value for key, value in keys.items() if key.startswith(f"{folder}/")
    }


def test_a_guest_is_told_its_addresses(running, api, vm, vif, refused):
    folder = FOLDER.format(0)
    for wrong in ("192.0.2.5", "192.0.2.5/33", "2001:db8::5/64", "", "guest/24"):
        assert refused("INVALID_CIDR_ADDRESS_SPECIFIED", api.VIF.configure_ipv4, vif, "Static", wrong)[1:] == ["address"]  # fmt: skip
    for wrong in ("gateway", "2001:db8::1", "192.0.2.1/24"):
        assert refused(
            "INVALID_IP_ADDRESS_SPECIFIED", api.VIF.configure_ipv4, vif, "Static", "192.0.2.5/24", wrong
        )[1:] == ["gateway"]
    assert refused("INVALID_VALUE", api.VIF.configure_ipv4, vif, "Dynamic")[1] == "mode"
    assert api.VIF.get_ipv4_configuration_mode(vif) == "None"
    # Of a guest that does not run it is a record, and told at its start.
    api.VIF.configure_ipv4(vif, "Static", "192.0.2.5/24", "192.0.2.1")
    assert api.VIF.get_ipv4_addresses(vif) == ["192.0.2.5/24"]
    assert api.VIF.get_ipv4_gateway(vif) == "192.0.2.1"
    api.VM.start(vm, False, False)
    first = told(running, api, vm, folder)
    assert (first["enabled"], first["address"], first["gateway"]) == ("1", "192.0.2.5/24", "192.0.2.1")
    assert (first["mac"], first["error-code"], first["enabled6"]) == (api.VIF.get_MAC(vif), "0", "0")
    # Of one that runs it is told at once.
    api.VIF.configure_ipv6(vif, "Static", "2001:db8::5/64", "")
    second = told(running, api, vm, folder)
    assert (second["enabled6"], second["address6"], second["gateway6"]) == ("1", "2001:db8::5/64", "")
    assert second["address"] == "192.0.2.5/24"
    api.VIF.configure_ipv4(vif, "None", "192.0.2.9/24", "192.0.2.1")
    third = told(running, api, vm, folder)
    assert (third["enabled"], third["address"], third["gateway"]) == ("0", "", "")
    assert api.VIF.get_ipv4_addresses(vif) == []


def test_an_interface_that_is_plugged_in_is_told_too(running, api, vm):
    api.VM.start(vm, False, False)
    vif = new_interface(api, vm, "1")
    api.VIF.configure_ipv6(vif, "Static", "2001:db8::7/64", "2001:db8::1")
    folder = FOLDER.format(1)
    assert told(running, api, vm, folder) == {}
    api.VIF.plug(vif)
    assert told(running, api, vm, folder)["address6"] == "2001:db8::7/64"


def test_a_guest_is_asked_for_remote_desktop(running, api, vm, refused):
    def ask(fn, plugin="guest-agent-operation"):
        running.do(running.daemon.tools.guest_calls.clear)
        return lambda: api.VM.call_plugin(vm, plugin, fn, {})

    assert refused("XENAPI_MISSING_PLUGIN", ask("x", "other"))[1:] == ["other"]
    assert refused("VM_BAD_POWER_STATE", ask("request-rdp-on"))[1:] == [vm, "running", "halted"]
    api.VM.start(vm, False, False)
    assert refused("XENAPI_PLUGIN_FAILURE", ask("make-tea"))[1] == "failed to find fn"
    refused("NOT_IMPLEMENTED", ask("run-script"))
    # Without an agent that says it can, nobody would do it.
    assert refused("XENAPI_PLUGIN_FAILURE", ask("request-rdp-on"))[1] == "failed to execute fn"
    domid = int(api.VM.get_domid(vm))
    running.do(running.xen.keys.setdefault(domid, {}).update, {"control/feature-ts2": "1"})
    assert ask("request-rdp-on")() == ""
    assert running.xen.keys[domid]["control/ts"] == "1"
    told = refused(
        "VM_CALL_PLUGIN_RATE_LIMIT", api.VM.call_plugin, vm, "guest-agent-operation", "request-rdp-off", {}
    )
    assert told[1:3] == [vm, "10"]
    assert 0 < float(told[3]) <= 10
    assert ask("request-rdp-off")() == ""
    assert running.xen.keys[domid]["control/ts"] == "0"


def test_agents_are_told_the_pools_settings(running, api, refused):
    (pool,), (host,) = api.pool.get_all(), api.host.get_all()
    add, published = api.pool.add_to_guest_agent_config, running.daemon.tools.xen_host.published
    parameters = "Guest_agent_auto_update/parameters/"

    def settings():
        keys = published["/guest_agent_features"]
        return {
            key.removeprefix(parameters): value for key, value in keys.items() if key.startswith(parameters)
        }

    assert settings() == {}  # told at start-up
    for key, value in (("auto_update_enabled", "yes"), ("auto_update_url", "ftp://x"), ("auto_update_url", "https://"),
                       ("other", "1")):  # fmt: skip
        assert refused("INVALID_VALUE", add, pool, key, value)[1:] == [key, value]
    add(pool, "auto_update_enabled", "true")
    add(pool, "auto_update_url", "https://updates.example/agent")
    assert refused("MAP_DUPLICATE_KEY", add, pool, "auto_update_enabled", "false")[1:3] == ["pool", "guest_agent_config"]  # fmt: skip
    assert settings() == {"enabled": "1", "update_url": "https://updates.example/agent"}
    api.pool.remove_from_guest_agent_config(pool, "auto_update_url")
    assert settings() == {"enabled": "1"}
    published.clear()
    api.host.apply_guest_agent_config(host)
    assert settings() == {"enabled": "1"}

"""Rules over VMs' fields and records, by the unmodified Python client."""

import pytest
from test_conformance_devices import NULL, new_disk, new_drive, new_interface
from test_conformance_wire import rpc

MIB = 1 << 20


@pytest.fixture
def record(api, vm):
    """Return what VM.create takes to make another such VM."""
    return {**api.VM.get_record(vm), "name_label": "made"}


def test_what_a_vm_may_not_be_made_with(api, record, refused):
    for field, value in (
        ("start_delay", "-1"), ("shutdown_delay", "-2"), ("order", "-3"), ("ha_restart_priority", "sometimes"),
    ):  # fmt: skip
        assert refused("INVALID_VALUE", api.VM.create, {**record, field: value})[1:] == [field, value]
    refused("MEMORY_CONSTRAINT_VIOLATION_ORDER", api.VM.create, {**record, "memory_static_max": str(MIB)})
    refused("INVALID_VALUE", api.VM.create, {**record, "VCPUs_at_startup": "0"})
    made = api.VM.create({**record, "domain_type": "unspecified", "HVM_boot_policy": "BIOS order"})
    assert api.VM.get_domain_type(made) == "hvm"


def test_numbers_that_are_not_negative(api, vm, refused):
    for field in ("start_delay", "shutdown_delay", "order"):
        setter = getattr(api.VM, f"set_{field}")
        setter(vm, "3")
        assert refused("INVALID_VALUE", setter, vm, "-1")[1:] == [field, "-1"]
        assert getattr(api.VM, f"get_{field}")(vm) == "3"


def test_what_is_blocked_is_refused_and_not_offered(api, vm, refused):
    api.VM.set_blocked_operations(vm, {"start": "MINE"})
    assert "start" not in api.VM.get_allowed_operations(vm)
    assert refused("OPERATION_BLOCKED", api.VM.start, vm, False, False)[1:] == [vm, "MINE"]
    refused("MAP_DUPLICATE_KEY", api.VM.add_to_blocked_operations, vm, "start", "AGAIN")
    refused("INVALID_VALUE", api.VM.add_to_blocked_operations, vm, "dance", "NO")
    api.VM.add_to_blocked_operations(vm, "hard_shutdown", "NOT_NOW")
    api.VM.remove_from_blocked_operations(vm, "start")
    api.VM.start(vm, False, False)
    assert "hard_shutdown" not in api.VM.get_allowed_operations(vm)
    refused("OPERATION_BLOCKED", api.VM.hard_shutdown, vm)
    refused("OPERATION_BLOCKED", api.VM.assert_operation_valid, vm, "hard_shutdown")
    refused("NOT_IMPLEMENTED", api.VM.assert_operation_valid, vm, "suspend")
    api.VM.assert_operation_valid(vm, "changing_VCPUs_live")
    api.VM.set_blocked_operations(vm, {})
    assert "hard_shutdown" in api.VM.get_allowed_operations(vm)


def test_the_kind_of_a_vm_and_its_boot_policy_agree(api, vm, refused):
    api.VM.set_domain_type(vm, "hvm")
    assert api.VM.get_HVM_boot_policy(vm) == "BIOS order"
    refused("VM_HVM_REQUIRED", api.VM.start, vm, False, False)
    api.VM.set_domain_type(vm, "pvh")
    assert api.VM.get_HVM_boot_policy(vm) == ""
    api.VM.set_HVM_boot_policy(vm, "BIOS order")
    assert api.VM.get_domain_type(vm) == "hvm"
    api.VM.set_HVM_boot_policy(vm, "")
    assert api.VM.get_domain_type(vm) == "pv"
    api.VM.start(vm, False, False)
    refused("VM_BAD_POWER_STATE", api.VM.set_domain_type, vm, "pvh")
    refused("VM_BAD_POWER_STATE", api.VM.set_HVM_boot_policy, vm, "BIOS order")


def test_cores_of_a_socket(api, vm, refused):
    api.VM.set_VCPUs_max(vm, "4")
    for cores, code in (
        ("3", "VCPU_MAX_NOT_CORES_PER_SOCKET_MULTIPLE"),
        ("0", "INVALID_VALUE"),
        ("x", "INVALID_VALUE"),
    ):
        api.VM.set_platform(vm, {"cores-per-socket": cores})
        told = refused(code, api.VM.start, vm, False, False)
        assert told[1:] in (["4", "3"], ["platform:cores-per-socket", cores])
    api.VM.set_platform(vm, {"cores-per-socket": "2"})
    api.VM.start(vm, False, False)


def test_what_memory_costs(api, vm):
    api.VM.set_VCPUs_max(vm, "4")
    api.VM.set_memory(vm, str(128 * MIB))
    overhead = int(api.VM.compute_memory_overhead(vm))
    assert api.VM.get_memory_overhead(vm) == str(overhead)
    # 4 MiB of vCPUs, half a MiB of pages, 1 MiB more, in steps of 2 MiB
    assert overhead == 6 * MIB
    api.VM.set_VCPUs_max(vm, "8")
    assert int(api.VM.get_memory_overhead(vm)) > overhead
    most = int(api.VM.maximise_memory(vm, str(256 * MIB), False))
    assert most == 246 * MIB
    assert int(api.VM.maximise_memory(vm, str(256 * MIB), True)) < most
    assert api.VM.maximise_memory(vm, "0", False) == "0"


def test_firmware(running, api, vm, refused):
    assert api.VM.get_secureboot_readiness(vm) == "not_supported"
    api.VM.set_HVM_boot_params(vm, {"firmware": "uefi"})
    assert api.VM.get_secureboot_readiness(vm) == "disabled"
    api.VM.set_platform(vm, {"secureboot": "true"})
    assert api.VM.get_secureboot_readiness(vm) == "first_boot"
    api.VM.set_NVRAM_EFI_variables(vm, "blob", "yes")
    assert api.VM.get_NVRAM(vm) == {"EFI-variables": "blob"}
    assert api.VM.get_secureboot_certificates_state(vm) == "update_available"
    refused("NOT_IMPLEMENTED", api.VM.get_secureboot_readiness, vm)
    assert refused("VM_BAD_POWER_STATE", api.VM.restart_device_models, vm)[1:] == [vm, "running", "halted"]
    api.VM.start(vm, False, False)
    assert refused("CANNOT_RESTART_DEVICE_MODEL", api.VM.restart_device_models, vm)[1:] == [vm]
    domid = api.VM.get_domid(vm)
    refused("INTERNAL_ERROR", api.VM.hard_reboot_internal, vm)  # hosts among themselves only
    secret = running.paths.pool_secret.read_text()
    hosts = rpc(running, "session.slave_login", running.daemon.tools.host, secret)["result"]
    assert rpc(running, "VM.hard_reboot_internal", hosts, vm)["error"] is None
    assert api.VM.get_domid(vm) != domid


def test_plugins_of_a_vms_host(running, api, vm, refused):
    assert refused("XENAPI_MISSING_PLUGIN", api.VM.call_host_plugin, vm, "none", "f", {})[1:] == ["none"]
    folder = running.paths.plugins
    folder.mkdir(parents=True)
    (folder / "echo").write_text(
        "#!/bin/sh\necho '<methodResponse><params><param><value><struct>"
        "<member><name>Status</name><value>Success</value></member>"
        "<member><name>Value</name><value>hello</value></member>"
        "</struct></value></param></params></methodResponse>'\n"
    )
    (folder / "echo").chmod(0o700)
    assert api.VM.call_host_plugin(vm, "echo", "f", {"k": "v"}) == "hello"


def test_what_a_recovery_needs(session, api, vm, refused):
    me = session._session
    vdi = new_disk(api)
    new_drive(api, vm, vdi)
    sr = api.VDI.get_SR(vdi)
    assert api.VM.get_SRs_required_for_recovery(vm, me) == []
    api.VM.assert_can_be_recovered(vm, me)
    (pbd,) = api.SR.get_PBDs(sr)
    api.PBD.unplug(pbd)
    assert api.VM.get_SRs_required_for_recovery(vm, me) == [sr]
    assert refused("VM_REQUIRES_SR", api.VM.assert_can_be_recovered, vm, me)[1:] == [vm, sr]
    refused("HANDLE_INVALID", api.VM.get_SRs_required_for_recovery, vm, NULL)
    appliance = api.VM_appliance.create({"name_label": "a", "name_description": ""})
    api.VM.set_appliance(vm, appliance)
    assert refused("VM_IS_PART_OF_AN_APPLIANCE", api.VM.assert_can_be_recovered, vm, me)[1:] == [
        vm,
        appliance,
    ]
    assert api.VM_appliance.get_SRs_required_for_recovery(appliance, me) == [sr]
    assert refused("VM_REQUIRES_SR", api.VM_appliance.assert_can_be_recovered, appliance, me)[1:] == [vm, sr]


def test_where_a_vm_could_start(running, api, vm, refused):
    (host,) = api.host.get_all()
    assert api.VM.get_possible_hosts(vm) == [host]
    api.VM.set_domain_type(vm, "hvm")
    assert refused("VM_HVM_REQUIRED", api.VM.assert_can_boot_here, vm, host)[1:] == [vm]
    api.VM.set_domain_type(vm, "pv")
    total = running.xen.free_bytes
    api.VM.set_memory(vm, str(total))
    needed = refused("HOST_NOT_ENOUGH_FREE_MEMORY", api.VM.assert_can_boot_here, vm, host)
    assert needed[1:] == [str(total + int(api.VM.get_memory_overhead(vm))), str(total)]
    assert api.VM.get_possible_hosts(vm) == [host]
    api.VM.set_memory(vm, api.VM.maximise_memory(vm, str(total), False))
    vdi = new_disk(api)
    new_drive(api, vm, vdi)
    api.VM.assert_can_boot_here(vm, host)
    sr = api.VDI.get_SR(vdi)
    api.PBD.unplug(api.SR.get_PBDs(sr)[0])
    assert refused("VM_REQUIRES_SR", api.VM.assert_can_boot_here, vm, host)[1:] == [vm, sr]
    assert api.VM.get_possible_hosts(vm) == []


def test_no_guest_has_an_interface_that_is_locked(api, vm, refused):
    (network,) = [ref for ref, one in api.network.get_all_records().items() if one["bridge"] == "xenbr0"]
    wish = {"device": "0", "network": network, "VM": vm, "MAC": "", "MTU": "1500", "other_config": {},
            "qos_algorithm_type": "", "qos_algorithm_params": {}}  # fmt: skip
    for mode in ("locked", "disabled"):
        locked = api.VIF.create({**wish, "locking_mode": mode})
        assert api.VIF.get_locking_mode(locked) == mode
        assert refused("CANNOT_PLUG_VIF", api.VM.start, vm, False, False)[1:] == [locked]
        assert api.VM.get_power_state(vm) == "Halted"
        api.VIF.destroy(locked)
    refused("INVALID_IP_ADDRESS_SPECIFIED", api.VIF.create, {**wish, "ipv4_allowed": ["fe80::1"]})
    vif = api.VIF.create({**wish, "locking_mode": "unlocked", "ipv4_allowed": ["192.0.2.1", "192.0.2.1"]})
    assert api.VIF.get_ipv4_allowed(vif) == ["192.0.2.1"]
    api.VIF.add_ipv4_allowed(vif, "192.0.2.2")
    api.VIF.remove_ipv4_allowed(vif, "192.0.2.1")
    assert api.VIF.get_ipv4_allowed(vif) == ["192.0.2.2"]
    api.VIF.set_ipv6_allowed(vif, ["2001:db8::1"])
    api.VIF.add_ipv6_allowed(vif, "2001:db8::2")
    api.VIF.remove_ipv6_allowed(vif, "2001:db8::1")
    assert api.VIF.get_ipv6_allowed(vif) == ["2001:db8::2"]
    for call, address in ((api.VIF.add_ipv4_allowed, "192.0.2"), (api.VIF.add_ipv6_allowed, "192.0.2.1")):
        refused("INVALID_IP_ADDRESS_SPECIFIED", call, vif, address)


def test_a_locking_mode_is_one_of_a_network_or_of_an_interface(api, vm, refused):
    (network,) = [ref for ref, one in api.network.get_all_records().items() if one["bridge"] == "xenbr0"]
    other = api.network.create(
        {"name_label": "other", "name_description": "", "MTU": "1500", "other_config": {}}
    )
    vif = new_interface(api, vm)
    api.VM.start(vm, False, False)
    # What a guest has stays open: nothing holds up packets yet.
    for mode in ("locked", "disabled"):
        told = refused("VALUE_NOT_SUPPORTED", api.VIF.set_locking_mode, vif, mode)
        assert told[1:3] == ["locking_mode", mode]
        assert api.VIF.get_locking_mode(vif) == "network_default"
    assert refused("VIF_IN_USE", api.network.set_default_locking_mode, network, "disabled")[1:] == [
        network,
        vif,
    ]
    refused("INVALID_VALUE", api.network.set_default_locking_mode, network, "locked")
    api.network.set_default_locking_mode(other, "disabled")
    assert refused("CANNOT_PLUG_VIF", api.VIF.move, vif, other)[1:] == [vif]
    assert api.VIF.get_network(vif) == network
    api.VIF.set_locking_mode(vif, "unlocked")
    api.network.set_default_locking_mode(network, "disabled")
    api.VIF.move(vif, other)
    # Without a guest it is a record, and no guest gets it.
    api.VIF.unplug(vif)
    assert "plug" in api.VIF.get_allowed_operations(vif)
    api.VIF.set_locking_mode(vif, "network_default")
    assert "plug" not in api.VIF.get_allowed_operations(vif)
    assert refused("CANNOT_PLUG_VIF", api.VIF.plug, vif)[1:] == [vif]
    api.network.set_default_locking_mode(other, "unlocked")
    assert "plug" in api.VIF.get_allowed_operations(vif)
    api.VIF.plug(vif)

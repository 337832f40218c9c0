"""Custom messages that are rules over the records: messages, blobs, appliances, plans, VM settings."""

import json

import pytest
import XenAPI
from running_daemon import PASSWORD

NULL = "OpaqueRef:NULL"


@pytest.fixture
def two(api, vm):
    other = api.VM.clone(vm, "second")
    return vm, other


def test_messages_are_kept_and_found(running, api, vm, refused):
    uuid = api.VM.get_uuid(vm)
    first = api.message.create("ALARM", "2", "VM", uuid, "it is\nhot")
    second = api.message.create("OTHER", "5", "Host", api.host.get_uuid(api.host.get_all()[0]), "")
    assert api.message.get_all() == [first, second]
    record = api.message.get_record(first)
    assert (record["name"], record["priority"], record["cls"], record["obj_uuid"], record["body"]) == (
        "ALARM",
        "2",
        "VM",
        uuid,
        "it is\nhot",
    )
    assert api.message.get_by_uuid(record["uuid"]) == first
    never, later = "19700101T00:00:00Z", "29990101T00:00:00Z"
    assert list(api.message.get("VM", uuid, never)) == [first]
    assert api.message.get("VM", uuid, later) == {}
    assert list(api.message.get_since(never)) == [first, second]
    assert list(api.message.get_all_records_where('field "name" = "OTHER"')) == [second]
    refused("UUID_INVALID", api.message.create, "X", "1", "VM", "none", "")
    refused("INVALID_VALUE", api.message.create, "X", "1", "Dog", uuid, "")
    refused("HANDLE_INVALID", api.message.destroy_many, [first, "OpaqueRef:none"])
    assert api.message.get_all() == [first, second]
    running.stop()
    running.start()
    again = XenAPI.Session(running.url, ignore_ssl=True)
    again.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    assert again.xenapi.message.get_all_records()[first] == record
    again.xenapi.message.destroy_many([first, second])
    assert again.xenapi.message.get_all() == []
    refused("HANDLE_INVALID", again.xenapi.message.get_record, first)


def test_the_oldest_messages_are_forgotten(tmp_path):
    from xapi_shim.api.message_store import MessageStore

    store = MessageStore(tmp_path, most=3)
    refs = [store.add(f"n{number}", 3, "VM", "u", "") for number in range(5)]
    (tmp_path / "00000000000000000099.json").write_text("[torn")
    assert list(store.all()) == refs[2:]
    assert list(MessageStore(tmp_path, most=3).all()) == refs[2:]
    assert sorted(json.loads(p.read_text())[1]["name"] for p in tmp_path.glob("*[2-4].json")) == [
        "n2",
        "n3",
        "n4",
    ]


def test_blobs_hang_on_their_objects(api, vm, refused):
    blob = api.VM.create_new_blob(vm, "note", "text/plain", False)
    assert api.VM.get_blobs(vm) == {"note": blob}
    record = api.blob.get_record(blob)
    assert (record["mime_type"], record["size"], record["public"]) == ("text/plain", "0", False)
    refused("MAP_DUPLICATE_KEY", api.VM.create_new_blob, vm, "note", "", False)
    (pool,) = api.pool.get_all()
    assert api.blob.get_mime_type(api.pool.create_new_blob(pool, "n", "")) == "application/octet-stream"
    api.blob.destroy(blob)
    assert api.VM.get_blobs(vm) == {}


def test_a_secret_keeps_its_uuid(api, refused):
    ref = api.secret.introduce("s-1", "hidden", {"k": "v"})
    assert api.secret.get_by_uuid("s-1") == ref
    refused("UUID_INVALID", api.secret.introduce, "s-1", "x", {})


def test_an_appliance_starts_in_order_and_stops_the_other_way(running, api, two, refused):
    vm, other = two
    appliance = api.VM_appliance.create({"name_label": "web", "name_description": ""})
    for ref, order in ((vm, "1"), (other, "0")):
        api.VM.set_appliance(ref, appliance)
        api.VM.set_order(ref, order)
    assert sorted(api.VM_appliance.get_VMs(appliance)) == sorted(two)
    assert api.VM_appliance.get_allowed_operations(appliance) == ["start"]
    api.VM_appliance.start(appliance, False)
    assert int(api.VM.get_domid(other)) < int(api.VM.get_domid(vm))
    stops = ["clean_shutdown", "hard_shutdown", "shutdown"]
    assert api.VM_appliance.get_allowed_operations(appliance) == stops
    api.VM.pause(vm)
    assert api.VM_appliance.get_allowed_operations(appliance) == ["start", *stops]
    api.VM_appliance.shutdown(appliance)
    assert [api.VM.get_power_state(ref) for ref in two] == ["Halted", "Halted"]
    # One that cannot start does not keep the other from it, and is told of.
    api.VM.set_PV_kernel(other, "/boot/guest/none")
    assert refused("OPERATION_PARTIALLY_FAILED", api.VM_appliance.start, appliance, False)[1:] == ["start"]
    assert api.VM.get_power_state(vm) == "Running"
    api.VM_appliance.hard_shutdown(appliance)
    api.VM_appliance.destroy(appliance)
    assert api.VM.get_appliance(vm) == NULL


def test_turns():
    from xapi_shim.api.vm_appliance import in_turns

    orders = {"a": 1, "b": 0, "c": 1}
    assert in_turns(orders) == [["b"], ["a", "c"]]
    assert in_turns(orders, stopping=True) == [["a", "c"], ["b"]]


def test_plans_hold_times_that_exist(api, vm, refused):
    wish = {"name_label": "p", "name_description": "", "enabled": True, "type": "snapshot", "frequency": "daily",
            "retained_snapshots": "7", "schedule": {"hour": "3"}}  # fmt: skip
    plan = api.VMSS.create(wish)
    assert api.VMSS.get_schedule(plan) == {"hour": "3", "min": "0"}
    api.VMSS.set_frequency(plan, "weekly")
    assert api.VMSS.get_schedule(plan) == {"days": "Monday", "hour": "3", "min": "0"}
    api.VMSS.add_to_schedule(plan, "days", "Tuesday,friday")
    assert api.VMSS.get_schedule(plan)["days"] == "Tuesday,friday"
    api.VMSS.remove_from_schedule(plan, "hour")
    assert api.VMSS.get_schedule(plan)["hour"] == "0"
    for key, value in (("hour", "24"), ("hour", "-1"), ("min", "7"), ("days", "Someday"), ("year", "1")):
        refused("INVALID_VALUE", api.VMSS.add_to_schedule, plan, key, value)
    for count in ("0", "11"):
        refused("INVALID_VALUE", api.VMSS.set_retained_snapshots, plan, count)
    refused("INVALID_VALUE", api.VMSS.create, {**wish, "retained_snapshots": "11"})
    api.VM.set_snapshot_schedule(vm, plan)
    assert api.VMSS.get_VMs(plan) == [vm]
    refused("VMSS_HAS_VM", api.VMSS.destroy, plan)
    api.VM.set_snapshot_schedule(vm, NULL)
    api.VMSS.destroy(plan)


def test_vm_settings_have_rules(api, vm, refused):
    refused("INVALID_VALUE", api.VM.set_ha_restart_priority, vm, "sometimes")
    api.VM.set_ha_restart_priority(vm, "best-effort")
    refused("INVALID_VALUE", api.VM.set_HVM_shadow_multiplier, vm, 0.5)
    api.VM.set_HVM_shadow_multiplier(vm, 2.0)
    refused("INVALID_VALUE", api.VM.set_bios_strings, vm, {"hobby": "x"})
    refused("INVALID_VALUE", api.VM.set_bios_strings, vm, {"bios-vendor": "é"})
    api.VM.set_bios_strings(vm, {"bios-vendor": "Us"})
    refused("VM_BIOS_STRINGS_ALREADY_SET", api.VM.copy_bios_strings, vm, api.host.get_all()[0])
    api.VM.start(vm, False, False)
    refused("VM_BAD_POWER_STATE", api.VM.set_has_vendor_device, vm, True)
    refused("OPERATION_NOT_ALLOWED", api.VM.power_state_reset, vm)


def test_what_could_be_done_is_told(api, vm, refused):
    (host,) = api.host.get_all()
    api.VM.assert_operation_valid(vm, "start")
    assert refused("VM_BAD_POWER_STATE", api.VM.assert_operation_valid, vm, "pause")[1:] == [
        vm,
        "running",
        "halted",
    ]
    api.VM.add_to_blocked_operations(vm, "start", "WHY")
    assert refused("OPERATION_BLOCKED", api.VM.assert_operation_valid, vm, "start")[1:] == [vm, "WHY"]
    api.VM.remove_from_blocked_operations(vm, "start")
    api.VM.assert_can_boot_here(vm, host)
    api.host.disable(host)
    refused("HOST_DISABLED", api.VM.assert_can_boot_here, vm, host)
    api.host.enable(host)
    assert api.VM.get_boot_record(vm)["uuid"] == api.VM.get_uuid(vm)
    api.host.assert_can_evacuate(host)
    api.VM.start(vm, False, False)
    assert api.host.get_vms_which_prevent_evacuation(host) == {vm: ["NO_HOSTS_AVAILABLE"]}
    refused("CANNOT_EVACUATE_HOST", api.host.assert_can_evacuate, host)
    refused("WLB_NOT_INITIALIZED", api.pool.retrieve_wlb_configuration)
    refused("HA_NOT_ENABLED", api.pool.disable_ha)
    assert api.pool.ha_failover_plan_exists("0") is True
    assert api.pool.ha_failover_plan_exists("1") is False
    assert "VM.start" in api.host.list_methods()
    assert "Europe/Paris" in api.host.list_timezones(host)
    certificate = api.host.get_server_certificate(host)
    assert certificate.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in certificate


def test_allowed_operations_follow_what_happens(running, api, vm):
    (host,), (sr,) = api.host.get_all(), api.SR.get_by_name_label("Local storage")
    vdi = api.VDI.create({"name_label": "d", "name_description": "", "SR": sr, "virtual_size": str(1 << 20),
                          "type": "user", "sharable": False, "read_only": False, "other_config": {}})  # fmt: skip
    vbd = api.VBD.create({"VM": vm, "VDI": vdi, "userdevice": "0", "bootable": False, "mode": "RW", "type": "Disk",
                          "empty": False, "other_config": {}, "qos_algorithm_type": "",
                          "qos_algorithm_params": {}})  # fmt: skip

    def allowed(session):
        api = session.xenapi
        return {
            "host": api.host.get_allowed_operations(host),
            "SR": "vdi_create" in api.SR.get_allowed_operations(sr),
            "VDI": "destroy" in api.VDI.get_allowed_operations(vdi),
            "VBD": api.VBD.get_allowed_operations(vbd),
            "VM": "start" in api.VM.get_allowed_operations(vm),
        }

    def login():
        session = XenAPI.Session(running.url, ignore_ssl=True)
        session.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
        return session

    halted = {"host": ["provision", "vm_start"], "SR": True, "VDI": True, "VBD": ["attach"], "VM": True}
    session = login()
    assert allowed(session) == halted
    api.VM.start(vm, False, False)
    assert allowed(session) == {
        **halted,
        "VDI": False,
        "VBD": ["attach", "unplug", "unplug_force"],
        "VM": False,
    }
    api.VM.hard_shutdown(vm)
    api.host.disable(host)
    assert allowed(session) == {**halted, "host": ["enable", "reboot", "shutdown"]}
    api.host.enable(host)
    # They are not stored, and yet are there after a restart.
    running.stop()
    running.start()
    session = login()
    assert allowed(session) == halted
    (pbd,) = session.xenapi.SR.get_PBDs(sr)
    session.xenapi.PBD.unplug(pbd)
    assert allowed(session)["SR"] is False
    assert session.xenapi.SR.get_allowed_operations(sr) == [
        "destroy",
        "forget",
        "pbd_create",
        "pbd_destroy",
        "plug",
        "unplug",
    ]

"""PyPI's XenAPI, unmodified, against the daemon over TLS."""

import tempfile
import threading
import time
import xmlrpc.client
from pathlib import Path

import pytest
import XenAPI
from running_daemon import PASSWORD


def events_until(api, classes, token, check):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        batch = api.event_from(classes, token, 5.0)
        token = batch["token"]
        for event in batch["events"]:
            if check(event):
                return event, token
    raise AssertionError("no such event")


def test_a_guests_life(api, vm):
    (sr,) = api.SR.get_by_name_label("Local storage")
    vdi = api.VDI.create({"name_label": "d", "name_description": "", "SR": sr, "virtual_size": str(1 << 30),
                          "type": "user", "sharable": False, "read_only": False, "other_config": {}})  # fmt: skip
    vbd = api.VBD.create({"VM": vm, "VDI": vdi, "userdevice": "autodetect", "bootable": False, "mode": "RW",
                          "type": "Disk", "empty": False, "other_config": {}, "qos_algorithm_type": "",
                          "qos_algorithm_params": {}})  # fmt: skip
    (network,) = api.network.get_all()
    vif = api.VIF.create({"device": "0", "network": network, "VM": vm, "MAC": "", "MTU": "1500", "other_config": {},
                          "qos_algorithm_type": "", "qos_algorithm_params": {}})  # fmt: skip
    assert api.VM.get_VBDs(vm) == [vbd]
    assert api.VDI.get_VBDs(vdi) == [vbd]
    assert api.VBD.get_device(vbd) == "xvda"
    api.VM.start(vm, False, False)
    record = api.VM.get_record(vm)
    assert record["power_state"] == "Running"
    assert record["resident_on"] == api.host.get_all()[0]
    assert int(record["domid"]) > 0
    assert api.VBD.get_currently_attached(vbd)
    assert api.VIF.get_currently_attached(vif)
    api.VM.pause(vm)
    assert api.VM.get_power_state(vm) == "Paused"
    api.VM.unpause(vm)
    api.VM.clean_reboot(vm)
    assert api.VM.get_domid(vm) != record["domid"]
    api.VM.clean_shutdown(vm)
    assert api.VM.get_power_state(vm) == "Halted"
    assert not api.VBD.get_currently_attached(vbd)
    api.VM.destroy(vm)
    assert vm not in api.VM.get_all()
    assert vbd not in api.VBD.get_all()
    assert api.VDI.get_VBDs(vdi) == []
    api.VDI.destroy(vdi)


def test_errors_are_the_documented_ones(running, api, vm, refused):
    network = api.network.get_all()[0]
    assert refused("HANDLE_INVALID", api.VM.get_record, network) == ["HANDLE_INVALID", "VM", network]
    assert refused("UUID_INVALID", api.VM.get_by_uuid, "x") == ["UUID_INVALID", "VM", "x"]
    assert refused("MESSAGE_METHOD_UNKNOWN", api.VM.fly) == ["MESSAGE_METHOD_UNKNOWN", "VM.fly"]
    assert refused("MESSAGE_PARAMETER_COUNT_MISMATCH", api.VM.start, vm)[1:] == ["VM.start", "3", "1"]
    assert refused("FIELD_TYPE_ERROR", api.VM.start, vm, "yes", False) == ["FIELD_TYPE_ERROR", "start_paused"]
    assert refused("INVALID_VALUE", api.VM.set_actions_after_crash, vm, "dance")[1:] == ["value", "dance"]
    # Enums are taken in any case and kept in the declared one.
    api.VM.set_actions_after_crash(vm, "Preserve")
    assert api.VM.get_actions_after_crash(vm) == "preserve"
    api.VM.add_to_other_config(vm, "k", "v")
    refused("MAP_DUPLICATE_KEY", api.VM.add_to_other_config, vm, "k", "w")
    assert refused("NOT_IMPLEMENTED", api.VM.suspend, vm) == ["NOT_IMPLEMENTED", "VM.suspend"]
    (template,) = api.VM.get_by_name_label("Linux kernel and ramdisk")
    assert refused("VM_IS_TEMPLATE", api.VM.start, template, False, False) == ["VM_IS_TEMPLATE", template]
    assert refused("VM_BAD_POWER_STATE", api.VM.pause, vm) == ["VM_BAD_POWER_STATE", vm, "running", "halted"]
    api.VM.start(vm, False, False)
    assert refused("VM_BAD_POWER_STATE", api.VM.destroy, vm) == [
        "VM_BAD_POWER_STATE",
        vm,
        "halted",
        "running",
    ]
    bad = XenAPI.Session(running.url, ignore_ssl=True)
    refused("SESSION_AUTHENTICATION_FAILED", bad.xenapi.login_with_password, "root", "wrong", "1.0", "t")
    assert running.do(lambda: len(running.daemon.tools.db.refs("session"))) == 1


@pytest.mark.parametrize("kernel", ["/etc/shadow", "/boot/guest/../../etc/shadow", "boot/guest/vmlinuz"])
def test_only_boot_files_of_guests_can_be_named(api, vm, refused, kernel):
    api.VM.set_PV_kernel(vm, kernel)
    assert refused("INVALID_VALUE", api.VM.start, vm, False, False)[1:] == ["PV_kernel", kernel]
    assert api.VM.get_power_state(vm) == "Halted"


def test_a_start_that_cannot_be_changes_nothing(api, vm, refused):
    api.VM.set_PV_kernel(vm, "/boot/guest/none")
    refused("BOOTLOADER_FAILED", api.VM.start, vm, False, False)
    api.VM.set_PV_kernel(vm, "/boot/guest/vmlinuz")
    api.VM.set_memory(vm, str(1 << 50))
    refused("HOST_NOT_ENOUGH_FREE_MEMORY", api.VM.start, vm, False, False)
    record = api.VM.get_record(vm)
    assert (record["power_state"], record["domid"], record["current_operations"]) == ("Halted", "-1", {})


def test_what_happens_behind_our_back_is_told(running, api, vm):
    api.VM.start(vm, False, False)
    uuid = api.VM.get_uuid(vm)
    token = api.event_from(["vm"], "", 0.1)["token"]
    domid = api.VM.get_domid(vm)
    running.do(lambda: running.xen.guest_reboot(uuid))
    _, token = events_until(
        api, ["vm"], token, lambda e: e["ref"] == vm and e["snapshot"]["domid"] not in (domid, "-1")
    )
    running.do(lambda: running.xen.guest_poweroff(uuid))
    _, token = events_until(
        api, ["vm"], token, lambda e: e["ref"] == vm and e["snapshot"]["power_state"] == "Halted"
    )
    api.VM.set_actions_after_crash(vm, "destroy")
    api.VM.start(vm, False, False)
    running.do(lambda: running.xen.guest_crash(uuid))
    _, token = events_until(
        api, ["vm"], token, lambda e: e["ref"] == vm and e["snapshot"]["power_state"] == "Halted"
    )
    api.VM.start(vm, False, False)
    running.do(lambda: running.xen.xl_destroy(uuid))
    events_until(api, ["vm"], token, lambda e: e["ref"] == vm and e["snapshot"]["power_state"] == "Halted")


def test_async_calls_make_tasks(api, vm, refused):
    task = api.Async.VM.start(vm, False, False)
    event, _ = events_until(
        api, ["task"], "", lambda e: e["ref"] == task and e["snapshot"]["status"] == "success"
    )
    assert event["snapshot"]["result"] == ""
    assert event["snapshot"]["progress"] == 1.0
    assert event["class"] == "task"
    task = api.Async.VM.clone(vm, "copy")
    event, _ = events_until(
        api, ["task"], "", lambda e: e["ref"] == task and e["snapshot"]["status"] != "pending"
    )
    assert event["snapshot"]["status"] == "failure"
    assert event["snapshot"]["error_info"][0] == "VM_BAD_POWER_STATE"
    api.task.destroy(task)
    refused("HANDLE_INVALID", api.task.get_status, task)
    refused("MESSAGE_METHOD_UNKNOWN", api.Async.VM.get_all)


def test_event_from_times_out_with_a_usable_token(api, vm, refused):
    batch = api.event_from(["vm"], "", 0.1)
    assert {e["operation"] for e in batch["events"]} == {"add"}
    assert batch["valid_ref_counts"]["vm"] == len(api.VM.get_all())
    assert "task" in batch["valid_ref_counts"]
    again = api.event_from(["vm"], batch["token"], 0.2)
    assert again["events"] == []
    assert again["token"] >= batch["token"]
    api.VM.set_name_label(vm, "new")
    told = api.event_from(["vm"], again["token"], 5.0)["events"]
    assert [(e["operation"], e["ref"], e["snapshot"]["name_label"]) for e in told] == [("mod", vm, "new")]
    refused("EVENT_SUBSCRIPTION_PARSE_FAILURE", api.event_from, ["?"], "", 1.0)
    refused("EVENT_FROM_TOKEN_PARSE_FAILURE", api.event_from, ["vm"], "x", 1.0)


def test_logging_out_ends_a_waiting_call(running, session):
    other = XenAPI.Session(running.url, ignore_ssl=True)
    other.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    doomed, ended = session.handle, []

    def wait():
        try:
            waiting = XenAPI.Session(running.url, ignore_ssl=True)
            waiting._session = doomed
            token = waiting.xenapi.event_from(["vm"], "", 0.1)["token"]
            started.set()
            waiting.xenapi.event_from(["vm"], token, 60.0)
        except xmlrpc.client.Fault as fault:
            # What the library makes of SESSION_INVALID where it has no password to log in again.
            ended.append(fault.faultCode)

    started = threading.Event()
    thread = threading.Thread(target=wait)
    thread.start()
    assert started.wait(10)
    session.xenapi.session.logout()
    thread.join(30)
    assert ended == [401]


def test_the_records_survive_a_restart_and_the_running_guest_is_known(running, api, vm):
    api.VM.set_name_description(vm, "kept")
    running.stop()
    running.start()
    session = XenAPI.Session(running.url, ignore_ssl=True)
    session.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    assert session.xenapi.VM.get_name_description(vm) == "kept"
    assert len(session.xenapi.host.get_all()) == 1
    # The simulator's guests are gone with it: the record says so.
    assert session.xenapi.VM.get_power_state(vm) == "Halted"


def test_filters(api, vm):
    assert list(api.VM.get_all_records_where('field "name__label" = "guest"')) == [vm]
    assert vm not in api.VM.get_all_records_where('not field "is_a_template" = "false"')
    both = api.VM.get_all_records_where('field "is_a_template" = "false" andfield "power_state" = "Halted"')
    assert list(both) == [vm]


def test_networks_and_storage(api, refused):
    network = api.network.create(
        {"name_label": "inside", "name_description": "", "MTU": "1500", "other_config": {}}
    )
    assert api.network.get_bridge(network).startswith("xapi")
    api.network.destroy(network)
    (sr,) = api.SR.get_by_name_label("Local storage")
    (pbd,) = api.SR.get_PBDs(sr)
    refused("SR_HAS_PBD", api.SR.forget, sr)
    api.PBD.unplug(pbd)
    record = {"name_label": "d", "SR": sr, "virtual_size": "1", "type": "user", "sharable": False, "read_only": False,
              "other_config": {}}  # fmt: skip
    refused("SR_HAS_NO_PBDS", api.VDI.create, record)
    api.PBD.plug(pbd)
    refused("INVALID_VALUE", api.VDI.create, {**record, "virtual_size": "0"})
    refused("SR_FULL", api.VDI.create, {**record, "virtual_size": str(8 << 40)})
    assert api.SR.get_VDIs(sr) == []


def test_the_same_client_over_the_unix_socket(running, vm):
    """The library writes a socket's path with _ for /, so that a path with neither in its names is needed."""
    with tempfile.TemporaryDirectory(prefix="xapi") as folder:
        short = Path(tempfile.gettempdir()) / Path(folder).name.replace("_", "0")
        short = short.with_suffix(".sockets")
        short.symlink_to(running.paths.unix_socket.parent)
        try:
            path = short / running.paths.unix_socket.name
            url = "http://" + str(path).replace("/", "_")
            local = XenAPI.Session(url, transport=XenAPI.UDSTransport())
            local.xenapi.login_with_password("", "")
            assert local.xenapi.VM.get_name_label(vm) == "guest"
            assert local.xenapi.session.get_auth_user_name(local.handle) == "root"
            local.xenapi.session.logout()
        finally:
            short.unlink()

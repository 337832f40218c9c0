"""Records of disks, storage repositories, networks and groups, by the unmodified Python client."""

import asyncio
import uuid

import pytest
from test_conformance_devices import NULL, new_disk, new_drive, new_interface, until_done
from test_conformance_xenapi import events_until

NOWHERE = "OpaqueRef:none"


@pytest.fixture
def sr(api):
    (sr,) = api.SR.get_by_name_label("Local storage")
    return sr


def told(sr, location, uuid_="", name="again"):
    """Return what VDI.introduce takes; what has defaults is left out."""
    return (uuid_, name, "", sr, "user", False, False, {}, location)


def test_a_forgotten_disk_is_introduced_again(api, sr, refused):
    vdi = new_disk(api)
    record = api.VDI.get_record(vdi)
    assert refused("LOCATION_NOT_UNIQUE", api.VDI.introduce, *told(sr, record["location"]))[1:] == [
        sr,
        record["location"],
    ]
    api.VDI.forget(vdi)
    other = new_disk(api)
    taken = api.VDI.get_uuid(other)
    assert refused(
        "DB_UNIQUENESS_CONSTRAINT_VIOLATION", api.VDI.introduce, *told(sr, record["location"], taken)
    )[1:] == ["VDI", "uuid", taken]
    assert refused("VDI_LOCATION_MISSING", api.VDI.introduce, *told(sr, "nowhere"))[1:] == [sr, "nowhere"]
    refused("HANDLE_INVALID", api.VDI.introduce, *told(NULL, record["location"]))
    again = api.VDI.introduce(*told(sr, record["location"], record["uuid"]))
    new = api.VDI.get_record(again)
    assert (new["uuid"], new["name_label"], new["virtual_size"]) == (
        record["uuid"],
        "again",
        record["virtual_size"],
    )
    assert new["allowed_operations"] == record["allowed_operations"]
    api.VDI.db_forget(again)
    made = api.VDI.db_introduce(*told(sr, record["location"], "", "by hand"))
    assert (api.VDI.get_virtual_size(made), api.VDI.get_missing(made)) == ("0", False)
    api.VDI.update(made)
    assert api.VDI.get_virtual_size(made) == record["virtual_size"]
    lost = api.VDI.pool_introduce(*told(sr, str(uuid.uuid4())))
    assert refused("VDI_MISSING", api.VDI.update, lost)[1:] == [sr, lost]
    assert api.VDI.get_missing(lost) is True


def test_how_a_disk_may_be_used(api, vm, sr, refused):
    vdi = new_disk(api)
    vbd = new_drive(api, vm, vdi)
    api.VM.start(vm, False, False)
    assert refused("VDI_IN_USE", api.VDI.set_read_only, vdi, True)[1] == vdi
    for call in (api.VDI.forget, api.VDI.db_forget, api.VDI.destroy):
        assert refused("VDI_IN_USE", call, vdi)[1] == vdi
    refused("VDI_IN_USE", api.VDI.set_on_boot, vdi, "persist")
    api.VDI.set_sharable(vdi, True)
    second = new_drive(api, vm, vdi)
    api.VBD.plug(second)
    assert refused("VDI_IN_USE", api.VDI.set_sharable, vdi, False)[1] == vdi
    api.VBD.unplug(second)
    api.VDI.set_sharable(vdi, False)
    assert refused("VDI_IN_USE", api.VBD.plug, second)[1:] == [vdi, "plug"]
    api.VBD.destroy(second)
    api.VM.hard_shutdown(vm)
    api.VDI.set_read_only(vdi, True)
    assert api.VBD.get_allowed_operations(vbd) == []
    assert refused("VDI_READONLY", api.VM.start, vm, False, False)[1:] == [vdi]
    assert refused("SR_OPERATION_NOT_SUPPORTED", api.VDI.set_on_boot, vdi, "reset")[1:] == [sr]
    api.VDI.set_on_boot(vdi, "persist")


def test_what_goes_on_with_a_disk_is_told(running, api, vm, sr, refused):
    """While its driver works, a disk and its SR say at what, and a guest does not get it."""
    vdi = new_disk(api)
    vbd = new_drive(api, vm, vdi)
    gate = asyncio.Event()
    factory = running.daemon.tools.sr_types["dummy"]

    class Slow(factory):
        async def volume_resize(self, uuid, size):
            await gate.wait()
            return await super().volume_resize(uuid, size)

    running.daemon.tools.sr_types["dummy"] = Slow
    task = api.Async.VDI.resize(vdi, str(2 << 20))
    events_until(api, [f"vdi/{vdi}"], "", lambda e: e["snapshot"]["current_operations"])
    assert api.VDI.get_current_operations(vdi) == {task: "resize"}
    assert api.VDI.get_allowed_operations(vdi) == []
    assert api.SR.get_current_operations(sr) == {task: "vdi_resize"}
    assert "vdi_create" in api.SR.get_allowed_operations(sr)
    assert "unplug" not in api.SR.get_allowed_operations(sr)
    assert "attach" not in api.VBD.get_allowed_operations(vbd)
    busy = ["VDI", vdi, "resize", task]
    assert refused("OTHER_OPERATION_IN_PROGRESS", api.VM.start, vm, False, False)[1:] == busy
    assert refused("OTHER_OPERATION_IN_PROGRESS", api.VDI.destroy, vdi)[1:] == busy
    new_disk(api)
    running.do(gate.set)
    until_done(api, task)
    assert api.task.get_status(task) == "success"
    assert (api.VDI.get_virtual_size(vdi), api.VDI.get_current_operations(vdi)) == (str(2 << 20), {})
    assert api.VBD.get_allowed_operations(vbd) == ["attach"]


def test_storage_repositories(api, sr, refused):
    (host,) = api.host.get_all()
    assert api.SR.get_live_hosts(sr) == [host]
    api.SR.set_shared(sr, True)
    assert api.SR.get_shared(sr) is True
    api.SR.set_shared(sr, False)
    for call in (api.SR.assert_can_host_ha_statefile, api.SR.assert_supports_database_replication):
        assert refused("SR_OPERATION_NOT_SUPPORTED", call, sr)[1:] == [sr]
    (pbd,) = api.SR.get_PBDs(sr)
    api.PBD.unplug(pbd)
    assert api.SR.get_live_hosts(sr) == []
    refused("SR_NOT_ATTACHED", api.SR.assert_can_host_ha_statefile, sr)
    refused("MESSAGE_DEPRECATED", api.SR.make, host, {}, "0", "n", "", "file", "user", {})
    bare = api.SR.introduce("", "bare", "", "file", "user", False, {})
    refused("SR_HAS_NO_PBDS", api.SR.assert_supports_database_replication, bare)
    assert api.SR.get_allowed_operations(bare) == [
        "destroy",
        "forget",
        "pbd_create",
        "pbd_destroy",
        "plug",
        "unplug",
    ]


def test_what_networks_are_for(api, refused):
    first, second = (
        api.network.create({"name_label": name, "name_description": "", "other_config": {}}) for name in "ab"
    )
    api.network.add_purpose(first, "nbd")
    api.network.add_purpose(second, "nbd")
    api.network.add_purpose(second, "nbd")
    assert api.network.get_purpose(second) == ["nbd"]
    assert refused("NETWORK_INCOMPATIBLE_PURPOSES", api.network.add_purpose, second, "insecure_nbd")[1:] == [
        "insecure_nbd",
        "nbd",
    ]
    for network in (first, second):
        api.network.remove_purpose(network, "nbd")
    api.network.add_purpose(second, "insecure_nbd")
    refused("NETWORK_INCOMPATIBLE_PURPOSES", api.network.add_purpose, first, "nbd")
    told = api.network.pool_introduce("c", "", "1500", {}, "xapi77", True, [])
    assert api.network.get_bridge(told) == "xapi77"


def test_bridges_are_made_and_removed(running, api, vm, refused):
    def bridges():
        return [bridge.name for bridge in running.wait(running.daemon.tools.network.read()).bridges]

    (host,) = api.host.get_all()
    inner = api.network.create({"name_label": "inner", "name_description": "", "other_config": {}})
    bridge = api.network.get_bridge(inner)
    api.network.attach(inner, host)
    assert bridge in bridges()
    vif = new_interface(api, vm)
    api.VIF.move(vif, inner)
    api.network.detach_for_vm(host, vm)
    assert bridge not in bridges()
    api.network.attach_for_vm(host, vm)
    assert bridge in bridges()
    api.VM.start(vm, False, False)
    api.network.detach_for_vm(host, vm)
    assert bridge in bridges()
    refused("HANDLE_INVALID", api.network.attach, inner, NOWHERE)
    (pif,) = api.PIF.get_all()
    api.PIF.set_disallow_unplug(pif, True)
    assert api.PIF.get_disallow_unplug(pif) is True


def test_groups(api, refused):
    gpu = api.GPU_group.create("g", "", {"k": "v"})
    api.GPU_group.update_enabled_VGPU_types(gpu)
    api.GPU_group.update_supported_VGPU_types(gpu)
    assert api.GPU_group.get_record(gpu)["enabled_VGPU_types"] == []
    assert api.GPU_group.get_other_config(gpu) == {"k": "v"}
    api.GPU_group.destroy(gpu)
    usb = api.USB_group.create("u", "", {})
    api.USB_group.destroy(usb)
    refused("HANDLE_INVALID", api.USB_group.get_record, usb)


def test_groups_with_devices_stay(running, api, refused):
    """There is nothing yet that finds such devices: the records are put there."""
    db = running.daemon.tools.db
    gpu, usb = api.GPU_group.create("g", "", {}), api.USB_group.create("u", "", {})
    kind = running.do(db.create, "VGPU_type", {})
    pgpu = running.do(db.create, "PGPU", {"GPU_group": gpu, "enabled_VGPU_types": [kind]})
    pusb = running.do(db.create, "PUSB", {"USB_group": usb})
    assert refused("GPU_GROUP_CONTAINS_PGPU", api.GPU_group.destroy, gpu)[1:] == [pgpu]
    assert refused("USB_GROUP_CONTAINS_PUSB", api.USB_group.destroy, usb)[1:] == [pusb]
    api.GPU_group.update_enabled_VGPU_types(gpu)
    assert api.GPU_group.get_enabled_VGPU_types(gpu) == [kind]
    assert api.GPU_group.get_supported_VGPU_types(gpu) == []


def test_what_a_crash_left_goes_with_its_disk(running, api, vm, refused):
    vdi = new_disk(api)
    dump = running.do(running.daemon.tools.db.create, "crashdump", {"VM": vm, "VDI": vdi})
    api.crashdump.destroy(dump)
    refused("HANDLE_INVALID", api.VDI.get_record, vdi)
    refused("HANDLE_INVALID", api.crashdump.get_record, dump)

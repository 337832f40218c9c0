"""Disks, discs and interfaces of running guests, by the unmodified Python client."""

import asyncio
from dataclasses import replace

import pytest
from test_conformance_xenapi import events_until

from xapi_shim.xen.interface import Vif, XenError

NULL = "OpaqueRef:NULL"


def new_disk(api, **change):
    (sr,) = api.SR.get_by_name_label("Local storage")
    return api.VDI.create({"name_label": "d", "name_description": "", "SR": sr, "virtual_size": str(1 << 20),
                           "type": "user", "sharable": False, "read_only": False, "other_config": {}, **change})  # fmt: skip


def new_drive(api, vm, vdi=NULL, **change):
    return api.VBD.create({"VM": vm, "VDI": vdi, "userdevice": "autodetect", "bootable": False, "mode": "RW",
                           "type": "Disk", "empty": vdi == NULL, "other_config": {}, "qos_algorithm_type": "",
                           "qos_algorithm_params": {}, **change})  # fmt: skip


def new_interface(api, vm, device="0"):
    (network,) = [ref for ref, one in api.network.get_all_records().items() if one["bridge"] == "xenbr0"]
    return api.VIF.create({"device": device, "network": network, "VM": vm, "MAC": "", "MTU": "1500",
                           "other_config": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}})  # fmt: skip


def until_done(api, task):
    events_until(api, [f"task/{task}"], "", lambda e: e["snapshot"]["status"] != "pending")


def inside(running, api, vm):
    """Return what the guest's domain has: disks by name, interfaces by number and bridge."""
    config = running.do(running.xen.configs.get, int(api.VM.get_domid(vm)))
    return [disk.device for disk in config.disks], {vif.devid: vif.bridge for vif in config.vifs}


@pytest.fixture
def started(api, vm):
    api.VM.start(vm, False, False)
    return vm


def test_a_disk_is_plugged_and_unplugged(running, api, started, refused):
    vdi = new_disk(api)
    vbd = new_drive(api, started, vdi)
    assert refused("DEVICE_ALREADY_DETACHED", api.VBD.unplug, vbd)[1:] == [vbd]
    assert api.VBD.get_allowed_operations(vbd) == ["attach", "plug"]
    api.VBD.plug(vbd)
    assert inside(running, api, started)[0] == ["xvda"]
    assert api.VBD.get_currently_attached(vbd) is True
    assert api.VBD.get_allowed_operations(vbd) == ["attach", "unplug", "unplug_force"]
    assert "destroy" not in api.VDI.get_allowed_operations(vdi)
    assert refused("DEVICE_ALREADY_ATTACHED", api.VBD.plug, vbd)[1:] == [vbd]
    refused("OPERATION_NOT_ALLOWED", api.VBD.destroy, vbd)
    assert refused("VDI_IN_USE", api.VDI.destroy, vdi)[1] == vdi
    api.VBD.unplug(vbd)
    assert inside(running, api, started)[0] == []
    assert api.VBD.get_currently_attached(vbd) is False
    assert "destroy" in api.VDI.get_allowed_operations(vdi)
    api.VBD.set_unpluggable(vbd, False)
    api.VBD.plug(vbd)
    assert refused("VBD_NOT_UNPLUGGABLE", api.VBD.unplug, vbd)[1:] == [vbd]
    api.VM.hard_shutdown(started)
    assert api.VBD.get_currently_attached(vbd) is False
    assert refused("VM_BAD_POWER_STATE", api.VBD.plug, vbd)[1:] == [started, "running", "halted"]


def test_a_guest_that_does_not_let_go(running, api, started, refused):
    vbd = new_drive(api, started, new_disk(api))
    api.VBD.plug(vbd)
    running.do(running.xen.held.add, "xvda")
    assert refused("DEVICE_DETACH_REJECTED", api.VBD.unplug, vbd)[1:3] == ["VBD", vbd]
    assert api.VBD.get_currently_attached(vbd) is True
    assert api.VBD.get_current_operations(vbd) == {}
    api.VBD.unplug_force(vbd)
    assert inside(running, api, started)[0] == []
    assert api.VBD.get_currently_attached(vbd) is False


def test_a_disk_has_one_writer_or_readers(api, started, refused):
    (template,) = api.VM.get_by_name_label("Linux kernel and ramdisk")
    other = api.VM.clone(template, "other")
    api.VM.set_is_a_template(other, False)
    api.VM.set_PV_kernel(other, "/boot/guest/vmlinuz")
    vdi = new_disk(api)
    mine, its = new_drive(api, started, vdi), new_drive(api, other, vdi)
    api.VBD.plug(mine)
    assert api.VBD.get_allowed_operations(its) == []
    assert refused("VDI_IN_USE", api.VBD.assert_attachable, its)[1:] == [vdi, "attach"]
    assert refused("VDI_IN_USE", api.VM.start, other, False, False)[1:] == [vdi, "attach"]
    api.VBD.set_mode(its, "RO")
    refused("VDI_IN_USE", api.VM.start, other, False, False)
    api.VBD.unplug(mine)
    api.VBD.set_mode(mine, "RO")
    api.VBD.assert_attachable(its)
    api.VM.start(other, False, False)
    api.VBD.plug(mine)
    api.VM.hard_shutdown(other)
    api.VBD.unplug(mine)
    (pbd,) = api.SR.get_PBDs(api.VDI.get_SR(vdi))
    api.PBD.unplug(pbd)
    refused("SR_HAS_NO_PBDS", api.VBD.assert_attachable, mine)
    refused("SR_HAS_NO_PBDS", api.VBD.plug, mine)
    assert api.VBD.get_current_operations(mine) == {}


def test_a_guest_reboots_without_the_disk_that_was_taken_from_it(running, api, vm):
    other = api.VM.clone(vm, "other")
    mine, taken = new_disk(api), new_disk(api)
    new_drive(api, vm, mine)
    vbd = new_drive(api, vm, taken)
    new_drive(api, other, taken)
    api.VM.start(vm, False, False)
    api.VBD.unplug(vbd)
    api.VM.start(other, False, False)
    domid = api.VM.get_domid(vm)
    running.do(running.xen.guest_reboot, api.VM.get_uuid(vm))

    def again(event):
        record = event["snapshot"]
        return record["power_state"] == "Running" and record["domid"] not in (domid, "-1")

    events_until(api, [f"vm/{vm}"], "", again)
    assert api.VM.get_power_state(vm) == "Running"
    assert inside(running, api, vm)[0] == ["xvda"]
    assert api.VBD.get_currently_attached(vbd) is False


def test_a_disk_that_two_guests_start_with_at_once(running, api, vm):
    """What is being given to one guest is not given to another, although it is not there yet."""
    other = api.VM.clone(vm, "other")
    vdi = new_disk(api)
    for guest in (vm, other):
        new_drive(api, guest, vdi)

    gate = asyncio.Event()

    def slow():
        create = running.xen.create

        async def wait(config, *, paused):
            await gate.wait()
            return await create(config, paused=paused)

        running.xen.create = wait

    running.do(slow)
    tasks = [api.Async.VM.start(guest, False, False) for guest in (vm, other)]
    until_done(api, tasks[1])
    assert api.task.get_error_info(tasks[1])[0] == "VDI_IN_USE"
    running.do(gate.set)
    until_done(api, tasks[0])
    assert api.task.get_status(tasks[0]) == "success"
    assert [api.VM.get_power_state(guest) for guest in (vm, other)] == ["Running", "Halted"]


def test_discs_are_changed(running, api, started, refused):
    disc = new_disk(api, read_only=True)
    assert refused("VBD_NOT_REMOVABLE_MEDIA", new_drive, api, started)[1:] == ["in constructor"]
    refused("VBD_CDS_MUST_BE_READONLY", lambda: new_drive(api, started, disc, type="CD"))
    drive = new_drive(api, started, type="CD", mode="RO")
    assert api.VBD.get_allowed_operations(drive) == ["attach", "insert"]
    assert refused("VBD_IS_EMPTY", api.VBD.eject, drive)[1:] == [drive]
    assert refused("VBD_IS_EMPTY", api.VBD.plug, drive)[1:] == [drive]
    api.VBD.insert(drive, disc)
    assert inside(running, api, started)[0] == ["xvda"]
    record = api.VBD.get_record(drive)
    assert (record["VDI"], record["empty"], record["currently_attached"]) == (disc, False, True)
    assert refused("VBD_NOT_EMPTY", api.VBD.insert, drive, disc)[1:] == [drive]
    api.VBD.eject(drive)
    assert inside(running, api, started)[0] == []
    record = api.VBD.get_record(drive)
    assert (record["VDI"], record["empty"], record["currently_attached"]) == (NULL, True, False)
    assert "destroy" in api.VDI.get_allowed_operations(disc)
    disk = new_drive(api, started, new_disk(api))
    assert refused("VBD_NOT_REMOVABLE_MEDIA", api.VBD.eject, disk)[1:] == [disk]
    api.VM.hard_shutdown(started)
    api.VBD.insert(drive, disc)
    assert api.VBD.get_currently_attached(drive) is False
    api.VM.start(started, False, False)
    assert api.VBD.get_currently_attached(drive) is True
    api.VM.pause(started)
    refused("VM_BAD_POWER_STATE", api.VBD.eject, drive)


def test_an_interface_is_plugged_moved_and_unplugged(running, api, started, refused):
    vif = new_interface(api, started)
    assert api.VIF.get_allowed_operations(vif) == ["attach", "plug"]
    assert refused("DEVICE_ALREADY_DETACHED", api.VIF.unplug, vif)[1:] == [vif]
    api.VIF.plug(vif)
    assert inside(running, api, started)[1] == {0: "xenbr0"}
    assert api.VIF.get_allowed_operations(vif) == ["attach", "unplug"]
    assert refused("DEVICE_ALREADY_ATTACHED", api.VIF.plug, vif)[1:] == [vif]
    inner = api.network.create({"name_label": "inner", "name_description": "", "other_config": {}})
    api.VIF.move(vif, inner)
    assert inside(running, api, started)[1] == {0: api.network.get_bridge(inner)}
    assert (api.VIF.get_network(vif), api.network.get_VIFs(inner)) == (inner, [vif])
    refused("NETWORK_CONTAINS_VIF", api.network.destroy, inner)
    refused("HANDLE_INVALID", api.VIF.move, vif, NULL)
    api.VIF.unplug(vif)
    assert inside(running, api, started)[1] == {}
    api.VIF.plug(vif)
    api.VIF.unplug_force(vif)
    assert api.VIF.get_currently_attached(vif) is False
    api.VIF.destroy(vif)
    api.VM.pause(started)
    other = new_interface(api, started)
    assert refused("VM_BAD_POWER_STATE", api.VIF.plug, other)[1:] == [started, "running", "paused"]


def test_a_move_that_fails_leaves_the_interface_where_it_was(running, api, started, refused):
    vif = new_interface(api, started)
    api.VIF.plug(vif)
    inner = api.network.create({"name_label": "inner", "name_description": "", "other_config": {}})
    before = api.VIF.get_network(vif)

    def fail_on_inner():
        attach = running.xen.attach_vif

        async def refuse(domid, one):
            if one.bridge != "xenbr0":
                raise XenError("the script failed")
            await attach(domid, one)

        running.xen.attach_vif = refuse

    running.do(fail_on_inner)
    assert "the script failed" in refused("INTERNAL_ERROR", api.VIF.move, vif, inner)[1]
    assert api.VIF.get_network(vif) == before
    assert inside(running, api, started)[1] == {0: "xenbr0"}
    assert api.VIF.get_currently_attached(vif) is True


@pytest.mark.parametrize("holds", [False, True])
def test_a_plug_that_is_cancelled_is_undone_or_told(running, api, started, holds):
    """What was broken off half-way must not leave a guest with a disk that another may get."""
    vbd = new_drive(api, started, new_disk(api))

    def hang():
        xen = running.xen
        attach, detach = xen.attach_disk, xen.detach_disk
        xen.attached = asyncio.Event()

        async def never_ends(domid, disk):
            await attach(domid, disk)
            xen.attached.set()
            await asyncio.Event().wait()

        async def fail(domid, device, *, force):
            raise XenError("no answer")

        xen.attach_disk = never_ends
        xen.detach_disk = fail if holds else detach

    running.do(hang)
    task = api.Async.VBD.plug(vbd)
    running.wait(running.xen.attached.wait())
    api.task.cancel(task)
    until_done(api, task)
    assert api.task.get_status(task) == "cancelled"
    assert inside(running, api, started)[0] == (["xvda"] if holds else [])
    assert api.VBD.get_currently_attached(vbd) is holds
    assert api.VBD.get_current_operations(vbd) == {}


def test_pausing_keeps_what_was_unplugged_unplugged(running, api, started):
    vbd, vif = new_drive(api, started, new_disk(api)), new_interface(api, started)
    api.VIF.plug(vif)
    domid = int(api.VM.get_domid(started))
    # Behind our back, as `xl pause` does: the watch records it.
    running.wait(running.xen.pause(domid))
    events_until(api, [f"vm/{started}"], "", lambda e: e["snapshot"]["power_state"] == "Paused")
    assert api.VBD.get_currently_attached(vbd) is False
    assert api.VIF.get_currently_attached(vif) is True


def test_a_daemon_that_starts_looks_what_guests_have(running, api, started):
    vbd, vif = new_drive(api, started, new_disk(api)), new_interface(api, started)
    api.VBD.plug(vbd)
    xen = running.xen

    def behind():
        # As if it had been killed after the hypervisor did it, and before that was recorded.
        domid = next(iter(xen.configs))
        xen.configs[domid] = replace(xen.configs[domid], disks=())
        running.daemon.tools.db.set("VBD", vbd, "reserved", value=True)
        return domid

    domid = running.do(behind)
    running.wait(xen.attach_vif(domid, Vif("00:16:3e:00:00:01", "xenbr0", 0)))
    running.wait(running.daemon.watch.settle())
    assert api.VBD.get_currently_attached(vbd) is False
    assert api.VIF.get_currently_attached(vif) is True
    api.VBD.plug(vbd)

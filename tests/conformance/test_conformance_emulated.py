"""Trusted platform modules, USB devices and graphics processors as records, by the unmodified Python client.

Nothing here finds such hardware yet: physical cards' and devices' records are put there.
"""

import base64

import pytest
import XenAPI
from running_daemon import PASSWORD

NULL = "OpaqueRef:NULL"


def test_a_trusted_platform_module(running, api, vm, refused):
    text = base64.b64encode(b"state").decode()
    vtpm = api.VTPM.create(vm, False)
    assert (api.VM.get_VTPMs(vm), api.VTPM.get_allowed_operations(vtpm)) == ([vtpm], ["destroy"])
    assert refused("VTPM_MAX_AMOUNT_REACHED", api.VTPM.create, vm, False)[1:] == ["1"]
    assert api.VTPM.get_contents(vtpm) == ""
    api.VTPM.set_contents(vtpm, text)
    assert refused("INVALID_VALUE", api.VTPM.set_contents, vtpm, "not base64!")[1:] == [
        "contents",
        "not base64",
    ]
    assert "contents" not in api.VTPM.get_record(vtpm)
    refused("FEATURE_REQUIRES_HVM", api.VM.start, vm, False, False)
    copy = api.VM.clone(vm, "copy")
    (its,) = api.VM.get_VTPMs(copy)
    assert api.VTPM.get_contents(its) == text
    secrets = len(api.secret.get_all())
    api.VM.destroy(copy)
    refused("HANDLE_INVALID", api.VTPM.get_record, its)
    assert len(api.secret.get_all()) == secrets - 1
    running.stop()
    running.start()
    session = XenAPI.Session(running.url, ignore_ssl=True)
    session.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    api = session.xenapi
    assert api.VTPM.get_allowed_operations(vtpm) == ["destroy"]
    api.VTPM.destroy(vtpm)
    assert api.VM.get_VTPMs(vm) == []
    assert len(api.secret.get_all()) == secrets - 2
    api.VM.start(vm, False, False)
    refused("VM_BAD_POWER_STATE", api.VTPM.create, vm, False)
    refused("HANDLE_INVALID", api.VTPM.create, NULL, False)


def test_one_that_is_unique_is_not_copied(api, vm):
    api.VTPM.create(vm, True)
    assert api.VM.get_VTPMs(api.VM.clone(vm, "copy")) == []


def test_usb_devices(api, vm, refused):
    groups = [api.USB_group.create(f"u{number}", "", {}) for number in range(7)]
    vusb = api.VUSB.create(vm, groups[0], {"k": "v"})
    assert (api.VUSB.get_VM(vusb), api.VUSB.get_allowed_operations(vusb)) == (vm, ["attach"])
    assert refused("USB_GROUP_CONFLICT", api.VUSB.create, vm, groups[0], {})[1:] == [groups[0]]
    assert refused("USB_GROUP_CONTAINS_VUSB", api.USB_group.destroy, groups[0])[1:] == [vusb]
    more = [api.VUSB.create(vm, group, {}) for group in groups[1:6]]
    assert refused("TOO_MANY_VUSBS", api.VUSB.create, vm, groups[6], {})[1:] == ["6"]
    refused("FEATURE_REQUIRES_HVM", api.VM.start, vm, False, False)
    refused("VM_BAD_POWER_STATE", api.VUSB.unplug, vusb)
    for one in (vusb, *more):
        api.VUSB.destroy(one)
    api.USB_group.destroy(groups[0])
    api.VM.start(vm, False, False)
    late = api.VUSB.create(vm, groups[1], {})
    assert refused("DEVICE_ALREADY_DETACHED", api.VUSB.unplug, late)[1:] == [late]
    api.VM.hard_shutdown(vm)
    api.VM.destroy(vm)
    refused("HANDLE_INVALID", api.VUSB.get_record, late)


@pytest.fixture
def card(running, api):
    """Return a card's ref and those of the two kinds of virtual processor it can be, and the group it is in."""
    db = running.daemon.tools.db
    group = api.GPU_group.create("cards", "", {})
    pci = running.do(db.create, "PCI", {"vendor_id": "10de", "device_id": "0001"})
    whole = running.do(db.create, "VGPU_type", {"implementation": "passthrough"})
    part = running.do(db.create, "VGPU_type", {"implementation": "nvidia"})
    values = {
        "PCI": pci,
        "supported_VGPU_types": [whole, part],
        "supported_VGPU_max_capacities": {whole: 1, part: 4},
    }
    pgpu = running.do(db.create, "PGPU", values)
    api.PGPU.set_GPU_group(pgpu, group)
    return pgpu, whole, part, group


def test_what_a_card_may_be_used_as(running, api, card, refused):
    pgpu, whole, part, group = card
    assert api.GPU_group.get_GPU_types(group) == ["10de/0001"]
    assert api.GPU_group.get_supported_VGPU_types(group) == [whole, part]
    assert api.PGPU.get_remaining_capacity(pgpu, part) == "0"
    api.PGPU.set_enabled_VGPU_types(pgpu, [whole])
    api.PGPU.add_enabled_VGPU_types(pgpu, part)
    assert api.GPU_group.get_enabled_VGPU_types(group) == [whole, part]
    assert api.PGPU.get_remaining_capacity(pgpu, part) == "4"
    assert api.GPU_group.get_remaining_capacity(group, whole) == "1"
    other = running.do(running.daemon.tools.db.create, "VGPU_type", {})
    assert refused("VGPU_TYPE_NOT_SUPPORTED", api.PGPU.add_enabled_VGPU_types, pgpu, other)[1:] == [
        other,
        f"{whole},{part}",
    ]
    api.PGPU.remove_enabled_VGPU_types(pgpu, whole)
    assert api.PGPU.get_enabled_VGPU_types(pgpu) == [part]


def test_a_card_in_use_stays_what_it_is(running, api, vm, card, refused):
    pgpu, whole, part, group = card
    api.PGPU.set_enabled_VGPU_types(pgpu, [whole, part])
    vgpu = api.VGPU.create(vm, group, "0", {}, part)
    running.do(running.daemon.tools.db.set, "VGPU", vgpu, "resident_on", pgpu)
    assert api.PGPU.get_resident_VGPUs(pgpu) == [vgpu]
    assert api.PGPU.get_remaining_capacity(pgpu, part) == "3"
    assert api.PGPU.get_remaining_capacity(pgpu, whole) == "0"
    assert refused("PGPU_IN_USE_BY_VM", api.PGPU.set_enabled_VGPU_types, pgpu, [whole])[1:] == [vm]
    api.PGPU.remove_enabled_VGPU_types(pgpu, whole)
    other = api.GPU_group.create("others", "", {})
    assert refused("PGPU_IN_USE_BY_VM", api.PGPU.set_GPU_group, pgpu, other)[1:] == [vm]
    running.do(running.daemon.tools.db.set, "VGPU", vgpu, "resident_on", NULL)
    running.do(running.daemon.tools.db.set, "GPU_group", other, "GPU_types", ["1002/0002"])
    assert refused("PGPU_NOT_COMPATIBLE_WITH_GPU_GROUP", api.PGPU.set_GPU_group, pgpu, other)[1:] == [
        "10de/0001",
        "1002/0002",
    ]
    third = api.GPU_group.create("third", "", {})
    api.PGPU.set_GPU_group(pgpu, third)
    assert (api.GPU_group.get_PGPUs(group), api.GPU_group.get_GPU_types(group)) == ([], [])
    assert api.GPU_group.get_enabled_VGPU_types(third) == [part]


def test_virtual_graphics_processors(api, vm, card, refused):
    _, whole, part, group = card
    refused("INVALID_DEVICE", api.VGPU.create, vm, group, "first", {}, part)
    empty = api.GPU_group.create("empty", "", {})
    assert refused("VGPU_TYPE_NOT_SUPPORTED", api.VGPU.create, vm, empty, "0", {}, part)[1:] == [part, ""]
    refused("VGPU_TYPE_NOT_SUPPORTED", api.VGPU.create, vm, empty)
    vgpu = api.VGPU.create(vm, group)
    assert api.VGPU.get_type(vgpu) == whole
    assert refused("DEVICE_ALREADY_EXISTS", api.VGPU.create, vm, group, "0", {}, part)[1:] == ["0"]
    assert refused("GPU_GROUP_CONTAINS_PGPU", api.GPU_group.destroy, group)
    refused("FEATURE_REQUIRES_HVM", api.VM.start, vm, False, False)
    api.VGPU.destroy(vgpu)
    api.VM.start(vm, False, False)
    refused("VM_BAD_POWER_STATE", api.VGPU.create, vm, group)

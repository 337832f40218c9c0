"""USB devices: found below /sys, which a test has in its own folder."""

import pytest
from test_conformance_host import again

STICK = {"idVendor": "0951", "idProduct": "1666", "manufacturer": "Kingston", "product": "DataTraveler 3.0",
         "serial": "E0D55E", "version": " 2.10", "speed": "480", "bDeviceClass": "00"}  # fmt: skip


@pytest.fixture
def bus(running):
    folder = running.paths.root / "sys/bus/usb/devices"

    def plug(name, device):
        (folder / name).mkdir(parents=True)
        for key, value in device.items():
            (folder / name / key).write_text(f"{value}\n")

    def pull(name):
        for path in (folder / name).iterdir():
            path.unlink()
        (folder / name).rmdir()

    plug("usb1", {"idVendor": "1d6b", "bDeviceClass": "09"})
    plug("1-1", {"idVendor": "0409", "bDeviceClass": "09"})
    plug("1-1.2:1.0", {})
    return plug, pull


def test_devices_are_found_and_forgotten(running, api, bus, vm, refused):
    plug, pull = bus
    (host,) = api.host.get_all()
    api.PUSB.scan(host)
    assert api.PUSB.get_all() == []
    plug("1-1.2", STICK)
    api.PUSB.scan(host)
    (pusb,) = api.PUSB.get_all()
    record = api.PUSB.get_record(pusb)
    assert {key: record[key] for key in ("path", "vendor_id", "product_id", "serial", "version", "description")} == {
        "path": "1-1.2", "vendor_id": "0951", "product_id": "1666", "serial": "E0D55E", "version": "2.10",
        "description": "Kingston DataTraveler 3.0"}  # fmt: skip
    assert (record["speed"], record["passthrough_enabled"], record["host"]) == (480.0, False, host)
    assert api.USB_group.get_PUSBs(record["USB_group"]) == [pusb]
    api.PUSB.set_passthrough_enabled(pusb, True)
    plug(
        "2-4",
        {"idVendor": "dead", "bDeviceClass": "ff", "speed": "unknown", "product": b"\xff".decode("latin-1")},
    )
    api.PUSB.scan(host)
    api.PUSB.scan(host)
    assert {api.PUSB.get_path(one) for one in api.PUSB.get_all()} == {"1-1.2", "2-4"}
    # A known one keeps its record, also over a start of the daemon; one that was pulled is forgotten then.
    pull("2-4")
    later = again(running)
    assert later.PUSB.get_all() == [pusb]
    assert later.PUSB.get_passthrough_enabled(pusb) is True
    vusb = later.VUSB.create(vm, record["USB_group"], {})
    pull("1-1.2")
    later.PUSB.scan(host)
    assert later.PUSB.get_all() == later.USB_group.get_all() == []
    assert refused("HANDLE_INVALID", later.VUSB.get_record, vusb)[1:] == ["VUSB", vusb]
    other = later.host.create("11111111-1111-4111-8111-111111111111", "other", "", "other", "192.0.2.9")
    assert refused("HOST_OFFLINE", later.PUSB.scan, other)[1:] == [other]


def test_a_device_is_given_or_kept(running, api, bus, vm, refused):
    bus[0]("1-1.2", STICK)
    api.PUSB.scan(api.host.get_all()[0])
    (pusb,) = api.PUSB.get_all()
    db, group = running.daemon.tools.db, api.PUSB.get_USB_group(pusb)
    sr = running.do(db.create, "SR", {"type": "udev", "name_label": "Removable"})
    disk = running.do(db.create, "VDI", {"SR": sr, "sm_config": {"usb_path": "1-1.2"}})
    vbd = running.do(db.create, "VBD", {"VDI": disk, "VM": vm})
    assert refused("PUSB_VDI_CONFLICT", api.PUSB.set_passthrough_enabled, pusb, True)[1:] == [pusb, disk]
    assert api.PUSB.get_passthrough_enabled(pusb) is False
    running.do(db.destroy, "VBD", vbd)
    api.PUSB.set_passthrough_enabled(pusb, True)
    assert disk not in api.VDI.get_all()
    vusb = api.VUSB.create(vm, group, {})
    running.do(lambda: db.set("VUSB", vusb, "currently_attached", value=True))
    assert refused("USB_ALREADY_ATTACHED", api.PUSB.set_passthrough_enabled, pusb, False)[1:] == [pusb, vm]
    running.do(lambda: db.set("VUSB", vusb, "currently_attached", value=False))
    api.PUSB.set_passthrough_enabled(pusb, False)
    assert api.VUSB.get_all() == []
    assert api.PUSB.get_passthrough_enabled(pusb) is False

"""Storage repositories of servers and libraries of media, by the unmodified Python client.

The simulator's NFS servers are directories; the images on them are made by the real qemu-img.
"""

import asyncio
import os
import shutil
import threading
import uuid
from functools import partial

import pytest
import XenAPI
from running_daemon import PASSWORD
from test_conformance_devices import new_drive, until_done
from test_conformance_xenapi import events_until

from xapi_shim.api import plug_again
from xapi_shim.storage import off_loop
from xapi_shim.storage.simulated_mounts import SimulatedMounts

pytestmark = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
NFS = {"server": "nas", "serverpath": "/srv"}


@pytest.fixture
def export(running):
    """The directory that the server `nas` serves as /srv."""
    folder = running.paths.root / "srv/nfs/nas/srv"
    folder.mkdir(parents=True)
    return folder


def new_nfs(api, host, **config):
    return api.SR.create(host, {**NFS, **config}, "0", "nas", "", "nfs", "user", True, {})


def new_disk(api, sr, size=1 << 20):
    record = {"SR": sr, "virtual_size": str(size), "type": "user", "sharable": False, "read_only": False}
    return api.VDI.create({**record, "other_config": {}, "name_label": "disk"})


def test_an_nfs_sr_from_start_to_end(running, api, host, export, refused):
    sr = new_nfs(api, host)
    record = api.SR.get_record(sr)
    assert (record["type"], record["shared"], record["content_type"]) == ("nfs", True, "user")
    assert int(record["physical_size"]) > 0
    (pbd,) = record["PBDs"]
    assert api.PBD.get_device_config(pbd) == NFS
    vdi = new_disk(api, sr)
    folder = export / record["uuid"]
    assert [path.name for path in folder.iterdir()] == [f"{api.VDI.get_uuid(vdi)}.qcow2"]
    assert record["uuid"] in api.SR.probe(host, NFS, "nfs", {})
    assert refused("SR_HAS_PBD", api.SR.forget, sr)[1:] == [sr]
    api.PBD.unplug(pbd)
    assert not (running.paths.sr_mounts / record["uuid"]).exists()
    refused("SR_HAS_NO_PBDS", api.SR.scan, sr)
    api.SR.forget(sr)
    again = api.SR.introduce(record["uuid"], "again", "", "nfs", "user", True, {})
    pbd = api.PBD.create({"host": host, "SR": again, "device_config": NFS})
    api.PBD.plug(pbd)
    (vdi,) = api.SR.get_VDIs(again)
    assert [path.stem for path in folder.iterdir()] == [api.VDI.get_uuid(vdi)]
    api.PBD.unplug(pbd)
    refused("SR_NOT_EMPTY", api.SR.destroy, again)
    api.PBD.plug(pbd)
    api.VDI.destroy(vdi)
    api.PBD.unplug(pbd)
    api.SR.destroy(again)
    assert list(export.iterdir()) == []


def test_probing_a_server(api, host, export, refused):
    xml = refused("SR_BACKEND_FAILURE_101", api.SR.probe, host, {"server": "nas"}, "nfs", {})[3]
    assert "<Path>/srv</Path>" in xml
    assert "<SRlist>" in api.SR.probe(host, NFS, "nfs", {})
    refused("SR_BACKEND_FAILURE_108", api.SR.probe, host, {"server": "nobody"}, "nfs", {})
    refused("SR_BACKEND_FAILURE_102", api.SR.probe, host, {}, "nfs", {})
    refused("SR_OPERATION_NOT_SUPPORTED", api.SR.probe, host, {"location": "/"}, "file", {})
    assert refused("SR_UNKNOWN_DRIVER", api.SR.probe, host, {}, "lvmohba", {})[1:] == ["lvmohba"]


def test_what_cannot_be_made_leaves_nothing(api, host, export, refused):
    before = len(api.SR.get_all())
    for code, config in (
        (73, {"serverpath": "/other"}),
        (103, {"serverpath": "/srv,suid"}),
        (1, {"options": "suid"}),
        (72, {"nfsversion": "2"}),
    ):
        refused(f"SR_BACKEND_FAILURE_{code}", partial(new_nfs, api, host, **config))
    refused("SR_UNKNOWN_DRIVER", api.SR.create, host, {}, "0", "n", "", "lvmohba", "user", True, {})
    refused("OPERATION_NOT_ALLOWED", api.SR.create, host, {"location": str(export)}, "0", "n", "", "file",
            "user", True, {})  # fmt: skip
    assert len(api.SR.get_all()) == before
    assert list(export.iterdir()) == []


def test_a_library_of_media(running, api, vm, host, export, refused):
    (export / "debian.iso").write_bytes(b"x" * 2048)
    config = {"location": str(export), "legacy_mode": "true"}
    sr = api.SR.create(host, config, "0", "media", "", "iso", "", False, {})
    assert api.SR.get_content_type(sr) == "iso"
    assert not {"vdi_create", "vdi_destroy", "vdi_resize"} & set(api.SR.get_allowed_operations(sr))
    (vdi,) = api.SR.get_VDIs(sr)
    record = api.VDI.get_record(vdi)
    assert (record["name_label"], record["location"], record["virtual_size"]) == (
        "debian.iso",
        "debian.iso",
        "2048",
    )
    assert (record["read_only"], record["sharable"]) == (True, True)
    assert record["allowed_operations"] == ["forget", "update"]
    for call, args in ((new_disk, (api, sr)), (api.VDI.destroy, (vdi,)), (api.VDI.resize, (vdi, "4096"))):
        assert refused("SR_OPERATION_NOT_SUPPORTED", call, *args)[1:] == [sr]
    (export / "second.iso").write_bytes(b"y")
    (export / "debian.iso").unlink()
    api.SR.scan(sr)
    assert {api.VDI.get_name_label(one): api.VDI.get_missing(one) for one in api.SR.get_VDIs(sr)} == {
        "debian.iso": True,
        "second.iso": False,
    }
    (export / "debian.iso").write_bytes(b"x" * 4096)
    api.SR.scan(sr)
    assert (api.VDI.get_missing(vdi), api.VDI.get_virtual_size(vdi)) == (False, "4096")
    drive = new_drive(api, vm, vdi, type="CD", mode="RO")
    api.VM.start(vm, False, False)
    assert api.VBD.get_currently_attached(drive) is True
    disk = running.do(running.xen.configs.get, int(api.VM.get_domid(vm))).disks[0]
    assert (disk.path, disk.read_only, disk.is_cdrom) == (export / "debian.iso", True, True)


def test_a_library_of_a_server(api, host, export, refused):
    (export / "debian.iso").write_bytes(b"x" * 2048)
    sr = api.SR.create(host, {"location": "nas:/srv"}, "0", "media", "", "iso", "iso", True, {})
    (vdi,) = api.SR.get_VDIs(sr)
    (pbd,) = api.SR.get_PBDs(sr)
    known = api.VDI.get_uuid(vdi)
    api.PBD.unplug(pbd)
    api.SR.forget(sr)
    assert (export / "debian.iso").exists()
    again = api.SR.introduce(str(uuid.uuid4()), "again", "", "iso", "iso", True, {})
    api.PBD.plug(api.PBD.create({"host": host, "SR": again, "device_config": {"location": "nas:/srv"}}))
    (vdi,) = api.SR.get_VDIs(again)
    assert api.VDI.get_uuid(vdi) != known


def test_mounts_are_made_again_when_the_daemon_starts(running, api, host, export, monkeypatch):
    sr = new_nfs(api, host)
    uuid_ = api.SR.get_uuid(sr)
    (pbd,) = api.SR.get_PBDs(sr)
    running.stop()
    (running.paths.sr_mounts / uuid_).unlink()  # as a reboot does
    at_once = SimulatedMounts.mount_nfs

    async def after_a_while(self, *args):
        for _ in range(1000):
            await asyncio.sleep(0)
        await at_once(self, *args)

    monkeypatch.setattr(SimulatedMounts, "mount_nfs", after_a_while)
    running.start()
    assert running.do(running.daemon.tools.db.flag, "PBD", pbd, "currently_attached") is True
    assert (running.paths.sr_mounts / uuid_).is_symlink()


def test_a_server_that_is_away_does_not_keep_the_daemon_from_starting(
    running, api, host, export, monkeypatch, caplog
):
    sr = new_nfs(api, host)
    uuid_ = api.SR.get_uuid(sr)
    (pbd,) = api.SR.get_PBDs(sr)
    running.stop()
    (running.paths.sr_mounts / uuid_).unlink()
    export.rename(export.with_name("away"))
    monkeypatch.setattr(plug_again, "PATIENCE_S", 0.01)
    monkeypatch.setattr(plug_again, "AGAIN_S", 0.0)
    running.start()
    db = running.daemon.tools.db
    assert running.do(db.flag, "PBD", pbd, "currently_attached") is False
    assert caplog.text.count("cannot plug PBD") == 1
    export.with_name("away").rename(export)
    session = XenAPI.Session(running.url, ignore_ssl=True)
    session.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    events_until(session.xenapi, ["pbd"], "", lambda e: e["snapshot"]["currently_attached"])
    assert (running.paths.sr_mounts / uuid_).is_symlink()


def test_a_server_that_stops_answering_holds_up_nothing_but_its_own_disks(
    api, host, export, refused, monkeypatch
):
    sr = new_nfs(api, host)
    (local,) = api.SR.get_by_name_label("Local storage")
    answers, asked = threading.Event(), threading.Event()
    really = os.statvfs

    def statvfs(path):
        if "sr-mount" in str(path):
            asked.set()
            answers.wait()
        return really(path)

    monkeypatch.setattr(os, "statvfs", statvfs)
    task = api.Async.SR.update(sr)
    assert asked.wait(20)
    api.SR.scan(local)
    assert api.task.get_status(task) == "pending"
    answers.set()
    until_done(api, task)
    assert api.task.get_status(task) == "success"
    # One that never comes back is given up; the next calls for it do not even wait.
    answers.clear()
    monkeypatch.setattr(off_loop, "TIMEOUT_S", 0.1)
    for _ in range(2):
        assert "does not answer" in refused("SR_BACKEND_FAILURE_47", api.SR.update, sr)[2]
    answers.set()


def test_events_tell_of_new_media(api, host, export):
    sr = api.SR.create(host, {"location": "nas:/srv"}, "0", "media", "", "iso", "iso", False, {})
    (export / "new.iso").write_bytes(b"x")
    api.SR.scan(sr)
    events_until(api, ["vdi"], "", lambda e: e["snapshot"]["name_label"] == "new.iso")

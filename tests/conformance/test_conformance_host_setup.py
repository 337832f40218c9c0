"""The set-up's steps that go through XenAPI, against a running daemon on the host that is set up."""

import json
import shutil
from dataclasses import replace

import pytest
import XenAPI
from running_daemon import PASSWORD

from kronos_installer.host import Host
from kronos_installer.steps.iscsi_lun import LunMissingError
from kronos_installer.steps.storage_step import DEFAULTS, NotForgottenError, NotMountedError, StorageStep
from kronos_installer.xenapi_client import XenApiFailureError

pytestmark = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


class Crash(BaseException):
    """The power cut."""


@pytest.fixture
def host(running, api):
    """The host that the daemon runs on: its socket is where the set-up looks, the inventory says which host it is."""
    (this,) = api.host.get_all()
    running.paths.inventory.write_text(f"INSTALLATION_UUID='{api.host.get_uuid(this)}'\n")
    return Host(running.paths.root, runner=lambda argv: "")


@pytest.fixture
def export(running):
    folder = running.paths.root / "srv/nfs/nas/srv"
    folder.mkdir(parents=True)
    return folder


NFS = StorageStep(key="storage", type="nfs", name="nas", device_config={"server": "nas", "serverpath": "/srv"},
                  reason="", shared=True, default=True, destroys=True)  # fmt: skip


def isos(running):
    folder = running.paths.root / "srv/isos"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "debian.iso").write_bytes(b"x")
    config = {"location": str(folder), "legacy_mode": "true"}
    return StorageStep(key="iso-library", type="iso", name="media", device_config=config, content_type="iso",
                       reason="")  # fmt: skip


def state(api):
    """Return all that a step could change, without what every call changes."""
    (pool,) = api.pool.get_all()
    (host,) = api.host.get_all()
    srs = {
        ref: (one["name_label"], one["other_config"], one["sm_config"], sorted(one["PBDs"]))
        for ref, one in api.SR.get_all_records().items()
    }
    record = api.pool.get_record(pool)
    return srs, {field: record[field] for field in DEFAULTS}, api.host.get_other_config(host)


def names(api):
    return sorted(one["name_label"] for one in api.SR.get_all_records().values())


def test_a_repository_from_start_to_end(api, host, export):
    before = state(api)
    original = NFS.capture(host)
    assert not NFS.is_applied(host)
    NFS.apply(host, original)
    assert NFS.is_applied(host)
    (sr,) = api.SR.get_by_name_label("nas")
    (pool,) = api.pool.get_all()
    assert {api.pool.get_record(pool)[field] for field in DEFAULTS} == {sr}
    assert api.SR.get_other_config(sr)["xapi-host-setup-storage"] == "nfs"
    (this,) = api.host.get_all()
    assert api.host.get_other_config(this)["xapi-host-setup-storage"] == "nfs"
    assert api.SR.get_shared(sr) is True
    after = state(api)
    NFS.apply(host, original)
    assert state(api) == after
    NFS.undo(host, original)
    assert state(api) == before
    assert list(export.iterdir()) == []
    NFS.undo(host, original)
    assert state(api) == before


def test_a_lun_from_start_to_end(running, api, host):
    (running.paths.root / "root").mkdir(exist_ok=True)
    password = running.paths.root / "root/san-password"
    password.write_text("secret\n")
    password.chmod(0o600)
    lun = running.paths.root / "srv/iscsi/san/iqn.2001-05.org.example:disks/1"
    lun.mkdir(parents=True)
    said = {"scsi_id": "3600", "size": 1 << 30, "vendor": "IET", "serial": "beaf"}
    (lun / "lun.json").write_text(json.dumps(said))
    (lun.parent / "chap").write_text("host secret")
    config = {"target": "san", "port": "3260", "targetIQN": lun.parent.name, "chapuser": "host"}
    step = StorageStep(key="storage", type="lvmoiscsi", name="san", device_config=config, reason="", shared=True,
                       default=True, destroys=True, lun=1, password_file="/root/san-password")  # fmt: skip
    before = state(api)
    original = step.capture(host)
    with pytest.raises(LunMissingError, match="no LUN 2"):
        replace(step, lun=2).apply(host, original)
    assert state(api) == before
    step.apply(host, original)
    (sr,) = api.SR.get_by_name_label("san")
    (pbd,) = api.SR.get_PBDs(sr)
    assert api.PBD.get_device_config(pbd)["SCSIid"] == "3600"
    assert "chappassword" not in api.PBD.get_device_config(pbd)
    after = state(api)
    step.apply(host, original)
    assert state(api) == after
    step.undo(host, original)
    assert state(api) == before
    assert [path.name for path in lun.iterdir()] == ["lun.json"]
    assert api.secret.get_all() == []
    # A LUN with disks is kept, and not taken for an empty one by the next set-up.
    step.apply(host, original)
    (sr,) = api.SR.get_by_name_label("san")
    new_disk(api, sr)
    step.undo(host, original)
    assert state(api) == before
    with pytest.raises(XenApiFailureError) as caught:
        step.apply(host, original)
    assert caught.value.code == "SR_BACKEND_FAILURE_42"
    assert state(api) == before


def test_a_library(running, api, host):
    step, before = isos(running), state(api)
    original = step.capture(host)
    step.apply(host, original)
    (sr,) = api.SR.get_by_name_label("media")
    assert [api.VDI.get_name_label(vdi) for vdi in api.SR.get_VDIs(sr)] == ["debian.iso"]
    (pool,) = api.pool.get_all()
    assert api.pool.get_default_SR(pool) != sr
    step.undo(host, original)
    assert state(api) == before
    assert (running.paths.root / "srv/isos/debian.iso").exists()


def test_disks_in_it_stay(api, host, export):
    original = NFS.capture(host)
    NFS.apply(host, original)
    (sr,) = api.SR.get_by_name_label("nas")
    api.VDI.create({"SR": sr, "virtual_size": str(1 << 20), "type": "user", "sharable": False, "read_only": False,
                    "other_config": {}, "name_label": "d"})  # fmt: skip
    uuid = api.SR.get_uuid(sr)
    NFS.undo(host, original)
    assert names(api) == ["Local storage"]
    assert len(list((export / uuid).iterdir())) == 1


def local(running):
    config = {"location": str(running.paths.root / "srv/disks")}
    return StorageStep(
        key="storage", type="file", name="disks", device_config=config, reason="", default=True
    )


def new_disk(api, sr):
    return api.VDI.create({"SR": sr, "virtual_size": str(1 << 20), "type": "user", "sharable": False,
                           "read_only": False, "other_config": {}, "name_label": "d"})  # fmt: skip


def test_disks_of_a_former_set_up_are_taken_up(running, api, host):
    """Undone with a disk in it and done again, cut off at every call that changes something."""
    step, before = local(running), state(api)
    original = step.capture(host)
    step.apply(host, original)
    (sr,) = api.SR.get_by_name_label("disks")
    kept = api.VDI.get_uuid(new_disk(api, sr))
    step.undo(host, original)
    assert state(api) == before
    for at in range(100):
        try:
            step.apply(replace(host, on_effect=crash_after(at)), original)
        except Crash:
            step.apply(host, original)
            ended = False
        else:
            ended = True
        (sr,) = api.SR.get_by_name_label("disks")
        assert [api.VDI.get_uuid(vdi) for vdi in api.SR.get_VDIs(sr)] == [kept], at
        step.undo(host, original)
        assert state(api) == before, at
        if ended:
            break
    assert at > 12


@pytest.mark.parametrize("way", ["apply", "undo"])
def test_cut_off_anywhere_it_is_ended_either_way(api, host, export, way):
    """A crash at every call that changes something, in both directions; then either way to the end."""
    original = NFS.capture(host)
    before = state(api)
    seen = []
    watched = replace(host, on_effect=seen.append)
    NFS.apply(watched, original)
    forth = len(seen)
    NFS.undo(watched, original)
    back = len(seen) - forth
    assert (forth, back) == (12, 12)
    for direction, count in (("apply", forth), ("undo", back)):
        for at in range(count):
            if direction == "undo":
                NFS.apply(host, original)
            with pytest.raises(Crash):
                getattr(NFS, direction)(replace(host, on_effect=crash_after(at)), original)
            getattr(NFS, way)(host, original)
            if way == "apply":
                assert names(api) == ["Local storage", "nas"], (direction, at)
                NFS.undo(host, original)
            assert state(api) == before, (direction, at)
            assert list(export.iterdir()) == [], (direction, at)


def crash_after(left):
    def effect(what):
        nonlocal left
        if left == 0:
            raise Crash(what)
        left -= 1

    return effect


def test_a_default_that_somebody_else_chose_stays(api, host, export):
    original = NFS.capture(host)
    NFS.apply(host, original)
    (pool,) = api.pool.get_all()
    api.pool.set_default_SR(pool, "OpaqueRef:NULL")
    NFS.undo(host, original)
    record = api.pool.get_record(pool)
    assert (record["default_SR"], record["suspend_image_SR"]) == (
        "OpaqueRef:NULL",
        original["defaults"]["suspend_image_SR"],
    )


def test_a_former_default_that_is_gone_is_none(api, host, export):
    original = NFS.capture(host)
    NFS.apply(host, original)
    (former,) = api.SR.get_by_name_label("Local storage")
    for pbd in api.SR.get_PBDs(former):
        api.PBD.unplug(pbd)
    api.SR.forget(former)
    NFS.undo(host, original)
    (pool,) = api.pool.get_all()
    assert api.pool.get_default_SR(pool) == "OpaqueRef:NULL"


def test_nothing_is_put_where_the_disk_is_not_mounted(running, api, host):
    config = {"location": str(running.paths.root / "disks/sr")}
    step = StorageStep(key="storage", type="file", name="disk", device_config=config, reason="",
                       mount_point="/disks")  # fmt: skip
    original = step.capture(host)
    with pytest.raises(NotMountedError):
        step.apply(host, original)
    assert names(api) == ["Local storage"]
    info = running.paths.root / "proc/self/mountinfo"
    info.parent.mkdir(parents=True)
    info.write_text("99 25 8:16 / /disks rw - ext4 /dev/sdb rw\n")
    step.apply(host, original)
    assert names(api) == ["Local storage", "disk"]
    step.undo(host, original)
    assert names(api) == ["Local storage"]


def test_a_disk_that_a_guest_has_keeps_the_repository(api, vm, host, export):
    original = NFS.capture(host)
    NFS.apply(host, original)
    (sr,) = api.SR.get_by_name_label("nas")
    vdi = api.VDI.create({"SR": sr, "virtual_size": str(1 << 20), "type": "user", "sharable": False,
                          "read_only": False, "other_config": {}, "name_label": "d"})  # fmt: skip
    api.VBD.create({"VM": vm, "VDI": vdi, "userdevice": "autodetect", "bootable": False, "mode": "RW", "type": "Disk",
                    "empty": False, "other_config": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}})  # fmt: skip
    api.VM.start(vm, False, False)
    with pytest.raises(XenApiFailureError, match="VDI_IN_USE"):
        NFS.undo(host, original)
    api.VM.hard_shutdown(vm)
    NFS.undo(host, original)
    assert names(api) == ["Local storage"]


def test_what_cannot_be_made_says_why(host, export):
    away = replace(NFS, device_config={"server": "nobody", "serverpath": "/srv"})
    with pytest.raises(XenApiFailureError, match="SR_BACKEND_FAILURE_73"):
        away.apply(host, away.capture(host))
    assert not away.is_applied(host)


def test_a_daemon_that_is_not_there(running, host, export):
    original = NFS.capture(host)
    running.stop()
    with pytest.raises(NotForgottenError, match="does not answer"):
        NFS.undo(host, original)
    assert not NFS.is_applied(host)
    running.start()
    session = XenAPI.Session(running.url, ignore_ssl=True)
    session.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    assert names(session.xenapi) == ["Local storage"]

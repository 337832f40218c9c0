"""SRs on LUNs of iSCSI targets, as clients of XenAPI see them; the simulator's servers are directories."""

import json

import pytest
from pool_daemons import JOINER, MASTER, guest, host_at
from test_conformance_devices import new_drive
from test_conformance_storage import new_disk

IQN = "iqn.2001-05.org.example:disks"
CONFIG = {"target": "san", "targetIQN": IQN, "SCSIid": "3600"}


@pytest.fixture
def lun(running):
    """LUN 1 of the server `san`, of 1 GiB."""
    folder = running.paths.root / "srv/iscsi/san" / IQN / "1"
    folder.mkdir(parents=True)
    said = {"scsi_id": "3600", "size": 1 << 30, "vendor": "IET", "serial": "beaf1"}
    (folder / "lun.json").write_text(json.dumps(said))
    return folder


def new_sr(api, host, **config):
    return api.SR.create(host, {**CONFIG, **config}, "0", "san", "", "lvmoiscsi", "user", True, {})


def volumes(lun):
    return sorted(path.name for path in (lun / "volumes").iterdir())


def test_from_the_probe_to_the_end(running, api, host, lun, refused):
    xml = refused("SR_BACKEND_FAILURE_96", api.SR.probe, host, {"target": "san"}, "lvmoiscsi", {})[3]
    assert f"<TargetIQN>{IQN}</TargetIQN>" in xml
    config = {"target": "san", "targetIQN": IQN}
    xml = refused("SR_BACKEND_FAILURE_107", api.SR.probe, host, config, "lvmoiscsi", {})[3]
    assert "<SCSIid>3600</SCSIid>" in xml
    assert "<UUID>" not in api.SR.probe(host, CONFIG, "lvmoiscsi", {})
    sr = new_sr(api, host)
    record = api.SR.get_record(sr)
    assert (record["type"], record["shared"], record["physical_size"]) == ("lvmoiscsi", True, str(1 << 30))
    assert f"<UUID>{record['uuid']}</UUID>" in api.SR.probe(host, CONFIG, "lvmoiscsi", {})
    vdi = new_disk(api, sr)
    assert volumes(lun) == [f"LV-{api.VDI.get_uuid(vdi)}"]
    assert api.VDI.get_virtual_size(vdi) == api.SR.get_physical_utilisation(sr) == str(4 << 20)
    api.VDI.resize(vdi, str(5 << 20))
    assert api.VDI.get_virtual_size(vdi) == str(8 << 20)
    assert refused("SR_FULL", new_disk, api, sr, 1 << 30)[1:] == [str(1 << 30), str((1 << 30) - (8 << 20))]
    (pbd,) = record["PBDs"]
    api.PBD.unplug(pbd)
    assert not any(running.paths.iscsi_sessions.iterdir())
    refused("SR_HAS_NO_PBDS", api.SR.scan, sr)
    # With its disks it is taken up again, and by no SR.create.
    refused("SR_BACKEND_FAILURE_42", new_sr, api, host)
    api.SR.forget(sr)
    again = api.SR.introduce(record["uuid"], "again", "", "lvmoiscsi", "user", True, {})
    pbd = api.PBD.create({"host": host, "SR": again, "device_config": CONFIG})
    api.PBD.plug(pbd)
    (vdi,) = api.SR.get_VDIs(again)
    assert api.VDI.get_virtual_size(vdi) == str(8 << 20)
    api.PBD.unplug(pbd)
    refused("SR_NOT_EMPTY", api.SR.destroy, again)
    api.PBD.plug(pbd)
    api.VDI.destroy(vdi)
    api.PBD.unplug(pbd)
    api.SR.destroy(again)
    assert [path.name for path in lun.iterdir()] == ["lun.json"]


def test_what_cannot_be_made_leaves_nothing(running, api, host, lun, refused):
    before = len(api.SR.get_all())
    for code, config in (
        (141, {"target": "nobody"}),
        (68, {"targetIQN": "iqn.2001-05.org.example:other"}),
        (47, {"SCSIid": "other"}),
        (107, {"SCSIid": ""}),
        (1, {"multihomed": "true"}),
    ):
        refused(f"SR_BACKEND_FAILURE_{code}", lambda more: new_sr(api, host, **more), config)
    (lun / "signature").write_text("ext4")
    refused("SR_BACKEND_FAILURE_42", new_sr, api, host)
    assert len(api.SR.get_all()) == before
    assert not any(running.paths.iscsi_sessions.iterdir())


def test_a_password_is_kept_as_a_secret(running, api, host, lun, refused):
    (lun.parent / "chap").write_text("host secret")
    refused("SR_BACKEND_FAILURE_68", new_sr, api, host)
    chap = {"chapuser": "host", "chappassword": "secret"}
    sr = new_sr(api, host, **chap)
    (pbd,) = api.SR.get_PBDs(sr)
    config = api.PBD.get_device_config(pbd)
    (secret,) = api.secret.get_all()
    assert config == {**CONFIG, "chapuser": "host", "chappassword_secret": api.secret.get_uuid(secret)}
    api.PBD.unplug(pbd)
    api.PBD.plug(pbd)
    # Another PBD may name the same one; it goes with the last.
    uuid = api.SR.get_uuid(sr)
    api.PBD.unplug(pbd)
    api.SR.forget(sr)
    assert api.secret.get_all() == []
    again = api.SR.introduce(uuid, "again", "", "lvmoiscsi", "user", True, {})
    pbd = api.PBD.create({"host": host, "SR": again, "device_config": {**CONFIG, **chap}})
    assert "secret" not in str(api.PBD.get_device_config(pbd).values())
    api.PBD.plug(pbd)
    api.PBD.unplug(pbd)
    (secret,) = api.secret.get_all()
    api.secret.destroy(secret)
    refused("SR_BACKEND_FAILURE_20", api.PBD.plug, pbd)
    api.PBD.destroy(pbd)
    xml = refused("SR_BACKEND_FAILURE_20", api.SR.probe, host,
                  {**CONFIG, "chappassword_secret": "x"}, "lvmoiscsi", {})  # fmt: skip
    assert "secret" in xml[2]


def test_sessions_are_opened_again_when_the_daemon_starts(running, api, host, lun):
    sr = new_sr(api, host)
    (pbd,) = api.SR.get_PBDs(sr)
    uuid = api.SR.get_uuid(sr)
    running.stop()
    (mark,) = running.paths.iscsi_sessions.glob(f"*/{uuid}")
    mark.unlink()  # as a reboot does
    running.start()
    assert running.do(running.daemon.tools.db.flag, "PBD", pbd, "currently_attached") is True
    assert mark.exists()


def active(host, uuid):
    """Return the volumes of an SR that are active on a host."""
    folder = host.paths.root / "dev" / f"VG_XenStorage-{uuid}"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_pool_shares_a_lun_that_one_host_at_a_time_changes(pool):
    master, joiner = pool
    api = master.session().xenapi
    folder = master.paths.root / "srv/iscsi"
    lun = folder / "san" / IQN / "1"
    lun.mkdir(parents=True)
    said = {"scsi_id": "3600", "size": 1 << 30, "vendor": "IET", "serial": "beaf1"}
    (lun / "lun.json").write_text(json.dumps(said))
    (lun.parent / "chap").write_text("host secret")
    (joiner.paths.root / "srv").mkdir(exist_ok=True)
    (joiner.paths.root / "srv/iscsi").symlink_to(folder)
    here, there = host_at(api, MASTER), host_at(api, JOINER)
    sr = new_sr(api, here, chapuser="host", chappassword="secret")
    uuid = api.SR.get_uuid(sr)
    pbds = {api.PBD.get_host(pbd): pbd for pbd in api.SR.get_PBDs(sr)}
    # The member reads the password from the pool's secret.
    api.PBD.plug(pbds[there])
    vdi = new_disk(api, sr)
    volume = f"LV-{api.VDI.get_uuid(vdi)}"
    vm = guest(api)
    new_drive(api, vm, vdi)
    api.VM.start_on(vm, there, False, False)
    assert (active(joiner, uuid), active(master, uuid)) == ([volume], [])
    api.VM.hard_shutdown(vm)
    # What the master makes larger the member sees when it gives it to a guest.
    api.VDI.resize(vdi, str(8 << 20))
    api.VM.start_on(vm, there, False, False)
    device = joiner.paths.root / "dev" / f"VG_XenStorage-{uuid}" / volume
    assert device.read_bytes() == bytes(8 << 20)
    # Where the master does not have it, a member changes it.
    api.PBD.unplug(pbds[here])
    second = new_disk(api, sr)
    assert volumes(lun) == sorted([volume, f"LV-{api.VDI.get_uuid(second)}"])
    api.VM.hard_shutdown(vm)
    api.PBD.unplug(pbds[there])
    assert active(joiner, uuid) == []
    assert not any(joiner.paths.iscsi_sessions.iterdir())

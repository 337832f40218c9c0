"""SRs on LUNs: what probes tell, what is refused, and what a crash leaves of volumes."""

import contextlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iscsi_targets import CONFIG, EXTENT, IQN, SCSI_ID, UUID, Targets

from xapi_shim.storage.interface import (
    SrConfigError,
    SrExistsError,
    SrMissingError,
    SrNoSpaceError,
    StorageError,
    VolumeDamagedError,
    VolumeMissingError,
)
from xapi_shim.storage.iscsi import Portal, Target, checked_name, checked_scsi_id
from xapi_shim.storage.simulated_groups import OLD_DATA
from xapi_shim.storage.volume_groups import Group

GROUP = f"VG_XenStorage-{UUID}"


class Killed(BaseException):
    """The daemon is killed: nothing of it is done any more."""


@pytest.fixture
def targets(tmp_path):
    return Targets(tmp_path)


@pytest.fixture
async def sr(targets):
    targets.lun()
    driver = targets.driver()
    await driver.create(0)
    await driver.attach()
    return driver


def new():
    return str(uuid.uuid4())


def kill(patch, targets, *messages):
    """Have the daemon die in the first of these; what would tidy up after it dies too."""

    async def die(*args, **kwargs):
        raise Killed

    for message in messages:
        patch.setattr(targets.groups, message, die)


async def test_probing_step_by_step(targets):
    targets.lun(2, "other", 2 << 30)
    targets.lun()
    with pytest.raises(SrConfigError) as caught:
        await targets.driver("", targetIQN="").probe()
    assert caught.value.code == 96
    assert caught.value.details == (
        '<?xml version="1.0" ?>\n<iscsi-target-iqns>\n\t<TGT>\n\t\t<Index>0</Index>\n\t\t<IPAddress>san</IPAddress>\n'
        f"\t\t<TargetIQN>{IQN}</TargetIQN>\n\t</TGT>\n</iscsi-target-iqns>\n"
    )
    with pytest.raises(SrConfigError) as caught:
        await targets.driver("", SCSIid="").probe()
    assert caught.value.code == 107
    assert caught.value.details.startswith(
        '<?xml version="1.0" ?>\n<iscsi-target>\n\t<LUN>\n\t\t<vendor>IET</vendor>\n\t\t<serial>beaf1</serial>\n'
        f"\t\t<LUNid>1</LUNid>\n\t\t<size>{1 << 30}</size>\n\t\t<SCSIid>{SCSI_ID}</SCSIid>\n\t</LUN>\n\t<LUN>\n"
    )
    assert await targets.driver("").probe() == '<?xml version="1.0" ?>\n<SRlist>\n</SRlist>\n'
    await targets.driver().create(0)
    assert f"<UUID>{UUID}</UUID>" in await targets.driver("").probe()
    # No session outlives its probe.
    assert list(targets.sessions.iterdir()) == []


async def test_a_lun_that_holds_anything_is_left_alone(targets):
    folder = targets.lun()
    (folder / "signature").write_text("ext4")
    with pytest.raises(SrExistsError, match="ext4"):
        await targets.driver().create(0)
    assert sorted(path.name for path in folder.iterdir()) == ["lun.json", "signature"]
    (folder / "signature").unlink()
    await targets.driver().create(0)
    with pytest.raises(SrExistsError, match=UUID):
        await targets.driver(new()).create(0)
    assert await targets.groups.group_on(folder) == GROUP
    # A group of somebody else's is one, too, and no SR to be attached.
    with pytest.raises(SrMissingError):
        await targets.driver(new()).attach()
    assert list(targets.sessions.iterdir()) == []


async def test_a_session_is_there_while_an_sr_is_attached(targets, sr):
    other = targets.driver(other_uuid := new(), SCSIid="other")
    targets.lun(2, "other")
    await other.create(0)
    await other.attach()
    await sr.detach()
    assert len(list(targets.sessions.glob("*/*"))) == 1
    await targets.driver(other_uuid, SCSIid="other").scan()
    await other.detach()
    for call in (sr.scan(), sr.stat(), sr.volume_path(new())):
        with pytest.raises(SrMissingError):
            await call


async def test_new_volumes_read_as_zeros(targets, sr):
    name = (await sr.volume_create(new(), EXTENT + 1)).uuid
    path, image_format = await sr.volume_path(name)
    assert (path, image_format) == (targets.dev / GROUP / f"LV-{name}", "raw")
    assert path.read_bytes() == bytes(2 * EXTENT)
    with path.open("r+b") as file:
        file.write(b"mine")
    await sr.volume_resize(name, 3 * EXTENT)
    path, _ = await sr.volume_path(name)
    assert path.read_bytes() == b"mine" + bytes(3 * EXTENT - 4)
    copy, _ = await sr.volume_path((await sr.volume_clone(name, new())).uuid)
    assert copy.read_bytes() == path.read_bytes()
    await sr.volume_destroy(name)
    assert not path.is_symlink()


async def test_only_what_is_used_is_active(targets, sr):
    name = (await sr.volume_create(new(), EXTENT)).uuid
    assert list((targets.dev / GROUP).iterdir()) == []
    await sr.volume_path(name)
    assert [path.name for path in (targets.dev / GROUP).iterdir()] == [f"LV-{name}"]
    await sr.detach()
    assert not (targets.dev / GROUP).exists()


@pytest.mark.parametrize("message", ["zero", "rename", "activate", "deactivate"])
async def test_a_daemon_killed_amid_making_a_volume_leaves_none(targets, sr, monkeypatch, message):
    with monkeypatch.context() as patch:
        kill(patch, targets, message, "remove")
        with pytest.raises(Killed):
            await sr.volume_create(new(), EXTENT)
    device = targets.target / "1"
    (left,) = (await targets.groups.state(Group(device, GROUP))).volumes
    assert left.name.startswith("NEW-here-")
    # Another host that takes over leaves it: its maker may be at work.
    assert await targets.driver(maker="there").scan() == ()
    assert (await targets.groups.state(Group(device, GROUP))).volumes == (left,)
    assert await sr.scan() == ()
    assert (await targets.groups.state(Group(device, GROUP))).volumes == ()


async def test_a_volume_that_cannot_be_filled_is_not_left(targets, sr, monkeypatch):
    async def fail(*args):
        raise StorageError("no")

    with monkeypatch.context() as patch:
        patch.setattr(targets.groups, "zero", fail)
        name = new()
        with pytest.raises(StorageError, match="no"):
            await sr.volume_create(name, EXTENT)
        assert (await sr.stat()).physical_utilisation_bytes == 0
    assert (await sr.volume_create(name, EXTENT)).uuid == name


@pytest.mark.parametrize("message", ["set_extents", "zero", "deactivate"])
async def test_a_daemon_killed_amid_growing_a_volume_leaves_what_was(targets, sr, monkeypatch, message):
    name = (await sr.volume_create(new(), EXTENT)).uuid
    with monkeypatch.context() as patch:
        kill(patch, targets, message, "deactivate")
        with pytest.raises(Killed):
            await sr.volume_resize(name, 3 * EXTENT)
    there = targets.driver(maker="there")
    # What is behind the former size is not told of, nor shown to a guest.
    (volume,) = await there.scan()
    assert volume.virtual_size_bytes == EXTENT
    with pytest.raises(VolumeDamagedError):
        await there.volume_path(name)
    (volume,) = await sr.scan()
    assert (volume.virtual_size_bytes, volume.physical_utilisation_bytes) == (EXTENT, EXTENT)
    path, _ = await sr.volume_path(name)
    assert path.read_bytes() == bytes(EXTENT)
    assert (await there.volume_resize(name, 2 * EXTENT)).virtual_size_bytes == 2 * EXTENT
    assert (await sr.volume_path(name))[0].read_bytes() == bytes(2 * EXTENT)


async def test_what_another_host_left_half_grown_is_grown_or_kept(targets, sr, monkeypatch):
    name = (await sr.volume_create(new(), EXTENT)).uuid
    with monkeypatch.context() as patch:
        kill(patch, targets, "zero", "deactivate")
        with pytest.raises(Killed):
            await sr.volume_resize(name, 3 * EXTENT)
    there = targets.driver(maker="there")
    assert (await there.volume_resize(name, EXTENT)).physical_utilisation_bytes == EXTENT
    assert (await there.volume_path(name))[0].read_bytes() == bytes(EXTENT)


async def test_a_group_that_is_full(sr):
    total = (await sr.stat()).physical_size_bytes
    name = (await sr.volume_create(new(), total - EXTENT)).uuid
    with pytest.raises(SrNoSpaceError):
        await sr.volume_create(new(), 2 * EXTENT)
    with pytest.raises(SrNoSpaceError):
        await sr.volume_resize(name, total + 1)
    assert (await sr.volume_resize(name, total)).virtual_size_bytes == total


async def test_volumes_of_others_are_no_disks(targets, sr):
    group = Group(targets.target / "1", GROUP)
    for name in ("MGT", f"VHD-{new()}", "LV-x", f"LV-{new()}"):
        await targets.groups.create(group, name, 1)
    assert len(await sr.scan()) == 1
    with pytest.raises(VolumeMissingError):
        await sr.volume_path("x")


def test_old_data_is_what_a_volume_would_show_otherwise():
    assert OLD_DATA.strip(b"\0") == OLD_DATA


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"target": ""}, 95),
        ({"target": "-o"}, 140),
        ({"target": "san,nas"}, 1),
        ({"multihomed": "true"}, 1),
        ({"multiSession": "192.0.2.1,3260,*|"}, 1),
        ({"port": "0"}, 142),
        ({"port": "65536"}, 142),
        ({"port": "+1"}, 142),
        ({"targetIQN": "*"}, 106),
        ({"targetIQN": "iqn.2001-05.org.example:../../x"}, 106),
        ({"targetIQN": "iqn.2001-05.org.example:a\n"}, 106),
        ({"SCSIid": "../x"}, 107),
        ({"SCSIid": "-x"}, 107),
        ({"chapuser": "u"}, 115),
        ({"chappassword": "p"}, 115),
        ({"chapuser": "u", "chappassword": "p\nnode.startup = automatic"}, 1),
        ({"chapuser": "u", "chappassword": "p q"}, 1),
        ({"chapuser": "u", "chappassword": "p" * 256}, 1),
        ({"incoming_chapuser": "u"}, 1),
    ],
)
def test_what_a_device_config_cannot_say(targets, config, code):
    with pytest.raises(SrConfigError) as caught:
        targets.driver(**config)
    assert caught.value.code == code
    assert CONFIG["targetIQN"] not in config.values()


async def test_chap(targets):
    targets.lun()
    (targets.target / "chap").write_text("host secret")
    for wrong in ({}, {"chapuser": "host", "chappassword": "other"}):
        with pytest.raises(StorageError) as caught:
            await targets.driver(**wrong).create(0)
        assert caught.value.code == 68
    driver = targets.driver(chapuser="host", chappassword="secret")
    await driver.create(0)
    assert "secret" not in repr(driver._chap)


async def test_a_target_that_is_away(targets):
    for config, code in (
        ({"target": "nobody"}, 141),
        ({"port": "3261"}, 141),
        ({"targetIQN": f"{IQN}2"}, 68),
    ):
        with pytest.raises(StorageError) as caught:
            await targets.driver(**config).attach()
        assert caught.value.code == code
    targets.lun(2, "other")
    with pytest.raises(SrMissingError, match=SCSI_ID):
        await targets.driver().attach()
    assert list(targets.sessions.iterdir()) == []


async def test_a_device_config_is_whole_but_for_probes(targets):
    for missing, code in (("targetIQN", 96), ("SCSIid", 107)):
        driver = targets.driver(**{missing: ""})
        for call in (driver.create(0), driver.attach(), driver.detach(), driver.scan(), driver.destroy()):
            with pytest.raises(SrConfigError) as caught:
                await call
            assert caught.value.code == code


@given(st.text(max_size=60))
def test_names_are_of_plain_characters(text):
    for check in (checked_name, checked_scsi_id):
        with contextlib.suppress(SrConfigError):
            checked = check(text)
            assert checked.isascii()
            assert checked[0].isalnum()
            assert not set(checked) & set("/ \n\0*?\\")


def test_portals_and_targets_as_programs_take_them():
    assert str(Portal("2001:db8::1")) == "[2001:db8::1]:3260"
    assert str(Target(Portal("san", 860), IQN)) == f"{IQN} at san:860"

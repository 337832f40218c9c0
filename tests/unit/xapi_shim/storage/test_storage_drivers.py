"""What every SrDriver of disks does, held against file and NFS SRs (real qemu-img) and the simulated one."""

import asyncio
import shutil
import uuid
from functools import partial

import pytest
from iscsi_targets import EXTENT, Targets
from storage_servers import overlays, simulated

from xapi_shim.storage.file_sr import FileSr
from xapi_shim.storage.image_directory import MAX_BYTES
from xapi_shim.storage.interface import (
    SrConfigError,
    SrExistsError,
    SrMissingError,
    SrNotEmptyError,
    VolumeDamagedError,
    VolumeExistsError,
    VolumeMissingError,
    VolumeSizeError,
)
from xapi_shim.storage.lvmoiscsi_sr import LvmOverIscsiSr
from xapi_shim.storage.nfs_sr import NfsSr
from xapi_shim.storage.qemu_img import QemuImgMissingError
from xapi_shim.storage.simulated_sr import SimulatedSr

MIB = 1 << 20
needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


def new() -> str:
    return str(uuid.uuid4())


def file_driver(tmp_path, monkeypatch):
    yield FileSr({"location": str(tmp_path / "sr")}, new())


def simulated_driver(tmp_path, monkeypatch):
    yield SimulatedSr({"location": str(tmp_path / "sr")}, new())


def nfs_driver(tmp_path, monkeypatch, kind):
    for served in kind(tmp_path, monkeypatch):
        served.export("nas", "/srv")
        config = {"server": "nas", "serverpath": "/srv"}
        yield NfsSr(config, new(), mounts=served.mounts, below=tmp_path / "run/sr-mount")


def iscsi_driver(tmp_path, monkeypatch):
    served = Targets(tmp_path)
    served.lun()
    yield served.driver()


KINDS = [
    pytest.param(file_driver, marks=needs_qemu_img),
    simulated_driver,
    pytest.param(partial(nfs_driver, kind=simulated), marks=needs_qemu_img, id="nfs_simulated"),
    pytest.param(partial(nfs_driver, kind=overlays), marks=needs_qemu_img, id="nfs_mounted"),
    iscsi_driver,
]


@pytest.fixture(params=KINDS)
async def sr(request, tmp_path, monkeypatch):
    for driver in request.param(tmp_path, monkeypatch):
        await driver.create(0)
        await driver.attach()
        yield driver


@pytest.fixture
def file_sr(tmp_path):
    (tmp_path / "sr").mkdir()
    return FileSr({"location": str(tmp_path / "sr")}, new())


async def test_a_volume_from_start_to_end(sr):
    name = new()
    made = await sr.volume_create(name, 8 * MIB, name="disk")
    assert (made.uuid, made.virtual_size_bytes) == (name, 8 * MIB)
    assert [v.uuid for v in await sr.scan()] == [name]
    assert (await sr.stat()).virtual_allocation_bytes == 8 * MIB
    assert (await sr.volume_resize(name, 16 * MIB)).virtual_size_bytes == 16 * MIB
    path, image_format = await sr.volume_path(name)
    assert path.is_absolute()
    assert image_format in ("raw", "qcow2")
    copy = await sr.volume_clone(name, new())
    assert copy.virtual_size_bytes == 16 * MIB
    await sr.volume_destroy(name)
    assert [v.uuid for v in await sr.scan()] == [copy.uuid]


async def test_sizes_are_whole_sectors_or_extents(sr):
    unit = EXTENT if isinstance(sr, LvmOverIscsiSr) else 512
    assert (await sr.volume_create(new(), 1)).virtual_size_bytes == unit


@pytest.mark.parametrize("size", [0, -1, MAX_BYTES + 1])
async def test_sizes_that_cannot_be(sr, size):
    with pytest.raises(VolumeSizeError):
        await sr.volume_create(new(), size)
    assert await sr.scan() == ()


async def test_a_volume_does_not_shrink(sr):
    name = (await sr.volume_create(new(), 8 * MIB)).uuid
    with pytest.raises(VolumeSizeError):
        await sr.volume_resize(name, 4 * MIB)


async def test_a_uuid_is_used_once(sr):
    name = (await sr.volume_create(new(), 4 * MIB)).uuid
    with pytest.raises(VolumeExistsError):
        await sr.volume_create(name, 8 * MIB)
    assert [v.virtual_size_bytes for v in await sr.scan()] == [4 * MIB]


@pytest.mark.parametrize("name", ["0c6e7f1d-7e56-4e8c-9b7d-2f4bd0f7a0c1", "../../etc/passwd", "", "x"])
async def test_a_missing_volume(sr, name):
    for call in (sr.volume_destroy(name), sr.volume_path(name), sr.volume_resize(name, MIB)):
        with pytest.raises(VolumeMissingError):
            await call


async def test_an_sr_with_volumes_is_not_destroyed(sr):
    name = (await sr.volume_create(new(), MIB)).uuid
    await sr.detach()
    with pytest.raises(SrNotEmptyError):
        await sr.destroy()
    with pytest.raises(SrExistsError):
        await sr.create(0)
    await sr.attach()
    await sr.volume_destroy(name)
    await sr.detach()
    await sr.destroy()
    with pytest.raises(SrMissingError):
        await sr.scan()


@needs_qemu_img
async def test_many_at_once_are_all_there(file_sr):
    names = sorted(new() for _ in range(12))
    await asyncio.gather(*(file_sr.volume_create(name, MIB) for name in names))
    assert [v.uuid for v in await file_sr.scan()] == names


@needs_qemu_img
async def test_one_uuid_raced_for_is_one_volume(file_sr):
    name = new()
    both = await asyncio.gather(*(file_sr.volume_create(name, MIB) for _ in range(2)), return_exceptions=True)
    assert sorted(type(x).__name__ for x in both) == ["VolumeExistsError", "VolumeInfo"]
    assert len(list((await file_sr.volume_path(name))[0].parent.iterdir())) == 1


@needs_qemu_img
async def test_leftovers_and_strangers(file_sr, tmp_path):
    for name in (".new-x-1", "notes.txt", "mine.qcow2", f"{new()}.raw"):
        (tmp_path / "sr" / name).touch()
    (tmp_path / "sr" / f"{new()}.qcow2").symlink_to("/etc/passwd")
    await file_sr.attach()
    assert not (tmp_path / "sr/.new-x-1").exists()
    assert await file_sr.scan() == ()
    await file_sr.destroy()
    assert (tmp_path / "sr/notes.txt").exists()


@needs_qemu_img
async def test_a_damaged_volume_is_said_and_hides_no_other(file_sr, tmp_path):
    good, bad = (await file_sr.volume_create(new(), MIB)).uuid, new()
    (tmp_path / f"sr/{bad}.qcow2").write_bytes(b"not an image")
    assert [v.uuid for v in await file_sr.scan()] == [good]
    with pytest.raises(VolumeDamagedError):
        await file_sr.volume_resize(bad, MIB)


@pytest.mark.parametrize("location", [None, "", "relative", "/a/../etc", "/a\nb"])
def test_locations_that_cannot_be(location):
    with pytest.raises(SrConfigError):
        FileSr({} if location is None else {"location": location}, new())


def test_the_simulated_size_is_a_number():
    with pytest.raises(SrConfigError):
        SimulatedSr({"location": "x", "size": "much"}, new())


async def test_without_qemu_img_it_is_said(file_sr, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QemuImgMissingError, match="qemu-utils"):
        await file_sr.volume_create(new(), MIB)
    assert list((tmp_path / "sr").iterdir()) == []


async def test_what_a_kind_of_sr_says_of_itself(sr):
    assert "VDI_CREATE" in sr.driver_info().capabilities
    assert dict(sr.driver_info().configuration).keys() & {"location", "server", "target"}

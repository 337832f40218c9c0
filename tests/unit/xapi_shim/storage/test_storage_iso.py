"""Libraries of media: what is in them, and that nobody changes it or gets out of them."""

import uuid

import pytest
from storage_servers import KINDS

from xapi_shim.storage.interface import (
    MountError,
    NotSupportedError,
    SrConfigError,
    SrMissingError,
    VolumeMissingError,
)
from xapi_shim.storage.iso_sr import IsoSr

UUID = str(uuid.uuid4())


@pytest.fixture(params=KINDS)
def served(request, tmp_path, monkeypatch):
    yield from request.param(tmp_path, monkeypatch)


def library(served, tmp_path, location, **config):
    config = {"location": str(location), **config}
    return IsoSr(config, UUID, mounts=served.mounts, below=tmp_path / "run/sr-mount")


@pytest.fixture(params=["directory", "nfs"])
async def isos(request, served, tmp_path):
    """A library, and the directory that its files are in."""
    folder = served.export("nas", "/isos")
    at = "nas:/isos" if request.param == "nfs" else folder
    driver = library(served, tmp_path, at)
    await driver.create(0)
    await driver.attach()
    return driver, folder


async def test_the_files_are_the_volumes(isos):
    driver, folder = isos
    (folder / "debian 12.iso").write_bytes(b"x" * 2048)
    (folder / "UPPER.ISO").write_bytes(b"x")
    for name in ("notes.txt", ".iso", "empty.iso", "bell\a.iso"):
        (folder / name).touch()
    (folder / "folder.iso").mkdir()
    found = await driver.scan()
    assert [(v.name, v.location, v.virtual_size_bytes, v.read_only) for v in found] == [
        ("UPPER.ISO", "UPPER.ISO", 1, True),
        ("debian 12.iso", "debian 12.iso", 2048, True),
    ]
    assert [v.uuid for v in await driver.scan()] == [v.uuid for v in found]
    assert len({v.uuid for v in found}) == 2
    path, image_format = await driver.volume_path("debian 12.iso")
    assert (path.read_bytes(), image_format) == (b"x" * 2048, "raw")
    assert (await driver.stat()).virtual_allocation_bytes == 2049


async def test_a_link_out_of_the_library_is_no_medium(isos, tmp_path):
    driver, folder = isos
    (folder / "real.iso").write_bytes(b"x")
    (folder / "link.iso").symlink_to("real.iso")
    (tmp_path / "secret.iso").write_bytes(b"secret")
    (folder / "out.iso").symlink_to(tmp_path / "secret.iso")
    (folder / "up.iso").symlink_to("../../../secret.iso")
    (folder / "loop.iso").symlink_to("loop.iso")
    assert [v.name for v in await driver.scan()] == ["link.iso", "real.iso"]
    for name in ("out.iso", "up.iso", "loop.iso", "none.iso", "../secret.iso", "", "..", "notes.txt"):
        with pytest.raises(VolumeMissingError):
            await driver.volume_path(name)


async def test_nobody_changes_a_library(isos):
    driver, folder = isos
    (folder / "a.iso").write_bytes(b"x")
    for call in (
        driver.volume_create(str(uuid.uuid4()), 1),
        driver.volume_destroy("a.iso"),
        driver.volume_resize("a.iso", 4096),
        driver.volume_clone("a.iso", str(uuid.uuid4())),
    ):
        with pytest.raises(NotSupportedError):
            await call
    await driver.detach()
    await driver.destroy()
    assert (folder / "a.iso").read_bytes() == b"x"


async def test_a_library_that_is_not_there(served, tmp_path):
    served.export("nas", "/isos")
    with pytest.raises(SrMissingError) as caught:
        await library(served, tmp_path, tmp_path / "none", legacy_mode="true").attach()
    assert caught.value.code == 226
    with pytest.raises(MountError) as caught:
        await library(served, tmp_path, "nas:/none").attach()
    assert caught.value.code == 222
    away = library(served, tmp_path, "nas:/isos")
    with pytest.raises(SrMissingError):
        await away.scan()


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({}, 220),
        ({"location": "relative"}, 225),
        ({"location": "/a/../etc"}, 225),
        ({"location": "-o:/srv"}, 225),
        ({"location": "nas:/a,suid"}, 225),
        ({"location": "//server/share", "type": "cifs"}, 225),
        ({"location": "/srv", "type": "nfs_iso"}, 225),
        ({"location": "nas:/srv", "legacy_mode": "true"}, 225),
        ({"location": "nas:/srv", "options": "suid"}, 1),
        ({"location": "nas:/srv", "nfsversion": "x"}, 72),
    ],
)
def test_what_a_device_config_may_not_say_of_a_library(config, code, tmp_path):
    with pytest.raises(SrConfigError) as caught:
        IsoSr(config, UUID, mounts=None, below=tmp_path)
    assert caught.value.code == code

"""NFS SRs: where their directories are, what clients of probe read, and what a device_config may not do."""

import shutil
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storage_servers import KINDS

from xapi_shim.storage.interface import (
    MountError,
    SrConfigError,
    SrExistsError,
    SrMissingError,
    StorageError,
)
from xapi_shim.storage.linux_mounts import LinuxMounts
from xapi_shim.storage.nfs_sr import NfsSr, nfs_options

UUID = str(uuid.uuid4())
CONFIG = {"server": "nas", "serverpath": "/srv/disks/"}
needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


@pytest.fixture(params=KINDS)
def served(request, tmp_path, monkeypatch):
    yield from request.param(tmp_path, monkeypatch)


@pytest.fixture
def nfs(served, tmp_path):
    def driver(uuid=UUID, maker="", **config):
        below = tmp_path / "run/sr-mount"
        return NfsSr({**CONFIG, **config}, uuid, mounts=served.mounts, below=below, maker=maker)

    return driver


async def test_what_another_host_is_amid_making_is_no_leftover(served, nfs, tmp_path):
    served.export("nas", "/srv/disks")
    await nfs().create(0)
    await nfs(maker="here").attach()
    folder = tmp_path / "run/sr-mount" / UUID
    for maker in ("here", "there"):
        (folder / f".new-{maker}-{uuid.uuid4()}-1").touch()
    await nfs(maker="here").attach()
    assert [path.name.split("-")[1] for path in folder.iterdir()] == ["there"]
    await nfs().detach()
    await nfs().destroy()


@needs_qemu_img
async def test_each_sr_is_a_directory_of_the_export(served, nfs, tmp_path):
    export = served.export("nas", "/srv/disks")
    sr, volume = nfs(), str(uuid.uuid4())
    await sr.create(0)
    assert [path.name for path in export.iterdir()] == [UUID]
    await sr.attach()
    await sr.volume_create(volume, 1 << 20)
    assert [path.name for path in (export / UUID).iterdir()] == [f"{volume}.qcow2"]
    assert await sr.volume_path(volume) == (tmp_path / f"run/sr-mount/{UUID}/{volume}.qcow2", "qcow2")
    # Another host, or this one after its reboot: only what is mounted is used.
    await sr.detach()
    for call in (sr.scan(), sr.stat(), sr.volume_create(str(uuid.uuid4()), 1 << 20), sr.volume_path(volume)):
        with pytest.raises(SrMissingError):
            await call
    assert not (tmp_path / f"run/sr-mount/{UUID}").exists()
    await sr.attach()
    assert [found.uuid for found in await sr.scan()] == [volume]


async def test_probing(served, nfs, tmp_path):
    export = served.export("nas", "/srv/disks")
    other = str(uuid.uuid4())
    for name in (UUID, other, "lost+found"):
        (export / name).mkdir()
    found = await nfs(uuid="").probe()
    both = "".join(f"\t<SR>\n\t\t<UUID>{name}</UUID>\n\t</SR>\n" for name in sorted((UUID, other)))
    assert found == f'<?xml version="1.0" ?>\n<SRlist>\n{both}</SRlist>\n'
    assert list((tmp_path / "run/sr-mount").iterdir()) == []
    with pytest.raises(SrConfigError) as caught:
        await nfs(uuid="", serverpath="").probe()
    assert caught.value.code == 101
    assert caught.value.details == (
        '<?xml version="1.0" ?>\n<nfs-exports>\n\t<Export>\n\t\t<Target>nas</Target>\n\t\t<Path>/srv</Path>\n'
        "\t\t<Accesslist>*</Accesslist>\n\t</Export>\n</nfs-exports>\n"
    )
    with pytest.raises(StorageError) as caught:
        await nfs(uuid="", server="nobody", serverpath="").probe()
    assert caught.value.code == 108


async def test_an_sr_that_is_there_is_not_made_anew(served, nfs):
    served.export("nas", f"/srv/disks/{UUID}")
    with pytest.raises(SrExistsError):
        await nfs().create(0)


async def test_an_sr_that_is_not_there_cannot_be_attached_nor_destroyed(served, nfs):
    served.export("nas", "/srv/disks")
    with pytest.raises(MountError) as caught:
        await nfs().attach()
    assert caught.value.code == 73
    with pytest.raises(SrMissingError):
        await nfs().destroy()


async def test_another_mount_in_the_place_is_not_taken_for_the_sr(served, nfs):
    for path in (f"/srv/disks/{UUID}", f"/srv/other/{UUID}"):
        served.export("nas", path)
    await nfs(serverpath="/srv/other").attach()
    with pytest.raises(SrMissingError):
        await nfs().scan()
    with pytest.raises(MountError, match="mounted already"):
        await nfs().attach()


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"server": ""}, 102),
        ({"server": "-onas"}, 102),
        ({"server": "nas,suid"}, 102),
        ({"serverpath": "srv"}, 103),
        ({"serverpath": "/srv/../etc"}, 103),
        ({"serverpath": "/srv,suid"}, 103),
        ({"serverpath": "/srv disks"}, 103),
        ({"nfsversion": "2"}, 72),
        ({"nfsversion": "3,suid"}, 72),
        ({"options": "suid"}, 1),
        ({"options": "timeo=5,exec"}, 1),
        ({"options": "timeo=5 suid"}, 1),
        ({"options": "context=system_u:object_r:x"}, 1),
        ({"options": "addr=10.0.0.1"}, 1),
    ],
)
def test_what_a_device_config_may_not_say(config, code, tmp_path):
    with pytest.raises(SrConfigError) as caught:
        NfsSr({**CONFIG, **config}, UUID, mounts=LinuxMounts(), below=tmp_path)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "uuid",
    ["", "..", "../../etc", f"{UUID}/..", UUID.upper()],
    # The same in each worker of pytest-xdist.
    ids=["none", "parent", "elsewhere", "its parent", "capitals"],
)
async def test_an_srs_uuid_is_one(nfs, served, uuid):
    served.export("nas", "/srv/disks")
    for call in (nfs(uuid).create(0), nfs(uuid).attach(), nfs(uuid).destroy(), nfs(uuid).scan()):
        with pytest.raises(SrConfigError):
            await call


def test_options():
    assert nfs_options({}) == ()
    chosen = {"nfsversion": "4.1", "options": "nolock,timeo=600,sec=krb5p,proto=tcp6,"}
    assert nfs_options(chosen) == ("vers=4.1", "nolock", "timeo=600", "sec=krb5p", "proto=tcp6")


@given(st.text(alphabet="abcdenostuvx=,0123 \n-"))
def test_options_never_bring_more_than_they_say(text):
    try:
        options = nfs_options({"options": text})
    except SrConfigError:
        return
    assert ",".join(options) == ",".join(part for part in text.split(",") if part)
    assert not {option.partition("=")[0] for option in options} & {"suid", "exec", "dev", "vers", "addr"}

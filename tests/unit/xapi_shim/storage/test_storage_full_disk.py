"""A disk that fills up, with a real, small file system where one may be mounted."""

import shutil
import subprocess
import uuid

import pytest

from xapi_shim.storage.file_sr import FileSr
from xapi_shim.storage.interface import SrNoSpaceError
from xapi_shim.storage.simulated_sr import SimulatedSr

MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path):
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed")
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("left_bytes", [512 * 1024, 100 * 1024, 0])
async def test_a_full_disk_leaves_no_file(small_disk, left_bytes):
    (small_disk / "filler").write_bytes(b"x" * (2 * MIB - left_bytes))
    driver = FileSr({"location": str(small_disk)}, "")
    with pytest.raises(SrNoSpaceError) as caught:
        await driver.volume_create(str(uuid.uuid4()), 64 * MIB)
    assert caught.value.free_bytes < caught.value.needed_bytes
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


async def test_a_disk_that_fills_up_while_an_image_is_written_leaves_no_file(small_disk, monkeypatch):
    monkeypatch.setattr("xapi_shim.storage.image_directory.EMPTY_IMAGE_BYTES", 0)
    (small_disk / "filler").write_bytes(b"x" * (2 * MIB - 64 * 1024))
    with pytest.raises(SrNoSpaceError):
        await FileSr({"location": str(small_disk)}, "").volume_create(str(uuid.uuid4()), 64 * MIB)
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


async def test_a_simulated_sr_can_be_full(tmp_path):
    driver = SimulatedSr({"location": str(tmp_path), "size": str(10 * MIB)}, "")
    await driver.attach()
    await driver.volume_create(str(uuid.uuid4()), 8 * MIB)
    with pytest.raises(SrNoSpaceError) as caught:
        await driver.volume_create(str(uuid.uuid4()), 4 * MIB)
    assert (caught.value.needed_bytes, caught.value.free_bytes) == (4 * MIB, 2 * MIB)

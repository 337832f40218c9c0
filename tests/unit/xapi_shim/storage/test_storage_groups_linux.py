"""Volume groups: what LVM's programs print, and what they are told. Metadata are written for real on a loop device."""

import os
import shutil
import subprocess
import uuid
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xapi_shim.storage.linux_groups import (
    LinuxVolumeGroups,
    mapped,
    mapped_name,
    read_report,
    read_signatures,
    read_state,
)
from xapi_shim.storage.volume_groups import Group, LvmError, Volume

NAME = f"VG_XenStorage-{uuid.UUID(int=7)}"


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def device(tmp_path):
    if os.geteuid() != 0 or shutil.which("lvm") is None:
        pytest.skip("only root makes loop devices, and lvm2 is needed")
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(128 << 20)
    done = subprocess.run(["losetup", "--find", "--show", disk], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("no loop device may be made here")
    yield done.stdout.strip()
    subprocess.run(["losetup", "--detach", done.stdout.strip()], check=True)


async def test_a_group_from_start_to_end(device):
    groups, group = LinuxVolumeGroups(), Group(device, NAME)
    assert (await groups.signatures(device), await groups.group_on(device)) == ((), "")
    assert await groups.state(group) is None
    await groups.make_group(group)
    assert await groups.signatures(device) == ("LVM2_member",)
    assert await groups.group_on(device) == NAME
    state = await groups.state(group)
    assert (state.extent_bytes, state.extents, state.volumes) == (4 << 20, state.free_extents, ())
    # Nothing activates it by itself.
    said = run("vgs", "--devices", device, "--noheadings", "-o", "vg_autoactivation", NAME)
    assert "enabled" not in said
    with pytest.raises(LvmError):
        await groups.make_group(group)
    await groups.remove_group(group)
    assert await groups.signatures(device) == ()


async def test_what_is_on_a_device_is_told(device):
    run("mkswap", device)
    assert await LinuxVolumeGroups().signatures(device) == ("swap",)


def test_reports():
    said = '{"report": [{"lv": [{"lv_name":"LV-1", "lv_size":"8388608", "lv_tags":"a,b"}]}]}'
    group = {"vg_name": "g", "vg_extent_size": "4194304", "vg_extent_count": "10", "vg_free_count": "8"}
    state = read_state(group, read_report(said, "lv"))
    assert (state.extent_bytes, state.extents, state.free_extents) == (4 << 20, 10, 8)
    assert state.volumes == (Volume("LV-1", 8 << 20, frozenset({"a", "b"})),)
    assert state.find("LV-2") is None
    for wrong in ("", "[]", "{}", '{"report": 1}', '{"report": [{}]}', '{"report": [{"lv": [1]}]}'):
        with pytest.raises(LvmError):
            read_report(wrong, "lv")
    with pytest.raises(LvmError):
        read_state({**group, "vg_free_count": "many"}, [])
    with pytest.raises(LvmError):
        read_signatures('{"signatures": 1}')


@given(st.text(max_size=100))
def test_what_is_no_report_is_refused(text):
    for read in (lambda: read_report(text, "vg"), lambda: read_signatures(text)):
        with suppress(LvmError):
            assert isinstance(read(), (list, tuple))


def test_devices_of_a_group_and_of_no_other(tmp_path):
    names = {
        "VG_XenStorage--1-LV--a": True,
        "VG_XenStorage--1--2-LV--b": False,
        "VG_XenStorage--12-LV--c": False,
        "vg0-root": False,
    }
    for number, name in enumerate(names):
        (tmp_path / f"block/dm-{number}/dm").mkdir(parents=True)
        (tmp_path / f"block/dm-{number}/dm/name").write_text(f"{name}\n")
    assert mapped(tmp_path, "VG_XenStorage-1") == [name for name, mine in names.items() if mine]
    assert mapped_name("VG_XenStorage-1", "LV-a") in names

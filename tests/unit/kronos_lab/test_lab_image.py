"""The lab's disk: what decides its name, which ones are forgotten, and the machines kept."""

import json
import os
from dataclasses import replace

import pytest

from kronos_lab import image, lab_tasks
from kronos_lab.image import ImageSpec, mmdebstrap_argv, prune_images
from xapi_shim.base.errors import KronosError

NOW_S, DAY_S = 1_800_000_000.0, 86400.0


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "lab_dir", lambda: tmp_path)
    monkeypatch.setattr(lab_tasks, "lab_dir", lambda: tmp_path)
    return tmp_path


def test_key_depends_on_everything_that_goes_in():
    spec = ImageSpec()
    keys = {
        spec.key(b"code", b"key"),
        spec.key(b"code", b"other"),
        spec.key(b"cod", b"ekey"),
        replace(spec, suite="trixie").key(b"code", b"key"),
        replace(spec, interfaces="").key(b"code", b"key"),
        replace(spec, grub="").key(b"code", b"key"),
        replace(spec, packages=()).key(b"code", b"key"),
    }
    assert len(keys) == 7
    assert ImageSpec().key(b"code", b"key") in keys


def test_interfaces_are_as_the_installer_leaves_them():
    assert "source /etc/network/interfaces.d/*\n" in image.INTERFACES
    assert f"allow-hotplug {image.NIC}\niface {image.NIC} inet dhcp\n" in image.INTERFACES


def test_no_xen_is_on_the_disk(tmp_path):
    argv = mmdebstrap_argv(ImageSpec(), tmp_path / "root.tar", ["deb http://mirror bookworm main"])
    assert "xen" not in " ".join(argv).replace(str(tmp_path), "")
    assert argv[-1] == "deb http://mirror bookworm main"


def put(path, age_days):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (NOW_S - age_days * DAY_S,) * 2)
    return path


def test_disks_unused_for_two_weeks_go_unless_a_machine_needs_them(lab):
    old, needed = put(lab / "bookworm-1.qcow2", 15), put(lab / "bookworm-2.qcow2", 15)
    young = put(lab / "bookworm-3.qcow2", 13)
    machine = put(lab / "machines/m/machine.json", 0)
    machine.write_text(json.dumps({"base": str(needed)}))
    put(lab / "machines/m/disk.qcow2", 99)
    assert prune_images(NOW_S) == [old]
    assert needed.exists()
    assert young.exists()
    assert (lab / "machines/m/disk.qcow2").exists()


def test_the_smallest_free_number_is_taken():
    assert lab_tasks.free_index([]) == 0
    assert lab_tasks.free_index([0, 1, 3]) == 2
    with pytest.raises(KronosError, match="256 machines"):
        lab_tasks.free_index(range(256))


def test_two_machines_never_share_their_addresses(lab):
    first, second = (lab_tasks._ready(name, lab / "base.qcow2") for name in ("a", "b"))
    assert first.index != second.index
    assert first.spec.segment == second.spec.segment
    again = lab_tasks._ready("a", lab / "newer.qcow2")
    assert (again.index, again.base) == (first.index, lab / "base.qcow2")

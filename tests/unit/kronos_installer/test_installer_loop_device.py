"""The file system step on a real block device: a file behind a loop device (losetup(8))."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kronos_installer.host import Host, SystemRunner
from kronos_installer.steps.device import file_system_uuid, held_names, is_mounted, signatures
from kronos_installer.steps.file_system_step import FileSystemStep
from kronos_installer.steps.step import HostChangedError

if TYPE_CHECKING:
    from collections.abc import Iterator

UUID = "55555555-5555-4555-8555-555555555555"
ROOT = Path("/")


@pytest.fixture
def device(tmp_path: Path) -> Iterator[str]:
    """An empty device of 16 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root makes devices")
    image = tmp_path / "disk"
    image.touch()
    os.truncate(image, 16 << 20)
    made = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip("no loop device may be made here")
    name = made.stdout.strip()
    yield name
    subprocess.run(["losetup", "--detach", name], check=True)


@pytest.fixture
def host() -> Host:
    return Host(ROOT, SystemRunner(ROOT))


def step_for(device: str, tmp_path: Path) -> FileSystemStep:
    return FileSystemStep(device=device, uuid=UUID, mount_point=str(tmp_path / "at this"), reason="")


def mounted(device: str, at: Path) -> None:
    at.mkdir()
    subprocess.run(["mount", device, at], check=True)


def test_it_is_made_and_removed(host: Host, device: str, tmp_path: Path) -> None:
    step = step_for(device, tmp_path)
    assert signatures(host, device) == ()
    assert not step.is_applied(host)
    original = step.capture(host)
    step.apply(host, original)
    assert step.is_applied(host)
    assert (signatures(host, device), file_system_uuid(host, device)) == (("ext4",), UUID)
    assert held_names(host, device, step.mount_point) == ()
    assert step.changed_since(host, original) == ""
    with pytest.raises(HostChangedError):
        step.capture(host)
    step.apply(host, original)
    step.undo(host, original)
    assert signatures(host, device) == ()
    step.undo(host, original)
    assert not step.is_applied(host)


def test_disks_keep_it(host: Host, device: str, tmp_path: Path) -> None:
    # The kernel writes a blank as \040 (proc_pid_mountinfo(5)).
    step, at = step_for(device, tmp_path), tmp_path / "at this"
    original = step.capture(host)
    step.apply(host, original)
    mounted(device, at)
    assert is_mounted(host, str(at))
    (at / "sr").mkdir()
    assert step.changed_since(host, original) == ""
    (at / "sr/one.qcow2").write_text("disk")
    (at / "notes").write_text("mine")
    said = f"{device}, which holds notes, sr/one.qcow2"
    assert step.changed_since(host, original) == said
    step.undo(host, original)
    assert not is_mounted(host, str(at))
    assert step.changed_since(host, original) == said
    assert signatures(host, device) == ("ext4",)
    mounted(device, at)
    for path in ("notes", "sr/one.qcow2"):
        (at / path).unlink()
    step.undo(host, original)
    assert (signatures(host, device), at.exists()) == ((), False)


def test_a_file_system_of_others_is_not_touched(host: Host, device: str, tmp_path: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", device], check=True)
    step = step_for(device, tmp_path)
    with pytest.raises(HostChangedError):
        step.capture(host)
    step.undo(host, {})
    assert signatures(host, device) == ("ext4",)
    assert step.changed_since(host, {}) == ""


def test_a_device_that_is_gone_holds_nothing_of_ours(host: Host, tmp_path: Path) -> None:
    step = step_for("/dev/kronos-none", tmp_path)
    assert not step.is_applied(host)
    assert step.changed_since(host, {}) == ""
    step.undo(host, {})

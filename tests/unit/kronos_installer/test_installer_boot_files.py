"""What GRUB reads of a file after a power cut at any moment of its replacement: GRUB's own reader, real file systems.

GRUB does not replay a journal (GRUB manual, "ext2"): it sees the blocks as they lie on the disk. The kernel writes them
there when it likes and in any order, so each moment is looked at as it is on the disk, with all that it may write by
then, and with every single block of that missing or alone.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kronos_installer.host import Host, SystemRunner
from kronos_installer.host_files import FileState

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK, SIZE = 1024, 16 << 20
MADE_BY = {
    "ext4": ["mkfs.ext4", "-q", "-b", str(BLOCK)],
    # Without what Debian 12's GRUB does not read.
    "xfs": ["mkfs.xfs", "-q", "-m", "bigtime=0,inobtcount=0", "-b", f"size={BLOCK}"],
}
# mkfs.xfs makes one of less than 300 MiB for the file system's own tests alone.
SMALL_XFS = {"TEST_DIR": "1", "TEST_DEV": "1", "QA_CHECK_FS": "1"}
MENU = "/grub/grub.cfg"
OLD, NEW = b"# the old menu\n" * 300, b"# the new menu\n" * 700


class Disk:
    """A device with a file system that is mounted at `at`."""

    def __init__(self, folder: Path, make: list[str]) -> None:
        self.image, self.at, self._cut = folder / "disk", folder / "at", folder / "cut"
        self.at.mkdir()
        self.image.touch()
        os.truncate(self.image, SIZE)
        subprocess.run([*make, self.image], check=True, env={**os.environ, **SMALL_XFS})
        made = subprocess.run(
            ["losetup", "--find", "--show", self.image], capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            pytest.skip("no loop device may be made here")
        self.device = made.stdout.strip()
        subprocess.run(["mount", self.device, self.at], check=True)

    def remove(self) -> None:
        subprocess.run(["umount", self.at], check=True)
        subprocess.run(["losetup", "--detach", self.device], check=True)

    def bytes(self) -> bytes:
        """Return what is on the disk now."""
        return self.image.read_bytes()

    def flush(self) -> None:
        """Have the kernel write what it may write: what is in the journal already."""
        fd = os.open(self.device, os.O_RDWR)
        os.fsync(fd)
        os.close(fd)

    def menu_on(self, blocks: bytes) -> bytes:
        """Return the menu that GRUB reads on a disk."""
        self._cut.write_bytes(blocks)
        argv = ["grub-fstest", str(self._cut), "cat", f"(loop0){MENU}"]
        return subprocess.run(argv, capture_output=True, check=True).stdout


@pytest.fixture(params=MADE_BY)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() != 0:
        pytest.skip("only root makes devices")
    disk = Disk(tmp_path, MADE_BY[request.param])
    yield disk
    disk.remove()


@pytest.fixture
def host(disk: Disk) -> Host:
    """A host with its old menu, all of it on the disk."""
    host = Host(disk.at, SystemRunner(Path("/")))
    host.make_directory("/grub")
    host.write(MENU, FileState(OLD))
    subprocess.run(["umount", disk.at], check=True)
    subprocess.run(["mount", disk.device, disk.at], check=True)
    return host


def mixtures(less: bytes, more: bytes) -> Iterator[bytes]:
    """Yield the disks on which one block of what is in `more` is missing, or is all that is there."""
    changed = [at for at in range(0, len(less), BLOCK) if less[at : at + BLOCK] != more[at : at + BLOCK]]
    for at in changed:
        for base, other in ((less, more), (more, less)):
            yield base[:at] + other[at : at + BLOCK] + base[at + BLOCK :]


def test_what_was_written_is_what_grub_reads(disk: Disk, host: Host) -> None:
    host.write_for_loader(MENU, FileState(NEW))
    assert disk.menu_on(disk.bytes()) == NEW


def test_grub_reads_one_of_both_at_every_moment(disk: Disk, host: Host) -> None:
    read: list[bytes] = []

    def look(_effect: str) -> None:
        before = disk.bytes()
        disk.flush()
        after = disk.bytes()
        read.extend(disk.menu_on(blocks) for blocks in (before, *mixtures(before, after), after))

    watched = Host(host.root, host.runner, on_effect=look)
    watched.write_for_loader(MENU, FileState(NEW))
    look("at the end")
    assert [menu for menu in read if menu not in (OLD, NEW)] == []
    assert (read[0], read[-1]) == (OLD, NEW)
    assert [path.name for path in (disk.at / "grub").iterdir()] == ["grub.cfg"]


def test_what_a_program_wrote_is_what_grub_reads(disk: Disk, host: Host) -> None:
    """grub-editenv, and what packages do: without a word to the disk."""
    host.at(MENU).write_bytes(NEW)
    host.settle_for_loader("/grub")
    assert disk.menu_on(disk.bytes()) == NEW

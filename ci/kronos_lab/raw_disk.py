"""A raw disk while it is made: its partitions as devices, file systems of them mounted, GRUB for BIOS before the first."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECTOR = 512
# Where the first partition begins.
FIRST_SECTOR = 2048
# The boot sector's code; the disk signature and the partition table follow.
_BOOT_CODE = 440


@contextmanager
def partition(raw: Path, start: int, size: int = 0) -> Iterator[str]:
    """Yield a loop device of `size` sectors of a disk from `start` on, 0 for all that follow."""
    options = [f"--offset={start * SECTOR}", *([f"--sizelimit={size * SECTOR}"] if size else [])]
    device = run(["losetup", "--find", "--show", *options, raw]).stdout.strip()
    try:
        yield device
    finally:
        run(["losetup", "--detach", device])


@contextmanager
def mounted(device: str, at: Path) -> Iterator[None]:
    """Have a file system mounted at a folder, which is made if need be, until the block ends."""
    at.mkdir(exist_ok=True)
    run(["mount", device, at])
    try:
        yield
    finally:
        run(["umount", at])


def install_boot_code(raw: Path, boot: bytes, core: bytes) -> None:
    """Put boot.img into the boot sector around the partition table, core.img behind it (grub-bios-setup(8))."""
    assert len(core) < (FIRST_SECTOR - 1) * SECTOR, "core.img does not fit before the partition"
    with raw.open("r+b") as disk:
        disk.write(boot[:_BOOT_CODE])
        disk.seek(SECTOR)
        disk.write(core)

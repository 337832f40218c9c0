"""qemu-img(1), as far as a file SR needs it. Formats are always named, never guessed.

A guest writes what it likes to its disk; were the format probed, a raw disk that begins with
a qcow2 header naming a backing file would give it any file of the host.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import ProgramMissingError, run_async
from xapi_shim.storage.interface import StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from xapi_shim.base.process import Completed

TIMEOUT_S = 120.0
# A copy reads and writes the whole image.
COPY_TIMEOUT_S = 6 * 3600.0


class QemuImgError(StorageError):
    """qemu-img refused; `no_space` when it found the file system full."""

    def __init__(self, detail: str, *, no_space: bool = False) -> None:
        super().__init__(f"qemu-img: {detail}")
        self.detail, self.no_space = detail, no_space


class QemuImgMissingError(StorageError):
    """qemu-img is not installed on this host."""

    def __init__(self) -> None:
        super().__init__("qemu-img is not installed", resolution="apt-get install qemu-utils")


@dataclass(frozen=True)
class ImageInfo:
    """Sizes of an image, in bytes: what the guest sees and what the file takes."""

    virtual_size_bytes: int
    actual_size_bytes: int
    has_backing_file: bool


async def create_qcow2(path: Path, size_bytes: int) -> None:
    """Make an empty, thin qcow2 image. Raises QemuImgError, QemuImgMissingError."""
    await _run(
        "create", "-q", "-f", "qcow2", "-o", "compat=1.1,lazy_refcounts=off", "--", str(path), str(size_bytes)
    )


async def resize_qcow2(path: Path, size_bytes: int) -> None:
    """Make an image larger. Raises QemuImgError, QemuImgMissingError."""
    await _run("resize", "-q", "-f", "qcow2", "--", str(path), str(size_bytes))


async def copy_qcow2(source: Path, target: Path) -> None:
    """Copy an image that nothing writes to. Raises QemuImgError, QemuImgMissingError."""
    argv = ("convert", "-q", "-f", "qcow2", "-O", "qcow2", "--", str(source), str(target))
    await _run(*argv, timeout_s=COPY_TIMEOUT_S)


async def read_info(path: Path) -> ImageInfo:
    """Return an image's sizes, also while a guest uses it (-U). Raises QemuImgError, QemuImgMissingError."""
    done = await _run("info", "-U", "-f", "qcow2", "--output=json", "--", str(path))
    try:
        facts = json.loads(done.stdout)
        return ImageInfo(
            virtual_size_bytes=int(facts["virtual-size"]),
            actual_size_bytes=int(facts["actual-size"]),
            has_backing_file="backing-filename" in facts,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise QemuImgError(f"info of {path} printed something else: {error!r}") from error


async def _run(*args: str, timeout_s: float = TIMEOUT_S) -> Completed:
    try:
        done = await run_async(["qemu-img", *args], timeout_s=timeout_s, check=False)
    except ProgramMissingError as error:
        raise QemuImgMissingError from error
    except KronosError as error:
        raise QemuImgError(error.message) from error
    if done.returncode != 0:
        text = done.stderr.strip() or f"exit status {done.returncode}"
        raise QemuImgError(text, no_space="No space left on device" in text or "Disk quota exceeded" in text)
    return done

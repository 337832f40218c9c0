"""Free space where the host needs it, and what the kernel complains about."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.doctor.answer import Answer, error, warning
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem

DMESG = ("dmesg", "--level=emerg,alert,crit,err")
_MIB = 1024 * 1024
# By place: the least free MiB below which something will fail (a database, a new kernel's initrd).
_LEAST_MIB = {"/": 512, "/boot": 100, "/var/log": 128, str(Paths().state): 256}
_FULL_PERCENT = 95
_SERIOUS = re.compile(
    r"I/O error|Out of memory|EXT4-fs error|XFS .*(corruption|error)|Remounting filesystem read-only|"
    r"soft lockup|hung_task|nf_conntrack: table full|Hardware Error|Call Trace"
)
# A drive without a disc or floppy in it, at every look for one.
_HARMLESS = re.compile(r"I/O error, dev (fd|sr)\d")
_MOST_LINES = 5


@dataclass(frozen=True)
class Space:
    """A place's file system; sizes in bytes."""

    path: str
    size: int
    free: int
    read_only: bool


def read_spaces(files: HostFiles) -> tuple[Space, ...]:
    """Return those of the places that are there."""
    found = []
    for path in (*_LEAST_MIB, str(Paths().local_sr)):
        try:
            told = os.statvfs(files.at(path))
        except OSError:
            continue
        found.append(Space(path, told.f_blocks * told.f_frsize, told.f_bavail * told.f_frsize,
                           bool(told.f_flag & os.ST_RDONLY)))  # fmt: skip
    return tuple(found)


def space_findings(spaces: tuple[Space, ...]) -> Iterator[Problem]:
    """Yield what is full, or cannot be written."""
    for space in spaces:
        least = _LEAST_MIB.get(space.path, 0) * _MIB
        used = 100 - (space.free * 100 // space.size if space.size else 100)
        if space.read_only:
            yield error("file-system-read-only", f"{space.path} cannot be written", f"statvfs {space.path}",
                        "see the kernel's messages: an error may have made it so")  # fmt: skip
        elif space.size and (space.free < min(least, space.size // 2) or used >= _FULL_PERCENT):
            yield warning("space-low", f"{space.free // _MIB} MiB are free at {space.path}", f"df {space.path}",
                          "remove what is not needed: old kernels, logs, images")  # fmt: skip


def kernel_findings(answer: Answer) -> Iterator[Problem]:
    """Yield the last of the kernel's messages that are serious for a host."""
    lines = [
        line.strip()
        for line in answer.text.splitlines()
        if _SERIOUS.search(line) and not _HARMLESS.search(line)
    ]
    for line in lines[-_MOST_LINES:]:
        yield warning("kernel-message", "the kernel complains", line, "see 'dmesg' around it")

"""Boot Loader Specification entries: one file for each kernel, which GRUB's `blscfg` adds to its menu.

Fedora's and its relatives'. The file's name without `.conf` is the entry's id. The newest version stands first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

FOLDER = "/boot/loader/entries"
_SEGMENT = re.compile(r"\d+|[A-Za-z]+|~|\^")


@dataclass(frozen=True)
class BlsEntry:
    """One entry. `linux` is the kernel as GRUB finds it, below the file system that holds /boot."""

    id: str
    title: str
    linux: str
    options: str


def read_bls(files: HostFiles) -> tuple[BlsEntry, ...]:
    """Return the host's entries in the order in which GRUB shows them. Those without a kernel are none."""
    paths = files.glob(f"{FOLDER}/*.conf")
    found = [parse_bls(path.rpartition("/")[2].removesuffix(".conf"), files.read(path)) for path in paths]
    return tuple(sorted((e for e in found if e.linux), key=lambda e: version_key(e.id), reverse=True))


def parse_bls(id_: str, text: str) -> BlsEntry:
    """Parse one file: a key, white space and a value a line; `#` begins a comment. Unknown keys are skipped.

    The Boot Loader Specification lets `options` be there several times: all of them count.
    """
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        words = line.split(maxsplit=1)
        if len(words) == 2 and not words[0].startswith("#"):
            values.setdefault(words[0], []).append(words[1].strip())
    title, linux = (values.get(key, [default])[0] for key, default in (("title", id_), ("linux", "")))
    return BlsEntry(id_, title, linux, " ".join(values.get("options", [])))


def version_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return what sorts versions as rpm does: numbers by value, above letters; `~` below the end."""
    ranks = {"~": (-1, 0, ""), "^": (1, 0, "")}
    segments = (
        ranks.get(s) or ((3, int(s), "") if s.isdigit() else (2, 0, s)) for s in _SEGMENT.findall(text)
    )
    return (*segments, (0, 0, ""))

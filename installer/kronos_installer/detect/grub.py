"""GRUB's configuration: the generated menu, the defaults' files, a pending one-time choice."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

GRUB_CFG = "/boot/grub/grub.cfg"
_DEFAULTS = ("/etc/default/grub", "/etc/default/grub.d/*.cfg")
_SCRIPTS = ("/etc/grub.d/*",)
_IMAGES = ("/boot/vmlinu*", "/boot/initrd*", "/boot/xen*")
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?(GRUB_\w+|XEN_\w+)=(.*)$")


@dataclass(frozen=True)
class Assignment:
    """One variable as written, not evaluated: the files are shell scripts."""

    name: str
    value: str
    at: str


@dataclass(frozen=True)
class Grub:
    """What is known of GRUB. `next_entry` is grub-reboot's pending choice, "" without one."""

    menu: str
    assignments: tuple[Assignment, ...]
    next_entry: str
    has_update_grub: bool
    has_xen_script: bool


def read_grub(files: HostFiles) -> Grub:
    """Read all of it."""
    paths = [path for pattern in _DEFAULTS for path in files.glob(pattern)]
    return Grub(
        menu=files.read(GRUB_CFG),
        assignments=tuple(a for path in paths for a in parse_defaults(path, files.read(path))),
        next_entry=parse_environment(files.read("/boot/grub/grubenv")).get("next_entry", ""),
        has_update_grub=files.exists("/usr/sbin/update-grub"),
        has_xen_script=files.exists("/etc/grub.d/20_linux_xen"),
    )


def parse_defaults(path: str, text: str) -> list[Assignment]:
    """Return the assignments in a file of defaults, unevaluated."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := _ASSIGNMENT.match(line):
            found.append(Assignment(match[1], match[2].strip(), f"{path}:{number}"))
    return found


def parse_environment(text: str) -> dict[str, str]:
    """Parse a grubenv block (grub-editenv(1)): NAME=VALUE lines, filled up with `#`."""
    lines = (line for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def menu_inputs(files: HostFiles) -> str:
    """Return a digest of all that update-grub makes the menu from: the same digest, the same menu."""
    digest = hashlib.sha256()
    for pattern in (*_DEFAULTS, *_SCRIPTS):
        for path in files.glob(pattern):
            where = files.at(path)
            digest.update(
                f"{path}\0{where.stat().st_mode:o}\0".encode() + where.read_bytes()
                if where.is_file()
                else b""
            )
    for pattern in _IMAGES:
        digest.update("\0".join(files.glob(pattern)).encode())
    return digest.hexdigest()

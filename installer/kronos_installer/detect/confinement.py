"""AppArmor and SELinux: which of them confines programs on the host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

_SELINUX_CONFIG = "/etc/selinux/config"


@dataclass(frozen=True)
class Confinement:
    """`selinux` is how it runs now: "", "permissive" or "enforcing"; `selinux_configured` what a boot makes of it."""

    apparmor: bool
    selinux: str
    selinux_configured: str


def read_confinement(files: HostFiles) -> Confinement:
    """Read it from the kernel and from selinux_config(5)."""
    enforce = files.read("/sys/fs/selinux/enforce").strip()
    return Confinement(
        apparmor=files.read("/sys/module/apparmor/parameters/enabled").strip() == "Y",
        selinux={"0": "permissive", "1": "enforcing"}.get(enforce, ""),
        selinux_configured=parse_selinux_config(files.read(_SELINUX_CONFIG)),
    )


def parse_selinux_config(text: str) -> str:
    """Return SELINUX= of /etc/selinux/config in small letters, "" where it is not said."""
    found = re.search(r"^\s*SELINUX\s*=\s*(\w+)", text, re.MULTILINE)
    return found[1].lower() if found else ""

"""Configuration in several folders: of files with one name the first folder's counts, all are read in the names' order.

systemd.unit(5), sysctl.d(5), timesyncd.conf(5) and netplan(5) have it alike.
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.host_files import HostFiles

# In order of precedence; /lib is /usr/lib on a merged system and comes to the same names.
_PLACES = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")


def systemd_folders(name: str) -> tuple[str, ...]:
    """Return the folders of a kind of systemd's configuration, "sysctl.d", the one that counts first."""
    return tuple(f"{place}/{name}" for place in _PLACES)


def in_order(files: HostFiles, folders: Sequence[str], pattern: str, *, but: str = "") -> tuple[str, ...]:
    """Return the files that count, in the order in which they are read; those whose path begins with `but` are none."""
    found: dict[str, str] = {}
    for folder in folders:
        for path in files.glob(f"{folder}/{pattern}"):
            if not but or not path.startswith(but):
                found.setdefault(posixpath.basename(path), path)
    return tuple(found[name] for name in sorted(found, key=os.fsencode))

"""What systemd starts at boot: units that something wants, unless they are masked (systemctl(1), enable and mask)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

_FOLDER = "/etc/systemd/system"


def enabled(files: HostFiles, *units: str) -> tuple[str, ...]:
    """Return the links that have a boot start these units, in the units' order; a unit may be a pattern (glob(7))."""
    patterns = (f"{_FOLDER}/*.{kind}/{unit}" for unit in units for kind in ("wants", "requires"))
    links = (link for pattern in patterns for link in files.glob(pattern))
    return tuple(link for link in links if not is_masked(files, link.rpartition("/")[2]))


def is_masked(files: HostFiles, unit: str) -> bool:
    """Tell whether a unit is never started, whoever wants it: a link to /dev/null, or a file with nothing in it."""
    where = files.at(f"{_FOLDER}/{unit}")
    if where.is_symlink():
        return str(where.readlink()) == "/dev/null"
    return where.is_file() and where.stat().st_size == 0

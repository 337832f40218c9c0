"""Which of the factory's own files decide what a package holds: they are inputs of every build, as sources are."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from kronos_packaging.declarations import Format

HERE = Path(__file__).parent
# What both formats are built by, and what is said of the packages beside them.
_BOTH = ("build_root.py", "enter_root.sh", "provenance.py", "sbom.py", "tree.py")
_DEB = ("build_deb.py", "build_in_root.sh", "change_source.py", "distro_source.py")
SHAPING = {
    Format.DEB: (*_BOTH, *_DEB),
    # Surroundings of a build are build_deb's.
    Format.RPM: (*_BOTH, "build_deb.py", "build_rpm.py", "name_map.py", "rpm_source.py"),
}


@cache
def way_of_building(kind: Format) -> str:
    """Return the hash of the files that build packages of a format."""
    total = hashlib.sha256()
    for name in sorted(SHAPING[kind]):
        total.update(f"{name}\0{hashlib.sha256((HERE / name).read_bytes()).hexdigest()}\0".encode())
    return total.hexdigest()

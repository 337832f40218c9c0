"""What a row's machine is booted from: its release with Kronos installed and not set up, in the row's lay-out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_lab.disk_layouts import ensure_layout
from kronos_lab.fedora_like import ensure_fedora_like
from kronos_lab.image import ensure_image, release_spec
from kronos_lab.installed import ensure_installed
from kronos_lab.installed_by_dnf import ensure_installed_by_dnf
from kronos_lab.rows import Disk

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_lab.rows import Row
    from xapi_shim.base.progress import Reporter


def ensure_base(reporter: Reporter, row: Row) -> Path:
    """Return the disk, made if the cache lacks it, of the packages that dist/ has. Needs root. Raises LabError."""
    if row.disk is Disk.BLS:
        return ensure_installed_by_dnf(reporter, ensure_fedora_like(reporter), row.release)
    plain = ensure_image(reporter, release_spec(row.release))
    return ensure_layout(reporter, ensure_installed(reporter, plain, row.release), row.disk)

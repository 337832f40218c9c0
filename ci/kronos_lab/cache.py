"""Where the lab keeps what is expensive to make, outside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

from xapi_shim.base.process import run

REPO = Path(__file__).resolve().parents[2]


def cache_dir() -> Path:
    """Return the cache: $KRONOS_CACHE, else kronos below $XDG_CACHE_HOME or ~/.cache."""
    if own := os.environ.get("KRONOS_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kronos"


def lab_dir() -> Path:
    """Return (and make) the lab's part of the cache."""
    path = cache_dir() / "lab"
    path.mkdir(parents=True, exist_ok=True)
    return path


def ssh_key() -> Path:
    """Return the lab's private ssh key, made on first use (mode 0600)."""
    path = lab_dir() / "id_ed25519"
    if not path.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "kronos-lab", "-f", path])
    return path

"""Where the lab keeps what is expensive to make, outside the checkout."""

from __future__ import annotations

from pathlib import Path

from kronos_packaging.build_root import cache_dir
from xapi_shim.base.process import run

REPO = Path(__file__).resolve().parents[2]


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

"""What hosts of a pool know one another by: a file of mode 0600, made at the first start."""

from __future__ import annotations

import hmac
import uuid
from typing import TYPE_CHECKING

from xapi_shim.base.atomic_file import write_atomic

if TYPE_CHECKING:
    from pathlib import Path


def ensure_pool_secret(path: Path) -> None:
    """Make the secret where there is none: three random uuids, which is the reference's form. Raises OSError."""
    if not path.exists():
        write_pool_secret(path)


def write_pool_secret(path: Path) -> None:
    """Make another secret. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, "/".join(str(uuid.uuid4()) for _ in range(3)).encode(), mode=0o600)


def read_pool_secret(path: Path) -> bytes:
    """Return the secret, nothing where there is no file that can be read."""
    try:
        return path.read_bytes().strip()
    except OSError:
        return b""


def is_pool_secret(path: Path, given: str) -> bool:
    """Say whether `given` is the secret; a file that is missing or empty is nobody's."""
    secret = read_pool_secret(path)
    return bool(secret) and hmac.compare_digest(secret, given.encode(errors="replace"))

"""Whether this host is its pool's master or a member, as its files say it: pool.conf, the secret, the certificate.

The file that decides is pool.conf, written last: a power cut leaves the host what it was, or what it becomes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.pool_secret import write_pool_secret
from xapi_shim.base.atomic_file import fsync_directory, write_atomic
from xapi_shim.base.ip_address import is_ip_address

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from xapi_shim.base.paths import Paths


def master_address(pool_conf: Path) -> str:
    """Return the master's address from pool.conf (`master`, or `slave:ADDRESS`), "" where this host is it."""
    try:
        role, _, address = pool_conf.read_text().strip().partition(":")
    except OSError:
        return ""
    return address.strip() if role == "slave" else ""


def become_member(paths: Paths, master: str, secret: str, fingerprints: Collection[str]) -> None:
    """Make this host a member of the pool of `master` from its next start. Raises OSError.

    Its own database stays as it is, unused, until it leaves the pool.
    """
    write_fingerprints(paths, fingerprints)
    write_atomic(paths.pool_secret, secret.encode(), mode=0o600)
    write_atomic(paths.pool_conf, f"slave:{master}".encode())
    # It has had its use, also where nobody of the set-up is there any more to take it away.
    paths.master_to_join.unlink(missing_ok=True)


def become_master(paths: Paths) -> None:
    """Make this host the master of a new pool from its next start. Raises OSError.

    May be repeated: the mark of a host that leaves goes last.
    """
    for end in ("", "-wal", "-shm"):
        paths.database.with_name(paths.database.name + end).unlink(missing_ok=True)
    # While pool.conf names the master the host asks it, for which it needs the pool's secret.
    write_atomic(paths.pool_conf, b"master")
    write_pool_secret(paths.pool_secret)
    paths.pool_master.unlink(missing_ok=True)
    paths.leaving_pool.unlink(missing_ok=True)
    fsync_directory(paths.state)


def finish_leaving(paths: Paths) -> None:
    """Finish what a host that was leaving had begun when it went down: it is the master already. Raises OSError."""
    if paths.leaving_pool.exists() and not master_address(paths.pool_conf):
        become_master(paths)


def read_fingerprints(paths: Paths) -> set[str]:
    """Return the SHA-256 of the certificates that the master may show; none where nothing is known."""
    try:
        return set(paths.pool_master.read_text().split())
    except OSError:
        return set()


def read_master_to_join(paths: Paths, address: str) -> set[str] | None:
    """Return the SHA-256 of the certificates that the master at `address`, to be joined, must show; None: nobody has said.

    Where the file does not say of which address it is nobody is trusted: an empty set. Raises OSError, ValueError: it cannot
    be read.
    """
    try:
        said, *known = paths.master_to_join.read_text().split() or [""]
    except FileNotFoundError:
        return None
    return None if is_ip_address(said) and said != address else set(known)


def write_fingerprints(paths: Paths, fingerprints: Collection[str]) -> None:
    """Keep what certificates the master may show. Raises OSError."""
    paths.state.mkdir(parents=True, exist_ok=True)
    write_atomic(paths.pool_master, "".join(f"{one}\n" for one in sorted(fingerprints)).encode())

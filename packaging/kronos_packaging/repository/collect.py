"""Removing what no host is promised any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_packaging.repository.metadata import superseded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kronos_packaging.repository.catalogue import Catalogue
    from kronos_packaging.repository.incoming import Repository


def removable(retired: dict[str, int], superseded_ns: Iterable[int]) -> list[str]:
    """Return the retired places that no kept generation names: pure.

    `retired` says since when, in ns, nothing newer names a place; a generation that was superseded
    then or before may name it.
    """
    oldest = min(superseded_ns, default=None)
    return sorted(path for path, since in retired.items() if oldest is None or oldest > since)


def collect_garbage(repository: Repository, catalogue: Catalogue) -> list[Path]:
    """Remove files of the pool that neither the published indexes nor a kept generation names; return them."""
    pool = repository.root / repository.pool
    if not pool.is_dir():
        return []
    stamps = [stamp for stamp, _ in superseded(repository.metadata, repository.signed_suffix)]
    retired = catalogue.retired(repository.key)
    gone = removable(retired, stamps)
    kept = catalogue.all_files(repository.key) | (retired.keys() - set(gone))
    removed = []
    for path in sorted(pool.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif str(path.relative_to(repository.root)) not in kept:
            path.unlink()
            removed.append(path)
    catalogue.forget_retired(repository.key, gone)
    return removed

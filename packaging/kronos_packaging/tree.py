"""What of this tree goes into a component's packages: read once, then planned with and built from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_packaging.declarations import REPO
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class TreeFile:
    """One file: `path` below the tree's root, and what decides whether a package changes."""

    path: str
    content: bytes
    executable: bool = False


def read_tree(paths: Sequence[str], repo: Path = REPO) -> tuple[TreeFile, ...]:
    """Return files of the tree: what git tracks, and what it does not ignore, at or below `paths`.

    The same snapshot gives the content key and the package's source, so a file that is edited
    during a build cannot be built under the key of its earlier content.
    """
    listed = run(list_argv(paths, repo)).stdout if paths else ""
    files = (_read(repo, name) for name in sorted({name for name in listed.split("\0") if name}))
    return tuple(file for file in files if file is not None)


def list_argv(paths: Sequence[str], repo: Path) -> list[str | Path]:
    """Return the git command that lists the files, NUL after each."""
    options = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    return ["git", "-C", repo, *options, "--", *paths]


def _read(repo: Path, name: str) -> TreeFile | None:
    path = repo / name
    try:
        return TreeFile(name, path.read_bytes(), executable=os.access(path, os.X_OK))
    except FileNotFoundError:  # tracked, but deleted from the checkout
        return None


def write_tree(files: tuple[TreeFile, ...], folder: Path, modified_s: int) -> None:
    """Write `files` below `folder` with plain modes, all modified at `modified_s` (seconds since 1970)."""
    for file in files:
        copy = folder / file.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.content)
        copy.chmod(0o755 if file.executable else 0o644)
        os.utime(copy, (modified_s, modified_s))
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)

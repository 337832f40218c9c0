"""Debian packages of this tree: its files copied into a clean root of the target and built there."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from debian.changelog import Changelog, Version

from kronos_packaging.build_root import BUILD_PACKAGES, clean_root, ensure_root_tar
from kronos_packaging.declarations import REPO
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import as_root

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.declarations import Component, Target
    from xapi_shim.base.progress import Reporter

TAIL = 40


class BuildError(KronosError):
    """A package could not be built; says where the log is and shows its end."""


def tree_files(component: Component, repo: Path = REPO) -> list[Path]:
    """Return the component's files: what git tracks, and what it does not ignore, below its paths."""
    listed = run(
        [
            "git",
            "-C",
            repo,
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--",
            *component.paths,
        ]
    ).stdout
    paths = (repo / name for name in listed.split("\0") if name)
    return sorted(path for path in set(paths) if path.is_file())


def target_changelog(text: str, target: Target, extra_version: str = "") -> str:
    """Return a changelog whose top entry is for `target`: 0.1.0 becomes 0.1.0+deb12.

    The date stays that of the entry: the build is reproducible.
    """
    changelog = Changelog(text)
    changelog.version = Version(f"{changelog.full_version}{extra_version}{target.version_suffix}")
    changelog.distributions = target.suite
    return str(changelog)


def build_debs(
    component: Component, target: Target, out: Path, reporter: Reporter, *, extra_version: str = ""
) -> list[Path]:
    """Build the packages of `component` for `target` into `out`; return what was built.

    Raises BuildError with the end of the log.
    """
    tar = ensure_root_tar(target, BUILD_PACKAGES, reporter)
    out.mkdir(parents=True, exist_ok=True)
    log = out / "build.log"
    with clean_root(tar) as root:
        inside = root.path / "build" / component.name
        staged = out / "source"
        shutil.rmtree(staged, ignore_errors=True)
        _stage(component, target, staged, extra_version)
        run(as_root(["mkdir", "--parents", os.fspath(inside.parent)]))
        run(
            as_root(
                [
                    "cp",
                    "--recursive",
                    "--preserve=mode,timestamps",
                    "--no-target-directory",
                    os.fspath(staged),
                    os.fspath(inside),
                ]
            )
        )
        shutil.rmtree(staged)
        with reporter.stage(f"building {component.name} for {target.name}"), log.open("w") as file:
            done = run(root.run_argv(BUILD_ARGV, cwd=f"/build/{component.name}"), log=file, check=False)
        if done.returncode != 0:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])
            raise BuildError(f"building {component.name} for {target.name} failed, see {log}:\n{tail}")
        results = [p for p in (root.path / "build").iterdir() if p.is_file()]
        run(as_root(["cp", *map(os.fspath, results), os.fspath(out)]))
        run(as_root(["chown", "--recursive", f"{os.getuid()}:{os.getgid()}", os.fspath(out)]))
    return sorted(out / p.name for p in results)


# Source and binary packages, unsigned: the repository's signature is what clients check.
BUILD_ARGV = (
    "LC_ALL=C.UTF-8", "TZ=UTC", "DEB_BUILD_OPTIONS=noautodbgsym",
    "dpkg-buildpackage", "--build=full", "--no-sign", "--no-check-builddeps",
)  # fmt: skip


def _stage(component: Component, target: Target, folder: Path, extra_version: str) -> None:
    """Copy the component's files, and make what dpkg-source needs beside them."""
    for path in tree_files(component):
        copy = folder / path.relative_to(REPO)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
        copy.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
    changelog = folder / "debian/changelog"
    changelog.write_text(target_changelog(changelog.read_text(), target, extra_version))

"""Debian packages of this tree: its files copied into a clean root of the target and built there."""

from __future__ import annotations

import os
import shutil
import tempfile
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from debian.changelog import Changelog
from debian.deb822 import Deb822, PkgRelation
from debian.debian_support import Version

from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.tree import TreeFile, write_tree
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import as_root

if TYPE_CHECKING:
    from kronos_packaging.declarations import Target
    from xapi_shim.base.progress import Reporter

TAIL = 40
# What dpkg-buildpackage itself needs; everything else is in debian/control.
BASE_PACKAGES = ("build-essential", "fakeroot")
# Source and binary packages, unsigned: the repository's signature is what clients check.
BUILD_ARGV = ("dpkg-buildpackage", "--build=full", "--no-sign")
BUILD_ENVIRONMENT = {"DEB_BUILD_OPTIONS": "noautodbgsym"}


class BuildError(KronosError):
    """A package could not be built; says where the log is and shows its end."""

    def __init__(self, what: str, log: Path) -> None:
        tail = log.read_text(errors="replace").splitlines()[-TAIL:]
        super().__init__("\n".join([f"building {what} failed, see {log}:", *tail]))
        self.log = log


def build_packages(control: str) -> tuple[str, ...]:
    """Return the packages of a build root, from the text of debian/control: first alternatives."""
    source = Deb822(control)
    fields = [source.get(name) for name in ("Build-Depends", "Build-Depends-Indep")]
    wanted = ", ".join(field for field in fields if field)
    relations = PkgRelation.parse_relations(wanted)
    declared = {alternatives[0]["name"] for alternatives in relations if alternatives[0]["name"]}
    return tuple(sorted({*BASE_PACKAGES, *declared}))


def target_changelog(text: str, target: Target, extra_version: str = "") -> str:
    """Return a changelog whose top entry is for `target`: 0.1.0 becomes 0.1.0+deb12.

    A later release's suffix sorts higher, so that a host's upgrade to it upgrades us too. The
    date stays that of the entry: two builds of the same tree are identical.
    """
    changelog = Changelog(text)
    changelog.version = Version(f"{changelog.full_version}{extra_version}{target.version_suffix}")
    changelog.distributions = target.suite
    return str(changelog)


def changelog_date(text: str) -> int:
    """Return the seconds since 1970 of a changelog's top entry (dpkg's SOURCE_DATE_EPOCH)."""
    date = Changelog(text).date
    if not date:
        raise KronosError("debian/changelog: its top entry has no date")
    return int(parsedate_to_datetime(date).timestamp())


def prepare_source(
    files: tuple[TreeFile, ...], target: Target, extra_version: str = ""
) -> tuple[TreeFile, ...]:
    """Return the source package's files: those of the tree, with the changelog of `target`."""

    def prepared(file: TreeFile) -> TreeFile:
        if file.path != "debian/changelog":
            return file
        return TreeFile(file.path, target_changelog(file.content.decode(), target, extra_version).encode())

    return tuple(prepared(file) for file in files)


def build_debs(
    files: tuple[TreeFile, ...], target: Target, out: Path, reporter: Reporter, *, extra_version: str = ""
) -> list[Path]:
    """Build the packages of the source `files` for `target` into `out`; return what was built.

    The build has no network. Its log stays in `out`. Raises BuildError with the end of the log.
    """
    texts = {file.path: file.content.decode() for file in files if file.path.startswith("debian/c")}
    tar = ensure_root_tar(target, build_packages(texts["debian/control"]), reporter)
    out.mkdir(parents=True, exist_ok=True)
    log = out / "build.log"
    with clean_root(tar) as root, tempfile.TemporaryDirectory() as staged:
        source = prepare_source(files, target, extra_version)
        write_tree(source, Path(staged, "kronos"), changelog_date(texts["debian/changelog"]))
        build = os.fspath(root.path / "build")
        run(as_root(["cp", "--recursive", "--preserve=mode,timestamps", staged, build]))
        run(as_root(["chown", "--recursive", "root:root", build]))
        with reporter.stage(f"building packages for {target.name}"), log.open("w") as file:
            done = root.run(BUILD_ARGV, cwd="/build/kronos", env=BUILD_ENVIRONMENT, log=file, check=False)
        if done.returncode != 0:
            raise BuildError(f"for {target.name}", log)
        return _take(Path(build), out)


def _take(build: Path, out: Path) -> list[Path]:
    """Copy what dpkg-buildpackage left beside the source into `out`, as this user's."""
    results = sorted(path for path in build.iterdir() if path.is_file())
    for path in results:
        shutil.copyfile(path, out / path.name)
    return [out / path.name for path in results]

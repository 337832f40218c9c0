"""Debian packages: a source staged in a clean root of the target and built there, without network."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from debian.changelog import Changelog
from debian.deb822 import Deb822, PkgRelation
from debian.debian_support import Version

from kronos_packaging.build_root import cache_dir, clean_root, ensure_root_tar
from kronos_packaging.change_source import apply_changes
from kronos_packaging.distro_source import unpack
from kronos_packaging.tree import TreeFile, write_tree
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import as_root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kronos_packaging.build_root import Root
    from kronos_packaging.declarations import Recipe, Target
    from kronos_packaging.distro_source import DistroSource
    from xapi_shim.base.progress import Reporter

TAIL = 40
# What dpkg-buildpackage itself needs; everything else is in debian/control.
BASE_PACKAGES = ("build-essential", "fakeroot")
# Source and binary packages, unsigned: the repository's signature is what clients check.
BUILD_ARGV = ("dpkg-buildpackage", "--build=full", "--no-sign")
CCACHE_PLACE = "/ccache"
CCACHE_SIZE = "2G"


class BuildError(KronosError):
    """A package could not be built; says where the log is and shows its end."""

    def __init__(self, what: str, log: Path) -> None:
        tail = log.read_text(errors="replace").splitlines()[-TAIL:]
        super().__init__("\n".join([f"building {what} failed, see {log}:", *tail]))
        self.log = log


class DebSource(Protocol):
    """A Debian source that can be laid out for dpkg-buildpackage."""

    @property
    def name(self) -> str:
        """The component's name."""

    def stage(self, folder: Path) -> Path:
        """Write it below `folder`, with what dpkg-source wants beside it; return its own folder."""


@dataclass(frozen=True)
class TreeSource:
    """Our tree as a native Debian source."""

    name: str
    files: tuple[TreeFile, ...]
    target: Target
    extra_version: str = ""

    def stage(self, folder: Path) -> Path:
        source = prepare_source(self.files, self.target, self.extra_version)
        (changelog,) = (file for file in self.files if file.path == "debian/changelog")
        write_tree(source, folder / self.name, changelog_date(changelog.content.decode()))
        return folder / self.name


@dataclass(frozen=True)
class ChangedSource:
    """A distro's source with our changes."""

    name: str
    recipe: Recipe
    target: Target
    found: DistroSource
    maintainer: str

    def stage(self, folder: Path) -> Path:
        source = unpack(self.found, folder)
        apply_changes(self.recipe, self.target, source, self.maintainer)
        return source


@dataclass(frozen=True)
class Surroundings:
    """What a build sees of its surroundings; packages must be the same in any (see the tests)."""

    folder: str = "/build"
    user: int = 0
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ccache: bool = False
    jobs: int = 0
    days_ahead: int = 0


def build_packages(control: str, architecture: str = "amd64") -> tuple[str, ...]:
    """Return the packages of a build root, from the text of debian/control: first alternatives."""
    source = Deb822(control)
    fields = [source.get(name) for name in ("Build-Depends", "Build-Depends-Arch", "Build-Depends-Indep")]
    wanted = ", ".join(field.strip().rstrip(",") for field in fields if field)
    declared = set(BASE_PACKAGES)
    for alternatives in PkgRelation.parse_relations(wanted):
        usable = [one for one in alternatives if one["name"] and _applies(one, architecture)]
        if usable:
            declared.add(usable[0]["name"])
    return tuple(sorted(declared))


def _applies(relation: PkgRelation.ParsedRelation, architecture: str) -> bool:
    """Whether a build dependency is one on `architecture` without build profiles (Debian Policy 7.1)."""
    arches = relation["arch"] or []
    positive = [word.arch for word in arches if word.enabled]
    negative = [word.arch for word in arches if not word.enabled]
    families = (architecture, "any", "linux-any", f"any-{architecture}")
    here = any(arch in families for arch in positive) if positive else True
    if any(arch in families for arch in negative):
        here = False
    groups = relation["restrictions"] or []
    return here and (not groups or any(all(not word.enabled for word in group) for group in groups))


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
    """Build the packages of the tree's `files` for `target` into `out`; see build_source."""
    return build_source(TreeSource("kronos", files, target, extra_version), target, out, reporter)


def build_source(
    source: DebSource,
    target: Target,
    out: Path,
    reporter: Reporter,
    surroundings: Surroundings | None = None,
    *,
    needed: tuple[Path, ...] = (),
) -> list[Path]:
    """Build the packages of `source` for `target` into `out`; return what was built.

    The .debs in the folders `needed` are installed first. The build has no network. Its log stays in `out`. Raises BuildError with the end of the log.
    """
    around = surroundings or Surroundings()
    out.mkdir(parents=True, exist_ok=True)
    log = out / "build.log"
    with tempfile.TemporaryDirectory() as staged:
        placed = source.stage(Path(staged))
        packages = build_packages((placed / "debian/control").read_text(), target.architecture)
        wanted = (
            *packages,
            *(["ccache"] if around.ccache else []),
            *(["faketime"] if around.days_ahead else []),
        )
        with clean_root(ensure_root_tar(target, wanted, reporter)) as root:
            _install(root, needed)
            build = root.path / around.folder.lstrip("/")
            run(as_root(["mkdir", "--parents", os.fspath(build.parent)]))
            run(as_root(["cp", "--recursive", "--preserve=mode,timestamps", staged, os.fspath(build)]))
            run(as_root(["chown", "--recursive", f"{around.user}:{around.user}", os.fspath(build)]))
            with reporter.stage(f"building {source.name} for {target.name}"):
                _build(root, placed.name, around, log, target)
            return _take(build, out)


def _install(root: Root, folders: tuple[Path, ...]) -> None:
    """Install packages that were built before, and from the distro what these depend on."""
    debs = [deb for folder in folders for deb in sorted(folder.glob("*.deb"))]
    for deb in debs:
        root.copy_in(deb, f"/needed/{deb.name}")
    if debs:
        root.run(["apt-get", "update", "--quiet=2"], network=True)
        names = [f"/needed/{deb.name}" for deb in debs]
        root.run(["apt-get", "install", "--yes", "--no-install-recommends", *names], network=True)


def _build(root: Root, name: str, around: Surroundings, log: Path, target: Target) -> None:
    jobs = around.jobs or os.cpu_count() or 1
    env = {"DEB_BUILD_OPTIONS": "noautodbgsym", **around.env}
    binds = {}
    if around.ccache:
        kept = cache_dir() / "ccache"
        kept.mkdir(parents=True, exist_ok=True)
        binds[kept] = CCACHE_PLACE
        # No CCACHE_BASEDIR: it rewrites paths, and debug information would tell whether there was a ccache.
        env |= {"CCACHE_DIR": CCACHE_PLACE, "CCACHE_MAXSIZE": CCACHE_SIZE}
        env["PATH"] = "/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin"
    user = ["setpriv", f"--reuid={around.user}", f"--regid={around.user}", "--clear-groups"]
    clock = ["faketime", "-f", f"+{around.days_ahead}d"]
    argv = [
        *(user if around.user else []),
        *(clock if around.days_ahead else []),
        *BUILD_ARGV,
        f"--jobs={jobs}",
    ]
    with log.open("w") as file:
        done = root.run(argv, cwd=f"{around.folder}/{name}", env=env, binds=binds, log=file, check=False)
    if done.returncode != 0:
        raise BuildError(f"{name} for {target.name}", log)


def _take(build: Path, out: Path) -> list[Path]:
    """Copy what dpkg-buildpackage left beside the source into `out`, as this user's."""
    results = sorted(path for path in build.iterdir() if path.is_file())
    for path in results:
        shutil.copyfile(path, out / path.name)
    return [out / path.name for path in results]

"""What a build costs beside what it cannot do without: make, dpkg-buildpackage, rpmbuild."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging import bench_repository
from kronos_packaging.bench import Row, Times, calibrate, in_turn, repeated
from kronos_packaging.build_deb import BUILD_ARGV, Surroundings, build_packages, build_source
from kronos_packaging.build_root import cache_dir, clean_root, ensure_root_tar
from kronos_packaging.build_rpm import build_spec, place_source, rpmbuild_argv, stand_in_root, write_source
from kronos_packaging.declarations import REPO, Format, first_target, load_components, load_target
from kronos_packaging.factory import SYSTEM_PACKAGES
from kronos_packaging.inputs import read_inputs
from kronos_packaging.local_engine import deb_source
from kronos_packaging.rpm_source import tree_source
from kronos_packaging.tree import read_tree, write_tree
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import as_root, ensure_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_packaging.build_deb import DebSource
    from kronos_packaging.build_root import Root
    from kronos_packaging.declarations import Target
    from xapi_shim.base.progress import Reporter

# The line of a target's declaration that is another without Xen.
BUILDS = re.compile(r"^builds = .*$", re.MULTILINE)
CHANGED = "xapi_shim/base/errors.py"


@dataclass(frozen=True)
class Wish:
    """What is to be measured: for which target, how often, whether Xen (minutes) too, repositories how large."""

    target: Target
    runs: int
    xen: bool
    packages: tuple[int, ...] = ()


@dataclass
class Scratch:
    """A copy of this tree, in which `./inv build` can be run and files be changed."""

    path: Path
    target: Target
    changes: int = 0

    def build(self) -> None:
        """Run `./inv build` as a person does. Raises ProcessError."""
        keys = {"KRONOS_SIGNING_HOME": os.fspath(self.path.with_name("signing"))}
        run([self.path / "inv", "build", "--target", self.target.name], env=keys)

    def change_a_line(self) -> None:
        """Change one line of the toolstack."""
        self.changes += 1
        place = self.path / CHANGED
        place.write_text(f"{place.read_text()}# change {os.getpid()}.{self.changes}\n")


@contextmanager
def scratch(wish: Wish) -> Iterator[Scratch]:
    """Copy the tree as it is, git's files only, with a signing key of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tree")
        write_tree(read_tree(["."]), path, 0)
        if not wish.xen:
            place = path / "packaging/targets" / f"{wish.target.name}.toml"
            place.write_text(BUILDS.sub('builds = ["kronos"]', place.read_text()))
        run(["git", "init", "--quiet", path])
        run(["git", "-C", path, "add", "--all"])
        yield Scratch(path, wish.target)


def measure(wish: Wish, reporter: Reporter) -> tuple[list[Row], list[Times]]:
    """Return all comparisons, and what calibrations before, between and after them took.

    Raises KronosError when something cannot be built.
    """
    ensure_packages((*SYSTEM_PACKAGES, "make"), reporter=reporter)
    rows, noise = [], [calibrate()]
    for case in (_rebuilds, _cold_debs, _cold_rpms, _repositories, *([_cold_xen] if wish.xen else [])):
        with reporter.stage(f"measuring {case.__name__.strip('_').replace('_', ' ')}"):
            rows += case(wish, reporter)
        noise.append(calibrate())
    return rows, noise


def _rebuilds(wish: Wish, reporter: Reporter) -> list[Row]:
    (recipe,) = (c.deb for c in load_components() if c.name == "kronos")
    assert recipe is not None
    with scratch(wish) as tree:
        with reporter.stage("building a copy of this tree once"):
            tree.build()
        makefile = tree.path.with_name("Makefile")
        names = " ".join(os.fspath(tree.path / file.path) for file in read_tree(recipe.own_paths))
        makefile.write_text(f"done: {names}\n\ttouch done\n")
        make = ["make", "--quiet", "--directory", os.fspath(tree.path.parent)]
        run(make)
        noop = in_turn(wish.runs, tree.build, lambda: run(make))

        def change() -> None:
            tree.change_a_line()
            tree.build()

        changed = repeated(wish.runs, change)
        published = [os.fspath(p) for p in tree.path.glob("dist/apt/pool/**/*.deb")]
    if not published:
        raise KronosError("the copy of this tree published nothing")
    return [
        Row("build, nothing changed", noop[0], "make, same files", noop[1], "< 1 s"),
        Row("one line changed, to a signed repository", changed, wanted="< 15 s"),
    ]


def _cold_debs(wish: Wish, reporter: Reporter) -> list[Row]:
    source = _source("kronos", wish, reporter)
    with plain_build(source, wish.target, reporter) as plain:
        ours, theirs = in_turn(wish.runs, lambda: _build(source, wish, reporter), plain)
    note = "ours unpacks a clean root each time"
    return [Row("this tree's packages, cold", ours, "dpkg-buildpackage, same root", theirs, note=note)]


def _build(source: DebSource, wish: Wish, reporter: Reporter, around: Surroundings | None = None) -> None:
    with tempfile.TemporaryDirectory() as out:
        build_source(source, wish.target, Path(out), reporter, around)


def _source(component: str, wish: Wish, reporter: Reporter) -> DebSource:
    return deb_source(
        component, read_inputs([wish.target.name], REPO / "dist", reporter).of(wish.target.name)
    )


@contextmanager
def plain_build(source: DebSource, target: Target, reporter: Reporter) -> Iterator[Plain]:
    """Yield what runs dpkg-buildpackage alone, in a root that stands ready."""
    with tempfile.TemporaryDirectory() as folder:
        placed = source.stage(Path(folder))
        packages = build_packages((placed / "debian/control").read_text(), target.architecture)
        with clean_root(ensure_root_tar(target, packages, reporter)) as root:
            yield Plain(root, Path(folder), placed.name)


@dataclass(frozen=True)
class Plain:
    """Calling it builds `name` below `staged` in `root`."""

    root: Root
    staged: Path
    name: str

    def __call__(self) -> None:
        build = os.fspath(self.root.path / "build")
        run(as_root(["rm", "--recursive", "--force", build]))
        run(as_root(["cp", "--recursive", "--preserve=mode,timestamps", os.fspath(self.staged), build]))
        run(as_root(["chown", "--recursive", "0:0", build]))
        env = {"DEB_BUILD_OPTIONS": f"noautodbgsym parallel={os.cpu_count() or 1}"}
        self.root.run(BUILD_ARGV, cwd=f"/build/{self.name}", env=env)


def _cold_rpms(wish: Wish, reporter: Reporter) -> list[Row]:
    """Compare in the stand-in root, where this machine has mock too: a root of mock's is another thing to make."""
    target = wish.target if wish.target.format is Format.RPM else first_target(Format.RPM)
    (recipe,) = (c.rpm for c in load_components() if c.name == "kronos")
    assert recipe is not None
    source = tree_source(read_tree(recipe.own_paths))

    def build() -> None:
        with tempfile.TemporaryDirectory() as out:
            build_spec(source, target, Path(out), reporter, Surroundings())

    with tempfile.TemporaryDirectory() as staged, stand_in_root(source, reporter) as root:
        write_source(source, Path(staged))

        def plain() -> None:
            run(as_root(["rm", "--recursive", "--force", os.fspath(root.path / "build")]))
            place_source(root, Path(staged), "/build", 0)
            root.run(rpmbuild_argv(f"SPECS/{source.name}.spec", "/build", target), cwd="/build")

        ours, theirs = in_turn(wish.runs, build, plain)
    note = f"for {target.name}; ours unpacks a clean root each time"
    return [Row("this tree's rpms, cold", ours, "rpmbuild, same root", theirs, note=note)]


def _repositories(wish: Wish, reporter: Reporter) -> list[Row]:
    return bench_repository.measure(wish.runs, reporter, wish.packages)


def _cold_xen(wish: Wish, reporter: Reporter) -> list[Row]:
    source = _source("xen", wish, reporter)
    with plain_build(source, wish.target, reporter) as plain:
        cold, theirs = in_turn(1, lambda: _build(source, wish, reporter), plain)
    kept = cache_dir() / "ccache"
    aside = kept.with_name(f"ccache.{os.getpid()}")
    if kept.exists():
        kept.rename(aside)
    try:
        filling = repeated(1, lambda: _build(source, wish, reporter, Surroundings(ccache=True)))
        warm = repeated(1, lambda: _build(source, wish, reporter, Surroundings(ccache=True)))
    finally:
        if aside.exists():
            shutil.rmtree(kept, ignore_errors=True)
            aside.rename(kept)
    peer = "dpkg-buildpackage, same root"
    return [
        Row("Xen, cold, without ccache", cold, peer, theirs),
        Row("Xen, filling ccache", filling, peer, theirs),
        Row("Xen, ccache full", warm, peer, theirs),
    ]


def wish_for(target: str, runs: int, *, xen: bool, packages: str = "") -> Wish:
    """Return what is to be measured; `packages` are numbers between commas. Raises DeclarationError, KronosError."""
    counts = tuple(int(one) for one in packages.split(",") if re.fullmatch("[1-9][0-9]*", one))
    if packages and len(counts) != packages.count(",") + 1:
        raise KronosError(f"{packages!r}: no numbers of packages", resolution="write them so: 10,1000")
    return Wish(load_target(target), runs, xen, counts)

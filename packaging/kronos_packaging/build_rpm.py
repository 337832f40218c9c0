"""rpm packages: built by mock where the machine has it, else in a declared stand-in root; without network.

The stand-in is a clean root of Debian with rpm: `rpm/macros.stand-in` defines what a Fedora build root does,
and [build] of packaging/name_map.toml says which Debian packages stand in for which build requirements. It
makes packages of scripts as Fedora would; what is compiled is linked with Debian's libraries, and is never
published (docs/support-matrix.md).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging.build_deb import BuildError, Surroundings
from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.declarations import REPO, Source, load_target
from kronos_packaging.fetch import fetch_source
from kronos_packaging.name_map import load_name_map
from kronos_packaging.rpm_source import build_requires, tree_source, upstream_source
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import as_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kronos_packaging.build_root import Root
    from kronos_packaging.declarations import Recipe, Target
    from kronos_packaging.rpm_source import SpecSource
    from kronos_packaging.tree import TreeFile
    from xapi_shim.base.progress import Reporter

STAND_IN = "debian-13"
# What every Fedora build root has, by Debian's names.
STAND_IN_PACKAGES = ("bzip2", "diffutils", "gawk", "patch", "rpm", "unzip", "xz-utils")
MACROS = REPO / "rpm/macros.stand-in"
# Read after what rpm says of the platform, whose places are Debian's (rpm(8), FILES).
MACROS_PLACE = "/etc/rpm/macros.kronos-stand-in"
BUILD_HOST = "kronos"
BASE_SPEC = """\
Name: stand-in-base
Version: 1
Release: 1
Summary: What the stand-in root has under its Fedora name
License: Apache-2.0
BuildArch: noarch
{provides}
%description
What the stand-in root has under its Fedora name.
%files
"""


def build_rpms(
    files: tuple[TreeFile, ...], target: Target, out: Path, reporter: Reporter, *, extra_version: str = ""
) -> list[Path]:
    """Build the packages of the tree's `files` for `target` into `out`; see build_spec."""
    return build_spec(tree_source(files, extra_version), target, out, reporter)


def build_component(
    name: str, recipe: Recipe, files: tuple[TreeFile, ...], target: Target, out: Path, reporter: Reporter
) -> list[Path]:
    """Build a component's packages for `target` into `out`; see build_spec. Raises FetchError too."""
    if recipe.source is Source.TREE:
        return build_rpms(files, target, out, reporter)
    return build_spec(
        upstream_source(name, recipe, files, fetch_source(recipe, reporter)), target, out, reporter
    )


def unavailable_here(recipe: Recipe) -> str:
    """Return why a component's rpms cannot be built on this machine, "" when they can."""
    if recipe.source is Source.UPSTREAM and not have_mock():
        return "what is compiled is built in Fedora's own root only, by mock, which this machine has not"
    return ""


def have_mock() -> bool:
    """Whether mock(1) is installed."""
    return shutil.which("mock") is not None


def build_spec(
    source: SpecSource,
    target: Target,
    out: Path,
    reporter: Reporter,
    surroundings: Surroundings | None = None,
) -> list[Path]:
    """Build the source package and packages of `source` for `target` into `out`; return them.

    The build has no network. Its log stays in `out`. Raises BuildError with the end of the log.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as staged:
        write_source(source, Path(staged))
        if surroundings is None and have_mock():
            return _build_by_mock(source, target, Path(staged), out, reporter)
        return _build_in_stand_in(source, target, Path(staged), out, reporter, surroundings or Surroundings())


def write_source(source: SpecSource, folder: Path) -> None:
    """Write SPECS/ and SOURCES/ below `folder`, dated as the changelog, with plain modes."""
    for place in ("SPECS", "SOURCES"):
        (folder / place).mkdir()
    spec = folder / "SPECS" / f"{source.name}.spec"
    spec.write_text(source.spec)
    for name, content in source.files.items():
        if isinstance(content, bytes):
            (folder / "SOURCES" / name).write_bytes(content)
        else:
            shutil.copyfile(content, folder / "SOURCES" / name)
    for path in (spec, *(folder / "SOURCES").iterdir()):
        path.chmod(0o644)
        os.utime(path, (source.date_s, source.date_s))


def reproducible_macros() -> dict[str, str]:
    """Return the macros by which the same source gives the same packages (rpm's doc/manual/macros)."""
    return {
        "_buildhost": BUILD_HOST,
        "use_source_date_epoch_as_buildtime": "1",
        "clamp_mtime_to_source_date_epoch": "1",
        "build_mtime_policy": "clamp_to_source_date_epoch",
        "source_date_epoch_from_changelog": "0",
    }


def target_macros(target: Target) -> dict[str, str]:
    """Return what a release's own build root says of itself."""
    return {"fedora": target.release, "dist": target.version_suffix, "python3_version": target.python}


def _defines(macros: dict[str, str]) -> list[str]:
    return [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]


def mock_argv(target: Target, out: Path, *what: str | Path) -> list[str]:
    """Return the mock(1) command that does `what` in the release's own root, without network."""
    options = [
        f"--root={target.distribution}-{target.release}-{target.architecture}",
        "--isolation=simple",
        "--config-opts=rpmbuild_networking=False",
        f"--resultdir={out}",
    ]
    return ["mock", *options, *_defines(reproducible_macros()), *(os.fspath(word) for word in what)]


def _build_by_mock(
    source: SpecSource, target: Target, staged: Path, out: Path, reporter: Reporter
) -> list[Path]:
    log = out / "build.log"
    spec, sources = staged / "SPECS" / f"{source.name}.spec", staged / "SOURCES"
    env = {"SOURCE_DATE_EPOCH": str(source.date_s)}
    with reporter.stage(f"building {source.name} for {target.name} by mock"), log.open("w") as file:
        steps = ("--buildsrpm", f"--spec={spec}", f"--sources={sources}"), ("--rebuild",)
        for step in steps:
            packages = [path for path in out.glob("*.src.rpm") if step == steps[-1]]
            done = run(mock_argv(target, out, *step, *packages), env=env, log=file, check=False)
            if done.returncode != 0:
                raise BuildError(f"{source.name} for {target.name}", log)
    return sorted(out.glob("*.rpm"))


def stand_in_packages(required: Iterable[str], mapped: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the Debian packages of the stand-in root; what is not mapped rpmbuild will miss."""
    return tuple(sorted({*STAND_IN_PACKAGES, *(name for need in required for name in mapped.get(need, ()))}))


def base_spec(required: Iterable[str], mapped: dict[str, tuple[str, ...]]) -> str:
    """Return a spec of a package that provides those requirements that the stand-in root meets."""
    met = [f"Provides: {need}" for need in required if need in mapped]
    return BASE_SPEC.format(provides="\n".join(met))


def rpmbuild_argv(spec: str, topdir: str, target: Target) -> list[str]:
    """Return the rpmbuild(8) command for source package and packages."""
    macros = {"_topdir": topdir, **target_macros(target), **reproducible_macros()}
    return ["rpmbuild", "-ba", f"--target={target.architecture}-redhat-linux", *_defines(macros), spec]


@contextmanager
def stand_in_root(source: SpecSource, reporter: Reporter, also: Iterable[str] = ()) -> Iterator[Root]:
    """Yield a clean root that has what the spec requires, and the Debian packages `also`."""
    mapped = dict(load_name_map().build)
    required = build_requires(source.spec)
    wanted = [*stand_in_packages(required, mapped), *also]
    with clean_root(ensure_root_tar(load_target(STAND_IN), wanted, reporter)) as root:
        root.copy_in(MACROS, MACROS_PLACE)
        _declare_base(root, base_spec(required, mapped))
        yield root


def place_source(root: Root, staged: Path, folder: str, user: int) -> Path:
    """Copy what write_source wrote to `folder` in the root, `user`'s; return where that is outside."""
    build = root.path / folder.lstrip("/")
    run(as_root(["mkdir", "--parents", os.fspath(build.parent)]))
    run(as_root(["cp", "--recursive", "--preserve=mode,timestamps", os.fspath(staged), os.fspath(build)]))
    run(as_root(["chown", "--recursive", f"{user}:{user}", os.fspath(build)]))
    return build


def _build_in_stand_in(
    source: SpecSource, target: Target, staged: Path, out: Path, reporter: Reporter, around: Surroundings
) -> list[Path]:
    log = out / "build.log"
    with stand_in_root(source, reporter, ["faketime"] if around.days_ahead else []) as root:
        build = place_source(root, staged, around.folder, around.user)
        with reporter.stage(f"building {source.name} for {target.name}"), log.open("w") as file:
            argv = [
                *_as_surrounded(around),
                *rpmbuild_argv(f"SPECS/{source.name}.spec", around.folder, target),
            ]
            env = {"SOURCE_DATE_EPOCH": str(source.date_s), **_jobs(around), **around.env}
            done = root.run(argv, cwd=around.folder, env=env, log=file, check=False)
        if done.returncode != 0:
            raise BuildError(f"{source.name} for {target.name}", log)
        return _take(build, out)


def _declare_base(root: Root, spec: str) -> None:
    """Put into the root's rpm database what its Debian packages provide."""
    root.write("/base/base.spec", spec)
    root.run(["rpmbuild", "-bb", "--define", "_topdir /base", "/base/base.spec"])
    packages = [f"/{path.relative_to(root.path)}" for path in (root.path / "base/RPMS").rglob("*.rpm")]
    root.run(["rpm", "--install", "--justdb", "--nosignature", *packages])


def _as_surrounded(around: Surroundings) -> list[str]:
    user = ["setpriv", f"--reuid={around.user}", f"--regid={around.user}", "--clear-groups"]
    return [
        *(user if around.user else []),
        *(["faketime", "-f", f"+{around.days_ahead}d"] if around.days_ahead else []),
    ]


def _jobs(around: Surroundings) -> dict[str, str]:
    return {"RPM_BUILD_NCPUS": str(around.jobs or os.cpu_count() or 1)}


def _take(build: Path, out: Path) -> list[Path]:
    """Copy what rpmbuild made into `out`, as this user's."""
    results = sorted([*(build / "RPMS").rglob("*.rpm"), *(build / "SRPMS").glob("*.rpm")])
    for path in results:
        shutil.copyfile(path, out / path.name)
    return [out / path.name for path in results]

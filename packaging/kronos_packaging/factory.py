"""From the tree to dist/: plan, build what changed, publish."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging.apt_repo import SourcesEntry, publish
from kronos_packaging.build_root import cache_dir
from kronos_packaging.declarations import REPO, load_components, load_target, this_release
from kronos_packaging.plan import Action, content_key, plan_build
from kronos_packaging.sign import Signer, signing_home
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from kronos_packaging.declarations import Component, Target
    from kronos_packaging.plan import Job
    from xapi_shim.base.progress import Reporter

SYSTEM_PACKAGES = (
    "mmdebstrap", "apt-utils", "gnupg", "gpgv", "dpkg-dev", "git", "xz-utils", "gzip",
    "debian-archive-keyring", "util-linux", "mount",
)  # fmt: skip
DIST = REPO / "dist"
STATE = "built.json"
# Another number here builds everything anew: the way of building changed.
BUILDER = "1"


def plan(target: Target, dist: Path = DIST) -> tuple[Job, ...]:
    """Return what a build would do for `target`, and why."""
    from kronos_packaging.build_deb import tree_files

    components = load_components()
    keys = {}
    for component in components:
        files = tree_files(component) if component.paths else []
        content = [(str(p.relative_to(REPO)), p.stat().st_mode, p.read_bytes()) for p in files]
        keys[component.name] = content_key(content, target, BUILDER)
    return plan_build(components, target, keys, _published(dist).get(target.name, {}))


def _published(dist: Path) -> dict[str, dict[str, str]]:
    """Return target to component to key of what the repository in `dist` holds."""
    try:
        state = json.loads((dist / STATE).read_text())
    except (OSError, ValueError):
        return {}
    return state if (dist / "apt").is_dir() else {}


def default_target() -> str:
    """Return the target that this machine is. Raises DeclarationError."""
    return this_release(Path("/etc/os-release").read_text())


def build(
    target_names: list[str], reporter: Reporter, *, dist: Path = DIST, base_url: str = ""
) -> tuple[Job, ...]:
    """Build and publish what changed for the targets; return what was done.

    Leaves dist/apt, dist/kronos.sources and dist/kronos-archive-keyring.pgp. Raises KronosError.
    """
    targets = [load_target(name) for name in target_names]
    jobs = [job for target in targets for job in plan(target, dist)]
    for job in jobs:
        reporter.line(f"{job.target}: {job.component}: {job.action}: {job.reason}")
    if all(job.action is Action.SKIP for job in jobs):
        reporter.line("nothing to do: the repository is up to date")
        return tuple(jobs)
    ensure_packages(SYSTEM_PACKAGES, reporter=reporter)
    components = {component.name: component for component in load_components()}
    for job in jobs:
        if job.action is Action.BUILD:
            _ensure_built(components[job.component], load_target(job.target), job.key, reporter)
    _publish(jobs, dist, base_url, reporter)
    return tuple(jobs)


def built_folder(target: Target, component: str, key: str) -> Path:
    """Return where the cache keeps the packages made from the content `key`."""
    return cache_dir() / "packages" / target.name / f"{component}-{key}"


def _ensure_built(component: Component, target: Target, key: str, reporter: Reporter) -> None:
    from kronos_packaging.build_deb import build_debs

    folder = built_folder(target, component.name, key)
    if folder.exists():
        return
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    build_debs(component, target, part, reporter)
    part.rename(folder)


def _publish(jobs: list[Job], dist: Path, base_url: str, reporter: Reporter) -> None:
    dist.mkdir(exist_ok=True)
    state = _published(dist)
    for job in jobs:
        if job.key:
            state.setdefault(job.target, {})[job.component] = job.key
    builds = []
    for name, built in sorted(state.items()):
        target = load_target(name)
        folder = built_folder(target, "kronos", built["kronos"])
        if folder.exists():
            builds.append((target, folder))
    signer, keyring = Signer(signing_home()), dist / "kronos-archive-keyring.pgp"
    signer.ensure_key(reporter)
    signer.export(keyring)
    with reporter.stage("publishing dist/apt"):
        publish(builds, signer, dist / "apt", keyring)
    suite = load_target(jobs[0].target).suite
    uri = base_url or f"file://{dist / 'apt'}"
    (dist / "kronos.sources").write_text(SourcesEntry(uri, suite).render())
    text = json.dumps({target.name: state[target.name] for target, _ in builds}, indent=1)
    (dist / STATE).write_text(text)


def as_json(jobs: tuple[Job, ...]) -> str:
    """Return the jobs for scripts."""
    return json.dumps([asdict(job) for job in jobs], indent=1)


def dist_size(dist: Path = DIST) -> int:
    """Return the bytes of all files below `dist`."""
    return sum(p.stat().st_size for p in dist.rglob("*") if p.is_file() and not os.path.islink(p))

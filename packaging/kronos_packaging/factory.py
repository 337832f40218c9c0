"""From the tree to dist/: plan, build what changed, publish."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging.build_root import cache_dir, prune_cache
from kronos_packaging.declarations import (
    REPO,
    Source,
    declared_targets,
    load_components,
    load_target,
    this_release,
)
from kronos_packaging.plan import Action, content_key, plan_build
from kronos_packaging.tree import read_tree
from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_packaging.declarations import Component, Target
    from kronos_packaging.plan import Job
    from kronos_packaging.tree import TreeFile
    from xapi_shim.base.progress import Reporter

SYSTEM_PACKAGES = (
    "mmdebstrap", "apt-utils", "gnupg", "gpgv", "dpkg-dev", "git", "xz-utils", "gzip",
    "debian-archive-keyring", "util-linux", "mount",
)  # fmt: skip
DIST = REPO / "dist"
KEYRING = "kronos-archive-keyring.pgp"
STATE = "built.json"
# Another number here builds everything anew: the way of building changed.
BUILDER = "2"


@dataclass(frozen=True)
class Inputs:
    """A snapshot of all that decides what is to be done; what is built is built from it too."""

    components: tuple[Component, ...]
    targets: tuple[Target, ...]
    files: dict[str, tuple[TreeFile, ...]]
    published: dict[str, dict[str, str]]


def read_inputs(target_names: list[str], dist: Path = DIST) -> Inputs:
    """Read declarations, tree and what `dist` holds. Raises KronosError."""
    components = load_components()
    targets = tuple(load_target(name) for name in target_names)
    files = {c.name: read_tree(c) for c in components if c.source is Source.TREE}
    return Inputs(components, targets, files, read_published(dist))


def plan_targets(inputs: Inputs) -> tuple[Job, ...]:
    """Return what is to be done for every target, and why."""
    jobs: list[Job] = []
    for target in inputs.targets:
        keys = {name: content_key(files, target, BUILDER) for name, files in inputs.files.items()}
        jobs += plan_build(inputs.components, target, keys, inputs.published.get(target.name, {}))
    return tuple(jobs)


def plan(target: Target, dist: Path = DIST) -> tuple[Job, ...]:
    """Return what a build of one target would do."""
    return plan_targets(read_inputs([target.name], dist))


def default_target() -> str:
    """Return the target that this machine is. Raises DeclarationError."""
    return this_release(Path("/etc/os-release").read_text())


def target_names(wish: str) -> list[str]:
    """Return the targets of `--target`: names between commas, `all`, or nothing for this machine's."""
    if wish == "all":
        return declared_targets()
    return [name.strip() for name in wish.split(",")] if wish else [default_target()]


def build(
    target_names: list[str], reporter: Reporter, *, dist: Path = DIST, base_url: str = ""
) -> tuple[Job, ...]:
    """Build and publish what changed for the targets; return what was done.

    Leaves dist/apt, dist/kronos.sources and dist/kronos-archive-keyring.pgp. Raises KronosError;
    `dist` is then as it was.
    """
    with only_one(cache_dir() / "build.lock", reporter):
        inputs = read_inputs(target_names, dist)
        jobs = plan_targets(inputs)
        for job in jobs:
            reporter.line(f"{job.target}: {job.component}: {job.action}: {job.reason}")
        wanted = [job for job in jobs if job.action is Action.BUILD]
        if wanted:
            ensure_packages(SYSTEM_PACKAGES, reporter=reporter)
            for job in wanted:
                _ensure_built(job, inputs, reporter)
            _publish(jobs, inputs, dist, reporter)
            prune_cache(time.time())
        else:
            reporter.line("nothing to do: the repository is up to date")
        _write_sources(target_names[0], dist, base_url)
    return jobs


@contextmanager
def only_one(lock: Path, reporter: Reporter) -> Iterator[None]:
    """Hold `lock`, waiting for whoever holds it now; a killed holder holds nothing."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reporter.line("waiting for another build")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def built_folder(target: Target, component: str, key: str) -> Path:
    """Return where the cache keeps the packages made from the content `key`."""
    return cache_dir() / "packages" / target.name / f"{component}-{key}"


def _ensure_built(job: Job, inputs: Inputs, reporter: Reporter) -> None:
    """Build a job's packages into the cache, unless it has them."""
    from kronos_packaging.build_deb import build_debs

    target = load_target(job.target)
    folder = built_folder(target, job.component, job.key)
    if folder.exists():
        os.utime(folder)  # used now: see prune_cache
        return
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    build_debs(inputs.files[job.component], target, part, reporter)
    part.rename(folder)


def read_published(dist: Path) -> dict[str, dict[str, str]]:
    """Return target to component to key of what the repository in `dist` holds."""
    if not (dist / "apt").is_dir() or not (dist / KEYRING).exists():
        return {}
    try:
        state: dict[str, dict[str, str]] = json.loads((dist / STATE).read_text())
    except (OSError, ValueError):
        return {}
    return state


def _publish(jobs: tuple[Job, ...], inputs: Inputs, dist: Path, reporter: Reporter) -> None:
    """Publish what was built, beside what the repository holds for other targets."""
    from kronos_packaging.apt_repo import pool_folder, publish
    from kronos_packaging.sign import Signer, signing_home

    dist.mkdir(parents=True, exist_ok=True)
    state = {name: dict(built) for name, built in inputs.published.items()}
    folders = {name: pool_folder(dist / "apt", load_target(name)) for name in state}
    for job in jobs:
        if job.key:
            state.setdefault(job.target, {})[job.component] = job.key
            built = built_folder(load_target(job.target), job.component, job.key)
            folders[job.target] = built if built.exists() else folders[job.target]
    builds = [(load_target(name), folders[name]) for name in sorted(state)]
    with Signer(signing_home()) as signer, reporter.stage(f"publishing {dist / 'apt'}"):
        signer.ensure_key(reporter)
        signer.export(dist / KEYRING)
        publish(builds, signer, dist / "apt", dist / KEYRING)
    write_atomic(dist / STATE, json.dumps(state, indent=1).encode())


def _write_sources(first: str, dist: Path, base_url: str) -> None:
    """Write an apt source for every published target, and `first`'s as kronos.sources."""
    from kronos_packaging.apt_repo import SourcesEntry

    uri = base_url or f"file://{dist.absolute() / 'apt'}"
    for name in read_published(dist):
        text = SourcesEntry(uri, load_target(name).suite).render().encode()
        write_atomic(dist / f"kronos-{name}.sources", text)
        if name == first:
            write_atomic(dist / "kronos.sources", text)


def as_json(jobs: tuple[Job, ...]) -> str:
    """Return the jobs for scripts."""
    return json.dumps([asdict(job) for job in jobs], indent=1)

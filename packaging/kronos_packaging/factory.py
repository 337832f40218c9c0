"""From the tree to dist/: plan, build what changed, publish."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging.build_deb import changelog_date
from kronos_packaging.build_root import cache_dir, prune_cache
from kronos_packaging.declarations import REPO, Format, declared_targets, load_target, this_release
from kronos_packaging.engine import run_jobs
from kronos_packaging.inputs import STATE, plan_targets, read_inputs, read_published
from kronos_packaging.plan import Action
from kronos_packaging.provenance import attest
from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_packaging.declarations import Target
    from kronos_packaging.engine import Engine
    from kronos_packaging.inputs import Inputs
    from kronos_packaging.plan import Job

SYSTEM_PACKAGES = (
    "mmdebstrap", "apt-utils", "gnupg", "gpgv", "dpkg-dev", "git", "xz-utils", "gzip", "util-linux", "mount",
)  # fmt: skip
DIST = REPO / "dist"
# Two builds at once keep the machine busy while one of them configures or compresses.
AT_ONCE = 2


def default_target() -> str:
    """Return the target that this machine is. Raises DeclarationError."""
    return this_release(Path("/etc/os-release").read_text())


def target_names(wish: str) -> list[str]:
    """Return the targets of `--target`: names between commas, `all`, or nothing for this machine's."""
    if wish == "all":
        return declared_targets()
    return [name.strip() for name in wish.split(",")] if wish else [default_target()]


def build(
    target_names: list[str],
    reporter: Reporter,
    *,
    dist: Path = DIST,
    base_url: str = "",
    tolerant: bool = False,
    refresh: bool = False,
    engine: Engine | None = None,
) -> tuple[Job, ...]:
    """Build and publish what changed for the targets; return what was done.

    Leaves dist/apt, dist/kronos.sources and dist/kronos-archive-keyring.pgp. Raises KronosError;
    `dist` is then as it was.
    """
    from kronos_packaging.local_engine import LocalEngine, use_ccache
    from kronos_packaging.repository.publish import YUM_PACKAGES

    for name in target_names:
        # A name that there is no target of waits for nobody.
        load_target(name)
    with only_one(cache_dir() / "build.lock", reporter):
        ensure_packages(SYSTEM_PACKAGES, reporter=reporter)
        inputs = read_inputs(target_names, dist, reporter, tolerant=tolerant, refresh=refresh)
        jobs = plan_targets(inputs)
        for job in jobs:
            reporter.line(f"{job.target}: {job.component}: {job.action}: {job.reason}")
        if any(job.action is Action.BUILD for job in jobs):
            if any(load_target(job.target).format is Format.RPM for job in jobs):
                # What is in an rpm is read as soon as it is built, and long before it is published.
                ensure_packages(YUM_PACKAGES, reporter=reporter)
            builder = engine or LocalEngine(ccache=use_ccache())
            run_jobs(jobs, lambda job: _ensure_built(job, jobs, inputs, builder, reporter), AT_ONCE)
            _publish(jobs, inputs, dist, base_url, reporter)
            prune_cache(time.time())
        else:
            reporter.line("nothing to do: the repository is up to date")
        _write_sources(target_names[0], dist, base_url)
    return jobs


@contextmanager
def only_one(lock: Path, reporter: Reporter) -> Iterator[None]:
    """Hold `lock`, waiting for whoever holds it now; a killed holder holds nothing. In it is who holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read()
            reporter.line(f"waiting for another build{f' (process {holder})' if holder else ''}")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def built_folder(target: Target, component: str, key: str) -> Path:
    """Return where the cache keeps the packages made from the content `key`."""
    return cache_dir() / "packages" / target.name / f"{component}-{key}"


def _ensure_built(
    job: Job, jobs: tuple[Job, ...], inputs: Inputs, engine: Engine, reporter: Reporter
) -> None:
    """Build a job's packages into the cache, unless it has them."""
    one = inputs.of(job.target)
    folder = built_folder(one.target, job.component, job.key)
    if folder.exists():
        os.utime(folder)  # used now: see prune_cache
        return
    keys = {other.component: other.key for other in jobs if other.target == job.target}
    needed = tuple(built_folder(one.target, need, keys[need]) for need in job.needs)
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    engine.build(job, one, needed, part, Reporter(reporter.stream, reporter.as_json))
    attest(job, one, part, source_date())
    part.rename(folder)


def source_date() -> int:
    """Return the date of this tree's newest changelog entry, in seconds since 1970."""
    return changelog_date((REPO / "debian/changelog").read_text())


def _publish(jobs: tuple[Job, ...], inputs: Inputs, dist: Path, base_url: str, reporter: Reporter) -> None:
    """Add what was built to the repositories; they hold the rest already."""
    from kronos_packaging.repository.model import Policy, Publication
    from kronos_packaging.repository.publish import Options, publish
    from kronos_packaging.repository.signer import Signer, signing_home

    state = {name: dict(built) for name, built in inputs.published.items()}
    folders: dict[str, list[Path]] = {}
    for job in jobs:
        if job.key:
            state.setdefault(job.target, {})[job.component] = job.key
            built = built_folder(load_target(job.target), job.component, job.key)
            folders.setdefault(job.target, []).extend([built] if built.exists() else [])
    builds = [Publication(load_target(name), tuple(its)) for name, its in folders.items()]
    with Signer(signing_home()) as signer, reporter.stage(f"publishing {dist}"):
        signer.ensure_key(reporter)
        # Between two releases a version is built more than once, from a tree that changes.
        policy, options = Policy(replace=True), Options(base_url=base_url, main_target=jobs[0].target)
        publish(builds, signer, dist, policy, options=options, reporter=reporter)
    write_atomic(dist / STATE, json.dumps(state, indent=1).encode())


def _write_sources(first: str, dist: Path, base_url: str) -> None:
    """Bring what hosts are told up to date: the address may be another than last time."""
    from kronos_packaging.repository.client_files import write_client_files
    from kronos_packaging.repository.signer import Signer, signing_home

    if read_published(dist):
        with Signer(signing_home()) as signer:
            write_client_files(dist, signer, base_url=base_url, main_target=first)

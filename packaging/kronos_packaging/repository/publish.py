"""All repositories of a dist folder, brought up to date in the one order that is safe.

    1. everything is read, checked and decided; what cannot be published is refused
    2. the new indexes and what hosts need beside them (client_files.py) are written below dist/.publishing, signed,
       read back and checked
    3. new packages come into the pools, under names that nobody has yet
    4. each repository's folder of indexes is exchanged with the new one by a single rename
    5. changed client files are put into their places, one rename each
    6. what neither the new indexes nor a superseded generation within its grace names is removed

Up to 4 nothing that a host can see has changed, so an error, Ctrl-C or a full disk leaves the repositories as
they were; kill -9 leaves them so as well, and the next run removes what it had begun. From 4 on each repository
is whole at any moment, the old or the new one, and there is nothing left to do but renames.
After 4 a host that began before finds all it was promised (metadata.py). The order of the steps
makes sending the folder on by rsync as safe (upload.py).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_packaging.build_root import cache_dir
from kronos_packaging.declarations import Format
from kronos_packaging.repository.apt_suite import suite_of
from kronos_packaging.repository.catalogue import Catalogue
from kronos_packaging.repository.client_files import (
    KEYRING,
    export_keys,
    place_client_files,
    stage_client_files,
)
from kronos_packaging.repository.collect import collect_garbage
from kronos_packaging.repository.errors import BusyError, RepositoryError, SigningKeyError
from kronos_packaging.repository.prepare import Prepared, Run, load, prepare
from kronos_packaging.repository.signer import parse_fingerprints
from kronos_packaging.repository.yum_repository import YumRepository, repositories_of
from xapi_shim.base.atomic_file import fsync_directory
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from kronos_packaging.repository.incoming import Repository
    from kronos_packaging.repository.model import Policy, Publication
    from kronos_packaging.repository.signer import Signer

SCRATCH = ".publishing"
APT_PACKAGES = ("gnupg", "gpgv", "zstd")
YUM_PACKAGES = ("rpm", "createrepo-c")


@dataclass(frozen=True)
class Outcome:
    """What was done to one repository."""

    repository: str
    changed: bool
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """How to publish: `base_url` is where hosts find the dist folder, `main_target` whose apt source is kronos.sources.

    `resign` signs what has not changed anew, too; `now_s` is the time to put into the indexes.
    """

    base_url: str = ""
    main_target: str = ""
    resign: bool = False
    now_s: int | None = None


def publish(
    publications: Sequence[Publication],
    signer: Signer,
    dist: Path,
    policy: Policy,
    *,
    options: Options | None = None,
    reporter: Reporter | None = None,
) -> tuple[Outcome, ...]:
    """Add what is built to the repositories in `dist`; return what was done to each.

    Raises RepositoryError or another KronosError; each repository is then whole, and as it was unless a
    rename or the cache failed.
    """
    chosen, reporter = options or Options(), reporter or Reporter()
    wanted = plan_repositories(publications, dist)
    if chosen.resign:
        wanted = merged([*wanted, *((repository, []) for repository in published_repositories(dist))])
    _ensure_tools(wanted, reporter)
    try:
        dist.mkdir(parents=True, exist_ok=True)
        with exclusive(dist), scratch(dist) as aside:
            check_trust(dist, signer)
            return _publish(wanted, publications, signer, dist, policy, chosen, aside, reporter)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RepositoryError(
            f"{dist}: cannot publish: {reason}", resolution="see that there is room"
        ) from error


def plan_repositories(publications: Sequence[Publication], dist: Path) -> list[tuple[Repository, list[Path]]]:
    """Return the repositories that the publications are for, each with its folders."""
    suites: dict[str, list[Publication]] = {}
    wanted: list[tuple[Repository, list[Path]]] = []
    for publication in publications:
        if publication.target.format == Format.DEB:
            suites.setdefault(publication.target.suite, []).append(publication)
        else:
            both = repositories_of(dist / "yum", publication.target)
            wanted.extend((yum, list(publication.folders)) for yum in both)
    for suite, its in sorted(suites.items()):
        apt = suite_of(dist / "apt", suite, [publication.target for publication in its])
        wanted.append((apt, [folder for publication in its for folder in publication.folders]))
    return merged(wanted)


def published_repositories(dist: Path) -> list[Repository]:
    """Return what `dist` holds, by name."""
    suites = sorted(path.parent.name for path in (dist / "apt/dists").glob("*/InRelease"))
    yum = sorted(path.parents[1] for path in (dist / "yum").glob("*/*/*/repodata/repomd.xml"))
    return [
        *(suite_of(dist / "apt", suite, ()) for suite in suites),
        *(YumRepository(dist / "yum", *path.relative_to(dist / "yum").parts) for path in yum),
    ]


def merged(wanted: Sequence[tuple[Repository, list[Path]]]) -> list[tuple[Repository, list[Path]]]:
    """Return each repository once: source packages of a release come from several targets."""
    known: dict[str, Repository] = {}
    folders: dict[str, list[Path]] = {}
    for repository, its in wanted:
        known.setdefault(repository.key, repository)
        folders.setdefault(repository.key, []).extend(its)
    return [(known[key], its) for key, its in folders.items()]


def _ensure_tools(wanted: Sequence[tuple[Repository, list[Path]]], reporter: Reporter) -> None:
    with_rpm = any(isinstance(repository, YumRepository) for repository, _ in wanted)
    ensure_packages((*APT_PACKAGES, *(YUM_PACKAGES if with_rpm else ())), reporter=reporter)


@contextmanager
def exclusive(dist: Path) -> Iterator[None]:
    """Hold `dist` alone; a killed holder holds nothing. Raises BusyError."""
    fd = os.open(dist, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(dist) from None
        yield
    finally:
        os.close(fd)


@contextmanager
def scratch(dist: Path) -> Iterator[Path]:
    """Give a folder on the file system of `dist` that goes away; also what a killed run left goes."""
    aside = dist / SCRATCH
    if aside.is_symlink():
        aside.unlink()
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def check_trust(dist: Path, signer: Signer) -> None:
    """Refuse to sign with keys that the hosts of `dist` do not know. Raises SigningKeyError."""
    keyring = dist / KEYRING
    if not keyring.exists():
        return
    trusted = parse_fingerprints(keyring)
    ours = {key.fingerprint for key in signer.signing_keys()}
    if not trusted & ours:
        raise SigningKeyError(
            f"{signer.home} has none of the keys that hosts trust: {', '.join(sorted(trusted))}",
            resolution="restore the signing key's backup, or publish to a new folder",
        )


def catalogue_path(dist: Path) -> Path:
    """Return where the cache of a dist folder's repositories lies."""
    key = hashlib.sha256(os.fspath(dist.resolve()).encode()).hexdigest()[:16]
    return cache_dir() / "repositories" / key


def _publish(
    wanted: Sequence[tuple[Repository, list[Path]]], publications: Sequence[Publication], signer: Signer, dist: Path,
    policy: Policy, options: Options, aside: Path, reporter: Reporter,
) -> tuple[Outcome, ...]:  # fmt: skip
    now_ns = time.time_ns()
    export_keys(signer, aside)
    with Catalogue(catalogue_path(dist)) as catalogue:
        run = Run(
            catalogue, signer, policy, aside / KEYRING, dist / KEYRING,
            options.now_s if options.now_s is not None else source_date(now_ns), now_ns, options.resign,
        )  # fmt: skip
        with catalogue.change():
            prepared = []
            for number, (repository, folders) in enumerate(wanted):
                load(repository, catalogue, run.trusted)
                prepared.append(prepare(repository, folders, run, aside / str(number)))
            clients = stage_client_files(
                dist, signer, aside / "clients", publications, options.base_url, options.main_target
            )
            _commit(prepared, catalogue, dist)
        place_client_files(clients)
        for repository, _ in wanted:
            for path in collect_garbage(repository, catalogue):
                reporter.line(f"removed {path}: nothing names it")
    return tuple(
        Outcome(
            one.repository.key,
            one.changed,
            tuple(package.label for package in one.change.added),
            tuple(package.label for package in one.change.dropped),
        )
        for one in prepared
    )


def source_date(now_ns: int) -> int:
    """Return $SOURCE_DATE_EPOCH, else the time, in seconds since 1970."""
    return int(os.environ.get("SOURCE_DATE_EPOCH", now_ns // 1_000_000_000))


def _commit(prepared: Sequence[Prepared], catalogue: Catalogue, dist: Path) -> None:
    """Bring new packages into the pools, then exchange the indexes; before that all can be taken back."""
    placed: list[Path] = []
    try:
        for one in prepared:
            for staged, place in one.pool_files:
                place.parent.mkdir(parents=True, exist_ok=True)
                if not place.exists():
                    placed.append(place)
                staged.rename(place)
        _fsync_above([place for one in prepared for _, place in one.pool_files], dist)
    except BaseException:
        for place in placed:
            place.unlink(missing_ok=True)
        raise
    for one in prepared:
        if one.changed:
            one.exchange()
            catalogue.set_signed(one.repository.key, one.signed)
    _fsync_above([one.repository.metadata for one in prepared if one.changed], dist)


def _fsync_above(paths: Iterable[Path], dist: Path) -> None:
    """Bring the folders that lead from `dist` to `paths` to the disk: some are new."""
    folders = {folder for path in paths for folder in path.parents if folder.is_relative_to(dist)}
    for folder in sorted(folders):
        fsync_directory(folder)

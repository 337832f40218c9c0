"""What a repository of many packages costs, made anew and with one package added: ours and its peers.

Every contestant gets the same packages and is a program of its own: Python's start counts for ours. Where a
peer leaves copying or signing to the person who calls it, that is done and timed with it; what it does not do at all
its note says. Memory is that of the largest process, read by GNU time (wait4(2)).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging.bench import Row, Times
from kronos_packaging.bench_packages import make_debs, make_rpms, names_of
from kronos_packaging.declarations import REPO, Format, first_target
from kronos_packaging.repository.publish import APT_PACKAGES, YUM_PACKAGES
from kronos_packaging.repository.read_rpm import batches, sign_argv
from kronos_packaging.repository.signer import Signer
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xapi_shim.base.progress import Reporter

PEERS = ("apt-utils", "reprepro", "aptly", "time")
MIB = 1024 * 1024
OURS = "kronos"
CODENAME = "bench"
NOT_EXCHANGED = "not exchanged in one step"


@dataclass(frozen=True)
class Step:
    """One program of a contestant; its output goes to `stdout`, if that is given."""

    argv: tuple[str, ...]
    stdout: Path | None = None


@dataclass(frozen=True)
class Cost:
    """What a contestant took, once: `peak_bytes` of the largest of its processes."""

    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Site:
    """A contestant's own folder, all the packages to publish, and the key to sign with."""

    folder: Path
    built: Path
    keys: Path
    fingerprint: str


@dataclass(frozen=True)
class Contestant:
    """A maker of repositories: what it runs to make one of `packages`, and to add them to the one it made.

    `configure` writes what it wants to find; that is not timed. `lacks` is what of ours it does not do.
    """

    name: str
    fill: Callable[[Site, Sequence[Path]], list[Step]]
    add: Callable[[Site, Sequence[Path]], list[Step]]
    configure: Callable[[Site], None] = lambda _: None
    lacks: str = ""


@dataclass(frozen=True)
class CostRow(Row):
    """A comparison with the peak memory of both, in bytes."""

    our_peak_bytes: int = 0
    peer_peak_bytes: int = 0


def measure(runs: int, reporter: Reporter, counts: Sequence[int]) -> list[Row]:
    """Return a comparison with each peer for repositories of each count of packages. Raises KronosError."""
    ensure_packages((*APT_PACKAGES, *YUM_PACKAGES, *PEERS), reporter=reporter)
    rows: list[Row] = []
    for count in counts:
        for kind in (Format.DEB, Format.RPM):
            with (
                reporter.stage(f"repositories of {count} {kind}s"),
                tempfile.TemporaryDirectory() as folder,
                Signer(Path(folder, "keys")) as signer,
            ):
                signer.ensure_key(reporter)
                rows += _compare(kind, count, runs, Path(folder), signer, reporter)
    return rows


def _compare(
    kind: Format, count: int, runs: int, folder: Path, signer: Signer, reporter: Reporter
) -> list[Row]:
    """Let all take turns, so that a busy minute meets everybody."""
    built, later = _make_packages(kind, count, runs, folder, reporter)
    contestants = contestants_of(kind)
    (key,) = signer.signing_keys()
    sites = {
        one.name: Site(folder / one.name.replace(" ", "-"), built[0].parent, signer.home, key.fingerprint)
        for one in contestants
    }
    cold: dict[str, list[Cost]] = defaultdict(list)
    for _ in range(runs):
        for one in contestants:
            site = sites[one.name]
            shutil.rmtree(site.folder, ignore_errors=True)
            site.folder.mkdir()
            one.configure(site)
            cold[one.name].append(_cost(one.fill(site, built), site))
    added: dict[str, list[Cost]] = defaultdict(list)
    for package in later:
        new = built[0].with_name(package.name)
        package.rename(new)
        for one in contestants:
            site = sites[one.name]
            added[one.name].append(_cost(one.add(site, [new]), site))
    what = f"{count} {kind}s"
    return [*rows_of(f"{what}, anew", contestants, cold), *rows_of(f"{what}, one added", contestants, added)]


def _make_packages(
    kind: Format, count: int, runs: int, folder: Path, reporter: Reporter
) -> tuple[list[Path], list[Path]]:
    """Return the packages to begin with and, in a folder of their own, those to add later."""
    with reporter.stage(f"making {count + runs} of them"):
        if kind == Format.DEB:
            made = make_debs(folder / "built", names_of(count + runs))
        else:
            made = make_rpms(folder / "built", names_of(count + runs), folder / "rpmbuild")
    (folder / "later").mkdir()
    return made[:count], [path.rename(folder / "later" / path.name) for path in made[count:]]


def _cost(steps: Sequence[Step], site: Site) -> Cost:
    """Run what a contestant runs, one after the other. Raises ProcessError."""
    started = time.perf_counter()
    peaks = [_run(step, site) for step in steps]
    return Cost(time.perf_counter() - started, max(peaks))


def _run(step: Step, site: Site) -> int:
    """Run one program below GNU time, which is small and so hides no memory behind its own; return the peak in bytes."""
    told = site.folder / "peak"
    done = run(
        ["time", "--format=%M", f"--output={told}", *step.argv], env=environment(site), cwd=site.folder
    )
    if step.stdout:
        step.stdout.write_text(done.stdout)
    return int(told.read_text().split()[-1]) * 1024


def environment(site: Site) -> Mapping[str, str]:
    """Return where a contestant keeps what it would keep in somebody's home."""
    room = os.pathsep.join(os.fspath(path) for path in (REPO / "packaging", REPO))
    return {
        "GNUPGHOME": os.fspath(site.keys), "HOME": os.fspath(site.folder),
        "KRONOS_CACHE": os.fspath(site.folder / "cache"), "PYTHONPATH": room,
    }  # fmt: skip


def rows_of(what: str, contestants: Sequence[Contestant], costs: Mapping[str, Sequence[Cost]]) -> list[Row]:
    """Return ours beside each peer: pure."""
    ours = costs[OURS]
    rows: list[Row] = []
    for one in contestants:
        if one.name == OURS:
            continue
        its = costs[one.name]
        our_peak, its_peak = (max(cost.peak_bytes for cost in each) for each in (ours, its))
        memory = f"peak {our_peak / MIB:.0f} MiB, peer's {its_peak / MIB:.0f}"
        rows.append(
            CostRow(
                what, _times(ours), one.name, _times(its), note="; ".join(filter(None, (memory, one.lacks))),
                our_peak_bytes=our_peak, peer_peak_bytes=its_peak,
            )
        )  # fmt: skip
    return rows


def _times(costs: Sequence[Cost]) -> Times:
    return Times(tuple(cost.seconds for cost in costs))


def _ours(kind: Format) -> Contestant:
    target = first_target(kind).name

    def steps(site: Site, _: Sequence[Path]) -> list[Step]:
        argv = (sys.executable, "-m", "kronos_packaging.bench_publish")
        places = (site.folder / "dist", site.keys, site.built)
        return [Step((*argv, *(os.fspath(place) for place in places), target))]

    return Contestant(OURS, steps, steps)


def contestants_of(kind: Format) -> list[Contestant]:
    """Return ours and its peers for packages of a kind."""
    if kind == Format.RPM:
        return [
            _ours(kind),
            Contestant("createrepo_c", _createrepo(), _createrepo(), lacks=f"{NOT_EXCHANGED}, former indexes gone"),
            Contestant("createrepo_c --update", _createrepo(), _createrepo("--update"), lacks="as above"),
        ]  # fmt: skip
    return [
        _ours(kind),
        Contestant("apt-ftparchive", _ftparchive, _ftparchive, _configure_ftparchive, f"{NOT_EXCHANGED}, no Translation-en"),
        Contestant("reprepro", _reprepro, _reprepro, _configure_reprepro, f"no by-hash, {NOT_EXCHANGED}"),
        Contestant("aptly", _aptly_publish, _aptly_update, _configure_aptly, f"{NOT_EXCHANGED}, no Translation-en"),
    ]  # fmt: skip


def _copy(packages: Sequence[Path], pool: Path) -> Step:
    return Step(("cp", "--target-directory", os.fspath(pool), *map(os.fspath, packages)))


def _gpg(site: Site, *words: str) -> Step:
    return Step(("gpg", "--batch", "--quiet", "--yes", "--local-user", site.fingerprint, *words))


def _configure_ftparchive(site: Site) -> None:
    for folder in ("pool", "cache", "dists/bench/main/binary-amd64"):
        (site.folder / folder).mkdir(parents=True)
    (site.folder / "apt-ftparchive.conf").write_text(
        f'Dir {{ ArchiveDir "{site.folder}"; CacheDir "{site.folder}/cache"; }};\n'
        'Default { Packages::Compress ". gzip"; Contents::Compress ". gzip"; };\n'
        'TreeDefault { Directory "pool"; };\n'
        f'Tree "dists/{CODENAME}" {{ Sections "main"; Architectures "amd64"; }};\n'
    )


def _ftparchive(site: Site, packages: Sequence[Path]) -> list[Step]:
    dists = site.folder / "dists" / CODENAME
    # As ours: one checksum, and all indexes by hash.
    wishes = {"MD5": "false", "SHA1": "false", "SHA512": "false", "DoByHash": "true"}
    options = [word for key, value in wishes.items() for word in ("-o", f"APT::FTPArchive::{key}={value}")]
    told = ("-o", f"APT::FTPArchive::Release::Codename={CODENAME}", "release", os.fspath(dists))
    return [
        _copy(packages, site.folder / "pool"),
        Step(("apt-ftparchive", *options, "generate", os.fspath(site.folder / "apt-ftparchive.conf"))),
        Step(("apt-ftparchive", *options, *told), dists / "Release"),
        _gpg(site, "--output", os.fspath(dists / "InRelease"), "--clear-sign", os.fspath(dists / "Release")),
        _gpg(site, "--output", os.fspath(dists / "Release.gpg"), "--armor", "--detach-sign", os.fspath(dists / "Release")),
    ]  # fmt: skip


def _configure_reprepro(site: Site) -> None:
    (site.folder / "conf").mkdir()
    (site.folder / "conf/distributions").write_text(
        f"Codename: {CODENAME}\nArchitectures: amd64\nComponents: main\nContents: . .gz\n"
        f"SignWith: {site.fingerprint}\n"
    )


def _reprepro(site: Site, packages: Sequence[Path]) -> list[Step]:
    base = ("reprepro", "--silent", "--basedir", os.fspath(site.folder))
    return [Step((*base, "includedeb", CODENAME, *map(os.fspath, packages)))]


def _configure_aptly(site: Site) -> None:
    wishes = {"rootDir": os.fspath(site.folder / "aptly"), "gpgProvider": "gpg"}
    (site.folder / "aptly.conf").write_text(json.dumps(wishes))
    argv = (*_aptly(site, "repo", "create"), f"-distribution={CODENAME}", "bench")
    run(argv, env=environment(site))


def _aptly(site: Site, *words: str) -> tuple[str, ...]:
    return ("aptly", f"-config={site.folder}/aptly.conf", *words)


def _aptly_publish(site: Site, packages: Sequence[Path]) -> list[Step]:
    options = ("-batch", "-acquire-by-hash", "-architectures=amd64", f"-gpg-key={site.fingerprint}")
    return [
        Step((*_aptly(site, "repo", "add"), "bench", *map(os.fspath, packages))),
        Step((*_aptly(site, "publish", "repo"), *options, "bench")),
    ]


def _aptly_update(site: Site, packages: Sequence[Path]) -> list[Step]:
    options = ("-batch", f"-gpg-key={site.fingerprint}")
    return [
        Step((*_aptly(site, "repo", "add"), "bench", *map(os.fspath, packages))),
        Step((*_aptly(site, "publish", "update"), *options, CODENAME)),
    ]


def _createrepo(*options: str) -> Callable[[Site, Sequence[Path]], list[Step]]:
    def steps(site: Site, packages: Sequence[Path]) -> list[Step]:
        pool, signed = site.folder / "repo", site.folder / "repo/repodata/repomd.xml"
        pool.mkdir(exist_ok=True)
        copies = [pool / package.name for package in packages]
        always = ("createrepo_c", "--quiet", "--no-database", "--general-compress-type=gz", "--workers=2")
        return [
            _copy(packages, pool),
            *(Step(tuple(sign_argv(site.keys, site.fingerprint, batch))) for batch in batches(copies)),
            Step((*always, *options, os.fspath(pool))),
            _gpg(site, "--armor", "--detach-sign", os.fspath(signed)),
        ]

    return steps

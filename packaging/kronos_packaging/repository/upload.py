"""Sending a published dist folder on with rsync(1), in an order in which hosts never miss anything.

First what is new under names that nobody knows yet (packages, indexes by hash), then the plain indexes, then what
is signed, each file put into its place by a rename; what is no more goes last. An upload that breaks off at any
point leaves the earlier repositories whole, and the next one goes on from there.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kronos_packaging.repository.errors import RepositoryError
from kronos_packaging.repository.publish import SCRATCH, exclusive
from kronos_packaging.repository.verify import verify_tree
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from collections.abc import Callable

    from xapi_shim.base.progress import Reporter

# Never sent: scratch space, what the factory remembers, what a lab run left.
NOT_SENT = (f"/{SCRATCH}/", "/.client-files/", "/built.json", "/lab-failures/")
SENT = ("/apt/", "/yum/", "/SHA256SUMS", "/SHA256SUMS.asc", "/index.html", "/kronos-archive-keyring.*", "/kronos*.sources", "/kronos.repo")  # fmt: skip
# How an operator's ssh agent, and rsync's daemon, are spoken to (ssh-agent(1), rsync(1)).
HANDED_ON = ("SSH_AUTH_SOCK", "RSYNC_PASSWORD")
POOLS = ("/apt/pool/***", "/yum/*/*/*/Packages/***")
BY_HASH = ("/apt/dists/*/**/by-hash/***", "/apt/dists/*/superseded/***", "/yum/*/*/*/repodata/*-*", "/yum/*/*/*/repodata/superseded/***")  # fmt: skip
SIGNED = ("InRelease", "Release", "Release.gpg", "repomd.xml", "repomd.xml.asc")


class UploadError(RepositoryError):
    """The target of an upload cannot be used."""


@dataclass(frozen=True)
class Destination:
    """Where to, as rsync takes it; `remote_shell` is what it connects with, "" for a folder or a daemon."""

    place: str
    remote_shell: str = ""

    @property
    def is_folder(self) -> bool:
        return not self.remote_shell and "://" not in self.place


@dataclass(frozen=True)
class Step:
    """One run of rsync and the reason for it."""

    reason: str
    argv: tuple[str, ...]


def parse_destination(wish: str, ssh_config: str = "") -> Destination:
    """Return the target of `--to`: a folder, rsync://host/module/path, or ssh://user@host:port/path.

    `ssh_config` is the ssh_config(5) to use: keys and known hosts. Raises UploadError.
    """
    parts = urlsplit(wish)
    try:
        port = parts.port
    except ValueError as error:
        raise UploadError(f"{wish}: {error}") from error
    if not parts.scheme:
        if ":" in wish.split("/", 1)[0]:
            raise UploadError(
                f"{wish}: is no folder", resolution="write ssh://user@host/path or rsync://host/module"
            )
        return Destination(os.fspath(Path(wish).absolute()))
    if parts.scheme not in ("rsync", "ssh") or not parts.hostname or parts.path in ("", "/"):
        raise UploadError(f"{wish}: is not a folder, rsync://host/module/path or ssh://user@host:port/path")
    if parts.password is not None:
        raise UploadError("a password does not belong in a target", resolution="use a key, or RSYNC_PASSWORD")
    if parts.scheme == "rsync":
        return Destination(wish.rstrip("/"))
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if host.startswith("-") or (parts.username or "").startswith("-"):
        raise UploadError(f"{wish}: no host has such a name")
    words = ["ssh", "-o", "BatchMode=yes"]
    words += ["-F", ssh_config] if ssh_config else []
    words += ["-p", str(port)] if port else []
    # rsync splits this one by itself, by blanks and quotes.
    if any(mark in ssh_config for mark in " \t\"'"):
        raise UploadError(f"{ssh_config}: rsync cannot hand on a name with blanks or quotes in it")
    shell = " ".join(words)
    user = f"{parts.username}@" if parts.username else ""
    return Destination(f"{user}{host}:{parts.path.rstrip('/')}", shell)


def plan_upload(dist: Path, destination: Destination) -> tuple[Step, ...]:
    """Return what to run, in order: pure."""
    base = ["rsync", "--recursive", "--links", "--times", "--perms", "--chmod=D755,F644"]
    if destination.remote_shell:
        base += ["--rsh", destination.remote_shell]
    ends = ["--", f"{dist}/", f"{destination.place}/"]
    never = [f"--exclude={pattern}" for pattern in NOT_SENT]
    folders = ["--include=*/", "--prune-empty-dirs"]

    def step(reason: str, *options: str) -> Step:
        return Step(reason, (*base, *never, *options, *ends))

    tree = [f"--include={pattern}" for pattern in SENT]
    last = [f"--exclude={name}" for name in SIGNED]
    return (
        step("packages", *folders, *(f"--include={p}" for p in POOLS), "--exclude=*"),
        step("indexes under their hashes", *folders, *(f"--include={p}" for p in BY_HASH), "--exclude=*"),
        step("plain indexes", "--checksum", "--delay-updates", *last, *tree, "--exclude=/*"),
        step("what is signed", "--checksum", "--delay-updates", *tree, "--exclude=/*"),
        step("removals", "--delete-after", *tree, "--exclude=/*"),
    )


def upload(
    dist: Path, destination: Destination, reporter: Reporter, *, runner: Callable[[Step], None] | None = None
) -> tuple[Step, ...]:
    """Send `dist`, nobody publishing meanwhile; return the steps taken. Raises UploadError, RepositoryError.

    What is damaged here is not sent. What arrived in a folder is checked there again.
    """
    steps = plan_upload(dist.absolute(), destination)
    ensure_packages(("rsync", *(("openssh-client",) if destination.remote_shell else ())), reporter=reporter)
    with exclusive(dist):
        _refuse_damage(dist)
        if destination.is_folder:
            _make_folder(Path(destination.place), dist)
        for step in steps:
            with reporter.stage(f"sending {step.reason}"):
                (runner or _run)(step)
        if destination.is_folder:
            _refuse_damage(Path(destination.place))
    return steps


def _run(step: Step) -> None:
    try:
        run(step.argv, env={name: os.environ[name] for name in HANDED_ON if name in os.environ})
    except KronosError as error:
        raise UploadError(
            f"sending {step.reason} failed: {error}", resolution="try again: it goes on from there"
        ) from error


def _refuse_damage(dist: Path) -> None:
    problems, _ = verify_tree(dist)
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise RepositoryError(f"{dist}: {problems[0]}{more}", resolution="see ./inv repo.verify")


def _make_folder(place: Path, dist: Path) -> None:
    if place.resolve().is_relative_to(dist.resolve()) or dist.resolve().is_relative_to(place.resolve()):
        raise UploadError(f"{place}: is {dist} itself, around it or in it")
    place.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(place).free == 0:
        raise UploadError(f"{place}: there is no room")

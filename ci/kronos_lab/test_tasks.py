"""The tasks `lint` and `test`: the gates of every change."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from invoke.exceptions import Exit
from invoke.tasks import task

from kronos_lab.cache import REPO
from xapi_shim.base.process import run_in_foreground
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from invoke.context import Context

# What the tests themselves start: disk images, static guests, what reads the files that a host set-up writes.
TEST_PACKAGES = (
    "qemu-utils", "busybox-static", "cpio", "git", "openssl", "netplan.io", "grub2-common", "nftables", "dnsmasq-base",
    "e2fsprogs", "xfsprogs",
)  # fmt: skip
# Where the packages of the rooms are found (pyproject.toml has the same for pytest and mypy).
IMPORT_ROOTS = ":".join(str(REPO / room) for room in (".", "packaging", "installer", "ci"))
QUICK = "not packaging and not lab and not clients and not long"
WHOLE = "(packaging or lab or clients) and not long"
LONG = "long"
AT_ONCE = ("--numprocesses=2", "--dist=load")
# Each worker takes one test at a time, in their order: the lab's long ones first.
ONE_BY_ONE = ("--maxschedchunk=1", "--verbose")
LINTERS = (
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["mypy"],
    ["lint-imports"],
)


def _gate(what: str, argv: list[str], reporter: Reporter) -> None:
    """Run a command with its output shown. Raises Exit when it fails."""
    with reporter.stage(what):
        own = {name: value for name, value in os.environ.items() if name.startswith("KRONOS_")}
        status = run_in_foreground(argv, cwd=REPO, env={**own, "PYTHONPATH": IMPORT_ROOTS})
    if status != 0:
        raise Exit(f"{what}: failed, status {status}", status)


@task
def lint(_: Context) -> None:
    """Check style, types and which room imports which."""
    for argv in LINTERS:
        _gate(" ".join(argv), argv, Reporter())


@task(
    help={
        "fast": "leave out what builds packages or boots machines",
        "only": "an expression for pytest's -m: packaging, lab, ...",
    }
)
def test(context: Context, fast: bool = False, only: str = "") -> None:
    """Run everything: lint, types, unit, conformance, packages, and the lab on real Xen."""
    if only:
        run_tests(only)
        return
    lint(context)
    run_tests(QUICK)
    if not fast:
        run_tests(WHOLE)


@task
def long(_: Context) -> None:
    """Run what takes too long for every change."""
    run_tests(LONG)


@task(
    help={
        "kills": "how often the database's writer and the daemon under load are killed",
        "calls": "how many generated calls of each message are made",
    }
)
def faults(_: Context, kills: int = 1000, calls: int = 100) -> None:
    """Run kill -9 under a write load and generated calls for longer than in every change."""
    os.environ |= {"KRONOS_KILLS": str(kills), "KRONOS_FUZZ": str(calls)}
    run_tests(QUICK, "kill_9 or every_message_answers", shown=True)


def run_tests(chosen: str, names: str = "", *, shown: bool = False) -> None:
    """Run pytest over the tests that the marker expression `chosen` and the name expression `names` pick.

    Two run at once. With `shown` they run one after the other, and what they print is seen as it comes.
    """
    reporter = Reporter()
    ensure_packages(TEST_PACKAGES, reporter=reporter)
    marks = ["-m", chosen, *(["-k", names] if names else [])]
    how = ("--capture=no",) if shown else AT_ONCE if chosen == QUICK else (*AT_ONCE, *ONE_BY_ONE)
    _gate(
        f"pytest: {chosen}",
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *how, *marks],
        reporter,
    )

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

# What the tests themselves start: disk images, static guests.
TEST_PACKAGES = ("qemu-utils", "busybox-static", "cpio", "git", "openssl")
# Where the packages of the rooms are found (pyproject.toml has the same for pytest and mypy).
IMPORT_ROOTS = ":".join(str(REPO / room) for room in (".", "packaging", "installer", "ci"))
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
    if not only:
        lint(context)
    run_tests("not packaging and not lab" if fast else only)


def run_tests(chosen: str = "", names: str = "") -> None:
    """Run pytest over the tests that the marker expression `chosen` and the name expression `names` pick.

    An empty expression picks all.
    """
    reporter = Reporter()
    ensure_packages(TEST_PACKAGES, reporter=reporter)
    marks = [*(["-m", chosen] if chosen else []), *(["-k", names] if names else [])]
    _gate("pytest", [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *marks], reporter)

"""Distro packages that a task needs: named, then installed by apt as root or through sudo."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xapi_shim.base.progress import Reporter


class PackagesMissingError(KronosError):
    """Packages are missing and cannot be installed from here."""

    exit_status = 3

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"missing system packages: {' '.join(names)}",
            resolution="install them, or run as root or with sudo on a machine with apt",
        )
        self.names = tuple(names)


def missing_packages(names: Sequence[str]) -> list[str]:
    """Return those of `names` that dpkg does not know as installed."""
    told = run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n", *names], check=False
    ).stdout
    installed = {line.split()[1] for line in told.splitlines() if line.startswith("installed ")}
    return [name for name in names if name not in installed]


def as_root(argv: Sequence[str]) -> list[str]:
    """Return `argv` as root runs it: itself, or through sudo. Raises KronosError."""
    if os.geteuid() == 0:
        return list(argv)
    if shutil.which("sudo"):
        return ["sudo", "--", *argv]
    raise KronosError(f"{argv[0]} needs root", resolution="run as root, or install sudo")


def ensure_packages(names: Sequence[str], *, reporter: Reporter) -> None:
    """Install what is missing of `names`. Raises PackagesMissingError, ProcessError."""
    if not shutil.which("dpkg-query") or not shutil.which("apt-get"):
        raise PackagesMissingError(names)
    missing = missing_packages(names)
    if not missing:
        return
    if os.geteuid() != 0 and not shutil.which("sudo"):
        raise PackagesMissingError(missing)
    with reporter.stage(f"installing system packages: {' '.join(missing)}"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run(as_root(["apt-get", "update", "--quiet=2"]), env=quiet)
        install = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *missing]
        run(as_root(install), env=quiet)

"""Distro packages that a task needs: named, then installed by apt as root or through sudo."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError
from xapi_shim.base.held_lock import held_lock
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xapi_shim.base.progress import Reporter

# A folder that each user may open: who holds a lock on it (flock(2)) is who runs apt here; apt's own locks are others.
APT_LISTS = Path("/var/lib/apt/lists")
# For an apt that is not ours, such as apt.systemd.daily(8)'s (apt.conf(5)).
WAIT_FOR_DPKG = "DPkg::Lock::Timeout=600"


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
    if not missing_packages(names):
        return
    with held_lock(APT_LISTS):  # two of ours at once: the second would find apt locked, and fail
        missing = missing_packages(names)
        if not missing:
            return
        if os.geteuid() != 0 and not shutil.which("sudo"):
            raise PackagesMissingError(missing)
        with reporter.stage(f"installing system packages: {' '.join(missing)}"):
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            run(as_root(["apt-get", "update", "--quiet=2"]), env=quiet)
            options = ["--yes", "--quiet=2", "--no-install-recommends", f"--option={WAIT_FOR_DPKG}"]
            run(as_root(["apt-get", "install", *options, *missing]), env=quiet)

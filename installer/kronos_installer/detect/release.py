"""The distribution's release: whether the set-up knows it, and how software is installed on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.detect.machine import Machine

# No questions, and configuration files as the host has them (dpkg(1)); unattended upgrades may hold the lock.
_APT_GET = (
    "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "--no-install-recommends",
    "-o", "Dpkg::Options::=--force-confold", "-o", "DPkg::Lock::Timeout=300",
)  # fmt: skip


class Manager(StrEnum):
    """What installs packages."""

    APT = "apt"
    DNF = "dnf"


@dataclass(frozen=True)
class Release:
    """A release that the set-up knows. `tried`: it has been run on machines of that release."""

    os_id: str
    version: str
    manager: Manager
    tried: bool

    @property
    def name(self) -> str:
        """The release as people write it."""
        return f"{self.os_id.capitalize()} {self.version}"

    def refresh_command(self) -> tuple[str, ...]:
        """Return what fetches the lists of packages; dnf does that by itself."""
        return (*_APT_GET, "update") if self.manager is Manager.APT else ()

    def simulate_command(self, packages: Sequence[str]) -> tuple[str, ...]:
        """Return what prints the packages that would come, `Inst NAME ...` each (apt-get(8)); dnf has no such thing."""
        return (*_APT_GET, "--simulate", "install", *packages) if self.manager is Manager.APT else ()

    def install_command(self, packages: Sequence[str]) -> tuple[str, ...]:
        """Return what installs packages without asking (apt-get(8), dnf(8))."""
        if self.manager is Manager.APT:
            return (*_APT_GET, "install", *packages)
        return ("dnf", "--assumeyes", "--setopt=install_weak_deps=False", "install", *packages)

    def repair_command(self) -> tuple[str, ...]:
        """Return what ends an installation that was cut off (dpkg(1)); rpm needs none."""
        if self.manager is not Manager.APT:
            return ()
        return (
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "dpkg",
            "--force-confold",
            "--configure",
            "--pending",
        )

    def installed_command(self) -> tuple[str, ...]:
        """Return what prints the installed packages' names, one a line (dpkg-query(1), rpm(8))."""
        if self.manager is Manager.APT:
            return ("dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\\n")
        return ("rpm", "--query", "--all", "--queryformat", "installed %{NAME}\\n")

    def remove_command(self, packages: Sequence[str]) -> tuple[str, ...]:
        """Return what removes just these; it fails where others need one of them (dpkg(1), rpm(8))."""
        if self.manager is Manager.APT:
            return ("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--purge", *packages)
        return ("rpm", "--erase", *packages)


RELEASES = (
    Release("debian", "12", Manager.APT, tried=True),
    Release("debian", "13", Manager.APT, tried=True),
    Release("ubuntu", "24.04", Manager.APT, tried=False),
    Release("ubuntu", "26.04", Manager.APT, tried=False),
    Release("fedora", "44", Manager.DNF, tried=False),
    Release("fedora", "45", Manager.DNF, tried=False),
)


def release_of(machine: Machine) -> Release | None:
    """Return the machine's release, None where the set-up does not know it."""
    known = {(release.os_id, release.version): release for release in RELEASES}
    return known.get((machine.os_id, machine.os_version))


def install_by_hand(machine: Machine, package: str) -> str:
    """Return what somebody types who installs a package of this name on the machine."""
    return f"{'dnf' if _by_dnf(machine) else 'apt-get'} install {package}"


def install_again(machine: Machine, package: str) -> str:
    """Return what brings a file of a package back, whether the package is there or not.

    dpkg takes a configuration file that is gone for one that is not wanted (dpkg(1), --force-confmiss).
    """
    if _by_dnf(machine):
        return f"dnf install {package}, or dnf reinstall {package}"
    return f"apt-get install --reinstall -o Dpkg::Options::=--force-confmiss {package}"


def _by_dnf(machine: Machine) -> bool:
    return any(release.os_id == machine.os_id for release in RELEASES if release.manager is Manager.DNF)


def parse_installed(text: str) -> frozenset[str]:
    """Return the packages that `installed_command` says are wholly there."""
    words = (line.split() for line in text.splitlines())
    return frozenset(word[1] for word in words if len(word) == 2 and word[0] == "installed")


def parse_simulation(text: str) -> tuple[str, ...]:
    """Return the packages that would be new: `Inst NAME (VERSION ...`; an upgrade has `[OLD]` before that."""
    lines = (line.split() for line in text.splitlines())
    return tuple(sorted(w[1] for w in lines if len(w) > 2 and w[0] == "Inst" and not w[2].startswith("[")))

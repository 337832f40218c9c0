"""Packages get installed from the host's own repositories. At undo they stay; `rollback --remove-packages` takes them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kronos_installer.detect.release import RELEASES, Release, parse_installed, parse_simulation
from kronos_installer.override import override
from kronos_installer.steps.step import Record, Step
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Host


@dataclass(frozen=True, kw_only=True)
class PackagesStep(Step):
    """Installs `packages`, by their names in `release`.

    The original is `new`: the packages that were not there before, those that others bring as far as the package
    manager tells beforehand.
    """

    kind = "packages"
    release: Release
    packages: tuple[str, ...]

    @override
    def describe(self) -> str:
        return f"install {', '.join(self.packages)}"

    @override
    def describe_undo(self) -> str:
        return f"keep {', '.join(self.packages)} (rollback --remove-packages removes what was not there)"

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        refresh = self.release.refresh_command()
        return (*((refresh,) if refresh else ()), self.release.install_command(self.packages))

    @override
    def capture(self, host: Host) -> Record:
        if refresh := self.release.refresh_command():
            # A repository that is away, or a CD-ROM: the lists that are there may do.
            with suppress(KronosError):
                host.run(refresh)
        there = parse_installed(host.runner(self.release.installed_command()))
        simulate = self.release.simulate_command(self.packages)
        coming = parse_simulation(host.run(simulate)) if simulate else self.packages
        return {"new": sorted({*coming} - there)}

    @override
    def apply(self, host: Host, original: Record) -> None:
        del original
        install, repair = self.release.install_command(self.packages), self.release.repair_command()
        try:
            host.run(install)
        except KronosError:
            if not repair:
                raise
            # A power cut may have left a half configured package, which apt-get does not go on with.
            host.run(repair)
            host.run(install)
        # Xen, an initramfs and a menu may have come with them, and no package manager sees to what GRUB reads.
        host.settle_for_loader("/boot")

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Keep them: the network that runs until the reboot may need one."""

    @override
    def is_applied(self, host: Host) -> bool:
        return parse_installed(host.runner(self.release.installed_command())).issuperset(self.packages)

    @override
    def to_json(self) -> Record:
        return {"os_id": self.release.os_id, "version": self.release.version, "packages": list(self.packages)}

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        known = {(release.os_id, release.version): release for release in RELEASES}
        release = known[record["os_id"], record["version"]]
        return cls(reason=record["reason"], release=release, packages=tuple(record["packages"]))

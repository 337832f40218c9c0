"""Takes away the packages that a set-up brought, once it is rolled back and nothing that runs needs them any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.release import parse_installed
from kronos_installer.journal import Journal
from kronos_installer.network.stack import BRIDGE
from kronos_installer.steps.packages_step import PackagesStep
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.detect.release import Release
    from kronos_installer.host import Host
    from xapi_shim.base.progress import Reporter


class StillRunningError(KronosError):
    """The running system still stands on the packages."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; its packages are kept until the host has been rebooted",
                         resolution="reboot, then run 'xapi-host-setup rollback --remove-packages' again")  # fmt: skip


def pending_packages(host: Host) -> tuple[str, ...]:
    """Return what the set-up that was rolled back last had installed and is still there."""
    return tuple(name for _, packages in _pending(host) for name in packages)


def remove_packages(host: Host, reporter: Reporter) -> None:
    """Remove them.

    May be cut off and called again. Raises StillRunningError before anything is removed; KronosError where
    something else needs one of the packages by now.
    """
    pending = list(_pending(host))
    if pending and host.exists(f"/sys/class/net/{BRIDGE}"):
        raise StillRunningError(f"{BRIDGE} is still there")
    for release, packages in pending:
        with reporter.stage(f"remove {', '.join(packages)}"):
            host.run(release.remove_command(packages))


def _pending(host: Host) -> Iterator[tuple[Release, tuple[str, ...]]]:
    state = Journal(host).load_finished()
    for place, original in state.intents.items():
        step = state.steps[place]
        if isinstance(step, PackagesStep):
            there = parse_installed(host.runner(step.release.installed_command()))
            packages = tuple(name for name in original["new"] if name in there)
            if packages:
                yield step.release, packages

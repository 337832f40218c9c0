"""All network stacks of a host, read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.network.ifcfg import read_ifcfg
from kronos_installer.network.ifupdown.config import read_ifupdown
from kronos_installer.network.netplan import read_netplan
from kronos_installer.network.network_manager import read_network_manager
from kronos_installer.network.networkd.config import read_networkd
from kronos_installer.problem import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.host_files import HostFiles
    from kronos_installer.network.stack import StackConfig

READERS: tuple[Callable[[HostFiles], StackConfig | None], ...] = (
    read_netplan,
    read_networkd,
    read_network_manager,
    read_ifcfg,
    read_ifupdown,
)


def read_stacks(files: HostFiles) -> tuple[tuple[StackConfig, ...], tuple[Problem, ...]]:
    """Return the stacks that are in use, and what could not be read of any."""
    stacks: list[StackConfig] = []
    problems: list[Problem] = []
    for read in READERS:
        try:
            found = read(files)
        except ProblemError as error:
            problems.append(error.problem)
        else:
            stacks += [found] if found is not None else []
    return tuple(stacks), tuple(problems)

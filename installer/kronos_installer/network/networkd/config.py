"""systemd-networkd's configuration on the host, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kronos_installer.detect.nics import Nic, NicKind, read_nics
from kronos_installer.detect.units import is_masked
from kronos_installer.network.networkd import cloud_init, edit, management
from kronos_installer.network.networkd.links import Link, read_links
from kronos_installer.network.networkd.match import units_for
from kronos_installer.network.networkd.unit_text import parse_boolean
from kronos_installer.network.networkd.units import Unit, read_units, unit_state
from kronos_installer.network.stack import BridgeKind, Management, NetworkEdit, StackConfig, StackName
from kronos_installer.override import override
from kronos_installer.problem import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kronos_installer.host_files import FileState, HostFiles

_SERVICE = "systemd-networkd.service"


@dataclass(frozen=True)
class NetworkdConfig(StackConfig):
    """All units in the order in which networkd tries them; `unreadable` is why some could not be read."""

    stack: ClassVar[StackName] = StackName.NETWORKD
    originals: Mapping[str, FileState | None]
    nics: tuple[Nic, ...]
    networks: tuple[Unit, ...]
    netdevs: tuple[Unit, ...]
    link_files: tuple[Unit, ...]
    links: Mapping[str, Link]
    tell_cloud_init: bool
    unreadable: tuple[Problem, ...] = ()

    @override
    def configured(self) -> tuple[str, ...]:
        units = {n.name: units_for(self.networks, n)[0] for n in self.nics if n.kind is not NicKind.LOOPBACK}
        return tuple(
            n for n, u in units.items() if u and parse_boolean(u.last("Link", "Unmanaged")) is not True
        )

    @override
    def find_management(
        self, nics: Sequence[Nic], wished: str = ""
    ) -> tuple[Management | None, tuple[Problem, ...]]:
        if self.unreadable:
            return None, self.unreadable
        return management.find_management(self, nics, wished)

    @override
    def move_to_bridge(self, management: Management, bridge: BridgeKind) -> NetworkEdit:
        return edit.move_to_bridge(self, management, bridge)


def is_enabled(files: HostFiles) -> bool:
    """Tell whether a target wants networkd at boot; a masked service is not started whoever wants it."""
    return not is_masked(files, _SERVICE) and any(
        files.glob(f"{place}/systemd/system/*.wants/{_SERVICE}") for place in ("/etc", "/usr/lib", "/lib")
    )


def read_networkd(files: HostFiles) -> NetworkdConfig | None:
    """Read all of it; None where networkd is not started at boot or this host's own units are none. Raises OSError."""
    if not is_enabled(files):
        return None
    problems: list[Problem] = []
    units: dict[str, tuple[Unit, ...]] = {}
    for suffix in (".network", ".netdev", ".link"):
        try:
            units[suffix] = read_units(files, suffix)
        except ProblemError as error:
            problems.append(error.problem)
            units[suffix] = ()
    if not problems and all(unit.from_package for unit in units[".network"]):
        return None
    tell_cloud_init = False
    try:
        tell_cloud_init = cloud_init.must_be_told(files)
    except ProblemError as error:
        problems.append(error.problem)
    nics = read_nics(files)
    sources = [
        path for found in units.values() for unit in found if not unit.from_package for path in unit.files
    ]
    changeable = [*edit.file_names(), cloud_init.DISABLE_PATH]
    originals: dict[str, FileState | None] = {}
    for path in [*sources, *changeable]:
        try:
            originals[path] = unit_state(files, path)
        except ProblemError as error:
            problems.append(error.problem)
    return NetworkdConfig(
        originals=originals,
        nics=nics,
        networks=units[".network"],
        netdevs=units[".netdev"],
        link_files=units[".link"],
        links=read_links(files, nics),
        tell_cloud_init=tell_cloud_init,
        unreadable=tuple(problems),
    )

"""All facts about the system besides its boot and its network: read together, one field of Facts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypedDict

from kronos_installer.detect.confinement import Confinement, read_confinement
from kronos_installer.detect.disks import BlockDeviceRecord, Disks, read_disks
from kronos_installer.detect.earlier import Earlier, read_earlier
from kronos_installer.detect.firewall import Firewall, read_firewalls
from kronos_installer.detect.hostname import HOSTNAME, HOSTS, Hostname, read_hostname
from kronos_installer.detect.resolver import Resolver, read_resolver
from kronos_installer.detect.rule_tables import read_rule_tables
from kronos_installer.detect.software import Software, read_software
from kronos_installer.detect.time_sync import TimeService, TimeSync, read_time_sync
from kronos_installer.detect.volume_groups import VolumeGroup, read_volume_groups
from kronos_installer.host_files import FileState, UnsuitableFileError
from kronos_installer.problem import Level, Problem

if TYPE_CHECKING:
    from kronos_installer.host import Runner
    from kronos_installer.host_files import HostFiles

TIMESYNCD_DROP_IN = "/etc/systemd/timesyncd.conf.d/90-xapi-host-setup.conf"
CHRONY_SOURCES = "xapi-host-setup.sources"


@dataclass(frozen=True)
class SystemFacts:
    """`originals` holds the files that hostname and time steps may write, None where there is none.

    `rule_tables` are those that are in force now, None where they are not known. `unsuitable` are the problems of those that are no regular files, by path: they matter only to who wants them changed.
    """

    disks: Disks
    volume_groups: tuple[VolumeGroup, ...]
    hostname: Hostname
    resolver: Resolver
    time_sync: TimeSync
    firewalls: tuple[Firewall, ...]
    rule_tables: tuple[str, ...] | None
    confinement: Confinement
    software: Software
    earlier: Earlier
    originals: dict[str, FileState | None]
    unsuitable: dict[str, Problem]
    unreadable: tuple[Problem, ...]


class SystemRecord(TypedDict):
    """The facts as `check --json` prints them."""

    disks: list[BlockDeviceRecord]
    volume_groups: list[dict[str, object]]
    hostname: dict[str, object]
    dns: dict[str, object]
    time: dict[str, object]
    firewalls: list[dict[str, object]]
    rule_tables: list[str] | None
    confinement: dict[str, object]
    software: dict[str, object]
    earlier: dict[str, object]


def read_system(files: HostFiles, query: Runner) -> SystemFacts:
    """Read all of it; what cannot be read is a Problem in `unreadable`. Raises OSError."""
    disks, no_disks = read_disks(files, query)
    groups, no_groups = read_volume_groups(query)
    firewalls, no_firewalls = read_firewalls(files)
    rule_tables, no_tables = read_rule_tables(query)
    time_sync = read_time_sync(files, query)
    originals, unsuitable = _originals(files, time_sync)
    return SystemFacts(
        disks=disks,
        volume_groups=groups,
        hostname=read_hostname(files),
        resolver=read_resolver(files),
        time_sync=time_sync,
        firewalls=firewalls,
        rule_tables=rule_tables,
        confinement=read_confinement(files),
        software=read_software(files),
        earlier=read_earlier(files),
        originals=originals,
        unsuitable=unsuitable,
        unreadable=(*no_disks, *no_groups, *no_firewalls, *no_tables),
    )


def time_file(time_sync: TimeSync) -> str:
    """Return the file that more time servers are written to, "" where none can be."""
    if time_sync.service is TimeService.TIMESYNCD:
        return TIMESYNCD_DROP_IN
    if time_sync.service is TimeService.CHRONY:
        return f"{time_sync.sources}/{CHRONY_SOURCES}" if time_sync.sources else time_sync.config
    return ""


def _originals(
    files: HostFiles, time_sync: TimeSync
) -> tuple[dict[str, FileState | None], dict[str, Problem]]:
    originals: dict[str, FileState | None] = {}
    unsuitable = {}
    for path in filter(None, (HOSTNAME, HOSTS, time_file(time_sync))):
        try:
            originals[path] = files.state(path)
        except UnsuitableFileError as error:
            unsuitable[path] = Problem(
                Level.ERROR, "file-unsuitable", str(error), "", f"{path}:1", error.resolution
            )
    return originals, unsuitable


def system_record(system: SystemFacts) -> SystemRecord:
    """Return the facts for programs."""
    return {
        "disks": system.disks.to_json(),
        "volume_groups": [group.to_json() for group in system.volume_groups],
        "hostname": asdict(system.hostname) | {"resolvable": system.hostname.resolvable},
        "dns": asdict(system.resolver),
        "time": asdict(system.time_sync),
        "firewalls": [
            {"kind": wall.kind, "at": wall.at, "files": list(wall.files), "policy": wall.policy}
            for wall in system.firewalls
        ],
        "rule_tables": None if system.rule_tables is None else list(system.rule_tables),
        "confinement": asdict(system.confinement),
        "software": asdict(system.software),
        "earlier": asdict(system.earlier),
    }

"""Who keeps the clock: systemd-timesyncd, chrony or an ntpd; its servers; whether the clock is synchronised."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Runner
    from kronos_installer.host_files import HostFiles

TIMEDATECTL = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
CHRONY_CONFS = ("/etc/chrony/chrony.conf", "/etc/chrony.conf")
_TIMESYNCD = ("/etc/systemd/timesyncd.conf", "/etc/systemd/timesyncd.conf.d/*.conf")
_NTP_CONFS = ("/etc/ntpsec/ntp.conf", "/etc/ntp.conf")
_SOURCES = frozenset({"server", "pool", "peer"})


class TimeService(StrEnum):
    """The program that keeps the clock."""

    NONE = ""
    TIMESYNCD = "systemd-timesyncd"
    CHRONY = "chrony"
    NTPD = "ntpd"
    OPENNTPD = "openntpd"


_UNITS = {
    "chrony.service": TimeService.CHRONY, "chronyd.service": TimeService.CHRONY,
    "ntpsec.service": TimeService.NTPD, "ntp.service": TimeService.NTPD, "ntpd.service": TimeService.NTPD,
    "openntpd.service": TimeService.OPENNTPD, "systemd-timesyncd.service": TimeService.TIMESYNCD,
}  # fmt: skip


@dataclass(frozen=True)
class TimeSync:
    """`config` is chrony's main file, `sources` the folder it reads more servers from (chrony.conf(5) sourcedir).

    `synchronized` is None where nobody could be asked.
    """

    service: TimeService
    servers: tuple[str, ...]
    synchronized: bool | None
    config: str = ""
    sources: str = ""


def read_time_sync(files: HostFiles, query: Runner) -> TimeSync:
    """Read all of it."""
    service = next((found for unit, found in _UNITS.items() if files.glob(f"/etc/systemd/system/*.wants/{unit}")),
                   TimeService.NONE)  # fmt: skip
    synchronized = _synchronized(query)
    if service is TimeService.CHRONY:
        config = next((path for path in CHRONY_CONFS if files.exists(path)), "")
        text = files.read(config) if config else ""
        sources = parse_sourcedir(text)
        more = "".join(files.read(path) for path in files.glob(f"{sources}/*.sources")) if sources else ""
        return TimeSync(service, parse_chrony(f"{text}\n{more}"), synchronized, config, sources)
    if service is TimeService.TIMESYNCD:
        text = "\n".join(files.read(path) for pattern in _TIMESYNCD for path in files.glob(pattern))
        return TimeSync(service, parse_timesyncd(text), synchronized)
    text = "\n".join(files.read(path) for path in _NTP_CONFS)
    return TimeSync(service, parse_chrony(text), synchronized)


def parse_timesyncd(text: str) -> tuple[str, ...]:
    """Return NTP= of timesyncd.conf(5), its files in order: values add up, an empty one forgets those before."""
    servers: tuple[str, ...] = ()
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() == "NTP":
            servers = (*servers, *value.split()) if value.strip() else ()
    return servers


def parse_chrony(text: str) -> tuple[str, ...]:
    """Return the servers, pools and peers of chrony.conf(5); ntp.conf(5) writes them alike."""
    lines = (line.split() for line in text.splitlines())
    return tuple(words[1] for words in lines if len(words) > 1 and words[0].lower() in _SOURCES)


def parse_sourcedir(text: str) -> str:
    """Return chrony.conf(5)'s first `sourcedir` below /etc, "" for none: those below /run are DHCP's."""
    lines = (line.split() for line in text.splitlines())
    folders = (words[1].rstrip("/") for words in lines if len(words) > 1 and words[0].lower() == "sourcedir")
    return next((folder for folder in folders if folder.startswith("/etc/")), "")


def _synchronized(query: Runner) -> bool | None:
    try:
        return {"yes": True, "no": False}.get(query(TIMEDATECTL).strip())
    except KronosError:
        return None

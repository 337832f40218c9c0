"""Who keeps the clock: systemd-timesyncd, chrony or an ntpd; its servers; whether the clock is synchronised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from kronos_installer.detect.precedence import in_order
from kronos_installer.detect.units import enabled
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Runner
    from kronos_installer.host_files import HostFiles

TIMEDATECTL = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
CHRONY_CONFS = ("/etc/chrony/chrony.conf", "/etc/chrony.conf")
_NTP_CONFS = ("/etc/ntpsec/ntp.conf", "/etc/ntp.conf")
_OPENNTPD_CONFS = ("/etc/openntpd/ntpd.conf", "/etc/ntpd.conf")
# Least to most important: a drop-in hides those of its name before it, and of the main files the last counts.
_SYSTEMD = ("/usr/lib/systemd", "/run/systemd", "/etc/systemd")
_SOURCES = frozenset({"server", "servers", "pool", "peer"})
_CHRONY_MORE = {"include": "", "confdir": "/*.conf", "sourcedir": "/*.sources"}
_MOST_FILES = 100


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

    `synchronized` is None where nobody could be asked. `others` are started at boot too.
    """

    service: TimeService
    servers: tuple[str, ...]
    synchronized: bool | None
    config: str = ""
    sources: str = ""
    others: tuple[TimeService, ...] = ()


def read_time_sync(files: HostFiles, query: Runner) -> TimeSync:
    """Read all of it."""
    started = dict.fromkeys(found for unit, found in _UNITS.items() if enabled(files, unit))
    service, *others = started or (TimeService.NONE,)
    found = TimeSync(service, (), _synchronized(query), others=tuple(others))
    match service:
        case TimeService.CHRONY:
            config = _first(files, CHRONY_CONFS)
            text = _chrony_text(files, config)
            return replace(found, servers=parse_chrony(text), config=config, sources=parse_sourcedir(text))
        case TimeService.TIMESYNCD:
            return replace(found, servers=parse_timesyncd(_timesyncd_text(files)))
        case TimeService.NTPD:
            return replace(found, servers=parse_chrony(files.read(_first(files, _NTP_CONFS))))
        case TimeService.OPENNTPD:
            return replace(found, servers=parse_chrony(files.read(_first(files, _OPENNTPD_CONFS))))
        case TimeService.NONE:
            return found


def _first(files: HostFiles, paths: tuple[str, ...]) -> str:
    return next((path for path in paths if files.exists(path)), "")


def _chrony_text(files: HostFiles, config: str) -> str:
    """Return chrony's files as one text, those that it reads beside its main one too (chrony.conf(5))."""
    pending, texts = [config] if config else [], dict[str, str]()
    while pending and len(texts) < _MOST_FILES:
        path = pending.pop(0)
        texts[path] = files.read(path)
        for words in map(str.split, texts[path].splitlines()):
            suffix = _CHRONY_MORE.get(words[0].lower()) if words else None
            found = () if suffix is None else (p for word in words[1:] for p in files.glob(f"{word}{suffix}"))
            pending += [path for path in found if path not in texts and path not in pending]
    return "\n".join(texts.values())


def _timesyncd_text(files: HostFiles) -> str:
    main = [path for place in _SYSTEMD if files.exists(path := f"{place}/timesyncd.conf")]
    more = in_order(files, [f"{place}/timesyncd.conf.d" for place in reversed(_SYSTEMD)], "*.conf")
    return "\n".join(files.read(path) for path in (*main[-1:], *more))


def parse_timesyncd(text: str) -> tuple[str, ...]:
    """Return NTP= of timesyncd.conf(5), its files in order: values add up, an empty one forgets those before."""
    servers: tuple[str, ...] = ()
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() == "NTP":
            servers = (*servers, *value.split()) if value.strip() else ()
    return servers


def parse_chrony(text: str) -> tuple[str, ...]:
    """Return the servers, pools and peers of chrony.conf(5); ntp.conf(5) and OpenNTPD's ntpd.conf(5) write them alike."""
    lines = (line.split() for line in text.splitlines())
    # ntp.conf(5) has an address family before the name.
    sources = (
        [w for w in words[1:] if w not in ("-4", "-6")]
        for words in lines
        if words and words[0].lower() in _SOURCES
    )
    return tuple(dict.fromkeys(words[0] for words in sources if words))


def parse_sourcedir(text: str) -> str:
    """Return chrony.conf(5)'s first `sourcedir` below /etc, "" for none: those below /run are DHCP's."""
    lines = (line.split() for line in text.splitlines())
    folders = (
        word.rstrip("/") for words in lines if words and words[0].lower() == "sourcedir" for word in words[1:]
    )
    return next((folder for folder in folders if folder.startswith("/etc/")), "")


def _synchronized(query: Runner) -> bool | None:
    try:
        return {"yes": True, "no": False}.get(query(TIMEDATECTL).strip())
    except KronosError:
        return None

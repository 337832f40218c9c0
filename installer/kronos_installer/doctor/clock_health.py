"""The clock: kept by somebody, synchronised, and not far off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.detect.time_sync import TimeService, TimeSync
from kronos_installer.doctor.answer import Answer, ask, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host import Runner
    from kronos_installer.problem import Problem

_MOST_S = 1.0
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
# `chronyc -c tracking` separates with commas; the fifth is the system clock's offset in seconds (chronyc(1)).
_CHRONY_OFFSET = 4


def read_offset(query: Runner, time_sync: TimeSync) -> Answer:
    """Ask whoever keeps the clock how far it is off."""
    if time_sync.service is TimeService.CHRONY:
        return ask(query, ("chronyc", "-c", "tracking"))
    if time_sync.service is TimeService.TIMESYNCD:
        return ask(query, ("timedatectl", "timesync-status"))
    return Answer()


def parse_offset(service: TimeService, text: str) -> float | None:
    """Return the offset in seconds, None where it is not told."""
    if service is TimeService.CHRONY:
        fields = text.strip().split(",")
        told = fields[_CHRONY_OFFSET] if len(fields) > _CHRONY_OFFSET else ""
        return float(told) if re.fullmatch(r"[+-]?\d+(\.\d+)?", told) else None
    found = re.search(r"^\s*Offset: ([+-]?)(.+)$", text, re.MULTILINE)
    parts = re.findall(r"(\d+(?:\.\d+)?)(us|ms|min|s)", found[2]) if found else []
    total = sum(float(value) * _UNITS[unit] for value, unit in parts)
    return (-total if found and found[1] == "-" else total) if parts else None


_SETS = {
    TimeService.CHRONY: "chronyc makestep",
    TimeService.TIMESYNCD: "systemctl restart systemd-timesyncd.service",
}


def clock_findings(time_sync: TimeSync, offset: Answer) -> Iterator[Problem]:
    """Yield what is wrong."""
    if time_sync.service is TimeService.NONE:
        yield error("time-not-kept", "nothing keeps the clock", "/etc/systemd/system/*.wants: no chrony, "
                    "systemd-timesyncd or ntpd", "install chrony")  # fmt: skip
        return
    if time_sync.synchronized is False:
        yield error("time-not-synchronized", f"{time_sync.service} has not synchronised the clock",
                    "timedatectl: NTPSynchronized=no", "see whether its servers can be reached; "
                    "'xapi-host-setup reconfigure --ntp-server NAME' gives it others")  # fmt: skip
    elif time_sync.synchronized is None:
        yield warning("time-unknown", "whether the clock is synchronised is not known", "timedatectl show "
                      "--property=NTPSynchronized", "see why timedatectl fails: systemctl status dbus systemd-timedated")  # fmt: skip
    elif offset.error:
        yield warning("time-unknown", f"{time_sync.service} does not say how far the clock is off", offset.error,
                      f"see why '{offset.error.partition(':')[0]}' fails")  # fmt: skip
    seconds = parse_offset(time_sync.service, offset.text)
    if seconds is not None and abs(seconds) > _MOST_S:
        yield warning("time-offset", f"the clock is {seconds:+.3f} s off", f"{time_sync.service}'s offset",
                      f"wait until it is corrected, or set it: {_SETS.get(time_sync.service, 'date --set')}")  # fmt: skip

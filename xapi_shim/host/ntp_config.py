"""What the configuration of a time service is to say: pure text in, text out.

In chrony's only file (chrony.conf(5)) the distro's sources are put behind a mark, and ours are
a block at the end: taking both away gives the original back, to the byte. systemd's
(timesyncd.conf(5)) has a file of its own for ours.
"""

from __future__ import annotations

import re

from xapi_shim.host.interface import NtpMode

MARK = "#xapi: "
BEGIN, END = "# xapi: time servers, from here\n", "# xapi: to here\n"
_SOURCE = re.compile(r"^[ \t]*(?:server|pool|peer)[ \t]", re.IGNORECASE | re.MULTILINE)
_BLOCK = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)

STATES = {
    "*": "current synced",
    "+": "combined",
    "-": "not combined",
    "?": "unreachable",
    "x": "time may be in error",
    "~": "time too variable",
}


def chrony_original(text: str) -> str:
    """Return chrony's configuration without what `chrony_config` did to it."""
    return re.sub(f"^{re.escape(MARK)}", "", _BLOCK.sub("", text), flags=re.MULTILINE)


def chrony_config(text: str, mode: NtpMode, servers: tuple[str, ...]) -> str:
    """Return chrony's configuration with its sources as `mode` has them; those of DHCP come from elsewhere."""
    original = chrony_original(text)
    if mode in (NtpMode.FACTORY, NtpMode.DISABLED):
        return original
    marked = _SOURCE.sub(lambda found: f"{MARK}{found[0]}", original)
    if mode is NtpMode.DHCP:
        return marked
    lines = "".join(f"server {server} iburst\n" for server in servers)
    block = f"{BEGIN}{lines}{END}"
    # A last line without its newline stays the last, and what it was.
    return f"{marked}{block}" if marked.endswith("\n") else f"{block}{marked}"


def timesyncd_files(mode: NtpMode, servers: tuple[str, ...]) -> dict[str, str]:
    """Return what is to be in timesyncd.conf.d, by file; DHCP clients write a file there that sorts between.

    While nobody is named, neither here nor by DHCP, the service asks those of the distro all the same:
    it takes no empty list of them (systemd 252).
    """
    match mode:
        case NtpMode.CUSTOM:
            # The empty assignment drops those of DHCP and of the distro.
            return {"90-xapi.conf": f"[Time]\nNTP=\nNTP={' '.join(servers)}\nFallbackNTP=\n"}
        case NtpMode.DHCP:
            return {"00-xapi.conf": "[Time]\nNTP=\nFallbackNTP=\n"}
        case NtpMode.FACTORY | NtpMode.DISABLED:
            return {}


TIMESYNCD_FILES = ("00-xapi.conf", "90-xapi.conf")


def parse_chrony_sources(csv: str) -> dict[str, str]:
    """Parse `chronyc -c -N sources` (chronyc(1)): mode, state, name, and more, by commas."""
    rows = [line.split(",") for line in csv.splitlines()]
    return {row[2]: STATES.get(row[1], "unknown") for row in rows if len(row) > 2 and row[0] in "^="}


def parse_timesync(text: str, *, synchronized: bool) -> dict[str, str]:
    """Parse `timedatectl show-timesync` (timedatectl(1)): KEY=value lines."""
    told = dict(line.partition("=")[::2] for line in text.splitlines())
    keys = ("LinkNTPServers", "SystemNTPServers", "RuntimeNTPServers", "FallbackNTPServers")
    lists = [told.get(key, "").split() for key in keys]
    # What the distro falls back to counts only where nobody named another.
    known = [server for names in lists[:3] for server in names] or lists[3]
    found = dict.fromkeys(known, STATES["-"])
    if current := told.get("ServerName", ""):
        found[current] = STATES["*"] if synchronized else STATES["?"]
    return found

"""An interface's other names (ip-link(8), altname), as udev gives them by systemd.link(5) when it sees the interface.

The kernel shows them over netlink alone; udev's database has what they are made of, and which file decides.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from kronos_installer.detect.precedence import in_order, systemd_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host_files import HostFiles

_PROPERTIES = {
    "database": "ID_NET_NAME_FROM_DATABASE", "onboard": "ID_NET_NAME_ONBOARD", "slot": "ID_NET_NAME_SLOT",
    "path": "ID_NET_NAME_PATH", "mac": "ID_NET_NAME_MAC",
}  # fmt: skip
_NAMES, _POLICY = "AlternativeName", "AlternativeNamesPolicy"


def read_alternative_names(files: HostFiles, name: str) -> tuple[str, ...]:
    """Return an interface's other names, none where udev has not told. Raises UnreadableFileError."""
    index = files.read(f"/sys/class/net/{name}/ifindex").strip()
    known = _properties(files.read(f"/run/udev/data/n{index}")) if index.isdecimal() else {}
    link_file = known.get("ID_NET_LINK_FILE", "")
    if not link_file:
        return ()
    drop_ins = f"{posixpath.basename(link_file)}.d/*.conf"
    said: dict[str, list[str]] = {_NAMES: [], _POLICY: []}
    for path in (link_file, *in_order(files, systemd_folders("systemd/network"), drop_ins)):
        for key, value in _link_settings(files.read(path)):
            if key in said:
                said[key] = [*said[key], *value.split()] if value else []
    made = [known.get(_PROPERTIES.get(policy, ""), "") for policy in said[_POLICY]]
    # What has a specifier (systemd.link(5), SPECIFIERS) is not known here.
    found = [one for one in (*said[_NAMES], *made) if one not in ("", name) and "%" not in one]
    return tuple(dict.fromkeys(found))


def _properties(text: str) -> dict[str, str]:
    """Read a device's file of udev's database: `E:KEY=value` is a property."""
    lines = (line[2:].partition("=") for line in text.splitlines() if line.startswith("E:"))
    return {key: value for key, _, value in lines}


def _link_settings(text: str) -> Iterator[tuple[str, str]]:
    """Yield the assignments of [Link]."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        key, equals, value = line.partition("=")
        if line.startswith("["):
            section = line
        elif section == "[Link]" and equals and not line.startswith(("#", ";")):
            yield key.strip(), value.strip()

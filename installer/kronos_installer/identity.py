"""The host's identity in the files that XenAPI clients and plugins read. Pure."""

from __future__ import annotations

import re

_LINE = re.compile(r"^([A-Z0-9_]+)='(.*)'$")
POOL_CONF = "master"


def merge_inventory(old: str, always: dict[str, str], if_absent: dict[str, str]) -> str:
    """Return the inventory (KEY='value' lines) with `always` set and `if_absent` kept where they are set.

    Lines of other keys stay as they are: a host keeps its uuids over a second set-up.
    """
    lines = []
    seen = set()
    for line in old.splitlines():
        match = _LINE.match(line)
        key = match[1] if match else ""
        seen.add(key)
        lines.append(f"{key}='{always[key]}'" if key in always else line)
    lines += [f"{key}='{value}'" for key, value in (if_absent | always).items() if key not in seen]
    return "".join(f"{line}\n" for line in lines)


def host_uuid(inventory: str) -> str:
    """Return INSTALLATION_UUID, the host's uuid, "" where the inventory does not say it."""
    found = re.search(r"^INSTALLATION_UUID=['\"]?([\w-]+)", inventory, re.MULTILINE)
    return found[1] if found else ""

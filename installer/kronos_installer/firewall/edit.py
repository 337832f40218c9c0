"""What the firewall edits share.

Rules that name the management interface must hold for the bridge too, which the host's traffic comes in by later. The
bridge is always named *beside* the interface, never in its place: the same rules then serve before the reboot, after it
and after a rollback, whichever file a power cut leaves old. (A port of a bridge is never where packets to the host come
in, so the old name does no harm.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kronos_installer.network.stack import BRIDGE
from kronos_installer.problem import Level, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

# The XenAPI; SSH stays as it is; guests are not migrated between hosts over a port of their own.
OPEN_PORTS = (443,)
COMMENT = "XenAPI"


@dataclass
class Edited:
    """New contents by path, only of files that change, and what could not be done."""

    files: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def matches(pattern: str, nic: str) -> bool:
    """Tell whether an interface's name, or a prefix and `*` or `+`, is `nic` and not the bridge too."""
    glob = pattern.removesuffix("+") + "*" if pattern.endswith("+") else pattern
    return fnmatchcase(nic, glob) and not fnmatchcase(BRIDGE, glob)


def not_plain(kind: str, nic: str, at: str) -> Problem:
    """Return the refusal of a line that names the interface in a way that is not understood."""
    return Problem(
        Level.ERROR,
        "firewall-names-interface",
        f"this rule of {kind} names {nic} in a way that cannot be carried over",
        f"Packets to the host will come in by {BRIDGE}: a rule for {nic} alone would no longer see them.",
        at,
        f"make the line hold for {BRIDGE} too by naming it beside {nic}, or name no interface",
    )


def not_understood(kind: str, what: str, at: str) -> Problem:
    """Return the refusal of a configuration that is not understood."""
    return Problem(Level.ERROR, "firewall-not-understood", f"{kind}: {what}", "", at,
                   "let TCP port 443 to the host through yourself, then give --no-firewall")  # fmt: skip


def changed(old: Mapping[str, bytes], new: Mapping[str, str]) -> dict[str, bytes]:
    """Return the new contents that differ from the old."""
    encoded = {path: text.encode("latin-1") for path, text in new.items()}
    return {path: content for path, content in encoded.items() if content != old.get(path)}

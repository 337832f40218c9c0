"""Other software that may take or name a network interface: NetworkManager, dhclient, sysctl."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

_WANTS = "/etc/systemd/system/*.wants/"
_MENTIONS = (
    "/etc/sysctl.conf", "/etc/sysctl.d/*.conf",
    "/etc/network/if-pre-up.d/*", "/etc/network/if-up.d/*", "/etc/network/if-down.d/*",
    "/etc/network/if-post-down.d/*", "/etc/dhcp/dhclient.conf", "/etc/dhcpcd.conf", "/etc/radvd.conf",
    "/etc/dhcp/dhclient-enter-hooks.d/*", "/etc/dhcp/dhclient-exit-hooks.d/*",
)  # fmt: skip


@dataclass(frozen=True)
class Mention:
    """A line of a file outside interfaces(5)."""

    at: str
    text: str


@dataclass(frozen=True)
class Owners:
    """`manages_all` is where NetworkManager is told to take interfaces(5)'s interfaces too, "" if not."""

    manages_all: str
    mentions: tuple[Mention, ...]

    def mentions_of(self, nic: str) -> tuple[Mention, ...]:
        """Return the lines that name `nic`."""
        return tuple(mention for mention in self.mentions if names_interface(mention.text, nic))


def names_interface(text: str, nic: str) -> bool:
    """Tell whether `text` names the interface as a word: `eth0` is not in `eth01`, but in `eth0.5`."""
    return bool(re.search(rf"(?<![\w-]){re.escape(nic)}(?![\w-])", text))


def read_owners(files: HostFiles) -> Owners:
    """Read all of it."""
    network_manager = bool(files.glob(f"{_WANTS}NetworkManager.service"))
    configs = ("/etc/NetworkManager/NetworkManager.conf", *files.glob("/etc/NetworkManager/conf.d/*.conf"))
    managed = [at for path in configs if (at := parse_ifupdown_managed(path, files.read(path)))]
    mentions = [
        Mention(f"{path}:{number}", line)
        for pattern in _MENTIONS
        for path in files.glob(pattern)
        for number, line in enumerate(files.read(path).splitlines(), 1)
        if line.strip() and not line.lstrip().startswith(("#", ";"))
    ]
    return Owners(managed[-1] if network_manager and managed else "", tuple(mentions))


def parse_ifupdown_managed(path: str, text: str) -> str:
    """Return where `managed=true` stands in NetworkManager's `[ifupdown]` section, "" if nowhere."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip().replace(" ", "")
        if stripped.startswith("["):
            section = stripped
        elif section == "[ifupdown]" and stripped == "managed=true":
            return f"{path}:{number}"
    return ""

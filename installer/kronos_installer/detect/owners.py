"""Other software that may take or name a network interface: NetworkManager, dhclient."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.units import enabled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host_files import HostFiles

_MENTIONS = (
    "/etc/network/if-pre-up.d/*", "/etc/network/if-up.d/*", "/etc/network/if-down.d/*",
    "/etc/network/if-post-down.d/*", "/etc/dhcp/dhclient.conf", "/etc/dhcpcd.conf", "/etc/radvd.conf",
    "/etc/dhcp/dhclient-enter-hooks.d/*", "/etc/dhcp/dhclient-exit-hooks.d/*", "/etc/rc.local", "/etc/rc.d/rc.local",
    "/etc/networkd-dispatcher/*.d/*",
)  # fmt: skip


# What else may load a firewall's rules; NetworkManager's and ifcfg's readers look there for interfaces themselves.
_RULES = ("/etc/NetworkManager/dispatcher.d/*", "/etc/NetworkManager/dispatcher.d/*.d/*", "/etc/network/interfaces",
          "/etc/network/interfaces.d/*")  # fmt: skip
# The words are those of iptables(8), iptables-restore(8) and nft(8).
_LOADS_FIREWALL = re.compile(
    r"(?<![\w-])(?:ip6?tables(?:-legacy|-nft)?(?:-restore\b|\s.*?-[AIPN]\s)|nft\s.*?(?:-f|--file|add|insert)\s)"
)


@dataclass(frozen=True)
class Mention:
    """A line of a file outside interfaces(5)."""

    at: str
    text: str


@dataclass(frozen=True)
class Owners:
    """`manages_all` is where NetworkManager is told to take interfaces(5)'s interfaces too, "" if not.

    `firewall_lines` are the files and lines of scripts that set rules of a firewall.
    """

    manages_all: str
    mentions: tuple[Mention, ...]
    firewall_lines: tuple[str, ...]

    def mentions_of(self, nic: str) -> tuple[Mention, ...]:
        """Return the lines that name `nic`."""
        return tuple(m for m in self.mentions if names_interface(m.text, nic))


def names_interface(text: str, nic: str) -> bool:
    """Tell whether `text` names the interface as a word: `eth0` is not in `eth01`, but in `eth0.5`."""
    return bool(re.search(rf"(?<![\w-]){re.escape(nic)}(?![\w-])", text))


def read_owners(files: HostFiles) -> Owners:
    """Read all of it."""
    network_manager = bool(enabled(files, "NetworkManager.service"))
    configs = ("/etc/NetworkManager/NetworkManager.conf", *files.glob("/etc/NetworkManager/conf.d/*.conf"))
    managed = [at for path in configs if (at := parse_ifupdown_managed(path, files.read(path)))]
    mentions = tuple(_lines(files, _MENTIONS))
    rules = (m.at for m in (*mentions, *_lines(files, _RULES)) if _LOADS_FIREWALL.search(m.text))
    return Owners(managed[-1] if network_manager and managed else "", mentions, tuple(rules))


def _lines(files: HostFiles, patterns: tuple[str, ...]) -> Iterator[Mention]:
    for path in (path for pattern in patterns for path in files.glob(pattern)):
        for number, line in enumerate(files.read(path).splitlines(), 1):
            if line.strip() and not line.lstrip().startswith(("#", ";")):
                yield Mention(f"{path}:{number}", line)


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

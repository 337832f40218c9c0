"""The host's name: hostname(5), hosts(5), and whether it resolves without a network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.units import enabled

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

HOSTNAME = "/etc/hostname"
HOSTS = "/etc/hosts"
# Least to most important: what was given to the instance goes before the system's own (cloud-init, "Configuration sources").
_CLOUD_CONFIGS = (
    "/etc/cloud/cloud.cfg",
    "/etc/cloud/cloud.cfg.d/*.cfg",
    "/var/lib/cloud/instance/vendor-cloud-config.txt",
    "/var/lib/cloud/instance/vendor2-cloud-config.txt",
    "/var/lib/cloud/instance/cloud-config.txt",
)
# The second name is that of cloud-init 24.3 and later.
_CLOUD_UNITS = ("cloud-init.service", "cloud-init-network.service", "cloud-init-main.service")
_ON = frozenset({"true", "yes", "on", "1"})
_NSSWITCH = "/etc/nsswitch.conf"
# Both know the host's own name: nss-myhostname(8), nss-resolve(8).
_KNOWS_OWN_NAME = r"hosts:([^#]*\s)?(myhostname|resolve)(\s|$)"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LONGEST = 253


@dataclass(frozen=True)
class Hostname:
    """`name` is /etc/hostname's. `running` is the kernel's. `at` is what gives the name an address without a network: a
    line of hosts(5) or of nsswitch.conf(5), "" for none.

    `cloud_init` is where cloud-init is told to write hosts(5) anew (file and line), "" if nowhere;
    `cloud_init_sets` is whether it sets the name at each boot.
    """

    name: str
    running: str
    at: str
    cloud_init: str = ""
    cloud_init_sets: bool = False

    @property
    def resolvable(self) -> bool:
        """Whether the name has an address without a network."""
        return bool(self.at)


def is_hostname(text: str) -> bool:
    """Tell whether a name follows RFC 952 and 1123: labels of letters, digits and hyphens, not all digits."""
    labels = text.split(".")
    good = all(re.fullmatch(_LABEL, label) for label in labels)
    return good and len(text) <= _LONGEST and not labels[-1].isdigit()


def is_localhost(text: str) -> bool:
    """Tell whether it is the loopback's name, which every host has and none is known by (RFC 6761, 6.3)."""
    labels = text.lower().rstrip(".").split(".")
    return "localhost" in (labels[0], labels[-1])


def read_hostname(files: HostFiles) -> Hostname:
    """Read all of it."""
    name = parse_hostname(files.read(HOSTNAME))
    running = files.read("/proc/sys/kernel/hostname").strip()
    line = hosts_line(files.read(HOSTS), name or running)
    at = f"{HOSTS}:{line}" if line else _setting(_NSSWITCH, files.read(_NSSWITCH), _KNOWS_OWN_NAME)
    cloud = runs_cloud_init(files)
    paths = [path for pattern in _CLOUD_CONFIGS for path in files.glob(pattern)] if cloud else []
    texts = [(path, files.read(path)) for path in paths]
    manages, where = _last(texts, "manage_etc_hosts")
    preserves, _ = _last(texts, "preserve_hostname")
    return Hostname(name, running, at, where if manages in _ON | {"template", "localhost"} else "",
                    cloud and preserves not in _ON)  # fmt: skip


def runs_cloud_init(files: HostFiles) -> bool:
    """Tell whether cloud-init runs at each boot (its documentation, "How to disable cloud-init")."""
    off = files.exists("/etc/cloud/cloud-init.disabled") or re.search(
        r"(?:^|\s)cloud-init=disabled(?:\s|$)", files.read("/proc/cmdline")
    )
    return bool(enabled(files, *_CLOUD_UNITS)) and not off


def parse_hostname(text: str) -> str:
    """Return the first line that is no comment (hostname(5))."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def hosts_line(text: str, name: str) -> int:
    """Return the number of hosts(5)'s first line that gives `name` an address, 0 for none."""
    for number, line in enumerate(text.splitlines(), 1):
        if name and name.lower() in (word.lower() for word in line.partition("#")[0].split()[1:]):
            return number
    return 0


def _last(texts: list[tuple[str, str]], key: str) -> tuple[str, str]:
    """Return the value of cloud-init's setting in the last file that has it, in lower case, and where it is."""
    found = [
        (match[1].lower(), f"{path}:{number}")
        for path, text in texts
        for number, line in enumerate(text.splitlines(), 1)
        if (match := re.match(rf"{key}:\s*[\"']?(\w+)", line.strip()))
    ]
    return found[-1] if found else ("", "")


def _setting(path: str, text: str, pattern: str) -> str:
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(pattern, line.strip(), re.IGNORECASE):
            return f"{path}:{number}"
    return ""

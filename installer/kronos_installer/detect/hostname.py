"""The host's name: hostname(5), hosts(5), and whether it resolves without a network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

HOSTNAME = "/etc/hostname"
HOSTS = "/etc/hosts"
_CLOUD_CONFIGS = ("/etc/cloud/cloud.cfg", "/etc/cloud/cloud.cfg.d/*.cfg")
_CLOUD_UNITS = "/etc/systemd/system/*.wants/cloud-init.service"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LONGEST = 253


@dataclass(frozen=True)
class Hostname:
    """`name` is /etc/hostname's. `running` is the kernel's. `at` is hosts(5)'s line that names the host, "" for none.

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
        """Whether hosts(5) has it."""
        return bool(self.at)


def is_hostname(text: str) -> bool:
    """Tell whether a name follows RFC 952 and 1123: labels of letters, digits and hyphens, not all digits."""
    labels = text.split(".")
    good = all(re.fullmatch(_LABEL, label) for label in labels)
    return good and len(text) <= _LONGEST and not labels[-1].isdigit()


def read_hostname(files: HostFiles) -> Hostname:
    """Read all of it."""
    name = parse_hostname(files.read(HOSTNAME))
    running = files.read("/proc/sys/kernel/hostname").strip()
    line = hosts_line(files.read(HOSTS), name or running)
    cloud = bool(files.glob(_CLOUD_UNITS))
    paths = [path for pattern in _CLOUD_CONFIGS for path in files.glob(pattern)] if cloud else []
    texts = [(path, files.read(path)) for path in paths]
    manages = [
        at for path, text in texts if (at := _setting(path, text, r"manage_etc_hosts:\s*(?!false|no|off)\w"))
    ]
    preserves = any(_setting(path, text, r"preserve_hostname:\s*(true|yes|on)\b") for path, text in texts)
    return Hostname(name, running, f"{HOSTS}:{line}" if line else "", manages[-1] if manages else "",
                    cloud and not preserves)  # fmt: skip


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


def _setting(path: str, text: str, pattern: str) -> str:
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(pattern, line.strip(), re.IGNORECASE):
            return f"{path}:{number}"
    return ""

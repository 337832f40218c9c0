"""cloud-init, which writes the network configuration anew when it takes the host for a new one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

# cloud-init's documentation, "Disable network configuration".
DISABLE_PATH = "/etc/cloud/cloud.cfg.d/99-disable-network-config.cfg"
DISABLE_CONTENT = b"network: {config: disabled}\n"
_PROGRAMS = ("/usr/bin/cloud-init", "/usr/sbin/cloud-init")
_OFF = re.compile(r"^network:\s*(\{\s*config:\s*disabled\s*\}|\n\s+config:\s*disabled)\s*$", re.MULTILINE)
_KERNEL_CONFIG = re.compile(r"(?:^|\s)(network-config|ip)=(\S+)")


def must_be_told(files: HostFiles) -> bool:
    """Tell whether cloud-init is there and would write network configuration.

    Raises ProblemError where the kernel's command line, which a file does not override, configures the network.
    """
    if not any(map(files.exists, _PROGRAMS)) or files.exists("/etc/cloud/cloud-init.disabled"):
        return False
    command_line = files.read("/proc/cmdline")
    if re.search(r"(?:^|\s)cloud-init=disabled(?:\s|$)", command_line):
        return False
    found = _KERNEL_CONFIG.search(command_line)
    if found and found[2] != "disabled":
        raise refusal("cloud-init-network", f"cloud-init takes the network from {found[1]}= at each boot",
                      at="/proc/cmdline:1", remedy="remove it from the kernel's command line")  # fmt: skip
    if found and found[1] == "network-config":
        return False
    paths = ("/etc/cloud/cloud.cfg", *files.glob("/etc/cloud/cloud.cfg.d/*.cfg"))
    if any(_OFF.search(files.read(path)) for path in paths):
        return False
    if files.read(DISABLE_PATH):
        raise refusal("cloud-init-network", "cloud-init's network configuration is not off, and the file that is "
                      "to turn it off says something else", at=f"{DISABLE_PATH}:1",
                      remedy="write 'network: {config: disabled}' to it")  # fmt: skip
    return True

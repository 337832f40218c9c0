"""The file that makes Xen GRUB's default: its text, and the consoles it keeps.

It is the last of /etc/default/grub.d, so that what /etc/default/grub and Debian's own
xen.cfg set before it is known and kept, and nothing after it takes the default away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CONFIG_PATH = "/etc/default/grub.d/zz-xapi.cfg"
_CONSOLE = re.compile(r"(?:^|[\s\"'])console=ttyS(\d+)(?:,(\d+)([neo]?)([78]?)r?)?(?=$|[\s\"'])")
XEN_PORTS = ("com1", "com2")


@dataclass(frozen=True)
class SerialConsole:
    """A console on the host's serial port: Xen's name of the port and its line settings."""

    port: str
    settings: str


def parse_serial_console(text: str) -> SerialConsole | None:
    """Return the serial console that a kernel command line asks for, as Xen's `comN=` wants it.

    Linux: `ttyS<n>[,<baud><parity><bits>]`, 9600n8 unless told (serial-console.rst);
    Xen: `com<n+1>=<baud>,<bits><parity><stop bits>`. Raises ValueError for a port Xen cannot drive.
    """
    found = list(_CONSOLE.finditer(text))
    if not found:
        return None
    number, baud, parity, bits = found[-1].groups()
    if int(number) >= len(XEN_PORTS):
        raise ValueError(f"ttyS{number}")
    return SerialConsole(XEN_PORTS[int(number)], f"{baud or '9600'},{bits or '8'}{parity or 'n'}1")


_HEAD = """\
# Written by xapi-host-setup; `xapi-host-setup rollback` takes it away.
# GRUB's default is Xen. The entries without Xen stay in the menu.

# The one entry whose name outlives kernel upgrades stands outside the submenus, and only
# where there are submenus. It is chosen by its id: titles change with the language.
GRUB_DISABLE_SUBMENU=n
GRUB_DEFAULT="xen-gnulinux-simple-$(grub_get_device_id "$GRUB_DEVICE")"

# Memory of dom0, fixed: what it does not have is the guests'.
GRUB_CMDLINE_XEN="$GRUB_CMDLINE_XEN dom0_mem={mib}M,max:{mib}M"
"""
_SERIAL = """
# The serial console: Xen drives the port, dom0 writes through Xen (hvc0).
GRUB_CMDLINE_XEN="$GRUB_CMDLINE_XEN {port}={settings} console={port},vga"
GRUB_CMDLINE_LINUX_XEN_REPLACE="$(printf '%s' \\
    "${{GRUB_CMDLINE_LINUX_XEN_REPLACE:-$GRUB_CMDLINE_LINUX}}" | sed 's/console=ttyS[^ ]*/console=hvc0/g')"
GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT="$(printf '%s' \\
    "${{GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT:-$GRUB_CMDLINE_LINUX_DEFAULT}}" | sed 's/console=ttyS[^ ]*/console=hvc0/g')"
"""


def render_grub_config(dom0_mib: int, serial: SerialConsole | None) -> str:
    """Return the file's text."""
    text = _HEAD.format(mib=dom0_mib)
    if serial is not None:
        text += _SERIAL.format(port=serial.port, settings=serial.settings)
    return text

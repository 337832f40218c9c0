"""The files that tell GRUB about Xen: their text, and the consoles they keep.

They are the last of /etc/default/grub.d, so that what /etc/default/grub and Debian's own
xen.cfg set before them is known and kept, and nothing after them takes the default away.
The first has dom0's options; while Xen has not been seen to run it keeps the default without Xen,
and the second, written then, makes Xen the default. It makes nothing while other options are tried.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.grub_layout import DEFAULTS, DEFAULTS_FOLDER

if TYPE_CHECKING:
    from kronos_installer.grub_layout import GrubLayout

CONFIG_PATH = f"{DEFAULTS_FOLDER}/zz-xapi.cfg"
# After CONFIG_PATH in every locale's order: in most of them punctuation does not count.
DEFAULT_PATH = f"{DEFAULTS_FOLDER}/zzz-xapi-default.cfg"
FALLBACK_PATH = "/etc/grub.d/09_xapi"
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
"""
_OPTIONS = """
# The one Xen entry whose name outlives kernel upgrades stands outside the submenus, and only
# where there are submenus.
GRUB_DISABLE_SUBMENU=n

# Memory and processors of dom0, fixed: what it does not have is the guests'.
GRUB_CMDLINE_XEN="$GRUB_CMDLINE_XEN dom0_mem={mib}M,max:{mib}M dom0_max_vcpus={vcpus}"
"""
_SERIAL = """
# The serial console: Xen drives the port, dom0 writes through Xen (hvc0).
GRUB_CMDLINE_XEN="$GRUB_CMDLINE_XEN {port}={settings} console={port},vga"
GRUB_CMDLINE_LINUX_XEN_REPLACE="$(printf '%s' \\
    "${{GRUB_CMDLINE_LINUX_XEN_REPLACE:-$GRUB_CMDLINE_LINUX}}" | sed 's/console=ttyS[^ ]*/console=hvc0/g')"
GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT="$(printf '%s' \\
    "${{GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT:-$GRUB_CMDLINE_LINUX_DEFAULT}}" | sed 's/console=ttyS[^ ]*/console=hvc0/g')"
"""
_XEN_DEFAULT = """
# GRUB's default is Xen, by its entry's id: titles change with the language. The entries without Xen
# stay in the menu.
GRUB_DEFAULT="xen-gnulinux-simple-$(grub_get_device_id "$GRUB_DEVICE")"
"""
# What reboots a dom0 that does not get as far as its own root: initramfs-tools(7), dracut.cmdline(7).
_NO_SHELL = " panic=60 rd.shell=0 rd.emergency=reboot"
_TRY = """
# Xen is tried once (grub-reboot(8)), and the default stays without it until it has been seen to run.
# A dom0 that does not find its root reboots, in place of waiting at a shell, and so ends the try.
GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT="${{GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT:-$GRUB_CMDLINE_LINUX_DEFAULT}}{no_shell}"
{default}"""
_TRIED = """
# The try is over: dom0 may wait at a shell again.
GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT="${{GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT%{no_shell}}}"
"""
_UNTRIED = """
# Xen is tried with other options: until it has been seen to run with them, what boots by itself is without it.
"""
_FALLBACK = """\
#!/bin/sh
# Written by xapi-host-setup; `xapi-host-setup rollback` takes it away.
# What GRUB boots where it cannot load what it should, say a Xen whose file is gone. Without this it waits at its menu.
echo 'set fallback={place}'
"""
_SOURCING = f"""
# Added by xapi-host-setup; `xapi-host-setup rollback` takes it away.
# For grub2-mkconfig alone: other readers of this file do not have the functions that these use.
if command -v grub_get_device_id >/dev/null; then
    for xapi_file in {CONFIG_PATH} {DEFAULT_PATH}; do
        if [ -e "$xapi_file" ]; then . "$xapi_file"; fi
    done
fi
"""
# The newest kernel without Xen: by its id, and where kernels have files of their own (BLS) by its place.
SIMPLE_LINUX = '"gnulinux-simple-$(grub_get_device_id "$GRUB_DEVICE")"'
FIRST_ENTRY = "0"


def changed_files(layout: GrubLayout) -> tuple[str, ...]:
    """Return the files that GRUB's menu is made from and a set-up may write on a host with this layout."""
    ours = (CONFIG_PATH, DEFAULT_PATH, FALLBACK_PATH)
    return ours if layout.reads_folder else (*ours, DEFAULTS)


@dataclass(frozen=True)
class Dom0Size:
    """What dom0 gets of the host, in MiB and virtual processors."""

    memory_mib: int
    vcpus: int

    def options(self, serial: SerialConsole | None) -> str:
        """Return the part of the file that sets Xen's and dom0's options."""
        text = _OPTIONS.format(mib=self.memory_mib, vcpus=self.vcpus)
        if serial is not None:
            text += _SERIAL.format(port=serial.port, settings=serial.settings)
        return text


def render_once(dom0: Dom0Size, serial: SerialConsole | None, fallback: str) -> str:
    """Return CONFIG_PATH's text where Xen is tried once. `fallback` is GRUB_DEFAULT as shell text, "" keeps it."""
    default = f"GRUB_DEFAULT={fallback}\n" if fallback else ""
    return _HEAD + dom0.options(serial) + _TRY.format(no_shell=_NO_SHELL, default=default)


def render_at_once(dom0: Dom0Size, serial: SerialConsole | None) -> str:
    """Return CONFIG_PATH's text where Xen becomes the default without a try."""
    return _HEAD + dom0.options(serial) + _XEN_DEFAULT


def render_default() -> str:
    """Return DEFAULT_PATH's text."""
    return _HEAD + _TRIED.format(no_shell=_NO_SHELL) + _XEN_DEFAULT


def render_fallback(place: int) -> str:
    """Return FALLBACK_PATH's text: the entry at that place outside the submenus. Only Fedora's GRUB knows more than numbers."""
    return _FALLBACK.format(place=place)


def render_untried() -> str:
    """Return DEFAULT_PATH's text while Xen is tried with other options: what CONFIG_PATH says of the default holds."""
    return _HEAD + _UNTRIED


def add_sourcing(defaults: str) -> str:
    """Return /etc/default/grub with what makes a grub2-mkconfig read our files that reads no folder by itself."""
    newline = "" if defaults.endswith("\n") or not defaults else "\n"
    return defaults + newline + _SOURCING

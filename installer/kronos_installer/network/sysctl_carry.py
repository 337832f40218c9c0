"""What sysctl.d(5) sets of the management interface, said of the bridge. Pure.

What the kernel does with an interface's packets and addresses is the bridge's afterwards; the lines that are there go on
for the port, which has no use for most of them. udev has systemd-sysctl set the values when the bridge appears, before
systemd-networkd and NetworkManager take it (they wait for udev) and before ifupdown's script has it up (it waits a second
for udev's sake): what these set themselves they set after that, as they did on the interface.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from kronos_installer.detect.sysctl import ADDRESS_NAMES, GLOB, IPV6, TREES, Sysctl, SysctlLine
from kronos_installer.network.findings import error, warning
from kronos_installer.network.stack import BRIDGE, AddressType, StackName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.network.stack import Management
    from kronos_installer.problem import Problem

SYSCTL_PATH = f"/etc/sysctl.d/60-xapi-{BRIDGE}.conf"
_COMMENT = "# Made by xapi-host-setup: what holds for {}, said of the bridge; 'xapi-host-setup rollback' takes it away.\n"
# The kernel takes it for no longer than until the interface's MTU changes, which a bridge's does with its first port.
_OF_PORT = (f"{IPV6}/mtu",)
_SECRET = f"{IPV6}/stable_secret"
# Addresses by RFC 7217 and at random: made of the NIC's permanent Ethernet address, or anew for each interface.
_MODE, _MODES = f"{IPV6}/addr_gen_mode", ("2", "3")


@dataclass(frozen=True)
class Carried:
    """`settings` are the lines of the new file; `left` are lines for the interface that are not carried."""

    settings: tuple[str, ...]
    left: tuple[SysctlLine, ...]

    def content(self, interface: str) -> str:
        """Return the new file's text."""
        return _COMMENT.format(interface) + "".join(f"{setting}\n" for setting in self.settings)


def carry(sysctl: Sysctl, management: Management) -> Carried:
    """Return what makes the bridge behave as the interface does."""
    interface = management.interface
    wanted, given = in_force(sysctl, interface), in_force(sysctl, BRIDGE)
    settings, left = [], {line: None for line in (*sysctl.lines, *sysctl.ignored) if _names(line, interface)}
    for place in sorted(wanted.keys() | given.keys()):
        want, get = wanted.get(place), given.get(place)
        if want is not None and not _is_carried(place, want, sysctl):
            left |= {want: None} if want.value is not None and place != _SECRET else {}
        elif (get is None or get.is_glob) and _value(want) != _value(get):
            settings.append(_setting(place, want))
    if management.stack is StackName.IFUPDOWN:
        settings += _not_defaults(sysctl, interface, wanted, given)
    if sysctl.rules:  # nobody would read them
        settings.clear()
    # A line that another one overrides says nothing, of the interface or of the bridge.
    silent = {line for line in left if _place(line) in wanted and wanted[_place(line)] != line}
    done = {line for place, line in wanted.items() if _is_carried(place, line, sysctl)}
    return Carried(tuple(settings), tuple(line for line in left if line not in done | silent))


def carry_problems(sysctl: Sysctl, management: Management) -> Iterator[Problem]:
    """Yield the lines that are not carried, and what would make other addresses on the bridge."""
    interface = management.interface
    for line in carry(sysctl, management).left:
        yield warning("names-interface", f"names {interface}; traffic of the host will be {BRIDGE}'s", line.at,
                      f"see whether it should say {BRIDGE} after the reboot")  # fmt: skip
    wanted, given = in_force(sysctl, interface), in_force(sysctl, BRIDGE)
    for name in ADDRESS_NAMES:
        place = f"{IPV6}/{name}"
        get = given.get(place)
        if get is not None and not get.is_glob and _value(get) != _value(wanted.get(place)):
            yield error("sysctl-bridge", f"{name} is another for {BRIDGE} than for {interface}, whose addresses it gets",
                        get.at, f"remove the line, or set it for {interface} too")  # fmt: skip
    yield from _other_addresses(sysctl, management)


def _other_addresses(sysctl: Sysctl, management: Management) -> Iterator[Problem]:
    """Yield what has the kernel make an IPv6 address that the bridge's cannot be.

    systemd-networkd and NetworkManager make all of the host's addresses themselves but link-local ones.
    """
    by_kernel = management.stack is StackName.IFUPDOWN
    found: dict[SysctlLine, None] = {}
    for interface in (management.interface, *(("default", "all") if by_kernel else ())):
        values = in_force(sysctl, interface)
        found |= {
            line: None
            for place, line in values.items()
            if line.value and (place == _SECRET or (place == _MODE and line.value in _MODES))
        }
    for line in found:
        tell = error if by_kernel and management.address_type is AddressType.IPV6 else warning
        yield tell("sysctl-address", f"the kernel makes an IPv6 address of what {management.interface} has and {BRIDGE} "
                   "has not", line.at, "write the address down, or have it made of the Ethernet address: addr_gen_mode=0")  # fmt: skip


def in_force(sysctl: Sysctl, interface: str) -> dict[str, SysctlLine]:
    """Return the lines that decide an interface's settings, by tree and name: "net/ipv4/conf/rp_filter".

    A line for the interface alone counts more than a pattern, and one without a value keeps patterns away.
    """
    own = {
        _place(line): line
        for line in sysctl.lines
        if not line.is_glob and _place(line) and line.key.split("/")[3] == interface
    }
    found: dict[str, SysctlLine] = {}
    for line in sysctl.lines:
        if line.is_glob and line.value is not None:
            found |= dict.fromkeys(_matched(sysctl, line.key, interface), line)
    return {**found, **own}


def _matched(sysctl: Sysctl, pattern: str, interface: str) -> Iterator[str]:
    """Yield the settings of an interface that a pattern covers; only the kernel knows which there are."""
    parts = pattern.split("/")
    for tree in TREES:
        at = [*tree.split("/"), interface]
        if len(parts) == len(at) + 1 and all(map(fnmatchcase, at, parts)):
            names = sysctl.names[tree] or (() if GLOB.search(parts[-1]) else parts[-1:])
            yield from (f"{tree}/{name}" for name in names if fnmatchcase(name, parts[-1]))


def _place(line: SysctlLine) -> str:
    """Return tree and name of a line about one interface, "" for any other."""
    parts = line.key.split("/")
    tree = "/".join(parts[:3])
    return f"{tree}/{parts[4]}" if len(parts) == 5 and tree in TREES else ""


def _names(line: SysctlLine, interface: str) -> bool:
    """Tell whether a line is about the interface; what is made of a secret is told apart (`_other_addresses`)."""
    return line.value is not None and interface in line.key.split("/") and _place(line) != _SECRET


def _is_carried(place: str, line: SysctlLine, sysctl: Sysctl) -> bool:
    value = line.value or ""
    return not sysctl.rules and place not in (*_OF_PORT, _SECRET) and value.isascii() and value.isprintable()


def _value(line: SysctlLine | None) -> str | None:
    return None if line is None or line.value is None else line.value


def _setting(place: str, line: SysctlLine | None) -> str:
    tree, _, name = place.rpartition("/")
    key = ".".join((*tree.split("/"), BRIDGE, name))
    if line is None or line.value is None:
        return f"-{key}"
    return f"{'-' if line.tolerant else ''}{key} = {line.value}"


def _not_defaults(
    sysctl: Sysctl, interface: str, wanted: dict[str, SysctlLine], given: dict[str, SysctlLine]
) -> Iterator[str]:
    """Yield what the interface has because it was there before IPv6's defaults were set; a bridge comes later.

    IPv4's go to the interfaces that are there, too, IPv6's only to later ones. The other stacks set these themselves.
    """
    for place, line in in_force(sysctl, "default").items():
        name = place.removeprefix(f"{IPV6}/")
        now = sysctl.running.get((interface, name), "")
        if line.value and now and now != line.value and place not in wanted.keys() | given.keys():
            yield _setting(place, SysctlLine("", "", "", now))

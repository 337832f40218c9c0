"""The firewall that a boot loads: nftables' service, firewalld, ufw, or saved iptables rules, and their files."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from kronos_installer.detect.units import enabled
from kronos_installer.host_files import FileState, UnsuitableFileError
from kronos_installer.problem import Level, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kronos_installer.host_files import HostFiles

NFTABLES_CONFS = ("/etc/nftables.conf", "/etc/sysconfig/nftables.conf")
FIREWALLD_CONF = "/etc/firewalld/firewalld.conf"
FIREWALLD_ZONES = ("/etc/firewalld/zones", "/usr/lib/firewalld/zones")
UFW_RULES = tuple(f"/etc/ufw/{name}{six}.rules" for name in ("user", "before", "after") for six in ("", "6"))
IPTABLES_RULES = (
    "/etc/iptables/rules.v4", "/etc/iptables/rules.v6", "/etc/sysconfig/iptables", "/etc/sysconfig/ip6tables",
)  # fmt: skip
_KEYFILES = "/etc/NetworkManager/system-connections/*"
# Another name than an absolute one is looked for where nft looks (nft(8), --includepath).
_INCLUDE = re.compile(r"""^\s*include\s+(["'])(.+?)\1""")
_INCLUDED_FROM = "/etc"
_MOST_INCLUDES = 100


class FirewallKind(StrEnum):
    """What loads the rules at boot; OTHER is a program whose rules are not understood."""

    NFTABLES = "nftables"
    FIREWALLD = "firewalld"
    UFW = "ufw"
    IPTABLES = "iptables"
    OTHER = "other"


_UNITS = {
    FirewallKind.NFTABLES: ("nftables.service",),
    FirewallKind.FIREWALLD: ("firewalld.service",),
    FirewallKind.IPTABLES: ("netfilter-persistent.service", "iptables.service", "ip6tables.service"),
    FirewallKind.OTHER: (
        "shorewall.service", "shorewall6.service", "shorewall-lite.service", "shorewall6-lite.service", "ferm.service",
        "firehol.service", "arno-iptables-firewall.service", "csf.service", "awall.service", "sanewall.service",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Firewall:
    """One firewall that is enabled. `at` is what enables it, as a path or file and line.

    `files` are those with its rules, in the order in which they are read. `policy` is the fate of packets to the host
    that no rule speaks of, where a setting says it. `zones` are firewalld's zones by the interfaces that are bound
    to them outside their files, and its default under "".
    """

    kind: FirewallKind
    at: str
    files: Mapping[str, FileState]
    policy: str = ""
    zones: Mapping[str, str] = field(default_factory=dict)


def read_firewalls(files: HostFiles) -> tuple[tuple[Firewall, ...], tuple[Problem, ...]]:
    """Return the enabled firewalls. A file of theirs that cannot be put back as it was becomes an error."""
    problems: list[Problem] = []
    found = [
        reader(files, at, problems) for kind, reader in _READERS.items() if (at := _enabled(files, kind))
    ]
    return tuple(found), tuple(problems)


def _enabled(files: HostFiles, kind: FirewallKind) -> str:
    if kind is FirewallKind.UFW:
        line = _line(files.read("/etc/ufw/ufw.conf"), r"\s*ENABLED\s*=\s*[\"']?yes")
        return f"/etc/ufw/ufw.conf:{line}" if line else ""
    return next(iter(enabled(files, *_UNITS[kind])), "")


def _line(text: str, pattern: str) -> int:
    return next(
        (n for n, line in enumerate(text.splitlines(), 1) if re.match(pattern, line, re.IGNORECASE)), 0
    )


def _states(files: HostFiles, paths: list[str], problems: list[Problem]) -> dict[str, FileState]:
    found = {}
    for path in paths:
        try:
            state = files.state(path)
        except UnsuitableFileError as error:
            problems.append(
                Problem(Level.ERROR, "file-unsuitable", str(error), "", f"{path}:1", error.resolution)
            )
            continue
        if state is not None:
            found[path] = state
    return found


def _nftables(files: HostFiles, at: str, problems: list[Problem]) -> Firewall:
    paths = [path for path in NFTABLES_CONFS if files.exists(path)][:1]
    for path in paths:
        paths += [p for p in included(files, path) if p not in paths]
        if len(paths) > _MOST_INCLUDES:
            problems.append(Problem(Level.ERROR, "firewall-not-understood", "nftables' files include one another "
                                    "without an end", "", f"{path}:1", "put the rules into one file"))  # fmt: skip
            break
    return Firewall(FirewallKind.NFTABLES, at, _states(files, paths, problems))


def included(files: HostFiles, path: str) -> list[str]:
    """Return the files that an nftables file includes by names or patterns (nft(8)), sorted each."""
    names = [found[2] for line in files.read(path).splitlines() if (found := _INCLUDE.match(line))]
    absolute = (posixpath.normpath(posixpath.join(_INCLUDED_FROM, name)) for name in names)
    return [p for name in absolute for p in files.glob(name) if not files.at(p).is_dir()]


def _ufw(files: HostFiles, at: str, problems: list[Problem]) -> Firewall:
    found = re.search(r'^\s*DEFAULT_INPUT_POLICY="?(\w+)', files.read("/etc/default/ufw"), re.MULTILINE)
    states = _states(files, list(UFW_RULES), problems)
    return Firewall(FirewallKind.UFW, at, states, found[1].lower() if found else "")


def _iptables(files: HostFiles, at: str, problems: list[Problem]) -> Firewall:
    states = _states(files, list(IPTABLES_RULES), problems)
    policies = [
        m[1].lower() for s in states.values() if (m := re.search(rb"^:INPUT (\w+)", s.content, re.MULTILINE))
    ]
    return Firewall(FirewallKind.IPTABLES, at, states, b"".join(policies[:1]).decode(errors="replace"))


def _firewalld(files: HostFiles, at: str, problems: list[Problem]) -> Firewall:
    """Read the zones: the operator's file hides the package's of the same name (firewalld.zone(5))."""
    found = re.search(r"^\s*DefaultZone\s*=\s*(\S+)", files.read(FIREWALLD_CONF), re.MULTILINE)
    zones = {"": found[1] if found else "public"}
    for path in files.glob(_KEYFILES):
        text = files.read(path)
        name, zone = (re.search(rf"^{key}=(\S+)$", text, re.MULTILINE) for key in ("interface-name", "zone"))
        if name and zone:
            zones[name[1]] = zone[1]
    own = list(files.glob(f"{FIREWALLD_ZONES[0]}/*.xml"))
    hidden = {path.rpartition("/")[2] for path in own}
    packaged = [p for p in files.glob(f"{FIREWALLD_ZONES[1]}/*.xml") if p.rpartition("/")[2] not in hidden]
    return Firewall(FirewallKind.FIREWALLD, at, _states(files, own + packaged, problems), zones=zones)


def _other(_files: HostFiles, at: str, _problems: list[Problem]) -> Firewall:
    return Firewall(FirewallKind.OTHER, at, {})


_READERS = {
    FirewallKind.NFTABLES: _nftables,
    FirewallKind.FIREWALLD: _firewalld,
    FirewallKind.UFW: _ufw,
    FirewallKind.IPTABLES: _iptables,
    FirewallKind.OTHER: _other,
}

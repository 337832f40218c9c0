"""What sysctl.d(5) says of network interfaces, as systemd-sysctl(8) reads it: at boot, and when udev sees an interface.

Four directories, of which the first with a file's name wins; the files in the order of their names; of one key's lines
the last. /etc/sysctl.conf is none of them: it counts where a file of theirs is a link to it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.precedence import in_order, systemd_folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kronos_installer.host_files import HostFiles

_OLD_FILE = "/etc/sysctl.conf"
IPV6 = "net/ipv6/conf"
# What decides whether and how the kernel makes IPv6 addresses of its own (its ip-sysctl.rst).
ADDRESS_NAMES = ("accept_ra", "autoconf", "disable_ipv6", "use_tempaddr")
# What systemd's 99-systemd.rules has systemd-sysctl set when an interface appears.
TREES = ("net/ipv4/conf", "net/ipv4/neigh", IPV6, "net/ipv6/neigh")
_RULES = ("/etc/udev/rules.d/99-systemd.rules", "/run/udev/rules.d/99-systemd.rules")
GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class SysctlLine:
    """One line. `key` has `/` between its parts; `value` is None where the key is kept from the globs' values.

    `tolerant`: that the value cannot be set is no failure.
    """

    at: str
    text: str
    key: str
    value: str | None
    tolerant: bool = False

    @property
    def is_glob(self) -> bool:
        """Whether the key is a pattern (glob(7))."""
        return bool(GLOB.search(self.key))


@dataclass(frozen=True)
class Sysctl:
    """`lines` are in the order in which they are carried out, each key once; `ignored` are lines that nobody reads.

    `names` are the settings that the kernel has for an interface, by tree; `running` are the values of
    ADDRESS_NAMES by interface and name. `rules` is the file that replaces udev's rule which sets an interface's values, "" for none.
    """

    lines: tuple[SysctlLine, ...]
    ignored: tuple[SysctlLine, ...]
    names: Mapping[str, tuple[str, ...]]
    running: Mapping[tuple[str, str], str]
    rules: str


def read_sysctl(files: HostFiles) -> Sysctl:
    """Read all of it. Raises UnreadableFileError."""
    paths = in_order(files, systemd_folders("sysctl.d"), "*.conf")
    linked = any(_same_file(files, path, _OLD_FILE) for path in paths)
    return Sysctl(
        lines=in_effect(line for path in paths for line in parse_sysctl(path, files.read(path))),
        ignored=() if linked else tuple(parse_sysctl(_OLD_FILE, files.read(_OLD_FILE))),
        names={tree: tuple(_names(files, tree)) for tree in TREES},
        running=dict(_running(files)),
        rules=next((p for p in _RULES if files.exists(p) and "systemd-sysctl" not in files.read(p)), ""),
    )


def parse_sysctl(path: str, text: str) -> Iterator[SysctlLine]:
    """Yield the lines that say something; systemd-sysctl passes over what is no assignment."""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith(("#", ";")):
            continue
        key, equals, value = line.partition("=")
        tolerant = key.startswith("-")
        if equals or tolerant:
            name = normal_key(key.removeprefix("-").strip())
            yield SysctlLine(
                f"{path}:{number}", line, name, value.strip() if equals else None, bool(equals) and tolerant
            )


def normal_key(key: str) -> str:
    """Return a key with `/` between its parts: where a dot comes first, `/` stands for the dots in a part."""
    separator = re.search(r"[./]", key)
    swapped = key.translate(str.maketrans("./", "/.")) if separator and separator[0] == "." else key
    return "/".join(part for part in swapped.split("/") if part)


def in_effect(lines: Iterator[SysctlLine]) -> tuple[SysctlLine, ...]:
    """Return each key's last line, in the order of these; one that repeats the value keeps the place of the first."""
    kept: dict[str, SysctlLine] = {}
    for line in lines:
        earlier = kept.get(line.key)
        if earlier is None or earlier.value != line.value:
            kept.pop(line.key, None)
            kept[line.key] = line
    return tuple(kept.values())


def _same_file(files: HostFiles, path: str, other: str) -> bool:
    there = files.at(path)
    return there.exists() and files.at(other).exists() and there.samefile(files.at(other))


def _names(files: HostFiles, tree: str) -> Iterator[str]:
    for path in files.glob(f"/proc/sys/{tree}/default/*"):
        yield posixpath.basename(path)


def _running(files: HostFiles) -> Iterator[tuple[tuple[str, str], str]]:
    for name in ADDRESS_NAMES:
        for path in files.glob(f"/proc/sys/{IPV6}/*/{name}"):
            yield (path.split("/")[-2], name), files.read(path).strip()

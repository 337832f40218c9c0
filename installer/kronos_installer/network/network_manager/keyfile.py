"""GLib's key files, as NetworkManager writes them: every line kept, so that an edit leaves the others to the byte.

configparser(3) tells neither lines nor bytes; the format is `[group]`, `key=value`, `#` comments and blank lines
(GLib's "Key-value file parser", nm-settings-keyfile(5)), nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kronos_installer.problem import refusal

_GROUP = re.compile(r"\[([^\[\]\x00-\x1f]+)\][ \t]*\Z")
_KEY = re.compile(r"([^=\[\]\s](?:[^=]*[^=\s])?)[ \t]*=[ \t]*(.*)\Z", re.DOTALL)
_ESCAPES = {"\\s": " ", "\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\", "\\;": "\\;", "\\,": "\\,"}


@dataclass(frozen=True)
class Entry:
    """One `key=value` of a group; `value` as written, `at` its file and line."""

    group: str
    key: str
    value: str
    at: str

    @property
    def text(self) -> str:
        """The value with GLib's escapes resolved; those of list separators stay. Raises ValueError."""
        return re.sub(r"\\.?", lambda match: _unescape(match[0]), self.value)

    @property
    def items(self) -> tuple[str, ...]:
        """The value as a list: parted at `;` or `,`, empty items left out."""
        return tuple(item.strip() for item in re.split(r"[;,]", self.text) if item.strip())


@dataclass(frozen=True)
class KeyFile:
    """A file. `lines` hold their line ends; `groups` says to which group each line belongs, "" above the first."""

    path: str
    lines: tuple[str, ...]
    groups: tuple[str, ...]
    entries: tuple[Entry, ...]

    def get(self, group: str, key: str) -> Entry | None:
        """Return the entry, None where there is none. A later one of the same key wins, as in GLib."""
        found = [entry for entry in self.entries if (entry.group, entry.key) == (group, key)]
        return found[-1] if found else None

    def value(self, group: str, key: str, default: str = "") -> str:
        """Return the unescaped value, `default` where there is none."""
        found = self.get(group, key)
        return found.text if found else default

    def of_group(self, group: str) -> tuple[Entry, ...]:
        """Return the group's entries in their order."""
        return tuple(entry for entry in self.entries if entry.group == group)

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups in their order."""
        return tuple(dict.fromkeys(group for group in self.groups if group))

    def group_at(self, group: str) -> str:
        """Return file and line where the group begins, the file's first line where there is no such group."""
        return f"{self.path}:{self.groups.index(group) + 1 if group in self.groups else 1}"


def _unescape(escape: str) -> str:
    if escape not in _ESCAPES:
        raise ValueError(escape)
    return _ESCAPES[escape]


def parse_keyfile(path: str, text: str) -> KeyFile:
    """Parse a file. Raises ProblemError, naming file and line, for what GLib would not take either."""
    lines = tuple(re.findall(r"[^\n]*\n|[^\n]+\Z", text))
    groups: list[str] = []
    entries: list[Entry] = []
    group = ""
    for number, raw in enumerate(lines, 1):
        at = f"{path}:{number}"
        line = raw.removesuffix("\n").removesuffix("\r")
        if opened := _GROUP.match(line):
            group = opened[1]
        elif line.strip() and not line.lstrip().startswith("#"):
            entries.append(_entry(group, line, at))
        groups.append(group)
    return KeyFile(path, lines, tuple(groups), tuple(entries))


def _entry(group: str, line: str, at: str) -> Entry:
    found = _KEY.match(line.lstrip(" \t"))
    if not group or not found or "\0" in line:
        raise refusal("nm-keyfile", "NetworkManager cannot parse this line", at=at,
                      remedy="mend it, or remove the file")  # fmt: skip
    entry = Entry(group, found[1], found[2], at)
    try:
        entry.text.encode()
    except ValueError as error:
        raise refusal("nm-keyfile", f"the value of {entry.key!r} has an escape that GLib does not know, or is not UTF-8",
                      at=at, remedy="mend it, or remove the file") from error  # fmt: skip
    return entry

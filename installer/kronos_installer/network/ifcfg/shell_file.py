"""Files of shell assignments below /etc/sysconfig: every line kept, values read without a shell.

The scripts that use them source them as shell; NetworkManager's ifcfg-rh plug-in reads them as data. What the two would
not read alike is refused: expansions, commands, several statements on a line.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from kronos_installer.problem import refusal

_ASSIGNMENT = re.compile(r"[ \t]*([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_EXPANSION = re.compile(r"[$`\\]")
# A `#` within a word begins a comment to shlex, and none to a shell.
_OPERATOR = re.compile(r"[;&|<>(){}*?\[\]~!#]")


@dataclass(frozen=True)
class Assignment:
    """One `NAME=value`; `value` without its quotes, `index` the line's, from 0."""

    name: str
    value: str
    index: int
    at: str


@dataclass(frozen=True)
class ShellFile:
    """A file. `lines` hold their line ends."""

    path: str
    lines: tuple[str, ...]
    assignments: tuple[Assignment, ...]

    def get(self, name: str) -> Assignment | None:
        """Return the assignment of a name, None where there is none."""
        return next((found for found in self.assignments if found.name == name), None)

    def value(self, name: str, default: str = "") -> str:
        """Return the value of a name."""
        found = self.get(name)
        return found.value if found else default

    def is_on(self, name: str, *, default: bool = False) -> bool:
        """Tell whether a name's value is one of those that both readers take for yes."""
        found = self.get(name)
        return default if found is None else found.value.lower() in ("yes", "true", "t", "y", "1", "on")

    def at(self, name: str) -> str:
        """Return file and line of an assignment, of the file's begin where there is none."""
        found = self.get(name)
        return found.at if found else f"{self.path}:1"


def parse_shell_file(path: str, text: str) -> ShellFile:
    """Parse a file. Raises ProblemError, naming file and line, for what is not a plain assignment."""
    lines = tuple(re.findall(r"[^\n]*\n|[^\n]+\Z", text))
    found: dict[str, Assignment] = {}
    for index, raw in enumerate(lines):
        line, at = raw.removesuffix("\n"), f"{path}:{index + 1}"
        if not line.strip(" \t") or line.lstrip(" \t").startswith("#"):
            continue
        name, value = _assignment(line, at)
        if name in found:
            raise refusal("ifcfg-twice", f"{name} is set twice", at=at, remedy="remove one of the lines")
        found[name] = Assignment(name, value, index, at)
    return ShellFile(path, lines, tuple(found.values()))


def _assignment(line: str, at: str) -> tuple[str, str]:
    match = _ASSIGNMENT.match(line)
    bare = _QUOTED.sub("q", match[2]).partition(" #")[0] if match else ""
    if match is not None and _EXPANSION.search(match[2]):
        raise refusal("ifcfg-expansion", f"cannot tell what a shell makes of the value of {match[1]}", at=at,
                      remedy="write the value itself")  # fmt: skip
    if match is None or "\r" in line or "\0" in line or _OPERATOR.search(bare):
        raise refusal("ifcfg-syntax", "not a plain NAME=value", at=at, remedy="write one assignment a line")
    try:
        words = shlex.split(match[2], comments=True)
    except ValueError as error:
        raise refusal("ifcfg-syntax", f"the value of {match[1]} cannot be parsed: {error}", at=at,
                      remedy="mend its quotes") from error  # fmt: skip
    if len(words) > 1 or (words and match[2].startswith((" ", "\t"))):
        raise refusal("ifcfg-syntax", f"the value of {match[1]} is of several words", at=at,
                      remedy="put it into quotes")  # fmt: skip
    return match[1], words[0] if words else ""

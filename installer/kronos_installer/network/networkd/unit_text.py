"""The syntax of .network, .netdev and .link files: systemd.syntax(7). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from kronos_installer.problem import refusal

_TRUE = frozenset({"1", "yes", "y", "true", "t", "on"})
_FALSE = frozenset({"0", "no", "n", "false", "f", "off"})


@dataclass(frozen=True)
class Setting:
    """One `key=value`, continued lines joined; `at` is file and line."""

    key: str
    value: str
    at: str


@dataclass(frozen=True)
class Section:
    """One `[name]` with what follows it. Of some names ([Address], [Route]) each is an object of its own."""

    name: str
    at: str
    settings: tuple[Setting, ...]

    def last(self, key: str) -> str:
        """Return the value that counts for a key of one value, "" without one."""
        return next((s.value for s in reversed(self.settings) if s.key == key), "")


def parse_unit(path: str, text: str) -> tuple[Section, ...]:
    """Return the sections in order. Raises ProblemError for lines that systemd would skip with a warning."""
    found: list[tuple[str, str, list[Setting]]] = []
    for number, line in _logical_lines(text):
        at = f"{path}:{number}"
        if line.startswith("[") and line.endswith("]"):
            found.append((line[1:-1], at, []))
            continue
        key, equals, value = line.partition("=")
        if not equals or not found:
            raise refusal("networkd-unparsable", f"{line!r} is neither a section nor an assignment in one", at=at,
                          remedy="correct or remove the line")  # fmt: skip
        found[-1][2].append(Setting(key.strip(), value.strip(), at))
    return tuple(Section(name, at, tuple(settings)) for name, at, settings in found)


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Return number and text of each line that says something; a backslash at the end becomes a blank."""
    lines: list[tuple[int, str]] = []
    start, pending = 0, ""
    for number, raw in enumerate(text.split("\n"), 1):
        stripped = raw.strip()
        if stripped.startswith(("#", ";")):  # also between continued lines
            continue
        if not pending:
            start = number
        pending += stripped
        if pending.endswith("\\"):
            pending = f"{pending[:-1]} "
            continue
        if pending.strip():
            lines.append((start, pending.strip()))
        pending = ""
    if pending.strip():
        lines.append((start, pending.strip()))
    return lines


def render_unit(sections: tuple[Section, ...], comment: str = "") -> str:
    """Return the text of a unit."""
    blocks = ["".join([f"[{s.name}]\n", *(f"{x.key}={x.value}\n" for x in s.settings)]) for s in sections]
    return comment + "\n".join(blocks)


def parse_boolean(value: str) -> bool | None:
    """Read a boolean as systemd does, None for what is not one."""
    word = value.lower()
    return True if word in _TRUE else False if word in _FALSE else None

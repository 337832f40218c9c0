"""The text of an interfaces(5) file: parsed as ifupdown does, kept to the byte.

Rules are those of `read_interfaces_defn` in ifupdown 0.8.41's config.c: a comment is a whole
line that starts with `#` after blanks and does not continue; a backslash as the last
character joins the next line, whatever that holds; a keyword starts a stanza, any other word
is an option of the stanza before; `auto`, `allow-*` and `no-*` without names inside an
`iface` stanza speak of that interface and do not end it.

Text here is bytes decoded as latin-1: one character a byte, so that rendering gives back any file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from kronos_installer.problem import ProblemError, refusal

_BLANKS = " \t\n\r\v\f"
_WORD = re.compile(r"[^ \t\n\r\v\f]+")


class Keyword(StrEnum):
    """The words that start a statement."""

    IFACE = "iface"
    MAPPING = "mapping"
    AUTO = "auto"
    ALLOW = "allow-"
    SOURCE = "source"
    SOURCE_DIRECTORY = "source-directory"
    NO_AUTO_DOWN = "no-auto-down"
    NO_SCRIPTS = "no-scripts"
    RENAME = "rename"


@dataclass(frozen=True)
class Line:
    """A line as ifupdown sees it: `raw` is all of it with its line ends, `text` is "" for comments and blanks."""

    number: int
    raw: str
    text: str

    @property
    def words(self) -> list[str]:
        """The words of the statement."""
        return _WORD.findall(self.text)

    @property
    def rest(self) -> str:
        """All after the first word."""
        return self.text[len(self.words[0]) :].lstrip(_BLANKS) if self.text else ""


@dataclass(frozen=True)
class Option:
    """One option of a stanza; `index` is its line's place in the file's lines."""

    name: str
    value: str
    index: int
    line: int


@dataclass(frozen=True)
class Statement:
    """A keyword, what follows it, and for `iface` and `mapping` the options below it.

    `about` is the interface that an inline `auto`, `allow-*` or `no-*` speaks of, else "".
    """

    keyword: Keyword
    first: str
    words: tuple[str, ...]
    path: str
    index: int
    line: int
    about: str = ""
    options: tuple[Option, ...] = ()

    @property
    def at(self) -> str:
        """File and line, as compilers print them."""
        return f"{self.path}:{self.line}"

    @property
    def names(self) -> tuple[str, ...]:
        """The interfaces that an `auto`, `allow-*` or `no-*` statement speaks of."""
        return (self.about,) if self.about else self.words

    def option(self, name: str) -> str:
        """Return the value of an option, "" without it; several of one name as ifupdown joins them."""
        return "\n".join(option.value for option in self.options if option.name == name)


@dataclass(frozen=True)
class InterfacesText:
    """A parsed file."""

    path: str
    lines: tuple[Line, ...]
    statements: tuple[Statement, ...]

    def render(self, changes: dict[int, str] | None = None) -> str:
        """Return the text, with the lines at some indexes replaced."""
        changes = changes or {}
        return "".join(changes.get(index, line.raw) for index, line in enumerate(self.lines))


def split_lines(text: str) -> tuple[Line, ...]:
    """Cut a text into ifupdown's lines; joining their `raw` gives the text."""
    physical = re.findall(r"[^\n]*\n|[^\n]+", text)
    lines = []
    number = 0
    while number < len(physical):
        start = number
        joined = physical[number].removesuffix("\n").lstrip(_BLANKS)
        number += 1
        if joined.startswith("#"):
            joined = ""
        while joined.endswith("\\"):
            joined = joined[:-1]
            if number == len(physical):
                break
            joined += physical[number].removesuffix("\n")
            number += 1
        lines.append(Line(start + 1, "".join(physical[start:number]), joined.strip(_BLANKS)))
    return tuple(lines)


def _keyword(word: str) -> Keyword | None:
    if word.startswith("allow-") and len(word) > len("allow-"):
        return Keyword.ALLOW
    # ifupdown takes any word that begins so for source-directory.
    if word.startswith("source-dir"):
        return Keyword.SOURCE_DIRECTORY
    try:
        return Keyword(word)
    except ValueError:
        return None


_INLINE = (Keyword.AUTO, Keyword.ALLOW, Keyword.NO_AUTO_DOWN, Keyword.NO_SCRIPTS)
_WITH_OPTIONS = (Keyword.IFACE, Keyword.MAPPING)


class _Builder:
    """Collects statements; the open one is the stanza that options belong to."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.done: list[Statement] = []
        self.open: int | None = None

    def add(self, index: int, line: Line) -> None:
        first, *words = line.words
        keyword = _keyword(first)
        if keyword is None:
            self._option(index, line, first)
            return
        about = ""
        if keyword in _INLINE and not words and self.open is not None:
            stanza = self.done[self.open]
            about = stanza.words[0] if stanza.keyword is Keyword.IFACE else ""
        if keyword is Keyword.IFACE and not words:
            raise self._unparsable(line, "an iface line without an interface")
        self.done.append(Statement(keyword, first, tuple(words), self.path, index, line.number, about))
        if keyword in _WITH_OPTIONS:
            self.open = len(self.done) - 1
        elif not about:
            self.open = None

    def _option(self, index: int, line: Line, name: str) -> None:
        if self.open is None:
            raise self._unparsable(line, f"{name!r} belongs to no stanza")
        if not line.rest:
            raise self._unparsable(line, f"the option {name!r} has no value")
        old = self.done[self.open]
        option = Option(name, line.rest, index, line.number)
        self.done[self.open] = Statement(
            old.keyword,
            old.first,
            old.words,
            old.path,
            old.index,
            old.line,
            old.about,
            (*old.options, option),
        )

    def _unparsable(self, line: Line, what: str) -> ProblemError:
        return refusal(
            "interfaces-unparsable",
            f"cannot read the network configuration: {what}",
            at=f"{self.path}:{line.number}",
            description="ifupdown itself stops here, so what the host's network should be is not known.",
            remedy="mend that line (interfaces(5)); `ifquery --list` must not complain",
        )


def parse_interfaces(path: str, text: str) -> InterfacesText:
    """Parse one file. Raises ProblemError naming file and line where ifupdown would give up."""
    if "\0" in text:
        number = text[: text.index("\0")].count("\n") + 1
        raise refusal("interfaces-unparsable", "the file holds a zero byte", at=f"{path}:{number}")
    lines = split_lines(text)
    builder = _Builder(path)
    for index, line in enumerate(lines):
        if line.text:
            builder.add(index, line)
    return InterfacesText(path, lines, tuple(builder.done))

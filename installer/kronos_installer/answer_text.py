"""The text of an answer file as a tree with line numbers: the plain part of YAML, within limits.

Anchors and aliases (they make small files huge), tags, several documents and deep nesting are
refused, and so are keys given twice. JSON is YAML. Scalars mean what YAML 1.1 says: `yes` is true. But numbers that
YAML 1.2 reads otherwise (010, 1:30, 1_0, 0b1) mean nothing here: other programs have checked them as other ones.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.problem import ProblemError

MOST_BYTES = 256 * 1024
DEEPEST = 4
DEEPEST_SKIPPED = 64
MOST_VALUES = 1000
# Digits without a leading 0, a fraction, an exponent.
_PLAIN_NUMBER = re.compile(
    r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.(inf|nan)", re.IGNORECASE
)


@dataclass(frozen=True)
class Doubtful:
    """A number that not all programs take for the same one."""

    written: str

    def __repr__(self) -> str:
        """Return it as it stands there."""
        return self.written


@dataclass(frozen=True)
class Node:
    """A value and its line, from 1. `value` is a scalar, a list of Nodes, or a dict of Nodes by text.

    `key_line` is the line of the key that it stands behind.
    """

    line: int
    value: Any
    key_line: int = 0


def read_answer_text(data: bytes, name: str, under: str = "") -> Node | None:
    """Return the tree of the one document, or what stands in it `under` a key, None for nothing.

    What stands under other keys may then be any YAML. Raises ProblemError naming `name` and the line.
    """
    if len(data) > MOST_BYTES:
        raise _refused(name, 1, f"is larger than {MOST_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(name, data.count(b"\n", 0, error.start) + 1, "is not UTF-8 text") from error
    try:
        return _Reader(name, _without_tabs(text)).read(under)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _refused(name, mark.line + 1 if mark else 1, f"is not YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refused(name, line, f"holds a character that YAML forbids: U+{error.character:04X}") from error


def _without_tabs(text: str) -> str:
    """Return JSON without its tabs, which YAML forbids in front of words (RFC 8259, 2; no text of JSON's has any)."""
    if "\t" in text and text.lstrip().startswith("{"):
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return text
        return text.replace("\t", " ")
    return text


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refused(name: str, line: int, what: str) -> ProblemError:
    return refusal("answers-unreadable", f"the answer file {what}", at=f"{name}:{line}",
                   remedy="write it as docs/host-setup-answers.schema.json says")  # fmt: skip


class _Reader:
    def __init__(self, name: str, text: str) -> None:
        self._name = name
        # Events are made one by one, without recursion; what they would build is bounded below.
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._scalars = yaml.SafeLoader("")
        self._count = 0

    def read(self, under: str) -> Node | None:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        first = next(self._events)
        tree = self._find(first, under) if under else self._node(first, 0)
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._refuse(after, "holds several documents")
        return tree

    def _refuse(self, event: yaml.Event, what: str) -> ProblemError:
        return _refused(self._name, _line(event), what)

    def _find(self, event: yaml.Event, under: str) -> Node | None:
        """Return what stands under a key of the document's mapping, and skip everything else."""
        if not isinstance(event, yaml.MappingStartEvent):
            self._skip(event)
            return None
        found: Node | None = None
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            wanted = isinstance(key, yaml.ScalarEvent) and key.value == under
            self._skip(key)
            if wanted and found:
                raise self._refuse(key, f"has the key {under!r} twice")
            if wanted:
                found = self._node(next(self._events), 0)
            else:
                self._skip(next(self._events))
        return found

    def _skip(self, event: yaml.Event) -> None:
        depth = int(isinstance(event, yaml.CollectionStartEvent))
        while depth:
            event = next(self._events)
            if depth > DEEPEST_SKIPPED:
                raise self._refuse(event, "is nested too deeply")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)

    def _node(self, event: yaml.Event, depth: int) -> Node:
        self._count += 1
        if depth > DEEPEST or self._count > MOST_VALUES:
            raise self._refuse(event, "is nested too deeply" if depth > DEEPEST else "has too many values")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._refuse(event, "uses an anchor or an alias; write the value out")
        if getattr(event, "tag", None):
            raise self._refuse(event, "uses a tag; write the plain value")
        line = _line(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(line, self._items(depth))
        if isinstance(event, yaml.MappingStartEvent):
            return Node(line, self._pairs(depth))
        return Node(line, self._scalar(event))

    def _items(self, depth: int) -> list[Node]:
        found = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._node(event, depth + 1))
        return found

    def _pairs(self, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._refuse(event, "has a key that is no plain word")
            if event.value in found:
                raise self._refuse(event, f"has the key {event.value!r} twice")
            node = self._node(next(self._events), depth + 1)
            found[event.value] = Node(node.line, node.value, key.line)
        return found

    def _scalar(self, event: yaml.Event) -> object:
        assert isinstance(event, yaml.ScalarEvent)
        tag = self._scalars.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        try:
            # JSON writes what is beyond U+FFFF as two escapes (RFC 8259, 7), which YAML does not join.
            text = event.value.encode("utf-16", "surrogatepass").decode("utf-16")
            value = self._scalars.construct_object(yaml.ScalarNode(tag, text))
        except (ValueError, OverflowError, yaml.constructor.ConstructorError):
            raise self._refuse(event, f"has a value that means nothing: {event.value[:40]!r}") from None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return Doubtful(event.value[:40]) if number and not _PLAIN_NUMBER.fullmatch(event.value) else value

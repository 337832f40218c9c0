"""An answer file's tree as wishes: every key known, every value of its kind, every mistake named with its line."""

from __future__ import annotations

from dataclasses import is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kronos_installer.answer_text import Node, read_answer_text
from kronos_installer.problem import Level, Problem, RefusedError
from kronos_installer.wish_fields import Field, answerable, fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.flags import Asked


def read_answers(data: bytes, name: str, under: str = "") -> Asked | None:
    """Return what a file, or what stands in it `under` a key, asks for; None where nothing stands there.

    Raises ProblemError for what is not YAML, RefusedError with all mistakes.
    """
    tree = read_answer_text(data, name, under)
    if tree is None or tree.value is None:
        return None
    reader = _Reader(name)
    asked = reader.section(tree, answerable(), "")
    if reader.problems:
        raise RefusedError(tuple(reader.problems))
    return asked


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self.problems: list[Problem] = []

    def _wrong(self, line: int, key: str, what: str, remedy: str) -> None:
        self.problems.append(
            Problem(Level.ERROR, "answers-wrong", f"{key}: {what}", "", f"{self._name}:{line}", remedy)
        )

    def section(self, node: Node, known: Sequence[Field], path: str) -> dict[str, Any]:
        """Return the values of a mapping's keys. A null leaves its key to the default."""
        where = path.rstrip(".") or "the whole file"
        if not isinstance(node.value, dict):
            keys = ", ".join(field.key for field in known)
            self._wrong(
                node.line, where, f"{_shown(node.value)} is no section", f"write keys and values: {keys}"
            )
            return {}
        by_key = {field.key: field for field in known}
        found = {}
        for key, value in node.value.items():
            if key not in by_key:
                self._wrong(value.key_line, f"{path}{key}"[:80], "there is no such key",
                            f"{where} takes {', '.join(by_key)}")  # fmt: skip
            elif value.value is not None:
                found[key] = self._value(value, by_key[key], f"{path}{key}")
        for field in known:
            if field.required and field.key not in found:
                self._wrong(node.line, f"{path}{field.key}", "is missing", f"write {field.expected}")
        return found

    def _value(self, node: Node, field: Field, path: str) -> object:
        if field.many:
            if not isinstance(node.value, list):
                self._wrong(node.line, path, f"{_shown(node.value)} is no list", f"write {field.expected}")
                return ()
            return tuple(self._one(item, field, path) for item in node.value)
        if is_dataclass(field.shape):
            before = len(self.problems)
            values = self.section(node, fields_of(field.shape), f"{path}.")
            return field.shape(**values) if len(self.problems) == before else None
        return self._one(node, field, path)

    def _one(self, node: Node, field: Field, path: str) -> object:
        value = node.value
        if field.shape is int and isinstance(value, float) and value.is_integer():
            # 1.0 is an integer to JSON Schema (core, section 6.3), and so to who checks his answers by ours.
            value = int(value)
        if issubclass(field.shape, StrEnum):
            if isinstance(value, str) and value in list(field.shape):
                return field.shape(value)
        elif type(value) is field.shape and field.accepts(value):
            return value
        quote = field.shape is str and value is not None and not isinstance(value, str | list | dict)
        remedy = f"write {field.expected}" + (", in quotes" if quote else "")
        self._wrong(node.line, path, f"{_shown(value)} cannot be meant", remedy)
        return None


def _shown(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a section"
    return repr(value)[:60]

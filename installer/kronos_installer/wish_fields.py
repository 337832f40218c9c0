"""The shape of what may be answered, derived from Wishes: kinds of values, by the keys of an answer file."""

from __future__ import annotations

import re
import types
import typing
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from kronos_installer.wishes import Rule, Wishes

if TYPE_CHECKING:
    from collections.abc import Iterator

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Field:
    """A key of an answer file. `shape` is str, int, bool, a StrEnum, or a dataclass; `many` of them in a list."""

    key: str
    shape: type
    rule: Rule
    many: bool
    required: bool

    @property
    def expected(self) -> str:
        """What would be right, for people."""
        if self.many:
            return "a list of names or addresses"
        if issubclass(self.shape, StrEnum):
            return "one of " + ", ".join(self.shape)
        if is_dataclass(self.shape):
            return "a section with " + ", ".join(field.key for field in fields_of(self.shape))
        if self.shape is int:
            return f"a number from {self.rule.least} to {self.rule.most}"
        return "true or false" if self.shape is bool else f"a text ({self.rule.about.rstrip('.')})"

    def accepts(self, value: object) -> bool:
        """Tell whether the rule allows a value (of the right type; one of the list where there are many)."""
        if isinstance(value, StrEnum | bool):
            return True
        if isinstance(value, int):
            return self.rule.least <= value <= self.rule.most
        # A lone surrogate is a byte of the command line that is no UTF-8 (PEP 383): nobody could be told of it.
        plain = isinstance(value, str) and _SURROGATE.search(value) is None
        return plain and re.fullmatch(self.rule.pattern, str(value)) is not None


@cache
def fields_of(shape: type) -> tuple[Field, ...]:
    """Return the keys of a dataclass that may be answered, in their order."""
    hints = typing.get_type_hints(shape)
    found = []
    for one in fields(shape):
        if "rule" in one.metadata:
            hint, many = without_none(hints[one.name]), False
            if typing.get_origin(hint) is tuple:
                hint, many = typing.get_args(hint)[0], True
            found.append(Field(one.name, hint, one.metadata["rule"], many, one.default is MISSING))
    return tuple(found)


def answerable() -> tuple[Field, ...]:
    """Return the keys of an answer file."""
    return fields_of(Wishes)


def beyond_rules(section: object) -> Iterator[tuple[Field, object]]:
    """Yield what a section holds that its rules do not allow. An empty text is one that was not given."""
    shape: type = type(section)
    for field in fields_of(shape):
        value = getattr(section, field.key)
        if value != "" and not field.accepts(value):
            yield field, value


def without_none(hint: Any) -> Any:  # noqa: ANN401 -- a type, of which Python has several kinds
    """Return X for `X | None`, every other type as it is."""
    if isinstance(hint, types.UnionType):
        return next(member for member in typing.get_args(hint) if member is not type(None))
    return hint

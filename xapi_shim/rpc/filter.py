"""The filter language of get_all_records_where: `field "name" = "value"`, and, or, not, brackets.

As the reference reads it: double quotes only, no escapes; keywords need no space around
them; `not` takes in everything to its right; `and` and `or` bind alike, from the left.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import InvalidValueError
from xapi_shim.datamodel.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xapi_shim.datamodel.model import ApiClass, Value

    Row = tuple[str, Mapping[str, Value]]
    Test = Callable[[Row], bool]
    Operand = Callable[[Row], str]

_TOKEN = re.compile(r'\s*(?:"([^"]*)"|(field|and|or|not|true|false|=|\(|\)))')
MAX_DEPTH = 64
# So long one filter may keep the others waiting at once.
SLICE_S = 0.02


def parse_filter(text: str, cls: ApiClass) -> Test:
    """Return a test of (ref, values). Raises InvalidValueError [text; why]."""
    return _Parser(text, cls).parse()


async def matching(rows: Iterable[Row], test: Test) -> list[str]:
    """Return the refs of the rows that pass; others are served while many rows are held against a long filter."""
    found, until = [], time.monotonic() + SLICE_S
    for row in list(rows):
        if time.monotonic() > until:
            await asyncio.sleep(0)
            until = time.monotonic() + SLICE_S
        if test(row):
            found.append(row[0])
    return found


class _Parser:
    def __init__(self, text: str, cls: ApiClass) -> None:
        self._text = text
        self._fields = {f.column: f for f in cls.fields}
        self._tokens = self._split()
        self._at = 0

    def _wrong(self, why: str) -> InvalidValueError:
        return InvalidValueError(self._text, why)

    def _split(self) -> list[str]:
        """Return tokens; literals keep a leading quote to tell them from keywords."""
        tokens, at, text = [], 0, self._text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if not found:
                raise self._wrong(f"not understood at character {at}")
            tokens.append(f'"{found[1]}' if found[1] is not None else found[2])
            at = found.end()
        return tokens

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def parse(self) -> Test:
        test = self._expression(0)
        if self._peek():
            raise self._wrong(f"unexpected {self._peek()}")
        return test

    def _expression(self, depth: int) -> Test:
        if depth > MAX_DEPTH:
            raise self._wrong("nested too deeply")
        if self._peek() == "not":
            self._next()
            inner = self._expression(depth + 1)
            return lambda row: not inner(row)
        first, rest = self._term(depth), []
        while self._peek() in ("and", "or"):
            joiner = self._next()
            right = self._expression(depth + 1) if self._peek() == "not" else self._term(depth)
            rest.append((joiner, right))
        return _joined(first, rest) if rest else first

    def _term(self, depth: int) -> Test:
        match self._peek():
            case "true" | "false":
                answer = self._next() == "true"
                return lambda _: answer
            case "(":
                self._next()
                inner = self._expression(depth + 1)
                if self._next() != ")":
                    raise self._wrong("a bracket is not closed")
                return inner
            case _:
                left = self._operand()
                if self._next() != "=":
                    raise self._wrong("'=' expected")
                right = self._operand()
                return lambda row: left(row) == right(row)

    def _operand(self) -> Operand:
        token = self._next()
        if token.startswith('"'):
            return lambda _: token[1:]
        if token != "field":  # noqa: S105 -- a word of the language
            raise self._wrong("a quoted value or a field expected")
        name = self._next()
        if not name.startswith('"'):
            raise self._wrong("a field's name stands in double quotes")
        if name[1:] == "_ref":
            return lambda row: row[0]
        field = self._fields.get(name[1:])
        if field is None:
            raise self._wrong(f"no such field {name[1:]}")
        return lambda row: _column_text(row[1][field.name], field.type.kind)


def _joined(first: Test, rest: Sequence[tuple[str, Test]]) -> Test:
    """Return `first` with the rest joined to it from the left; scripts join thousands."""

    def test(row: Row) -> bool:
        answer = first(row)
        for joiner, one in rest:
            # What is true stays so by "or", what is false by "and".
            if answer is not (joiner == "or"):
                answer = one(row)
        return answer

    return test


def _column_text(value: Value, kind: Kind) -> str:
    """Return the text that the reference's database would hold: s-expressions for collections."""
    if kind is Kind.BOOL:
        return "true" if value else "false"
    if isinstance(value, dict):
        return "(" + " ".join(f"('{k}' '{v}')" for k, v in value.items()) + ")"
    if isinstance(value, list):
        return "(" + " ".join(f"'{v}'" for v in value) + ")"
    return str(value)

"""The types of XenAPI values, written as text (`"map(string,ref(VDI))"`) and parsed once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

NULL_REF = "OpaqueRef:NULL"
REF_PREFIX = "OpaqueRef:"
# What a value of kind INT may be.
INT64 = range(-(2**63), 2**63)


class Kind(StrEnum):
    """The kinds of value; the value is the word used in type texts."""

    STRING = "string"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DATETIME = "datetime"
    SECRET = "secretstring"  # noqa: S105 -- a type's name
    VOID = "void"
    ENUM = "enum"
    REF = "ref"
    RECORD = "record"
    SET = "set"
    MAP = "map"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class Type:
    """One type: `name` is the enum's or class's, `of` the element types (set 1, map 2, option 1)."""

    kind: Kind
    name: str = ""
    of: tuple[Type, ...] = ()

    def __str__(self) -> str:
        inner = self.name or ",".join(map(str, self.of))
        return f"{self.kind}({inner})" if inner else str(self.kind)


_TOKEN = re.compile(r"[A-Za-z0-9_]+|[(),]")
_NAMED = {Kind.ENUM, Kind.REF, Kind.RECORD}
_ARITY = {Kind.SET: 1, Kind.MAP: 2, Kind.OPTION: 1}


@cache
def parse_type(text: str) -> Type:
    """Parse a type text such as `set(enum(vm_operations))`. Raises ValueError."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text.replace(" ", ""):
        raise ValueError(f"not a type: {text!r}")
    parsed, rest = _parse(tokens, text)
    if rest:
        raise ValueError(f"not a type: {text!r}")
    return parsed


def _parse(tokens: list[str], text: str) -> tuple[Type, list[str]]:
    try:
        kind = Kind(tokens[0])
    except (ValueError, IndexError):
        raise ValueError(f"not a type: {text!r}") from None
    rest = tokens[1:]
    if kind in _NAMED:
        if len(rest) < 3 or rest[0] != "(" or rest[2] != ")":
            raise ValueError(f"{kind} wants a name: {text!r}")
        return Type(kind, name=rest[1]), rest[3:]
    if kind not in _ARITY:
        return Type(kind), rest
    inner: list[Type] = []
    opener = "("
    for _ in range(_ARITY[kind]):
        if not rest or rest[0] != opener:
            raise ValueError(f"not a type: {text!r}")
        element, rest = _parse(rest[1:], text)
        inner.append(element)
        opener = ","
    if not rest or rest[0] != ")":
        raise ValueError(f"not a type: {text!r}")
    return Type(kind, of=tuple(inner)), rest[1:]


def zero(of: Type) -> object:
    """Return the value of a type nobody has set: "", 0, epoch, null ref, empty collection."""
    match of.kind:
        case Kind.INT:
            return 0
        case Kind.FLOAT:
            return 0.0
        case Kind.BOOL:
            return False
        case Kind.DATETIME:
            return "19700101T00:00:00Z"
        case Kind.REF:
            return NULL_REF
        case Kind.SET:
            return []
        case Kind.MAP | Kind.RECORD:
            return {}
        case Kind.OPTION:
            return None
        case _:
            return ""

"""Whether what was read from outside is a value of a declared type, in the form in which rows keep it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xapi_shim.datamodel.types import INT64, REF_PREFIX, Kind, Type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DATE = re.compile(r"\d{8}T\d\d:\d\d:\d\dZ")
# A ref is sent inside documents, and compared with what clients send.
_REF = re.compile(rf"{REF_PREFIX}[0-9A-Za-z-]+")


def is_ref(text: object) -> bool:
    """Say whether `text` may stand for an object."""
    return isinstance(text, str) and _REF.fullmatch(text) is not None


def fits(of: Type, value: object, enums: Mapping[str, Sequence[str]]) -> bool:
    """Say whether a row may have `value` in a field of type `of`."""
    match of.kind:
        case Kind.INT:
            return isinstance(value, int) and not isinstance(value, bool) and value in INT64
        case Kind.FLOAT:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Kind.BOOL:
            return isinstance(value, bool)
        case Kind.DATETIME:
            return isinstance(value, str) and _DATE.fullmatch(value) is not None
        case Kind.ENUM:
            # A field that nobody has set has no word yet.
            return isinstance(value, str) and (value == "" or value in enums[of.name])
        case Kind.REF:
            # What refers to nothing is kept in more than one way: by the null ref, and as nothing.
            return value == "" or is_ref(value)
        case Kind.OPTION:
            return value is None or fits(of.of[0], value, enums)
        case Kind.SET:
            return isinstance(value, list) and all(fits(of.of[0], one, enums) for one in value)
        case Kind.MAP:
            return isinstance(value, dict) and all(fits(of.of[1], one, enums) for one in value.values())
        case _:
            return isinstance(value, str)

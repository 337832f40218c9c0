"""The answer file's JSON Schema (draft 2020-12), made from the fields of Wishes; `./inv docs` publishes it."""

from __future__ import annotations

import json
import sys
from dataclasses import is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kronos_installer.wish_fields import Field, answerable, fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def answer_schema() -> dict[str, Any]:
    """Return the schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Answer file of xapi-host-setup",
        "description": "What the operator chooses; every key may be left out. See docs/unattended.md.",
        **_section(answerable()),
    }


def _section(known: Sequence[Field]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.key: _property(field) for field in known},
    }
    required = [field.key for field in known if field.required]
    return made | ({"required": required} if required else {})


def _property(field: Field) -> dict[str, Any]:
    one = _value(field)
    made = {"type": "array", "items": one} if field.many else one
    if not field.required:
        made = {"anyOf": [made, {"type": "null"}]}
    return {"description": field.rule.about, **made}


def _value(field: Field) -> dict[str, Any]:
    if is_dataclass(field.shape):
        return _section(fields_of(field.shape))
    if issubclass(field.shape, StrEnum):
        return {"enum": list(field.shape)}
    if field.shape is int:
        return {"type": "integer", "minimum": field.rule.least, "maximum": field.rule.most}
    if field.shape is bool:
        return {"type": "boolean"}
    # To Python "$" is before a line feed at the end, too.
    return {"type": "string", "pattern": rf"^(?:{field.rule.pattern})$(?!\n)"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer_schema(), indent=2) + "\n")

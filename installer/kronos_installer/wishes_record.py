"""Wishes as JSON and back: for the journal and for saved plans. What is not exactly that is refused.

A record of a former version lacks what could not be wished for then: the fields of sections that have defaults.
"""

from __future__ import annotations

import typing
from dataclasses import MISSING, asdict, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kronos_installer.wish_fields import without_none
from kronos_installer.wishes import Wishes

if TYPE_CHECKING:
    from kronos_installer.steps.step import Record


def wishes_to_record(wishes: Wishes) -> Record:
    """Return all fields, by name; enums as their words."""
    return asdict(wishes)


def wishes_from_record(record: Record) -> Wishes:
    """Read what `wishes_to_record` wrote. Raises ValueError or TypeError for anything else."""
    made: Wishes = _read(Wishes, record)
    return made


def _field_types(shape: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields, by name, in their order."""
    hints = typing.get_type_hints(shape)
    return {field.name: hints[field.name] for field in fields(shape)}


def _read(hint: Any, value: Any) -> Any:
    inner = without_none(hint)
    if inner is not hint:
        return None if value is None else _read(inner, value)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise TypeError(f"{value!r} is not a list")
        return tuple(_read(typing.get_args(hint)[0], one) for one in value)
    if is_dataclass(hint):
        return _read_dataclass(hint, value)
    if issubclass(hint, StrEnum):
        return hint(value)
    if type(value) is not hint:
        raise TypeError(f"{value!r} is not of type {hint.__name__}")
    return value


def _read_dataclass(shape: Any, value: Any) -> Any:
    hints = _field_types(shape)
    of_section = fields(shape) if shape is not Wishes else ()
    newer = {field.name for field in of_section if field.default is not MISSING}
    if not isinstance(value, dict) or not hints.keys() - newer <= value.keys() <= hints.keys():
        raise TypeError(f"not the fields of {shape.__name__}")
    return shape(**{name: _read(hints[name], one) for name, one in value.items()})

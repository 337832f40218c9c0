"""From what a client sent to values of the declared types; everything unexpected is refused.

XML-RPC clients send 64-bit integers as text or as <int>; JSON clients as numbers. Records
may leave out fields that have defaults and carry fields we do not know (later releases').
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.errors import FieldTypeErrorError, InvalidValueError
from xapi_shim.datamodel.types import INT64, Kind, Type, parse_type
from xapi_shim.rpc.dates import to_text
from xapi_shim.rpc.wire import NOT_UTF8

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.datamodel.model import ApiClass, DataModel, Value

_DIGITS = re.compile(r"[+-]?[0-9]{1,19}")
_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?")


class Coercion:
    """Turns decoded wire values into typed ones for one datamodel."""

    def __init__(self, model: DataModel) -> None:
        self._model = model

    def value(self, of: Type, sent: object, where: str) -> Value:
        """Return `sent` as a value of type `of`.

        Raises FieldTypeErrorError [where], InvalidValueError [where; sent].
        """
        match of.kind:
            case Kind.STRING | Kind.SECRET | Kind.REF:
                return _text(sent, where)
            case Kind.INT:
                return _int(sent, where)
            case Kind.FLOAT:
                return _float(sent, where)
            case Kind.BOOL:
                if not isinstance(sent, bool):
                    raise FieldTypeErrorError(where)
                return sent
            case Kind.DATETIME:
                return _date(sent, where)
            case Kind.ENUM:
                return self._enum(of.name, _text(sent, where), where)
            case Kind.OPTION:
                return None if sent is None else self.value(of.of[0], sent, where)
            case _:
                return self._collection(of, sent, where)

    def _enum(self, name: str, text: str, where: str) -> str:
        """Return the declared spelling: clients write enums in any case (Nova sends "User")."""
        values = self._model.enums[name]
        if text in values:
            return text
        for value in values:
            if value.lower() == text.lower():
                return value
        raise InvalidValueError(where, text)

    def _collection(self, of: Type, sent: object, where: str) -> Value:
        match of.kind:
            case Kind.SET:
                if not isinstance(sent, list):
                    raise FieldTypeErrorError(where)
                return _unique([self.value(of.of[0], one, where) for one in sent])
            case Kind.MAP:
                if not isinstance(sent, dict):
                    raise FieldTypeErrorError(where)
                keys, values = of.of
                return {
                    str(self.value(keys, key, where)): self.value(values, one, where)
                    for key, one in sent.items()
                }
            case Kind.RECORD:
                if not isinstance(sent, dict):
                    raise FieldTypeErrorError(where)
                return {
                    name: self.value(self._model.classes[of.name].by_name[name].type, one, name)
                    for name, one in sent.items()
                    if name in self._model.classes[of.name].by_name
                }
            case _:
                raise FieldTypeErrorError(where)

    def constructor(self, cls: ApiClass, sent: Mapping[str, Value]) -> dict[str, Value]:
        """Return the arguments of `cls`'s constructor, defaults filled in.

        Raises FieldTypeErrorError [field] for one that is missing and has no default.
        """
        full: dict[str, Value] = {}
        for name in cls.constructor:
            field = cls.by_name[name]
            if name in sent:
                full[name] = sent[name]
            elif isinstance(field.default, type(None) | str | int | float | bool | list | dict | tuple):
                full[name] = field.initial()
            else:
                raise FieldTypeErrorError(name)
        return full


def type_of(value: object) -> Type:
    """Return the type by which a value of others travels. Raises TypeError where it has none."""
    match value:
        case bool():
            return parse_type("bool")
        case int():
            return parse_type("int")
        case float():
            return parse_type("float")
        case str():
            return parse_type("string")
        case list():
            return Type(Kind.SET, of=(_one_type(value),))
        case dict() if all(isinstance(key, str) for key in value):
            return Type(Kind.MAP, of=(parse_type("string"), _one_type(list(value.values()))))
        case _:
            raise TypeError(f"a {type(value).__name__} does not travel")


def _one_type(values: list[object]) -> Type:
    types = {type_of(one) for one in values} or {parse_type("string")}
    if len(types) > 1:
        raise TypeError("values of several types in one collection do not travel")
    return types.pop()


def _unique(values: list[Value]) -> list[Value]:
    """Drop doubles, keeping order: these are sets. No declared set has maps or sets in it."""
    return list(dict.fromkeys(cast("list[str]", values)))


def _text(sent: object, where: str) -> str:
    if not isinstance(sent, str):
        raise FieldTypeErrorError(where)
    if not sent.isascii() and (NOT_UTF8 in sent or any(0xD800 <= ord(char) <= 0xDFFF for char in sent)):
        raise InvalidValueError(where, ascii(sent))
    return sent


def _int(sent: object, where: str) -> int:
    if isinstance(sent, bool) or not isinstance(sent, int | str):
        raise FieldTypeErrorError(where)
    if isinstance(sent, str):
        if not _DIGITS.fullmatch(sent):
            raise FieldTypeErrorError(where)
        sent = int(sent)
    if sent not in INT64:
        raise InvalidValueError(where, str(sent))
    return sent


def _float(sent: object, where: str) -> float:
    if isinstance(sent, bool) or not isinstance(sent, int | float):
        raise FieldTypeErrorError(where)
    if isinstance(sent, int) and sent not in INT64:
        raise InvalidValueError(where, str(sent)[:64])
    if not math.isfinite(sent):
        raise InvalidValueError(where, str(sent))
    return float(sent)


def _date(sent: object, where: str) -> str:
    """Return the form that the wire shows: YYYYMMDDTHH:MM:SSZ (ISO 8601, no dashes)."""
    text = _text(sent, where)
    found = _DATE.fullmatch(text)
    if not found:
        raise InvalidValueError(where, text)
    year, month, day, hour, minute, second = (found[n] for n in range(1, 7))
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31 and int(hour) < 24 and int(minute) < 60):
        raise InvalidValueError(where, text)
    if found[7] and found[7] != "Z":
        try:
            moment = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second}{found[7]}")
            return to_text(moment)
        except (ValueError, OverflowError) as error:
            raise InvalidValueError(where, text) from error
    return f"{year}{month}{day}T{hour}:{minute}:{second}Z"

"""JSON-RPC 1.0 and 2.0 (https://www.jsonrpc.org/specification), chosen by the "jsonrpc" member."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn, cast

from xapi_shim.datamodel.types import Kind, Type
from xapi_shim.rpc.wire import MalformedCallError, Request, marked_utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xapi_shim.datamodel.model import DataModel, Value

MAX_DEPTH = 32


def parse_call(body: bytes) -> Request:
    """Return the request of `body`. Raises MalformedCallError (batches and notifications too)."""
    try:
        sent = json.loads(marked_utf8(body), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedCallError(f"not a JSON document we read: {error}") from error
    if not isinstance(sent, dict) or not isinstance(sent.get("method"), str):
        raise MalformedCallError("not a JSON-RPC request object")
    identity = sent.get("id")
    if isinstance(identity, bool) or not isinstance(identity, int | str):
        raise MalformedCallError("a request has an id: a number or a text")
    params = sent.get("params", [])
    if isinstance(params, dict):
        params = [params]
    if not isinstance(params, list) or _depth(params) > MAX_DEPTH:
        raise MalformedCallError("params are a list, an object or absent, and not nested deeply")
    return Request(sent["method"], params, identity, 2 if sent.get("jsonrpc") == "2.0" else 1)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _depth(value: object) -> int:
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        level = inner
    return depth


class JsonEncoder:
    """Turns typed values into what json.dumps takes: records lose their internal fields, void is ""."""

    def __init__(self, model: DataModel) -> None:
        self._model = model

    def record(self, cls: str) -> Callable[[Mapping[str, Value]], str]:
        """Return what writes a record of `cls` as text."""
        fields = self._model.classes[cls].public_fields
        if any(_has_records(f.type) or f.type.kind is Kind.VOID for f in fields):
            of = Type(Kind.RECORD, name=cls)
            return lambda row: _dump(self.value(of, dict(row)))
        names = [f.name for f in fields]
        return lambda row: _dump({name: row[name] for name in names})

    def value(self, of: Type, value: Value) -> object:
        match of.kind:
            case Kind.VOID:
                return ""
            case Kind.RECORD:
                row = cast("dict[str, Value]", value)
                return {
                    f.name: self.value(f.type, row[f.name])
                    for f in self._model.classes[of.name].public_fields
                }
            case Kind.SET if _has_records(of):
                return [self.value(of.of[0], one) for one in cast("list[Value]", value)]
            case Kind.MAP if _has_records(of):
                return {k: self.value(of.of[1], one) for k, one in cast("dict[str, Value]", value).items()}
            case _:
                return value


def _has_records(of: Type) -> bool:
    return of.kind is Kind.RECORD or any(map(_has_records, of.of))


def success_ends(request: Request) -> tuple[str, str]:
    """Return what is before and after the result's text in the response document."""
    if request.version == 2:
        return '{"jsonrpc":"2.0","result":', f',"id":{_dump(request.id)}}}'
    return '{"result":', f',"error":null,"id":{_dump(request.id)}}}'


def success(request: Request, result: object) -> str:
    """Return the response document."""
    head, tail = success_ends(request)
    return f"{head}{_dump(result)}{tail}"


def failure(request: Request, description: Sequence[str]) -> str:
    """Return the response document of an error code and its parameters."""
    code, *params = description
    if request.version == 2:
        error = {"code": 1, "message": code, "data": params}
        return _dump({"jsonrpc": "2.0", "error": error, "id": request.id})
    return _dump({"result": None, "error": [code, *params], "id": request.id})


def _dump(document: object) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)

"""XML-RPC as XenAPI clients expect it (http://xmlrpc.com/spec.md, and the reference's habits).

Strings and 64-bit integers go out as untyped <value>text</value>; documents are compact,
with no white space between elements; an API error is a struct with Status Failure, never
a <fault>. Incoming documents are hostile: no DTD, no entities, bounded depth.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, cast
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from xapi_shim.datamodel.types import Kind, Type
from xapi_shim.rpc.wire import MalformedCallError, Request, marked_utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from xml.etree.ElementTree import Element

    from xapi_shim.datamodel.model import DataModel, Value

    Encoder = Callable[[Value], str]

MAX_DEPTH = 32
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_INTEGERS = {"int", "i4", "i8"}


def parse_call(body: bytes) -> Request:
    """Return the method's name and its decoded parameters. Raises MalformedCallError."""
    try:
        root = fromstring(marked_utf8(body), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise MalformedCallError(f"not an XML document we read: {error}") from error
    name = root.findtext("methodName")
    if root.tag != "methodCall" or name is None:
        raise MalformedCallError("not a methodCall")
    params = root.find("params")
    values = [] if params is None else [_value(p.find("value"), 0) for p in params.findall("param")]
    return Request(name.strip(), values)


def _value(element: Element | None, depth: int) -> object:
    if element is None or depth > MAX_DEPTH:
        raise MalformedCallError("a value is missing or nested too deeply")
    if len(element) == 0:
        return element.text or ""
    if len(element) > 1:
        raise MalformedCallError("a <value> holds one thing")
    return _typed(element[0], depth)


def _typed(typed: Element, depth: int) -> object:  # noqa: C901 -- one line a type
    text = typed.text or ""
    if typed.tag == "string":
        return text
    if typed.tag in _INTEGERS:
        return _number(text)
    match typed.tag:
        case "boolean":
            if text.strip() not in ("0", "1"):
                raise MalformedCallError("a <boolean> is 0 or 1")
            return text.strip() == "1"
        case "double":
            try:
                return float(text)
            except ValueError:
                raise MalformedCallError("a <double> that is no number") from None
        case "dateTime.iso8601":
            return text.strip()
        case "nil":
            return None
        case "array":
            return [_value(v, depth + 1) for v in typed.findall("data/value")]
        case "struct":
            return _struct(typed, depth)
        case _:
            raise MalformedCallError(f"unknown type <{typed.tag[:32]}>")


def _number(text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", text):
        raise MalformedCallError("an <int> that is no number")
    return int(text)


def _struct(typed: Element, depth: int) -> dict[str, object]:
    return {
        member.findtext("name") or "": _value(member.find("value"), depth + 1)
        for member in typed.findall("member")
    }


def text_value(value: str) -> str:
    """Return an untyped <value> of `value`, without the control characters XML cannot carry."""
    return f"<value>{escape(_CONTROL.sub('', value))}</value>"


class XmlEncoder:
    """Writes typed values; one compiled function per type."""

    def __init__(self, model: DataModel) -> None:
        self._model = model
        self.encoder: Callable[[Type], Encoder] = cache(self._make)

    def value(self, of: Type, value: Value) -> str:
        """Return `<value>...</value>`."""
        return self.encoder(of)(value)

    def _make(self, of: Type) -> Encoder:
        match of.kind:
            case Kind.INT:
                return lambda v: f"<value>{v}</value>"
            case Kind.BOOL:
                return lambda v: f"<value><boolean>{'1' if v else '0'}</boolean></value>"
            case Kind.FLOAT:
                return lambda v: f"<value><double>{cast('float', v):.16g}</double></value>"
            case Kind.DATETIME:
                return lambda v: f"<value><dateTime.iso8601>{v}</dateTime.iso8601></value>"
            case Kind.VOID:
                return lambda _: "<value></value>"
            case Kind.SET:
                return self._set(self.encoder(of.of[0]))
            case Kind.MAP:
                return self._map(self.encoder(of.of[1]))
            case Kind.RECORD:
                return self._record(of.name)
            case Kind.OPTION:
                inner = self.encoder(of.of[0])
                return lambda v: "<value><nil/></value>" if v is None else inner(v)
            case _:
                return lambda v: text_value(cast("str", v))

    @staticmethod
    def _set(inner: Encoder) -> Encoder:
        def encode(value: Value) -> str:
            items = "".join(map(inner, cast("list[Value]", value)))
            return f"<value><array><data>{items}</data></array></value>"

        return encode

    @staticmethod
    def _map(inner: Encoder) -> Encoder:
        def encode(value: Value) -> str:
            members = "".join(
                f"<member><name>{escape(_CONTROL.sub('', str(k)))}</name>{inner(v)}</member>"
                for k, v in cast("dict[str, Value]", value).items()
            )
            return f"<value><struct>{members}</struct></value>"

        return encode

    def _record(self, cls: str) -> Encoder:
        parts = [
            (f.name, f"<member><name>{f.name}</name>", self.encoder(f.type))
            for f in self._model.classes[cls].public_fields
        ]

        def encode(value: Value) -> str:
            row = cast("dict[str, Value]", value)
            members = "".join(f"{head}{inner(row[name])}</member>" for name, head, inner in parts)
            return f"<value><struct>{members}</struct></value>"

        return encode


_PROLOGUE = '<?xml version="1.0"?><methodResponse><params><param>'
_EPILOGUE = "</param></params></methodResponse>"
# What is before and after the encoded `<value>` of a call that succeeded.
SUCCESS_HEAD = (
    f"{_PROLOGUE}<value><struct><member><name>Status</name><value>Success</value></member>"
    "<member><name>Value</name>"
)
SUCCESS_TAIL = f"</member></struct></value>{_EPILOGUE}"


def success(value: str) -> str:
    """Return a whole response around an encoded `<value>`."""
    return f"{SUCCESS_HEAD}{value}{SUCCESS_TAIL}"


def failure(description: Sequence[str]) -> str:
    """Return a whole response for an error code and its parameters."""
    items = "".join(map(text_value, description))
    return _response(
        "<value><struct><member><name>Status</name><value>Failure</value></member>"
        "<member><name>ErrorDescription</name><value><array><data>"
        f"{items}</data></array></value></member></struct></value>"
    )


def bare(value: str) -> str:
    """Return a response without a Status, as system.listMethods has it."""
    return _response(value)


def _response(value: str) -> str:
    return f"{_PROLOGUE}{value}{_EPILOGUE}"

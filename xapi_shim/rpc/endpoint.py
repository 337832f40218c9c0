"""Both wire formats over one dispatcher: bytes in, bytes out.

An answer is a list of pieces: the texts of records are shared between all that are told of them, and are
not copied into one document for each.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.types import Kind, Type
from xapi_shim.rpc import jsonrpc, xmlrpc
from xapi_shim.rpc.dispatch import Failure
from xapi_shim.rpc.events import EventBatch
from xapi_shim.rpc.records import Records, RecordTexts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from xapi_shim.datamodel.model import DataModel, Value
    from xapi_shim.rpc.dispatch import Dispatcher, Success
    from xapi_shim.rpc.events import Event
    from xapi_shim.rpc.sessions import Origin


class Endpoint:
    """Answers whole request bodies."""

    def __init__(self, model: DataModel, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._model = model
        self._xml = xmlrpc.XmlEncoder(model)
        self._json = jsonrpc.JsonEncoder(model)
        self._xml_texts = RecordTexts(self._xml_record, self._rows)
        self._json_texts = RecordTexts(self._json.record, self._rows)

    async def xml(self, body: bytes, origin: Origin) -> list[bytes]:
        """Answer an XML-RPC body. Raises MalformedCallError."""
        return self.xml_answer(await self._dispatcher.serve(xmlrpc.parse_call(body), origin))

    def xml_answer(self, outcome: Success | Failure) -> list[bytes]:
        """Return the XML-RPC body that tells `outcome`."""
        if isinstance(outcome, Failure):
            return [_utf8(xmlrpc.failure(outcome.description))]
        match outcome.value:
            case EventBatch():
                return _around(xmlrpc.SUCCESS_HEAD, self._xml_batch(outcome.value), xmlrpc.SUCCESS_TAIL)
            case Records():
                return _around(xmlrpc.SUCCESS_HEAD, self._xml_records(outcome.value), xmlrpc.SUCCESS_TAIL)
            case _:
                value = self._xml.value(outcome.type, outcome.value)
                return [_utf8(xmlrpc.bare(value) if outcome.bare else xmlrpc.success(value))]

    async def json(self, body: bytes, origin: Origin) -> list[bytes]:
        """Answer a JSON-RPC body. Raises MalformedCallError."""
        request = jsonrpc.parse_call(body)
        outcome = await self._dispatcher.serve(request, origin)
        if isinstance(outcome, Failure):
            return [_utf8(jsonrpc.failure(request, outcome.description))]
        head, tail = jsonrpc.success_ends(request)
        match outcome.value:
            case EventBatch():
                return _around(head, self._json_batch(outcome.value), tail)
            case Records():
                return _around(head, self._json_records(outcome.value), tail)
            case _:
                return [_utf8(jsonrpc.success(request, self._json.value(outcome.type, outcome.value)))]

    def _rows(self, cls: str) -> Collection[str]:
        """Return the refs of a class, none for one whose objects are kept elsewhere (messages)."""
        table = self._dispatcher.db.tables.get(cls)
        return table.rows if table is not None else ()

    def _xml_record(self, cls: str) -> Callable[[Mapping[str, Value]], str]:
        encode = self._xml.encoder(Type(Kind.RECORD, name=cls))
        return lambda row: encode(cast("Value", row))

    def _xml_records(self, records: Records) -> list[bytes]:
        parts = [b"<value><struct>"]
        for ref, text in self._xml_texts.all(records):
            parts += (b"<member><name>", ref.encode(), b"</name>", text, b"</member>")
        return [*parts, b"</struct></value>"]

    def _json_records(self, records: Records) -> list[bytes]:
        # A ref is a constant and a UUID, or was taken from a dump: it is quoted as any text.
        members: list[bytes] = []
        for ref, text in self._json_texts.all(records):
            members += (b",", json.dumps(ref).encode(), b":", text)
        return [b"{", *members[1:], b"}"]

    def _xml_batch(self, batch: EventBatch) -> list[bytes]:
        counts = "".join(
            f"<member><name>{name}</name><value><i4>{count}</i4></value></member>"
            for name, count in batch.valid_ref_counts.items()
        )
        events: list[bytes] = []
        for event in batch.events:
            events += self._xml_event(event)
        if batch.listed:
            return [b"<value><array><data>", *events, b"</data></array></value>"]
        rest = (
            f"</data></array></value></member><member><name>valid_ref_counts</name><value><struct>{counts}"
            f"</struct></value></member><member><name>token</name><value>{batch.token}</value></member>"
            "</struct></value>"
        )
        head = b"<value><struct><member><name>events</name><value><array><data>"
        return [head, *events, rest.encode()]

    def _xml_event(self, event: Event) -> list[bytes]:
        body = (
            f"<value><struct><member><name>id</name><value>{event.generation}</value></member>"
            "<member><name>timestamp</name><value>0.0</value></member>"
            f"<member><name>class</name><value>{event.cls.lower()}</value></member>"
            f"<member><name>operation</name><value>{event.operation}</value></member>"
            f"<member><name>ref</name>{xmlrpc.text_value(event.ref)}</member>"
        )
        if event.snapshot is None:
            return [_utf8(f"{body}</struct></value>")]
        snapshot = self._xml_texts.one(event.cls, event.ref, event.generation, event.snapshot)
        return [_utf8(f"{body}<member><name>snapshot</name>"), snapshot, b"</member></struct></value>"]

    def _json_batch(self, batch: EventBatch) -> list[bytes]:
        parts: list[bytes] = []
        for event in batch.events:
            parts += (b",", *self._json_event(event))
        if batch.listed:
            return [b"[", *parts[1:], b"]"]
        rest = {"valid_ref_counts": dict(batch.valid_ref_counts), "token": batch.token}
        tail = json.dumps(rest, separators=(",", ":")).encode()
        return [b'{"events":[', *parts[1:], b"],", tail[1:]]

    def _json_event(self, event: Event) -> list[bytes]:
        body = (
            f'{{"id":"{event.generation}","timestamp":"0.0","class":"{event.cls.lower()}",'
            f'"operation":"{event.operation}","ref":{json.dumps(event.ref)}'
        )
        if event.snapshot is None:
            return [_utf8(body), b"}"]
        snapshot = self._json_texts.one(event.cls, event.ref, event.generation, event.snapshot)
        return [_utf8(body), b',"snapshot":', snapshot, b"}"]


def _utf8(text: str) -> bytes:
    return text.encode(errors="replace")


def _around(head: str, parts: list[bytes], tail: str) -> list[bytes]:
    return [_utf8(head), *parts, _utf8(tail)]

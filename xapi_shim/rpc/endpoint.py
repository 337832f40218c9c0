"""Both wire formats over one dispatcher: bytes in, text out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.datamodel.types import Kind, Type
from xapi_shim.rpc import jsonrpc, xmlrpc
from xapi_shim.rpc.dispatch import Failure
from xapi_shim.rpc.events import EventBatch

if TYPE_CHECKING:
    from xapi_shim.datamodel.model import DataModel
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

    async def xml(self, body: bytes, origin: Origin) -> str:
        """Answer an XML-RPC body. Raises MalformedCallError."""
        outcome = await self._dispatcher.serve(xmlrpc.parse_call(body), origin)
        if isinstance(outcome, Failure):
            return xmlrpc.failure(outcome.description)
        value = self._xml_value(outcome)
        return xmlrpc.bare(value) if outcome.bare else xmlrpc.success(value)

    async def json(self, body: bytes, origin: Origin) -> str:
        """Answer a JSON-RPC body. Raises MalformedCallError."""
        request = jsonrpc.parse_call(body)
        outcome = await self._dispatcher.serve(request, origin)
        if isinstance(outcome, Failure):
            return jsonrpc.failure(request, outcome.description)
        if isinstance(outcome.value, EventBatch):
            return jsonrpc.success(request, self._json_batch(outcome.value))
        return jsonrpc.success(request, self._json.value(outcome.type, outcome.value))

    def _xml_value(self, outcome: Success) -> str:
        if isinstance(outcome.value, EventBatch):
            return self._xml_batch(outcome.value)
        return self._xml.value(outcome.type, outcome.value)

    def _xml_batch(self, batch: EventBatch) -> str:
        counts = "".join(
            f"<member><name>{name}</name><value><i4>{count}</i4></value></member>"
            for name, count in batch.valid_ref_counts.items()
        )
        events = "".join(map(self._xml_event, batch.events))
        if batch.listed:
            return f"<value><array><data>{events}</data></array></value>"
        return (
            f"<value><struct><member><name>events</name><value><array><data>{events}</data></array></value></member>"
            f"<member><name>valid_ref_counts</name><value><struct>{counts}</struct></value></member>"
            f"<member><name>token</name><value>{batch.token}</value></member></struct></value>"
        )

    def _xml_event(self, event: Event) -> str:
        members = {
            "id": str(event.generation),
            "timestamp": "0.0",
            "class": event.cls.lower(),
            "operation": event.operation,
            "ref": event.ref,
        }
        body = "".join(
            f"<member><name>{name}</name>{xmlrpc.text_value(value)}</member>"
            for name, value in members.items()
        )
        if event.snapshot is not None:
            snapshot = self._xml.encoder(_record(event.cls))(dict(event.snapshot))
            body += f"<member><name>snapshot</name>{snapshot}</member>"
        return f"<value><struct>{body}</struct></value>"

    def _json_batch(self, batch: EventBatch) -> object:
        if batch.listed:
            return [self._json_event(event) for event in batch.events]
        return {
            "events": [self._json_event(event) for event in batch.events],
            "valid_ref_counts": dict(batch.valid_ref_counts),
            "token": batch.token,
        }

    def _json_event(self, event: Event) -> dict[str, object]:
        told: dict[str, object] = {
            "id": str(event.generation),
            "timestamp": "0.0",
            "class": event.cls.lower(),
            "operation": event.operation,
            "ref": event.ref,
        }
        if event.snapshot is not None:
            told["snapshot"] = self._json.value(_record(event.cls), dict(event.snapshot))
        return told


def _record(cls: str) -> Type:
    return Type(Kind.RECORD, name=cls)

"""Values and documents that travel: coercion, both encoders, hostile input."""

import json
import xmlrpc.client

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xapi_shim.datamodel.errors import FieldTypeErrorError, InvalidValueError
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import parse_type
from xapi_shim.rpc import jsonrpc
from xapi_shim.rpc import xmlrpc as wire_xml
from xapi_shim.rpc.values import Coercion
from xapi_shim.rpc.wire import MalformedCallError

COERCION = Coercion(DATAMODEL)


@pytest.mark.parametrize(
    ("of", "sent", "value"),
    [
        ("int", "12", 12),
        ("int", -(2**63), -(2**63)),
        ("float", 1, 1.0),
        ("bool", True, True),
        ("set(string)", ["a", "b", "a"], ["a", "b"]),
        ("map(string,int)", {"a": "1"}, {"a": 1}),
        ("datetime", "2026-11-20T01:02:03Z", "20261120T01:02:03Z"),
        ("datetime", "20261120T01:02:03", "20261120T01:02:03Z"),
        ("enum(vm_power_state)", "Running", "Running"),
        ("enum(vm_power_state)", "running", "Running"),
        ("ref(VM)", "OpaqueRef:x", "OpaqueRef:x"),
    ],
)
def test_what_clients_send_becomes_typed(of, sent, value):
    assert COERCION.value(parse_type(of), sent, "p") == value


@pytest.mark.parametrize(
    ("of", "sent", "error"),
    [
        ("int", "1.5", FieldTypeErrorError),
        ("int", True, FieldTypeErrorError),
        ("int", "9" * 19, InvalidValueError),
        ("bool", 1, FieldTypeErrorError),
        ("string", 1, FieldTypeErrorError),
        ("string", "\ud800", InvalidValueError),
        ("set(string)", "a", FieldTypeErrorError),
        ("map(string,string)", {"a": 1}, FieldTypeErrorError),
        ("float", float("inf"), InvalidValueError),
        ("datetime", "yesterday", InvalidValueError),
        ("datetime", "20261320T01:02:03Z", InvalidValueError),
        ("enum(vm_power_state)", "runing", InvalidValueError),
        ("record(VM)", [], FieldTypeErrorError),
    ],
)
def test_everything_else_is_refused(of, sent, error):
    with pytest.raises(error):
        COERCION.value(parse_type(of), sent, "p")


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


@given(st.dictionaries(TEXT, TEXT))
def test_maps_come_through_xml_as_they_are(value):
    encoder = wire_xml.XmlEncoder(DATAMODEL)
    document = wire_xml.success(encoder.value(parse_type("map(string,string)"), value))
    ((answer,), _) = xmlrpc.client.loads(document)
    assert answer == {"Status": "Success", "Value": value}


def test_control_characters_are_dropped_and_newlines_kept():
    assert wire_xml.text_value("a\x00b\nc<") == "<value>ab\nc&lt;</value>"


@given(st.binary(max_size=300))
def test_no_bytes_break_the_xml_parser(body):
    try:
        wire_xml.parse_call(body)
    except MalformedCallError:
        pass


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_no_json_breaks_the_parser_or_the_coercion(document):
    try:
        request = jsonrpc.parse_call(
            json.dumps({"method": "x", "id": 1, "params": document}).encode(errors="surrogatepass")
        )
    except MalformedCallError:
        return
    for sent in request.params:
        for of in (
            "string",
            "int",
            "float",
            "bool",
            "set(string)",
            "map(string,int)",
            "record(VM)",
            "datetime",
        ):
            try:
                COERCION.value(parse_type(of), sent, "p")
            except (FieldTypeErrorError, InvalidValueError):
                pass

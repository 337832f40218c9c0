"""The thin CLI protocol's messages, and xe's own options: whatever comes in, nothing but the named errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xapi_shim.cli import main, protocol
from xapi_shim.cli.engine.classes import CLASSES
from xapi_shim.cli.engine.command import CommandError
from xapi_shim.cli.engine.interpreter import BadSyntaxError, parse_lines
from xapi_shim.cli.engine.output import Cell, render_minimal, render_records
from xapi_shim.cli.engine.records import OF_HOSTS, parameters
from xapi_shim.cli.engine.values import size_bytes
from xapi_shim.datamodel.registry import DATAMODEL


@given(st.text(), st.lists(st.text()))
def test_what_is_encoded_is_decoded(code, params):
    raw = protocol.encode(protocol.COMMAND, protocol.ERROR, code, params)
    assert protocol.length(raw[:4]) == len(raw) - 4
    message = protocol.decode(raw[4:])
    assert (message.kind, message.tag, message.parts) == (protocol.COMMAND, protocol.ERROR, (code, params))


@given(st.binary(max_size=64))
def test_any_bytes_are_a_message_or_an_error(body):
    for prefix in (b"", b"\x09\0\0\0\x0e\0\0\0", b"\x09\0\0\0\0\0\0\0"):
        try:
            protocol.decode(prefix + body)
        except protocol.ProtocolError:
            continue


def test_a_message_on_the_wire():
    assert protocol.encode(9, 0, "é") == b"\x0e\0\0\0\x09\0\0\0\0\0\0\0\x02\0\0\0\xc3\xa9"
    with pytest.raises(protocol.ProtocolError):
        protocol.length(b"\xff\xff\xff\xff")


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("1", 1), ("1KiB", 1024), ("2GiB", 2 << 30), ("3 MiB", 3 << 20), ("4bytes", 4), ("-1", -1)],
)
def test_sizes(text, bytes_):
    assert size_bytes("n", text) == bytes_


@pytest.mark.parametrize("text", ["", "GiB", "1GB", "1.5GiB", "x", "1 2"])
def test_what_is_no_size(text):
    with pytest.raises(CommandError, match="Failed to parse parameter 'n'"):
        size_bytes("n", text)


def test_who_asks_is_no_argument():
    line = parse_lines(
        ["session_id=S", "pool-sync-updates", "--force", "username=u", "username=me", "password=p", ""]
    )
    assert line == ("pool-sync-updates", {"force": "true", "username": "u"}, "S", "me", "p")
    for lines in ([], [""], ["vm-list", "bare"]):
        with pytest.raises(BadSyntaxError):
            parse_lines(lines)


def test_options_settings_and_extra_arguments():
    settings = {}
    main.read_settings("server=a\n# password=x\nport = 1\nnossl=true\n", settings)
    assert main.read_extra("server=b,username=u -p 2,--minimal", settings) == ["--minimal"]
    assert main.parse_words(["vm-list", "-s", "c", "--debug", "a=-s"], settings) == ["vm-list", "a=-s"]
    assert settings == {"server": "c", "port": "2", "username": "u", "nossl": "true", "debug": "true"}
    with pytest.raises(main.BadOptionError):
        main.parse_words(["-s"], {})


def test_records_and_minimal():
    record = [Cell("uuid", "( RO)", "1"), Cell("name-label", "( RW)", "x")]
    assert render_records([record]) == "uuid ( RO)          : 1\n    name-label ( RW): x\n\n"
    assert render_minimal(["a,b", "c\\"]) == "a\\,b,c\\\\"


# Parameters of served classes whose value comes from a class that is not served (yet), or is gone.
NOWHERE = {"io_read_kbs", "io_write_kbs", "carrier", "vendor-id", "vendor-name", "device-id", "device-name",
           "speed", "duplex", "pci-bus-path"}  # fmt: skip


def test_every_parameter_of_a_served_class_comes_from_somewhere():
    lost = {
        (cls.api, name)
        for cls in CLASSES.values()
        if cls.api in DATAMODEL.classes
        for name, parameter in parameters(cls).items()
        if parameter.path is None and not parameter.message and (cls.api, name) not in OF_HOSTS
    }
    assert {name for _, name in lost} <= NOWHERE, lost

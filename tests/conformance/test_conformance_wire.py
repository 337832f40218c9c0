"""What travels: both formats, both doors, limits, and documents that are none."""

import http.client
import json
import socket
import ssl
import xmlrpc.client

import pytest
from running_daemon import PASSWORD

from xapi_shim.datamodel.registry import DATAMODEL


def post(running, path, body, content_type="text/xml", *, headers=None):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", running.daemon.port, context=context, timeout=20)
    try:
        connection.request("POST", path, body, {"Content-Type": content_type, **(headers or {})})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def rpc(running, method, *params, version=None):
    request = {"method": method, "params": list(params), "id": 7}
    if version:
        request["jsonrpc"] = version
    answer, body = post(running, "/jsonrpc", json.dumps(request), "application/json")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    return json.loads(body)


@pytest.fixture
def ref(running):
    return rpc(running, "session.login_with_password", "root", PASSWORD)["result"]


def test_numbers_are_text_in_xml_and_numbers_in_json(running, ref):
    (vm,) = rpc(running, "VM.get_by_name_label", ref, "Linux kernel and ramdisk")["result"]
    assert rpc(running, "VM.get_memory_static_max", ref, vm) == {"result": 256 << 20, "error": None, "id": 7}
    call = xmlrpc.client.dumps((ref, vm), "VM.get_memory_static_max")
    _, body = post(running, "/RPC2", call)
    assert b"<name>Value</name><value>268435456</value>" in body
    assert b"\n" not in body.partition(b"?>")[2]


def test_json_2_has_its_own_errors(running, ref):
    told = rpc(running, "VM.get_record", ref, "OpaqueRef:x", version="2.0")
    assert told["error"] == {"code": 1, "message": "HANDLE_INVALID", "data": ["VM", "OpaqueRef:x"]}
    assert "result" not in told
    assert rpc(running, "VM.get_record", ref, "OpaqueRef:x")["error"] == [
        "HANDLE_INVALID",
        "VM",
        "OpaqueRef:x",
    ]


def test_names_may_be_written_with_an_underscore(running, ref):
    assert rpc(running, "VM_metrics_get_all", ref)["error"] is None
    assert rpc(running, "vm.get_all", ref)["error"] == ["MESSAGE_METHOD_UNKNOWN", "vm.get_all"]


def test_list_methods_needs_no_session_and_is_bare(running):
    _, body = post(running, "/", xmlrpc.client.dumps((), "system.listMethods"))
    ((names,), _) = xmlrpc.client.loads(body)
    assert "VM.get_all_records" in names
    assert "Async.VM.start" in names
    assert "session.get_all_records" not in names


def test_every_class_answers_get_all_records_in_both_formats(running, ref):
    for name, cls in DATAMODEL.classes.items():
        if not (cls.in_database and cls.lists_all) or cls.state == "removed":
            continue
        told = rpc(running, f"{name}.get_all_records", ref)
        assert told["error"] is None, (name, told)
        _, body = post(running, "/", xmlrpc.client.dumps((ref,), f"{name}.get_all_records"))
        ((answer,), _) = xmlrpc.client.loads(body)
        assert answer["Status"] == "Success", (name, answer)
        assert answer["Value"].keys() == told["result"].keys()
        for record in answer["Value"].values():
            assert record.keys() == {f.name for f in cls.public_fields}


BROKEN = [
    b"", b"<", b"<methodCall/>", b"not xml", b"<methodCall><methodName>a</methodName><params><param/></params></methodCall>",
    b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><methodCall><methodName>&b;</methodName></methodCall>',
    b"<methodCall><methodName>x</methodName><params><param>" + b"<value><array><data>" * 500
    + b"</data></array></value>" * 500 + b"</param></params></methodCall>",
    b"<methodCall><methodName>x</methodName><params><param><value><boolean>true</boolean></value></param></params></methodCall>",
    b"\xff\xfe<methodCall>",
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN)
def test_malformed_xml_is_a_500_in_html(running, body):
    answer, page = post(running, "/", body)
    assert answer.status == 500
    assert page.startswith(b"<html>")
    assert rpc(running, "session.login_with_password", "root", PASSWORD)["error"] is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b'{"method":1,"id":1}', b'{"method":"x"}', b'{"method":"x","id":null}', b"[" * 100000,
             b'{"method":"x","id":1,"params":' + b"[" * 200 + b"]" * 200 + b"}", b'{"method":"x","id":1,"params":[NaN]}']
)  # fmt: skip
def test_malformed_json_is_a_500_in_html(running, body):
    answer, page = post(running, "/jsonrpc", body, "application/json")
    assert answer.status == 500
    assert page.startswith(b"<html>")


def test_bodies_are_limited_and_have_a_length(running, ref):
    answer, _ = post(running, "/", b"x" * (300 * 1024 + 1))
    assert answer.status == 413
    chunk = b"d\r\n<methodCall/>\r\n0\r\n\r\n"
    answer, _ = post(running, "/", iter([chunk]), headers={"Transfer-Encoding": "chunked"})
    assert answer.status == 411
    assert rpc(running, "pool.get_all", ref)["error"] is None


def test_the_unix_socket_is_root_without_a_password(running):
    path = running.paths.unix_socket
    assert path.stat().st_mode & 0o777 == 0o600
    body = json.dumps(
        {"method": "session.login_with_password", "params": ["anybody", ""], "id": "a"}
    ).encode()
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(str(path))
        wire.sendall(b"POST /jsonrpc HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        answer = wire.makefile("rb").read()
    assert b'"error":null' in answer


def test_the_certificate_is_the_hosts_own(running):
    pem = running.paths.server_certificate
    assert pem.stat().st_mode & 0o777 == 0o600
    before = pem.read_bytes()
    running.stop()
    running.start()
    assert pem.read_bytes() == before

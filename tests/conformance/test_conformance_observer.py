"""Observers: calls are traced to files of the host, or to a collector."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import XenAPI
from running_daemon import PASSWORD

from xapi_shim.web import trace_export


def observer_args(**fields):
    plain = {"name_label": "o", "name_description": "", "hosts": [], "attributes": {}, "endpoints": [],
             "components": [], "enabled": True}  # fmt: skip
    return {**plain, **fields}


def exported(running):
    """Have the daemon send what waits; return the spans in its files."""
    running.wait(trace_export.export(running.daemon.tools.tracer, running.paths))
    return [json.loads(line) for path in sorted(running.paths.traces.glob("*")) for line in path.open()]


def test_calls_are_traced_to_files(running, api, refused):
    api.pool.get_all()
    observer = api.Observer.create(observer_args(attributes={"site": "lab"}))
    assert api.Observer.get_endpoints(observer) == ["bugtool"]
    api.pool.get_all()
    refused("HANDLE_INVALID", api.VM.get_record, "OpaqueRef:none")
    spans = {span["name"]: span for span in exported(running)}
    span = spans["pool.get_all"]
    assert (span["kind"], span["localEndpoint"], span["tags"]) == (
        "SERVER",
        {"serviceName": "xapi"},
        {"site": "lab"},
    )
    assert len(span["traceId"]), len(span["id"]) == (32, 16)
    assert span["duration"] >= 1
    assert span["timestamp"] > 1_600_000_000_000_000
    assert "parentId" not in span
    assert spans["VM.get_record"]["tags"] == {"site": "lab", "error": "HANDLE_INVALID"}
    (path, *_) = running.paths.traces.iterdir()
    assert oct(path.stat().st_mode)[-3:] == "600"
    db = running.daemon.tools.db
    other = running.do(lambda: db.create("host", {}))
    for off, on in (
        (lambda: api.Observer.set_enabled(observer, False), lambda: api.Observer.set_enabled(observer, True)),
        (
            lambda: api.Observer.set_components(observer, ["smapi"]),
            lambda: api.Observer.set_components(observer, []),
        ),
        (lambda: api.Observer.set_hosts(observer, [other]), lambda: api.Observer.set_hosts(observer, [])),
    ):
        off()
        count = len(exported(running))
        api.pool.get_all()
        assert len(exported(running)) == count
        on()
        api.pool.get_all()
        assert len(exported(running)) > count
    api.Observer.destroy(observer)
    assert running.daemon.tools.tracer.observers == {}


def test_a_call_is_part_of_its_callers_work(running, api):
    api.Observer.create(observer_args())
    client = XenAPI.Session(running.url, ignore_ssl=True)
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    client("transport")._headers = [("traceparent", f"00-{trace}-{parent}-01")]
    client.xenapi.login_with_password("root", PASSWORD, "1.0", "traced")
    client("transport")._headers = [("traceparent", f"00-{'0' * 32}-{parent}-01")]
    client.xenapi.host.get_all()
    spans = {span["name"]: span for span in exported(running)}
    login = spans["session.login_with_password"]
    assert (login["traceId"], login["parentId"]) == (trace, parent)
    assert "parentId" not in spans["host.get_all"]


def test_traces_are_posted_to_a_collector(running, api):
    got = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/api/v2/spans"
    observer = api.Observer.create(observer_args(endpoints=[url]))
    api.pool.get_all()
    assert exported(running) == []
    ((path, spans),) = got
    assert path == "/api/v2/spans"
    assert "pool.get_all" in [span["name"] for span in spans]
    server.shutdown()
    server.server_close()
    # A collector that is gone keeps nothing else from being sent.
    api.Observer.set_endpoints(observer, [url, "bugtool"])
    api.pool.get_all()
    assert "pool.get_all" in [span["name"] for span in exported(running)]


def test_an_observer_is_on_after_a_restart(running, api):
    api.Observer.create({"enabled": True})
    (host,) = api.host.get_all()
    running.stop()
    running.start()
    (traced,) = running.daemon.tools.tracer.observers.values()
    assert traced.endpoints == ("bugtool",)
    # What waited when the daemon ended was sent.
    assert "Observer.create" not in [s["name"] for s in exported(running)]
    assert "host.get_all" in [s["name"] for s in exported(running)]
    assert host


def test_files_are_no_more_than_so_many(running, api, monkeypatch):
    monkeypatch.setattr(trace_export, "MAX_FILES", 3)
    api.Observer.create(observer_args())
    for _ in range(5):
        api.pool.get_all()
        exported(running)
    assert len(list(running.paths.traces.iterdir())) == 3


@pytest.mark.parametrize(
    ("field", "wrong", "named"),
    [
        ("endpoints", ["ftp://x"], ["endpoint", "ftp://x"]),
        ("endpoints", ["http://"], ["endpoint", "http://"]),
        ("endpoints", ["http://[::1"], ["endpoint", "http://[::1"]),
        ("components", ["dog"], ["component", "dog"]),
        ("attributes", {"A B": "x"}, ["attribute", "A B"]),
    ],
)
def test_what_cannot_be_observed_is_refused(api, refused, field, wrong, named):
    assert refused("INVALID_VALUE", api.Observer.create, observer_args(**{field: wrong}))[1:] == named
    observer = api.Observer.create(observer_args(enabled=False))
    assert refused("INVALID_VALUE", getattr(api.Observer, f"set_{field}"), observer, wrong)[1:] == named
    api.Observer.set_hosts(observer, api.host.get_all())
    assert api.Observer.get_hosts(observer) == api.host.get_all()

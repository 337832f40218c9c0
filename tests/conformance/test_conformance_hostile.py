"""What scripts written long ago and people of ill will send: none of it stalls the daemon or reaches what is others'."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from running_daemon import PASSWORD
from test_conformance_wire import rpc

from xapi_shim.datamodel.model import Role


@pytest.fixture
def ref(running):
    return rpc(running, "session.login_with_password", "root", PASSWORD)["result"]


@pytest.fixture
def as_role(running):
    """Return a session of a user of the given role."""
    tools = running.daemon.tools

    def open_one(role, user="someone"):
        return running.do(
            lambda: tools.sessions.open(user, role, originator="", host=tools.host, local=False)
        )

    return open_one


def test_a_huge_set_does_not_stall_the_daemon(running, ref):
    (vm,) = rpc(running, "VM.get_by_name_label", ref, "Linux kernel and ramdisk")["result"]
    tags = [f"{n:x}" for n in range(38_000)]
    began = time.monotonic()
    assert rpc(running, "VM.set_tags", ref, vm, [*tags, "0", "1"])["error"] is None
    # The square of their number took a quarter of a minute.
    assert time.monotonic() - began < 5
    assert rpc(running, "VM.get_tags", ref, vm)["result"] == tags


def test_a_filter_may_name_thousands_of_objects(running, ref):
    (host,) = rpc(running, "host.get_all", ref)["result"]
    uuid = rpc(running, "host.get_uuid", ref, host)["result"]
    others = [f'field "uuid" = "{n}"' for n in range(3000)]
    several = " or ".join([*others, f'field "uuid" = "{uuid}"'])
    assert rpc(running, "host.get_all_where", ref, several)["result"] == [host]
    assert rpc(running, "host.get_all_where", ref, f"{several} and false")["result"] == []


def test_a_long_filter_over_many_objects_lets_others_be_served(running, ref):
    db = running.daemon.tools.db
    running.do(lambda: [db.create("task", {}) for _ in range(500)])
    filter_ = " or ".join(['field "uuid" = "x"'] * 2000)
    with ThreadPoolExecutor(1) as other:
        searching = other.submit(rpc, running, "task.get_all_where", ref, filter_)
        longest, served = 0.0, 0
        while not searching.done():
            began = time.monotonic()
            running.do(int)
            longest, served = max(longest, time.monotonic() - began), served + 1
        assert searching.result()["result"] == []
    assert served > 10
    assert longest < 0.5


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("set_status", "failure"),
        ("set_progress", 0.5),
        ("set_result", "forged"),
        ("set_error_info", ["FORGED"]),
    ],
)
@pytest.mark.parametrize("role", [Role.READ_ONLY, Role.VM_ADMIN])
def test_the_outcome_of_others_tasks_is_not_written(running, ref, as_role, role, message, value):
    task, session = rpc(running, "task.create", ref, "a task", "")["result"], as_role(role)
    before = rpc(running, "task.get_record", ref, task)["result"]
    error = rpc(running, f"task.{message}", session, task, value)["error"]
    assert error[:2] == ["RBAC_PERMISSION_DENIED", "task.destroy/any"]
    assert rpc(running, "task.get_record", ref, task)["result"] == before
    own = rpc(running, "task.create", session, "a task", "")["result"]
    assert rpc(running, f"task.{message}", session, own, value)["error"] is None
    assert rpc(running, f"task.{message}", as_role(Role.POOL_OPERATOR), task, value)["error"] is None


def test_a_plugin_with_a_name_that_no_file_can_have_is_missing(running, ref):
    (host,) = rpc(running, "host.get_all", ref)["result"]
    name = "x" * 5000
    assert rpc(running, "host.call_plugin", ref, host, name, "f", {})["error"] == [
        "XENAPI_MISSING_PLUGIN",
        name,
    ]
    assert rpc(running, "host.has_extension", ref, host, name)["result"] is False
    assert rpc(running, name, ref)["error"] == ["MESSAGE_METHOD_UNKNOWN", name]


@pytest.mark.parametrize("message", ["secret.get_value", "VM.set_name_label", "VM.start"])
def test_who_may_not_call_a_message_is_not_told_what_there_is(running, as_role, message):
    more = {"VM.set_name_label": ["x"], "VM.start": [False, False]}.get(message, [])
    error = rpc(running, message, as_role(Role.READ_ONLY), "OpaqueRef:dead", *more)["error"]
    assert error[:2] == ["RBAC_PERMISSION_DENIED", message.lower()]


def told(running, session, classes, token, timeout=5.0):
    """Return what event.from tells, as (class, operation, ref), and the next token."""
    answer = rpc(running, "event.from", session, classes, token, timeout)["result"]
    return [(e["class"], e["operation"], e["ref"]) for e in answer["events"]], answer["token"]


def test_a_token_of_before_a_restart_misses_nothing(running, ref, vm):
    # What is not stored counts too: without sessions and tasks the database would not be ahead of its file.
    db = running.daemon.tools.db
    running.do(lambda: [db.destroy("task", db.create("task", {})) for _ in range(1000)])
    _, token = told(running, ref, ["vm"], "")
    for _ in range(2):
        running.stop()
        running.start()
    again = rpc(running, "session.login_with_password", "root", PASSWORD)["result"]
    assert rpc(running, "VM.set_name_label", again, vm, "renamed")["error"] is None
    events, after = told(running, again, ["vm"], token)
    assert vm in [one for _, _, one in events]
    assert after > token


def test_messages_are_told_as_events(running, ref):
    (pool,) = rpc(running, "pool.get_all", ref)["result"]
    uuid = rpc(running, "pool.get_uuid", ref, pool)["result"]

    def send(name):
        return rpc(running, "message.create", ref, name, 3, "Pool", uuid, "body")["result"]

    _, token = told(running, ref, ["message"], "", 0.1)
    first, second = send("FIRST"), send("SECOND")
    answer = rpc(running, "event.from", ref, ["message"], token, 5.0)["result"]
    assert [(e["class"], e["operation"], e["ref"]) for e in answer["events"]] == [
        ("message", "add", first), ("message", "add", second)]  # fmt: skip
    assert answer["events"][0]["snapshot"] == rpc(running, "message.get_record", ref, first)["result"]
    assert answer["token"] > token
    assert told(running, ref, ["message"], answer["token"], 0.1)[0] == []
    rpc(running, "message.destroy", ref, first)
    third = send("THIRD")
    rpc(running, "message.destroy", ref, third)
    # What came and went since the token is not told; of the others, those asked for, messages first.
    assert told(running, ref, ["message"], answer["token"])[0] == [("message", "del", first)]
    assert told(running, ref, [f"message/{second}"], "", 0.1)[0] == [("message", "add", second)]
    assert told(running, ref, ["*"], "")[0][0] == ("message", "add", second)
    assert [c for c, _, _ in told(running, ref, ["vm"], "")[0] if c == "message"] == []


def test_who_waits_for_a_message_is_woken(running, ref, api):
    _, token = told(running, ref, ["message"], "", 0.1)
    (pool,) = api.pool.get_all()
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(told, running, ref, ["message"], token, 20.0)
        sent = api.message.create("HELLO", "3", "Pool", api.pool.get_uuid(pool), "")
        assert waiting.result()[0] == [("message", "add", sent)]


@pytest.fixture
def often(monkeypatch):
    """Have daemons that are started afterwards drop what is old every few hundredths of a second."""
    monkeypatch.setattr("xapi_shim.web.daemon.COLLECT_S", 0.05)


def test_the_heartbeat_goes_on_after_the_disk_was_full(often, running, ref):
    def read_only(flag, failed):
        database = running.daemon.tools.db._store._db
        running.do(database.execute, f"PRAGMA query_only = {flag}")
        _, token = told(running, ref, ["pool"], "")
        if failed:
            assert told(running, ref, ["pool"], token, 0.5)[0] == []
        return token

    read_only(1, failed=True)
    token = read_only(0, failed=False)
    assert [(cls, operation) for cls, operation, _ in told(running, ref, ["pool"], token, 10.0)[0]] == [
        ("pool", "mod")
    ]

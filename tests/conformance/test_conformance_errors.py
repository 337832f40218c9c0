"""The standard errors of dispatching, each with its parameters, in both wire formats."""

import json
import textwrap
import xmlrpc.client

import pytest
from running_daemon import PASSWORD
from test_conformance_wire import post, rpc

from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.registry import DATAMODEL

DEAD = "OpaqueRef:dead"


@pytest.fixture
def ref(running):
    return rpc(running, "session.login_with_password", "root", PASSWORD)["result"]


@pytest.fixture
def fails(running):
    """Call in both formats; return the error, which must be the same in both."""

    def check(method, *params):
        error = rpc(running, method, *params)["error"]
        _, body = post(running, "/", xmlrpc.client.dumps(params, method))
        ((answer,), _) = xmlrpc.client.loads(body)
        assert answer == {"Status": "Failure", "ErrorDescription": error}
        return error

    return check


def open_as(running, role, user="someone"):
    tools = running.daemon.tools
    return running.do(lambda: tools.sessions.open(user, role, originator="", host=tools.host, local=False))


def test_who_has_no_session_is_told_which(fails):
    assert fails("VM.get_all", DEAD) == ["SESSION_INVALID", DEAD]


def test_unknown_and_removed_messages(fails, ref):
    assert fails("VM.dance", ref) == ["MESSAGE_METHOD_UNKNOWN", "VM.dance"]
    assert fails("dance", ref) == ["MESSAGE_METHOD_UNKNOWN", "dance"]
    assert fails("vm.get_all", ref) == ["MESSAGE_METHOD_UNKNOWN", "vm.get_all"]
    assert fails("Async.VM.get_all", ref)[0] == "MESSAGE_METHOD_UNKNOWN"
    removed = [k for k, (_, message) in all_messages(DATAMODEL).items() if message.removed]
    assert removed
    assert fails(removed[0], ref) == ["MESSAGE_REMOVED"]


def test_counts_leave_out_the_session(fails, ref):
    assert fails("VM.start", ref, DEAD) == ["MESSAGE_PARAMETER_COUNT_MISMATCH", "VM.start", "3", "1"]
    assert fails("VM.get_all", ref, "x") == ["MESSAGE_PARAMETER_COUNT_MISMATCH", "VM.get_all", "0", "1"]
    assert fails("session.login_with_password", "root") == [
        "MESSAGE_PARAMETER_COUNT_MISMATCH", "session.login_with_password", "2", "1"]  # fmt: skip


def test_dead_refs_unknown_uuids_and_keys_given_twice(fails, ref):
    assert fails("SR.scan", ref, DEAD) == ["HANDLE_INVALID", "SR", DEAD]
    assert fails("VM_metrics.get_by_uuid", ref, "none") == ["UUID_INVALID", "VM_metrics", "none"]


def test_a_map_key_given_twice(running, ref):
    (pool,) = rpc(running, "pool.get_all", ref)["result"]
    assert rpc(running, "pool.add_to_other_config", ref, pool, "k", "1")["error"] is None
    told = rpc(running, "pool.add_to_other_config", ref, pool, "k", "2")["error"]
    assert told == ["MAP_DUPLICATE_KEY", "pool", "other_config", pool, "k"]
    for _ in range(2):  # what is not there is removed without complaint
        assert rpc(running, "pool.remove_from_other_config", ref, pool, "k")["error"] is None


def test_values_that_are_none(fails, ref, running):
    (pool,) = rpc(running, "pool.get_all", ref)["result"]
    task = rpc(running, "task.create", ref, "t", "")["result"]
    assert fails("task.set_status", ref, task, "dancing") == ["INVALID_VALUE", "value", "dancing"]
    assert fails("task.set_progress", ref, task, 2.0) == ["INVALID_VALUE", "value", "2.0"]
    assert fails("VM.get_all_where", ref, "field")[:2] == ["INVALID_VALUE", "field"]
    assert fails("pool.set_name_label", ref, pool, 1)[0] == "FIELD_TYPE_ERROR"
    assert fails("event.from", ref, ["v m"], "", 0.1) == ["EVENT_SUBSCRIPTION_PARSE_FAILURE", "v m"]
    assert fails("event.from", ref, ["vm"], "x", 0.1) == ["EVENT_FROM_TOKEN_PARSE_FAILURE", "x"]
    assert fails("event.next", ref) == ["SESSION_NOT_REGISTERED", ref]


def test_bytes_that_are_not_utf8_are_a_wrong_value_and_not_a_wrong_call(running, ref):
    (pool,) = rpc(running, "pool.get_all", ref)["result"]
    body = json.dumps({"method": "pool.set_name_label", "params": [ref, pool, "BAD"], "id": 7}).encode()
    _, told = post(running, "/jsonrpc", body.replace(b"BAD", b"\xff\xc0"), "application/json")
    assert json.loads(told)["error"][:2] == ["INVALID_VALUE", "value"]
    body = xmlrpc.client.dumps((ref, pool, "BAD"), "pool.set_name_label").encode()
    answer, told = post(running, "/", body.replace(b"BAD", b"a\xffb"))
    assert answer.status == 200
    assert xmlrpc.client.loads(told)[0][0]["ErrorDescription"][:2] == ["INVALID_VALUE", "value"]


def test_a_role_that_is_too_low_is_told_the_permission(running, fails):
    (pool,) = running.daemon.tools.db.refs("pool")
    low = open_as(running, Role.READ_ONLY)
    assert fails("pool.set_name_label", low, pool, "x") == [
        "RBAC_PERMISSION_DENIED", "pool.set_name_label",
        "No permission in user session. (Roles with this permission: pool-admin, pool-operator)"]  # fmt: skip
    assert rpc(running, "pool.get_name_label", low, pool)["error"] is None


def test_a_maps_keys_have_roles_of_their_own(running, vm):
    operator = open_as(running, Role.VM_OPERATOR)
    told = rpc(running, "VM.add_to_other_config", operator, vm, "mine", "1")["error"]
    assert told is not None
    assert told[0] == "RBAC_PERMISSION_DENIED"
    assert (
        rpc(running, "VM.add_to_other_config", operator, vm, "XenCenter.CustomFields.a", "1")["error"] is None
    )


def test_tasks_of_others_are_left_alone(running, fails):
    mine, other = open_as(running, Role.READ_ONLY, "me"), open_as(running, Role.READ_ONLY, "you")
    operator = open_as(running, Role.POOL_OPERATOR, "operator")
    task = rpc(running, "task.create", mine, "t", "")["result"]
    assert fails("task.destroy", other, task)[:2] == ["RBAC_PERMISSION_DENIED", "task.destroy/any"]
    assert fails("task.cancel", other, task)[:2] == ["RBAC_PERMISSION_DENIED", "task.destroy/any"]
    assert fails("task.cancel", mine, task)[0] == "OPERATION_NOT_ALLOWED"
    assert rpc(running, "task.destroy", operator, task)["error"] is None


def test_what_breaks_is_an_internal_error_and_the_daemon_goes_on(running, ref, fails, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(running.daemon.tools.db, "refs", broken)
    assert fails("pool.get_all", ref) == ["INTERNAL_ERROR", "RuntimeError: broken on purpose"]
    monkeypatch.undo()
    assert rpc(running, "pool.get_all", ref)["error"] is None


EXTENSION = """\
    #!/usr/bin/python3
    import sys, xmlrpc.client
    assert sys.argv[1:] == ["--xmlrpc"]
    params, name = xmlrpc.client.loads(sys.stdin.read())
    if params[-1] == "fail":
        answer = {"Status": "Failure", "ErrorDescription": ["MY_CODE", name]}
    elif params[-1] == "garbage":
        sys.exit(print("garbage"))
    else:
        answer = {"Status": "Success", "Value": [name, *params[1:]]}
    print(xmlrpc.client.dumps((answer,), methodresponse=True))
"""


def test_extensions_serve_what_nobody_declared(running, ref, fails):
    running.paths.extensions.mkdir(parents=True)
    path = running.paths.extensions / "Dance.waltz"
    path.write_text(textwrap.dedent(EXTENSION))
    assert fails("Dance.waltz", ref, "x") == ["MESSAGE_METHOD_UNKNOWN", "Dance.waltz"]  # not executable
    path.chmod(0o755)
    assert rpc(running, "Dance.waltz", ref, "x")["result"] == ["Dance.waltz", "x"]
    assert fails("Dance.waltz", ref, "fail") == ["MY_CODE", "Dance.waltz"]
    assert fails("Dance.waltz", ref, "garbage")[0] == "EXTENSION_PROTOCOL_FAILURE"
    assert fails("Dance.waltz", DEAD, "x") == ["SESSION_INVALID", DEAD]
    assert fails("../extensions/Dance.waltz", ref, "x")[0] == "MESSAGE_METHOD_UNKNOWN"
    assert fails("Dance.waltz", open_as(running, Role.POOL_OPERATOR), "x")[:2] == [
        "RBAC_PERMISSION_DENIED", "host.call_extension"]  # fmt: skip
    (host,) = rpc(running, "host.get_all", ref)["result"]
    assert rpc(running, "host.has_extension", ref, host, "Dance.waltz")["result"] is True
    call = json.dumps({"method": "Dance.waltz", "params": [ref, "y"]})
    assert json.loads(rpc(running, "host.call_extension", ref, host, call)["result"]) == ["Dance.waltz", "y"]
    assert fails("host.call_extension", ref, host, "{")[:2] == ["INVALID_VALUE", "call"]


def test_messages_of_hosts_among_themselves_are_no_users(running, ref, fails):
    tools = running.daemon.tools
    assert fails("host.get_uncooperative_domains", ref, tools.host)[0] == "INTERNAL_ERROR"
    pool = running.do(
        lambda: tools.sessions.open(
            "", Role.LOCAL_ROOT, originator="", host=tools.host, local=True, pool=True
        )
    )
    assert rpc(running, "host.get_uncooperative_domains", pool, tools.host)["result"] == []


def test_the_legacy_events_queue_from_the_moment_of_registering(running, ref):
    (pool,) = rpc(running, "pool.get_all", ref)["result"]
    rpc(running, "pool.set_name_label", ref, pool, "before")
    assert rpc(running, "event.register", ref, ["pool"])["error"] is None
    for name in ("a", "b"):
        rpc(running, "pool.set_name_label", ref, pool, name)
    (told,) = rpc(running, "event.next", ref)["result"]
    assert (told["class"], told["operation"], told["ref"]) == ("pool", "mod", pool)
    assert told["snapshot"]["name_label"] == "b"
    rpc(running, "pool.set_name_label", ref, pool, "c")
    _, body = post(running, "/", xmlrpc.client.dumps((ref,), "event.next"))
    ((answer,), _) = xmlrpc.client.loads(body)
    assert [event["snapshot"]["name_label"] for event in answer["Value"]] == ["c"]
    assert rpc(running, "event.unregister", ref, ["Pool"])["error"] is None
    assert rpc(running, "event.next", ref)["error"] == ["SESSION_NOT_REGISTERED", ref]


def test_more_deletions_than_are_remembered_are_lost_events(running, ref):
    assert rpc(running, "event.register", ref, ["task"])["error"] is None
    db = running.daemon.tools.db

    def many():
        for _ in range(513):
            db.destroy("task", db.create("task", {}))

    running.do(many)
    assert rpc(running, "event.next", ref)["error"] == ["EVENTS_LOST"]

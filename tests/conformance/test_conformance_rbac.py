"""Roles on a running daemon: every message refused to every role that must not call it, by every door."""

import base64
import http.client
import re
import ssl
import time

import pytest
import XenAPI
from running_daemon import PASSWORD
from test_conformance_wire import rpc

from xapi_shim.api.external_auth import CONFIRM_S, confirm_sessions
from xapi_shim.cli.engine.interpreter import commands
from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.permissions import EMERGENCY_CALLS, ROLES
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.rpc.audit import track_id
from xapi_shim.rpc.dispatch import Failure
from xapi_shim.rpc.roles import permissions_of
from xapi_shim.rpc.sessions import Door, External, Origin
from xapi_shim.rpc.wire import Request

# A value of each kind that is taken for right, so that nothing but the role can refuse the call.
VALUES = {"string": "x", "secretstring": "x", "int": 1, "float": 1.0, "bool": True, "ref": "OpaqueRef:NULL",
          "datetime": "20260101T00:00:00Z", "set": [], "map": {}, "record": {}, "option": None}  # fmt: skip


def value_of(param):
    if param.type.kind == "enum":
        return DATAMODEL.enums[param.type.name][0]
    return VALUES[param.type.kind]


@pytest.fixture
def open_as(running):
    tools = running.daemon.tools

    def open_one(role, user="someone", **more):
        host = tools.host
        return running.do(
            lambda: tools.sessions.open(user, role, originator="", host=host, local=False, **more)
        )

    return open_one


@pytest.fixture
def audited(running):
    """Return the words that the audit log says of calls of one name, after the track id."""

    def words(name):
        lines = running.paths.audit_log.read_text().splitlines()
        found = (re.fullmatch(r"\[[^\]]+\] \('trackid=(?:\w*)' (.*)\)", line) for line in lines)
        return [one[1] for one in found if one and f"'API' '{name}'" in one[1]]

    return words


@pytest.mark.parametrize("role", ROLES)
def test_each_message_that_a_role_has_not_is_refused(running, open_as, role):
    """Async too. What the role may do is compared with the facts in test_rpc_roles."""
    session, may = open_as(role), set(permissions_of()[role])

    async def answers():
        wrong = []
        for name, (_, message) in all_messages(DATAMODEL).items():
            if not message.session or message.removed or name.lower() in may:
                continue
            for called in [name, f"Async.{name}"] if message.is_async else [name]:
                params = [session, *(value_of(param) for param in message.params)]
                told = await running.daemon.dispatcher.serve(Request(called, params), Origin(Door.TLS))
                if not isinstance(told, Failure) or told.description[:2] != [
                    "RBAC_PERMISSION_DENIED", name.lower()]:  # fmt: skip
                    wrong.append((called, told))
        return wrong

    assert running.wait(answers()) == []


def test_a_key_is_no_easier_to_write_by_the_whole_map(running, open_as, vm):
    db = running.daemon.tools.db
    admin, high = open_as(Role.VM_ADMIN), open_as(Role.POOL_ADMIN)
    have = {**db.mapping("VM", vm, "other_config"), "mine": "1"}

    def told(session, method, *params):
        error = rpc(running, method, session, vm, *params)["error"]
        return error[:2] if error else None

    refused = ["RBAC_PERMISSION_DENIED", "vm.add_to_other_config/key:pci"]
    assert told(admin, "VM.set_other_config", have) is None
    assert told(admin, "VM.set_other_config", {**have, "pci": "0/0000:00:1f.0"}) == refused
    assert told(high, "VM.set_other_config", {**have, "pci": "0/0000:00:1f.0"}) is None
    assert told(admin, "VM.set_other_config", {**have, "pci": "0/0000:00:1f.0", "mine": "2"}) is None
    assert told(admin, "VM.set_other_config", have) == refused
    assert told(admin, "VM.set_platform", {"hvm_serial": "file:/etc/shadow"}) == [
        "RBAC_PERMISSION_DENIED", "vm.add_to_platform/key:hvm_serial"]  # fmt: skip
    record = rpc(running, "VM.get_record", high, vm)["result"]
    power = open_as(Role.VM_POWER_ADMIN)
    made = rpc(running, "VM.create", power, {**record, "platform": {"hvm_serial": "pty"}, "other_config": {}})
    assert made["error"][:2] == ["RBAC_PERMISSION_DENIED", "vm.add_to_platform/key:hvm_serial"]
    assert rpc(running, "VM.create", power, {**record, "other_config": {}})["error"] is None
    task = rpc(running, "task.create", admin, "t", "")["result"]
    low = open_as(Role.READ_ONLY)
    assert rpc(running, "task.set_other_config", low, task, {"x": "1"})["error"] is None
    error = rpc(running, "task.set_other_config", low, task, {"x": "1", "applies_to": "y"})["error"]
    assert error[:2] == ["RBAC_PERMISSION_DENIED", "task.add_to_other_config/key:applies_to"]


def test_roles_and_permissions_are_records(api):
    records = api.role.get_all_records()
    roles = api.role.get_all_records_where("subroles<>[]")
    assert [row["name_label"] for row in roles.values()] == [role.value for role in ROLES]
    permissions = api.role.get_all_records_where("subroles=[]")
    assert records.keys() == roles.keys() | permissions.keys()
    assert [row["name_label"] for row in roles.values() if row["is_internal"]] == ["client-cert"]
    (operator,) = api.role.get_by_name_label("vm-operator")
    (start,) = api.role.get_by_name_label("vm.start")
    assert api.role.get_by_uuid("0165f154-ba3e-034e-6b27-5d271af109ba") in roles
    assert start in api.role.get_permissions(operator)
    assert "vm.start" in api.role.get_permissions_name_label(operator)
    assert api.role.get_permissions(start) == [start]
    assert api.role.get_permissions_name_label(start) == ["vm.start"]
    having = [role.value for role in ROLES if "vm.start" in permissions_of()[role]]
    names = [roles[ref]["name_label"] for ref in api.role.get_by_permission(start)]
    assert names == having
    assert api.role.get_by_permission_name_label("vm.start") == api.role.get_by_permission(start)
    assert api.role.get_by_permission_name_label("none") == api.role.get_by_permission(operator) == []
    assert list(api.role.get_all_records_where('field "name__label" = "vm-admin"')) == (
        api.role.get_by_name_label("vm-admin")
    )


def test_events_do_not_tell_of_roles(api):
    told = api.event_from(["*"], "", 0.0)
    assert not [event for event in told["events"] if event["class"] == "role"]
    assert told["valid_ref_counts"]["role"] == 0


def test_the_superusers_session(api, session):
    assert api.session.get_is_local_superuser(session.handle)
    assert api.session.get_rbac_permissions(session.handle) == []
    assert api.session.get_subject(session.handle) == "OpaqueRef:NULL"
    assert api.session.get_auth_user_sid(session.handle) == ""
    assert api.session.get_auth_user_name(session.handle) == "root"


def test_a_session_lists_what_its_role_permits(running, open_as):
    ref = open_as(Role.VM_OPERATOR)
    assert rpc(running, "session.get_rbac_permissions", ref, ref)["result"] == list(
        permissions_of()[Role.VM_OPERATOR]
    )


def test_the_directorys_questions_and_messages_without_a_directory(api, refused):
    (pool,), (host,) = api.pool.get_all(), api.host.get_all()
    refused("AUTH_IS_DISABLED", api.auth.get_group_membership, "u0")
    refused("AUTH_IS_DISABLED", api.pool.external_auth_set_ldaps, pool, True, False)
    api.host.disable_external_auth(host, {})
    api.pool.set_ext_auth_max_threads(pool, "3")
    assert api.pool.get_ext_auth_max_threads(pool) == "3"
    assert refused("INVALID_VALUE", api.pool.set_ext_auth_max_threads, pool, "0")[1:] == [
        "ext_auth_max_threads", "0"]  # fmt: skip
    api.host.enable_external_auth(host, {}, "x", "PAM")
    assert refused("AUTH_SET_LDAPS_FAILED", api.pool.external_auth_set_ldaps, pool, True, False)[1] == host


def test_subjects_outlive_the_daemon(running, session, refused):
    api = session.xenapi
    (host,) = api.host.get_all()
    api.host.enable_external_auth(host, {}, "x", "PAM")
    subject = api.subject.create({"subject_identifier": "u4711", "other_config": {"subject-name": "n"}})
    assert api.subject.get_roles(subject) == []
    (role,) = api.role.get_by_name_label("vm-admin")
    api.subject.add_to_roles(subject, role)
    running.stop()
    running.start()
    again = XenAPI.Session(running.url, ignore_ssl=True)
    again.xenapi.login_with_password("root", PASSWORD)
    assert again.xenapi.subject.get_roles(subject) == [role]
    assert again.xenapi.role.get_name_label(role) == "vm-admin"
    assert again.xenapi.host.get_external_auth_type(host) == "PAM"


def test_a_plugins_session_may_do_what_its_callers_may(running, open_as):
    tools = running.daemon.tools
    parent = open_as(Role.VM_OPERATOR, "me")

    def child():
        ref = tools.sessions.open_child(parent, "plugin")
        return ref, dict(tools.db.values("session", ref))

    ref, row = running.do(child)
    assert (row["parent"], row["auth_user_name"], row["is_local_superuser"]) == (parent, "me", False)
    assert list(row["rbac_permissions"]) == list(permissions_of()[Role.VM_OPERATOR])
    (pool,) = tools.db.refs("pool")
    assert rpc(running, "pool.set_name_label", ref, pool, "x")["error"][0] == "RBAC_PERMISSION_DENIED"


# -- hosts among themselves, and emergencies ---------------------------------------------------


def test_the_pool_secret_is_made_once_and_only_root_reads_it(running):
    path = running.paths.pool_secret
    secret = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"(?:[0-9a-f-]{36}/){2}[0-9a-f-]{36}", secret)
    running.stop()
    running.start()
    assert path.read_text() == secret


def test_hosts_log_in_by_the_pool_secret(running):
    secret, host = running.paths.pool_secret.read_text(), running.daemon.tools.host
    ref = rpc(running, "session.slave_login", host, secret)["result"]
    record = rpc(running, "session.get_record", ref, ref)["result"]
    assert (record["pool"], record["is_local_superuser"], record["this_host"]) == (True, True, host)
    assert rpc(running, "host.get_uncooperative_domains", ref, host)["result"] == []
    for wrong in ("", "x", secret[:-1], "é"):
        assert rpc(running, "session.slave_login", host, wrong)["error"][0] == "SESSION_AUTHENTICATION_FAILED"
    running.paths.pool_secret.write_text("")
    assert rpc(running, "session.slave_login", host, "")["error"][0] == "SESSION_AUTHENTICATION_FAILED"


def test_sessions_for_emergencies_reach_what_a_host_answers_then_and_nothing_else(running):
    secret = running.paths.pool_secret.read_text()
    running.paths.pool_conf.parent.mkdir(parents=True, exist_ok=True)
    running.paths.pool_conf.write_text("slave:192.0.2.1")
    assert rpc(running, "session.login_with_password", "root", PASSWORD)["error"] == [
        "HOST_IS_SLAVE", "192.0.2.1"]  # fmt: skip
    refs = [
        rpc(running, "session.slave_local_login", secret)["result"],
        rpc(running, "session.slave_local_login_with_password", "root", PASSWORD)["result"],
    ]
    for ref in refs:
        assert rpc(running, "host.is_in_emergency_mode", ref)["result"] is False
        assert rpc(running, "host.local_assert_healthy", ref)["error"] is None
        for call in ("pool.get_all", "session.logout", "event.from"):
            params = (["*"], "", 0.0) if call == "event.from" else ()
            assert rpc(running, call, ref, *params)["error"] == ["SESSION_INVALID", ref]
        assert rpc(running, "session.local_logout", ref)["error"] is None
        assert rpc(running, "host.is_in_emergency_mode", ref)["error"] == ["SESSION_INVALID", ref]
    for user, password in (("root", "wrong"), ("alice", PASSWORD)):
        told = rpc(running, "session.slave_local_login_with_password", user, password)["error"]
        assert told[:2] == ["SESSION_AUTHENTICATION_FAILED", user]
    assert rpc(running, "session.slave_local_login", "x")["error"][0] == "SESSION_AUTHENTICATION_FAILED"
    assert {"host.is_in_emergency_mode", "session.local_logout"} <= EMERGENCY_CALLS


def test_the_library_logs_in_for_emergencies(running):
    local = XenAPI.Session(running.url, ignore_ssl=True)
    local.slave_local_login_with_password("root", PASSWORD)
    assert local.xenapi.host.is_in_emergency_mode() is False
    assert local.xenapi.pool.is_slave(running.daemon.tools.host) is False
    local.xenapi.session.local_logout()


# -- HTTP actions and xe -----------------------------------------------------------------------


@pytest.fixture
def ask(running):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def go(method, path, **headers):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", running.daemon.port, context=context, timeout=20
        )
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    return go


def test_http_actions_look_at_the_role_and_know_the_pool_secret(running, ask, open_as):
    low, high = open_as(Role.POOL_OPERATOR), open_as(Role.POOL_ADMIN)
    assert ask("GET", f"/pool/xmldbdump?session_id={low}")[0] == 403
    assert ask("GET", f"/pool/xmldbdump?session_id={high}")[0] == 200
    secret = running.paths.pool_secret.read_text()
    assert ask("GET", "/pool/xmldbdump", Cookie=f"pool_secret={secret}")[0] == 200
    assert ask("GET", "/pool/xmldbdump", Cookie="pool_secret=")[0] == 401
    assert ask("GET", "/pool/xmldbdump", Cookie="pool_secret=x")[0] == 401
    text = running.paths.audit_log.read_text()
    assert text.count("'DENIED' 'OK' 'HTTP' 'GET /pool/xmldbdump'") == 1
    assert text.count("'ALLOWED' 'OK' 'HTTP' 'GET /pool/xmldbdump'") == 2
    assert secret not in text


def test_the_audit_log_is_read_over_http_since_a_time(running, ask, open_as, api):
    (pool,) = api.pool.get_all()
    api.pool.set_name_label(pool, "first")
    reader = open_as(Role.READ_ONLY)
    status, text = ask("GET", f"/audit_log?session_id={reader}")
    assert status == 200
    assert text == running.paths.audit_log.read_text()
    last = text.splitlines()[-1]
    stamp = last[1:].partition("|")[0]
    while time.strftime("%Y%m%dT%H:%M:%S", time.gmtime()) == stamp[:17]:
        api.pool.get_all()  # until the second in which that was has passed
    since = time.strftime("%Y%m%dT%H:%M:%SZ", time.gmtime())
    api.pool.set_name_label(pool, "second")
    status, later = ask("GET", f"/audit_log?session_id={reader}&since={since}")
    assert (status, len(later.splitlines())) == (200, 1)
    assert "('value' 'second' '' '')" in later
    assert ask("GET", f"/audit_log?session_id={reader}&since={stamp}")[1].startswith(last)
    assert ask("GET", f"/audit_log?session_id={reader}&since=yesterday")[0] == 400
    assert ask("GET", "/audit_log")[0] == 401


def test_every_command_of_users_and_roles_works(running):
    unimplemented = set(running.daemon.dispatcher.unimplemented())
    wanted = ("subject-", "session-subject-", "audit-log-get", "user-password-change", "pool-enable-external",
              "pool-disable-external", "host-enable-external", "host-disable-external")  # fmt: skip
    found = {name: one.messages for name, one in commands().items() if name.startswith(wanted)}
    assert len(found) >= 15
    for name, messages in found.items():
        assert not unimplemented & set(messages), name
        assert not [m for m in messages if m.startswith("http:") and m[5:] not in running.daemon.http_actions]


# -- the audit log -----------------------------------------------------------------------------


def test_the_audit_log_says_who_what_and_how_it_ended(running, api, open_as, audited, refused):
    (pool,) = api.pool.get_all()
    uuid = api.pool.get_uuid(pool)
    eve = open_as(Role.READ_ONLY, "eve\nALLOWED")
    rpc(running, "pool.set_name_label", eve, pool, "hers")
    rpc(running, "pool.get_name_label", eve, pool)
    api.pool.set_name_label(pool, "mine")
    refused("MAP_DUPLICATE_KEY", twice, api, pool)
    about = f"'API' 'pool.set_name_label' (('self' '' '{uuid}' '{pool}') ('value'"
    hers, mine = audited("pool.set_name_label")
    assert hers == f"'' 'eve\\nALLOWED' 'DENIED' 'OK' {about} 'hers' '' ''))"
    assert mine == f"'LOCAL_SUPERUSER' 'root' 'ALLOWED' 'OK' {about} 'mine' '' ''))"
    ends = [line.split("' '")[3] for line in audited("pool.add_to_other_config")]
    assert ends == ["OK", "ERROR:MAP_DUPLICATE_KEY"]
    assert audited("pool.get_name_label") == []
    text = running.paths.audit_log.read_text()
    assert eve not in text
    assert "|INET 127.0.0.1|pool.set_name_label|audit]" in text
    assert running.paths.audit_log.stat().st_mode & 0o777 == 0o600


def twice(api, pool):
    for _ in range(2):
        api.pool.add_to_other_config(pool, "key", "value")


def test_the_end_of_a_call_in_the_background_is_told_too(running, api, vm, audited):
    task = api.Async.VM.start(vm, False, False)
    while api.task.get_status(task) == "pending":
        api.event_from(["task"], "", 0.0)
    api.Async.VM.start(vm, False, False)
    while len(audited("VM.start")) < 2:
        api.event_from(["task"], "", 0.0)
    assert [line.split("' '")[3] for line in audited("VM.start")] == ["OK", "ERROR:VM_BAD_POWER_STATE"]
    assert "'guest'" in audited("VM.start")[0]


def test_logins_are_told_without_passwords(running, audited, ask):
    ref = rpc(running, "session.login_with_password", "root", PASSWORD)["result"]
    rpc(running, "session.login_with_password", "root", "a wrong one")
    good, bad = audited("session.login_with_password")
    assert good.startswith("'LOCAL_SUPERUSER' 'root' 'ALLOWED' 'OK'")
    assert bad.startswith("'' 'root' 'ALLOWED' 'ERROR:SESSION_AUTHENTICATION_FAILED'")
    assert "('pwd' '***' '' '')" in bad
    assert f"trackid={track_id(ref)}'" in running.paths.audit_log.read_text()
    for password, status in ((PASSWORD, 200), ("a wrong one", 401)):
        basic = base64.b64encode(f"root:{password}".encode()).decode()
        assert ask("GET", "/audit_log", Authorization=f"Basic {basic}")[0] == status
    ends = [line.split("' '")[3] for line in audited("session.login_with_password")]
    assert ends == ["OK", "ERROR:SESSION_AUTHENTICATION_FAILED"] * 2
    text = running.paths.audit_log.read_text()
    assert PASSWORD not in text
    assert "a wrong one" not in text


def test_hosts_append_lines_and_users_do_not(running, api, refused):
    refused("INTERNAL_ERROR", api.pool.audit_log_append, "forged")
    ref = rpc(running, "session.slave_login", running.daemon.tools.host,
              running.paths.pool_secret.read_text())["result"]  # fmt: skip
    assert rpc(running, "pool.audit_log_append", ref, "('a line')\nof another")["error"] is None
    lines = running.paths.audit_log.read_text().splitlines()
    assert any(line.endswith("|pool.audit_log_append|audit] ('a line')\\nof another") for line in lines)


# -- a directory that cannot be asked ----------------------------------------------------------


def test_sessions_go_on_while_the_directory_cannot_be_asked(running, api, open_as, monkeypatch):
    """The host's own user `daemon`, whose state getent(1) tells, which is not found for a while."""
    tools = running.daemon.tools
    api.pool.enable_external_auth(api.pool.get_all()[0], {}, "here", "PAM")
    sid = api.auth.get_subject_identifier("daemon")
    subject = api.subject.create({"subject_identifier": sid})
    api.subject.add_to_roles(subject, api.role.get_by_name_label("read-only")[0])
    ref = open_as(Role.READ_ONLY, "daemon", external=External(sid, frozenset({sid}), subject))

    def confirmed():
        running.wait(confirm_sessions(tools, 0.0))
        return rpc(running, "pool.get_all", ref)["error"] is None

    assert confirmed()
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        assert confirmed()
    api.subject.remove_from_roles(subject, api.role.get_by_name_label("read-only")[0])
    assert not rpc(running, "pool.get_all", ref)["result"]


def test_people_are_told_when_the_directory_cannot_be_asked_after_a_start(running, monkeypatch, tmp_path):
    db, tools = running.daemon.tools.db, running.daemon.tools
    running.do(lambda: db.set("host", tools.host, "external_auth_type", "AD"))
    running.stop()
    monkeypatch.setenv("PATH", str(tmp_path))  # as on a host whose winbind was removed
    running.start()
    root = rpc(running, "session.login_with_password", "root", PASSWORD)["result"]
    while not (found := rpc(running, "message.get_all_records", root)["result"]):
        pass
    (alert,) = found.values()
    assert (alert["name"], alert["cls"]) == ("EXTAUTH_INIT_IN_HOST_FAILED", "Host")
    assert "not installed: net wbinfo ntlm_auth systemctl" in alert["body"]
    told = rpc(running, "session.login_with_password", "alice", "x")["error"]
    assert told == ["SESSION_AUTHENTICATION_FAILED", "alice", "the directory of users cannot be asked"]


def test_a_session_is_asked_about_every_five_minutes(running, open_as):
    tools = running.daemon.tools
    ref = open_as(Role.READ_ONLY, "x", external=External("u1", frozenset({"u1"}), "OpaqueRef:NULL"))
    now = tools.sessions.clock()
    tools.sessions.clock = lambda: now + CONFIRM_S - 1
    assert tools.sessions.unconfirmed(CONFIRM_S) == []
    tools.sessions.clock = lambda: now + CONFIRM_S + 1
    assert tools.sessions.unconfirmed(CONFIRM_S) == [ref]

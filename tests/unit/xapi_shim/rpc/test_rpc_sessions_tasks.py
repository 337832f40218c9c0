"""Sessions, tasks and subscriptions: limits and ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from xapi_shim.database.database import Database
from xapi_shim.datamodel.errors import (
    EventFromTokenParseFailureError,
    EventSubscriptionParseFailureError,
    OperationNotAllowedError,
    SessionInvalidError,
)
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc import sessions as sessions_module
from xapi_shim.rpc.dates import to_text
from xapi_shim.rpc.events import make_token, parse_subscription, parse_token
from xapi_shim.rpc.sessions import IDLE_S, External, Sessions
from xapi_shim.rpc.tasks import MAX_TASKS, Tasks


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def db():
    return Database(DATAMODEL)


def test_the_longest_idle_session_makes_room(db, monkeypatch):
    monkeypatch.setattr(sessions_module, "PER_NAME", 3)
    clock = Clock()
    sessions = Sessions(db, clock)
    refs = []
    for at in range(4):
        clock.now = at
        refs.append(sessions.open("root", Role.LOCAL_ROOT, originator=f"o{at}", host="h", local=True))
        if at == 2:
            sessions.role(refs[0])
    assert [sessions.alive(ref) for ref in refs] == [True, False, True, True]
    assert len(db.refs("session")) == 3


def test_an_idle_session_ends_and_its_ref_is_dead(db):
    clock = Clock()
    sessions = Sessions(db, clock)
    ref = sessions.open("root", Role.LOCAL_ROOT, originator="", host="h", local=True)
    clock.now = IDLE_S + 1
    assert sessions.drop_idle() == 1
    for call in (sessions.role, sessions.close, sessions.user):
        with pytest.raises(SessionInvalidError):
            call(ref)


def test_sessions_for_emergencies_are_no_objects_and_few(db, monkeypatch):
    monkeypatch.setattr(sessions_module, "POOL", 3)
    clock = Clock()
    sessions = Sessions(db, clock)
    refs = []
    for at in range(4):
        clock.now = at
        refs.append(sessions.open_emergency())
        if at == 2:
            assert sessions.is_emergency(refs[0])
    assert [sessions.is_emergency(ref) for ref in refs] == [True, False, True, True]
    assert db.refs("session") == []
    assert not any(sessions.alive(ref) for ref in refs)
    with pytest.raises(SessionInvalidError):
        sessions.role(refs[0])
    clock.now = IDLE_S + 4
    assert sessions.drop_idle() == 3
    assert not sessions.is_emergency(refs[0])


def test_tasks_are_ones_own_by_name_and_directory(db):
    sessions = Sessions(db)

    def opened(user, sid=""):
        external = External(sid, frozenset({sid}), NULL_REF) if sid else None
        return sessions.open(user, Role.READ_ONLY, originator="", host="h", local=not sid, external=external)

    local, again, other, theirs = opened("a"), opened("a"), opened("b"), opened("a", "u1")
    assert sessions.same_user(local, again)
    assert sessions.same_user(theirs, opened("a", "u1"))
    assert not sessions.same_user(local, other)
    assert not sessions.same_user(local, theirs)
    assert not sessions.same_user(theirs, opened("a", "u2"))
    # Another host of the pool, which opened none of them, is asked to end a task.
    assert Sessions(db).same_user(local, again)
    assert not Sessions(db).same_user(local, other)
    sessions.close(again)
    assert not sessions.same_user(local, again)


def test_what_subjects_say_changes_a_session_and_only_the_directory_confirms_it(db):
    clock = Clock()
    sessions = Sessions(db, clock)
    external = External("u1", frozenset({"u1"}), "OpaqueRef:s")
    ref = sessions.open("a", Role.READ_ONLY, originator="", host="h", local=False, external=external)
    db.set("session", ref, "validation_time", "then")
    clock.now = 400
    sessions.confirm(ref, Role.VM_ADMIN, replace(external, subject="OpaqueRef:t"), asked=False)
    assert sessions.role(ref) is Role.VM_ADMIN
    assert db.text("session", ref, "subject") == "OpaqueRef:t"
    assert "vm.destroy" in db.items("session", ref, "rbac_permissions")
    assert (db.text("session", ref, "validation_time"), sessions.unconfirmed(300)) == ("then", [ref])
    sessions.confirm(ref, Role.VM_ADMIN, external, asked=True)
    assert db.text("session", ref, "validation_time") != "then"
    assert sessions.unconfirmed(300) == []


def test_roles_are_ordered():
    assert Role.LOCAL_ROOT.allows(Role.LOCAL_ROOT)
    assert Role.POOL_ADMIN.allows(Role.READ_ONLY)
    assert not Role.READ_ONLY.allows(Role.VM_OPERATOR)
    assert not Role.POOL_ADMIN.allows(Role.LOCAL_ROOT)


def test_finished_tasks_go_after_a_while_and_when_there_are_too_many(db):
    tasks = Tasks(db)
    old, young = (tasks.create(name, "", "") for name in ("old", "young"))
    for ref in (old, young):
        tasks.finish(ref, "")
    db.set("task", old, "finished", to_text(datetime.now(UTC) - timedelta(minutes=66)))
    tasks.collect()
    assert db.refs("task") == [young]
    for _ in range(MAX_TASKS + 5):
        tasks.finish(tasks.create("t", "", ""), "")
    tasks.collect()
    assert len(db.refs("task")) == MAX_TASKS


def test_a_task_without_work_behind_it_cannot_be_cancelled(db):
    tasks = Tasks(db)
    ref = tasks.create("t", "", "")
    with pytest.raises(OperationNotAllowedError):
        tasks.cancel(ref)
    tasks.fail(ref, ["TASK_CANCELLED", ref])
    assert db.text("task", ref, "status") == "cancelled"


def test_subscriptions():
    wanted = parse_subscription(["VM", "host/OpaqueRef:1", "host/OpaqueRef:2"])
    assert wanted.picks("VM", "anything")
    assert wanted.picks("host", "OpaqueRef:2")
    assert not wanted.picks("host", "OpaqueRef:3")
    assert not wanted.wants("SR")
    assert parse_subscription(["*"]).picks("SR", "x")
    for bad in ("", "vm/", "vm/x", "v m"):
        with pytest.raises(EventSubscriptionParseFailureError):
            parse_subscription([bad])
    assert parse_token("") == -1
    assert parse_token(make_token(7)) == 7
    for bad in ("7", "a,b", "1,2,3", "-1,0"):
        with pytest.raises(EventFromTokenParseFailureError):
            parse_token(bad)


@pytest.mark.parametrize(
    ("name", "limit", "given"),
    [
        ("PER_NAME", 500, {"user": "", "originator": "xo"}),
        ("PER_NAME", 500, {"user": "root", "originator": ""}),
        ("ANONYMOUS", 400, {"user": "", "originator": ""}),
        ("POOL", 400, {"user": "", "originator": "", "pool": True}),
    ],
)
def test_each_kind_of_session_has_its_documented_limit(db, name, limit, given):
    assert getattr(sessions_module, name) == limit
    sessions = Sessions(db)
    user = given["user"]
    kind = {key: value for key, value in given.items() if key != "user"}
    other = sessions.open("somebody else", Role.READ_ONLY, originator="else", host="h", local=False)
    first = sessions.open(user, Role.READ_ONLY, host="h", local=False, **kind)
    for _ in range(limit - 1):
        sessions.open(user, Role.READ_ONLY, host="h", local=False, **kind)
    assert sessions.alive(first)
    sessions.open(user, Role.READ_ONLY, host="h", local=False, **kind)
    assert not sessions.alive(first)
    assert sessions.alive(other)
    assert len(db.refs("session")) == limit + 1


def test_a_part_of_a_task_is_listed_by_the_whole(db):
    tasks = Tasks(db)
    whole = tasks.create("whole", "", "")
    part = tasks.create("part", "", "", subtask_of=whole)
    assert db.get("task", whole, "subtasks") == [part]
    db.destroy("task", part)
    assert db.get("task", whole, "subtasks") == []

"""Roles and permissions: what each role may do, against the facts where those are at hand; records and refusals."""

import json
import uuid
from hashlib import md5
from itertools import pairwise
from pathlib import Path

import pytest

from xapi_shim.database import dump
from xapi_shim.database.database import Database
from xapi_shim.database.sqlite_store import SqliteStore
from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.permissions import EXTRA, ROLES, role_ref
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.rpc.events import collect, parse_subscription, parse_token
from xapi_shim.rpc.roles import (
    denied,
    fill_roles,
    missing_permission,
    permissions_of,
    role_of_ref,
    strongest,
)

REPO = Path(__file__).resolve().parents[4]
PLACES = [folder / "shared/xenapi/datamodel_facts.json" for folder in REPO.parents]
FACTS = next((place for place in PLACES if place.is_file()), PLACES[0])
with_facts = pytest.mark.skipif(
    not FACTS.is_file(), reason=f"the facts to compare with are missing: looked for {FACTS}"
)
each_role = pytest.mark.parametrize("role", ROLES)
MESSAGES = all_messages(DATAMODEL)


@pytest.fixture(scope="module")
def facts():
    return json.loads(FACTS.read_text())


def fact_permissions(facts, role):
    """Return the permissions that the facts give a role: messages, keys of maps, HTTP actions, one more."""
    for cls in facts["classes"]:
        for message in cls["messages"]:
            if message["session"] and message["state"] != "removed":
                name = f"{cls['name']}.{message['name']}".lower()
                yield from [name] if role in message["roles"] else []
                for key, roles in message.get("map_keys_roles", {}).items():
                    yield from [f"{name}/key:{key}".lower()] if role in roles else []
    for action in facts["http_actions"]:
        yield from [f"http/{action['name']}"] if role in action["roles"] else []
        for part, roles in action["sub_actions"].items():
            yield from [f"http/{action['name']}/{part}"] if role in roles else []
    yield from (name for name, roles in facts["extra_permissions"].items() if role in roles)


@with_facts
@each_role
def test_each_roles_permissions_are_the_facts(facts, role):
    wanted, ours = set(fact_permissions(facts, role)), set(permissions_of()[role])
    assert {"not given": wanted - ours, "not in the facts": ours - wanted} == {
        "not given": set(), "not in the facts": set()}  # fmt: skip


@with_facts
@each_role
def test_each_roles_calls_are_let_through_or_refused_as_the_facts_say(facts, role):
    wrong = []
    for cls in facts["classes"]:
        for fact in cls["messages"]:
            name = f"{cls['name']}.{fact['name']}"
            missing = missing_permission(name, MESSAGES[name][1], role, ())
            if (role in fact["roles"]) != (missing == "") or missing not in ("", name.lower()):
                wrong.append((name, missing))
    assert wrong == []


@with_facts
@each_role
def test_keys_of_maps_are_let_through_or_refused_as_the_facts_say(facts, role):
    wrong, seen = [], 0
    for cls in facts["classes"]:
        for fact in cls["messages"]:
            name = f"{cls['name']}.{fact['name']}"
            for key, roles in fact.get("map_keys_roles", {}).items():
                seen += 1
                sent = key.replace("*", "something")
                missing = missing_permission(name, MESSAGES[name][1], role, ("ref", sent, "value"))
                if missing != ("" if role in roles else f"{name}/key:{key}".lower()):
                    wrong.append((name, key, missing))
    assert seen
    assert wrong == []


@each_role
def test_what_is_refused_is_what_a_session_does_not_list(role):
    """session.rbac_permissions and the check of calls cannot disagree."""
    may = set(permissions_of()[role])
    for name, (_, message) in MESSAGES.items():
        if message.session and not message.removed:
            assert (missing_permission(name, message, role, ()) == "") == (name.lower() in may), name


def test_local_root_lacks_nothing():
    assert [n for n, (_, m) in MESSAGES.items() if missing_permission(n, m, Role.LOCAL_ROOT, ())] == []


def test_roles_are_nested_and_together_they_are_the_strongest():
    assert strongest([Role.READ_ONLY, Role.VM_ADMIN, Role.VM_OPERATOR]) is Role.VM_ADMIN
    assert strongest([]) is None
    given = [role for role in ROLES if role is not Role.CLIENT_CERT]
    for higher, lower in pairwise(given):
        assert set(permissions_of()[lower]) < set(permissions_of()[higher])


def test_only_the_six_roles_are_given_to_subjects():
    assert role_of_ref(role_ref("vm-admin")) is Role.VM_ADMIN
    for other in ("client-cert", "vm.start", "nobody"):
        assert role_of_ref(role_ref(other)) is None


def test_a_refusal_says_who_may():
    code, permission, why = denied("vm.destroy").description()
    assert (code, permission) == ("RBAC_PERMISSION_DENIED", "vm.destroy")
    having = "pool-admin, pool-operator, vm-power-admin, vm-admin"
    assert why == f"No permission in user session. (Roles with this permission: {having})"
    assert denied("session.change_password").params[1].endswith("(Roles with this permission: )")


def test_roles_have_the_same_uuids_on_every_host():
    assert role_ref("pool-admin") == "OpaqueRef:0165f154-ba3e-034e-6b27-5d271af109ba"
    assert role_ref("vm.start") == f"OpaqueRef:{uuid.UUID(bytes=md5(b'vm.start').digest())}"


def test_records_of_roles_are_there_and_neither_stored_nor_told(tmp_path):
    store = SqliteStore(tmp_path / "db")
    db = Database(DATAMODEL, store)
    fill_roles(db)
    db.create("pool", {"name_label": "p"})
    assert list(collect(db, parse_subscription(["role"]), parse_token(""))) == []
    assert db.tables["role"].changing == 0
    assert db.touch("role", role_ref("pool-admin")) == db.generation
    assert {cls for cls, _, _ in store.load()} == {"pool"}
    assert "pool-admin" not in "".join(dump.write(db))
    (admin,) = db.with_label("role", "pool-admin")
    assert db.values("role", admin) == {
        "uuid": "0165f154-ba3e-034e-6b27-5d271af109ba",
        "name_label": "pool-admin",
        "name_description": "May do everything that can be done from afar, and say who else may do what.",
        "subroles": [role_ref(name) for name in permissions_of()[Role.POOL_ADMIN]],
        "is_internal": False,
    }
    roles = [
        db.text("role", ref, "name_label") for ref in db.refs("role") if db.items("role", ref, "subroles")
    ]
    assert roles == list(ROLES)
    assert set(EXTRA) <= set(permissions_of()[Role.POOL_ADMIN])
    store.close()

"""Who of a directory's users comes in; logins that are remembered; how many at once."""

import asyncio

import pytest

from xapi_shim.api.admission import Subject, admit
from xapi_shim.api.external_auth import LoginCache, Throttle
from xapi_shim.api.external_auth_messages import DISABLE_FAILED, ENABLE_FAILED, of_pool
from xapi_shim.api.password import LONGEST, refusal
from xapi_shim.api.pool_secret import ensure_pool_secret, is_pool_secret
from xapi_shim.datamodel.errors import (
    AuthUnknownTypeError,
    RbacPermissionDeniedError,
    SessionAuthorizationFailedError,
)
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.permissions import role_ref
from xapi_shim.directory.interface import Why
from xapi_shim.rpc.sessions import External

ALICE, CREW, STAFF = "u1", "g1", "g2"


def subject(identifier, *roles):
    return Subject(f"ref of {identifier}", identifier, tuple(role_ref(role) for role in roles))


@pytest.mark.parametrize(
    ("subjects", "groups", "role", "by"),
    [
        ([subject(ALICE, "vm-admin")], [], Role.VM_ADMIN, ALICE),
        ([subject(ALICE, "read-only", "vm-operator")], [], Role.VM_OPERATOR, ALICE),
        ([subject(CREW, "pool-admin")], [CREW], Role.POOL_ADMIN, CREW),
        ([subject(CREW, "pool-admin"), subject(ALICE, "read-only")], [CREW], Role.POOL_ADMIN, ALICE),
        ([subject(CREW), subject(STAFF, "vm-admin")], [CREW, STAFF], Role.VM_ADMIN, CREW),
        ([subject(ALICE), subject(CREW, "read-only")], [CREW], Role.READ_ONLY, ALICE),
        ([subject(CREW, "pool-admin"), subject(ALICE, "read-only")], [], Role.READ_ONLY, ALICE),
        # Parts of roles, the internal one and what no longer exists give nothing.
        (
            [subject(ALICE, "pool-admin.", "vm.destroy", "client-cert", "read-only")],
            [],
            Role.READ_ONLY,
            ALICE,
        ),
    ],
)
def test_a_users_roles_are_his_own_and_his_groups(subjects, groups, role, by):
    found = admit(subjects, "alice", ALICE, groups)
    assert found.role is role
    assert found.external == External(ALICE, frozenset({ALICE, *groups}), f"ref of {by}")


@pytest.mark.parametrize("subjects", [[], [subject(CREW, "pool-admin")], [subject("", "pool-admin")]])
def test_who_is_no_subject_and_in_no_group_that_is_one_stays_out(subjects):
    with pytest.raises(SessionAuthorizationFailedError) as failure:
        admit(subjects, "alice", ALICE, [STAFF])
    assert failure.value.params[0] == "alice"


@pytest.mark.parametrize("roles", [(), ("vm.start",), ("client-cert",)])
def test_a_subject_without_a_role_stays_out(roles):
    with pytest.raises(RbacPermissionDeniedError) as failure:
        admit([subject(ALICE, *roles), subject(CREW)], "alice", ALICE, [CREW])
    assert failure.value.params[0] == "session.login_with_password"


def test_a_login_is_remembered_for_its_time_its_password_and_no_more_than_there_is_room():
    now = [0.0]
    cache = LoginCache(lambda: now[0])
    cache.put("alice", "secret", "u1", size=2)
    assert cache.get("alice", "secret", longest_s=10) == "u1"
    assert cache.get("alice", "Secret", longest_s=10) == cache.get("alices", "ecret", longest_s=10) == ""
    assert "secret" not in repr(cache)
    now[0] = 9.9
    assert cache.get("alice", "secret", longest_s=10) == "u1"
    now[0] = 10.0
    assert cache.get("alice", "secret", longest_s=10) == ""
    for name in ("bob", "carol"):
        cache.put(name, "x", name, size=2)
    assert cache.get("alice", "secret", longest_s=99) == ""
    assert cache.get("bob", "x", longest_s=10) == "bob"
    cache.put("dave", "\ud800", "d", size=0)
    assert cache.get("dave", "\ud800", longest_s=10) == ""
    cache.clear()
    assert cache.get("bob", "x", longest_s=10) == ""


async def test_no_more_than_the_limit_are_in_at_once():
    throttle, inside, most, gate, arrived = Throttle(), 0, 0, asyncio.Event(), asyncio.Semaphore(0)

    async def one():
        nonlocal inside, most
        async with throttle.within(3):
            inside += 1
            most = max(most, inside)
            arrived.release()
            await gate.wait()
            inside -= 1

    tasks = [asyncio.create_task(one()) for _ in range(10)]
    for _ in range(3):
        await arrived.acquire()
    tasks[-1].cancel()
    gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (most, inside) == (3, 0)
    async with throttle.within(0):  # nobody could ever log in
        pass


def test_each_failure_has_its_error_of_the_host_and_of_the_pool():
    assert set(ENABLE_FAILED) == set(Why)
    for error in {*ENABLE_FAILED.values(), *DISABLE_FAILED.values()}:
        made = of_pool(error("why"), "host")
        assert made.description() == [f"POOL_{error.code}", "host", "why"]
    unknown = AuthUnknownTypeError("NIS")
    assert of_pool(unknown, "host") is unknown


@pytest.mark.parametrize("password", ["", "a\nb", "a\0b", "a\tb", "x" * (LONGEST + 1)])
def test_passwords_that_are_not_passed_on(password):
    assert refusal(password)


@pytest.mark.parametrize("password", ["a", "with: colon", "ünïcode", "x" * LONGEST, "$y$not a hash"])
def test_passwords_that_are(password):
    assert not refusal(password)


def test_the_pools_secret(tmp_path):
    path = tmp_path / "etc/ptoken"
    assert not is_pool_secret(path, "")
    ensure_pool_secret(path)
    secret = path.read_text()
    ensure_pool_secret(path)
    assert path.read_text() == secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert is_pool_secret(path, secret)
    path.write_text(f"{secret}\n")  # as an editor leaves it
    assert is_pool_secret(path, secret)
    assert not is_pool_secret(path, secret[:-1])
    path.write_text("\n")
    assert not is_pool_secret(path, "")

"""Users of PAM and NSS: who of them comes in, as what, and when he is sent away. All over TLS."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import XenAPI
from own_etc import can_have_one, own_host

from kronos_lab.cache import REPO
from xapi_shim.base.process import run

pytestmark = pytest.mark.skipif(
    not can_have_one(), reason="users of their own need root, unshare(1) and the right to mount"
)

ROOT, ALICE, BOB = "root's secret", "alice's secret", "bob's secret"


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with own_host(tmp_path_factory.mktemp("own")) as host:
        host.set_password("root", ROOT)
        host.add_group("crew")
        host.add_user("alice", ALICE, comment="Alice Adams,Room 1,,")
        host.add_user("bob", BOB, "crew")
        yield host


@pytest.fixture
def root(started):
    return started.login("root", ROOT).xenapi


@pytest.fixture
def host(started, root):
    """PAM is on, and nobody is a subject yet."""
    (pool,) = root.pool.get_all()
    root.pool.enable_external_auth(pool, {}, "here", "PAM")
    yield started
    for subject in root.subject.get_all():
        root.subject.destroy(subject)
    root.pool.disable_external_auth(pool, {})


@pytest.fixture
def subject(root):
    """Make a user or group a subject with these roles."""

    def add(name, *roles):
        sid = root.auth.get_subject_identifier(name)
        facts = root.auth.get_subject_information_from_identifier(sid)
        ref = root.subject.create({"subject_identifier": sid, "other_config": facts})
        for role in roles:
            root.subject.add_to_roles(ref, role_ref(root, role))
        return ref

    return add


def role_ref(api, name):
    (ref,) = api.role.get_by_name_label(name)
    return ref


def refused(code, call, *args):
    with pytest.raises(XenAPI.Failure) as failure:
        call(*args)
    assert failure.value.details[0] == code, failure.value.details
    return failure.value.details


def uid(host, name):
    return host.run("id", "--user", name).strip()


def test_without_a_directory_only_root_comes_in(started, root):
    started.login("root", ROOT).xenapi.session.logout()
    assert refused("SESSION_AUTHENTICATION_FAILED", started.login, "root", "wrong")[1] == "root"
    refused("SESSION_AUTHENTICATION_FAILED", started.login, "alice", ALICE)
    refused("AUTH_IS_DISABLED", root.auth.get_subject_identifier, "alice")


def test_a_subject_with_a_role_comes_in_and_does_what_the_role_lets_him(host, root, subject):
    his = subject("alice", "vm-operator")
    session = host.login("alice", ALICE)
    alice, ref = session.xenapi, session.handle
    assert not alice.session.get_is_local_superuser(ref)
    assert alice.session.get_subject(ref) == his
    assert alice.session.get_auth_user_sid(ref) == f"u{uid(host, 'alice')}"
    assert alice.session.get_auth_user_name(ref) == "alice"
    may = alice.session.get_rbac_permissions(ref)
    assert may == root.role.get_permissions_name_label(role_ref(root, "vm-operator"))
    assert sorted(may) == sorted(root.subject.get_permissions_name_label(his))
    assert "vm.start" in may
    assert "vm.destroy" not in may
    (dom0,) = [vm for vm, row in alice.VM.get_all_records().items() if row["is_control_domain"]]
    told = refused("RBAC_PERMISSION_DENIED", alice.VM.set_name_label, dom0, "x")
    assert told[1] == "vm.set_name_label"
    assert told[2].endswith(
        "(Roles with this permission: pool-admin, pool-operator, vm-power-admin, vm-admin)"
    )
    refused("RBAC_PERMISSION_DENIED", alice.session.change_password, ALICE, "another")
    session.xenapi.session.logout()


def test_a_wrong_password_and_an_unknown_user(host, subject):
    subject("alice", "read-only")
    assert refused("SESSION_AUTHENTICATION_FAILED", host.login, "alice", BOB)[1] == "alice"
    for nobody in ("mallory", "", "-x", "a\nb", "x" * 600):
        refused("SESSION_AUTHENTICATION_FAILED", host.login, nobody, ALICE)
    refused("SESSION_AUTHENTICATION_FAILED", host.login, "root", ALICE)


def test_a_user_who_is_no_subject_or_has_no_role(host, subject):
    assert refused("SESSION_AUTHORIZATION_FAILED", host.login, "alice", ALICE)[1] == "alice"
    subject("alice")
    assert refused("RBAC_PERMISSION_DENIED", host.login, "alice", ALICE)[1] == "session.login_with_password"


def test_a_groups_roles_are_its_members_together_with_their_own(host, root, subject):
    crew = subject("crew", "read-only")
    session = host.login("bob", BOB)
    assert session.xenapi.session.get_subject(session.handle) == crew
    assert session.xenapi.session.get_auth_user_sid(session.handle) == f"u{uid(host, 'bob')}"
    refused("SESSION_AUTHORIZATION_FAILED", host.login, "alice", ALICE)
    mine = subject("bob", "pool-operator")
    again = host.login("bob", BOB)
    assert again.xenapi.session.get_subject(again.handle) == mine
    assert "pool.set_name_label" in again.xenapi.session.get_rbac_permissions(again.handle)
    root.subject.remove_from_roles(mine, role_ref(root, "pool-operator"))
    again = host.login("bob", BOB)
    assert "pool.set_name_label" not in again.xenapi.session.get_rbac_permissions(again.handle)
    assert "pool.get_name_label" in again.xenapi.session.get_rbac_permissions(again.handle)


def test_sessions_follow_their_subjects_at_once(host, root, subject):
    his = subject("alice", "pool-operator")
    session = host.login("alice", ALICE)
    (pool,) = session.xenapi.pool.get_all()
    session.xenapi.pool.set_name_description(pool, "by alice")
    root.subject.add_to_roles(his, role_ref(root, "read-only"))
    root.subject.remove_from_roles(his, role_ref(root, "pool-operator"))
    refused("RBAC_PERMISSION_DENIED", session.xenapi.pool.set_name_description, pool, "x")
    assert session.xenapi.pool.get_name_description(pool) == "by alice"
    root.subject.destroy(his)
    assert not host.is_alive(session)


def test_who_waits_for_events_is_told_when_he_is_sent_away(host, root, subject):
    his = subject("alice", "read-only")
    session = host.login("alice", ALICE)
    token = session.xenapi.event_from(["pool"], "", 0.0)["token"]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(host.plain().event_from, session.handle, ["VM_appliance"], token, 60.0)
        root.subject.destroy(his)
        assert waiting.result(30)["ErrorDescription"] == ["SESSION_INVALID", session.handle]


def test_roles_are_given_once_and_permissions_are_no_roles(host, root, subject):
    his, admin = subject("alice", "vm-admin"), role_ref(root, "pool-admin")
    refused("ROLE_ALREADY_EXISTS", root.subject.add_to_roles, his, role_ref(root, "vm-admin"))
    refused("ROLE_NOT_FOUND", root.subject.remove_from_roles, his, admin)
    refused("ROLE_NOT_FOUND", root.subject.add_to_roles, his, role_ref(root, "vm.start"))
    refused("ROLE_NOT_FOUND", root.subject.add_to_roles, his, role_ref(root, "client-cert"))
    refused("HANDLE_INVALID", root.subject.add_to_roles, his, "OpaqueRef:none")
    refused("SUBJECT_ALREADY_EXISTS", subject, "alice")


def test_what_the_directory_says_of_names(host, root):
    number = uid(host, "alice")
    assert root.auth.get_subject_identifier("alice") == f"u{number}"
    facts = root.auth.get_subject_information_from_identifier(f"u{number}")
    assert facts["subject-name"] == "alice"
    assert facts["subject-displayname"] == "Alice Adams"
    assert facts["subject-is-group"] == facts["subject-account-disabled"] == "false"
    crew = root.auth.get_subject_identifier("crew")
    assert root.auth.get_subject_information_from_identifier(crew)["subject-is-group"] == "true"
    assert crew in root.auth.get_group_membership(f"u{uid(host, 'bob')}")
    assert crew not in root.auth.get_group_membership(f"u{number}")
    for unknown in ("mallory", "", "x" * 10_000):
        refused("SUBJECT_CANNOT_BE_RESOLVED", root.auth.get_subject_identifier, unknown)
    for unknown in ("u99999999", "u", "g-1", "x1", f"u{10**30}", "u²"):
        refused("SUBJECT_CANNOT_BE_RESOLVED", root.auth.get_subject_information_from_identifier, unknown)


def test_an_account_that_is_locked_expires_or_vanishes_loses_its_sessions(host, subject):
    host.add_user("carol", "carol's secret")
    host.add_user("dave", "dave's secret")
    host.add_user("erin", "erin's secret")
    sessions = {}
    for name in ("alice", "carol", "dave", "erin"):
        subject(name, "read-only")
        sessions[name] = host.login(name, {"alice": ALICE}.get(name, f"{name}'s secret"))
    host.confirm()
    assert all(host.is_alive(session) for session in sessions.values())
    host.run("usermod", "--lock", "carol")
    host.run("usermod", "--expiredate", "1970-01-02", "dave")
    host.run("userdel", "erin")
    host.confirm()
    assert host.is_alive(sessions["alice"])
    for name in ("carol", "dave", "erin"):
        assert not host.is_alive(sessions[name])
        refused("SESSION_AUTHENTICATION_FAILED", host.login, name, f"{name}'s secret")


def test_who_is_logged_in_is_listed_and_sent_away(host, root, subject):
    subject("alice", "read-only")
    subject("crew", "pool-operator")
    alice, bob = host.login("alice", ALICE), host.login("bob", BOB)
    sids = {name: f"u{uid(host, name)}" for name in ("alice", "bob")}
    assert sorted(root.session.get_all_subject_identifiers()) == sorted(sids.values())
    bob.xenapi.session.logout_subject_identifier(sids["bob"])
    assert host.is_alive(bob)
    bob.xenapi.session.logout_subject_identifier(sids["alice"])
    assert not host.is_alive(alice)
    root.session.logout_subject_identifier(root.auth.get_subject_identifier("crew"))
    assert not host.is_alive(bob)
    assert root.session.get_all_subject_identifiers() == []


def test_a_directory_is_enabled_once_and_its_sessions_end_with_it(host, root, subject):
    (pool,), (this,) = root.pool.get_all(), root.host.get_all()
    assert (
        refused("POOL_AUTH_ALREADY_ENABLED", root.pool.enable_external_auth, pool, {}, "x", "PAM")[1] == this
    )
    assert refused("AUTH_ALREADY_ENABLED", root.host.enable_external_auth, this, {}, "x", "PAM")[1:] == [
        "PAM", "here"]  # fmt: skip
    subject("alice", "read-only")
    session = host.login("alice", ALICE)
    root.pool.disable_external_auth(pool, {})
    assert not host.is_alive(session)
    root.pool.disable_external_auth(pool, {})
    for unknown in ("", "NIS"):
        refused("AUTH_UNKNOWN_TYPE", root.host.enable_external_auth, this, {}, "x", unknown)
        refused("AUTH_UNKNOWN_TYPE", root.pool.enable_external_auth, pool, {}, "x", unknown)
    root.pool.enable_external_auth(pool, {"pass": "secret"}, "here", "PAM")
    assert root.host.get_external_auth_type(this) == "PAM"
    assert root.host.get_external_auth_service_name(this) == "here"
    assert root.host.get_external_auth_configuration(this) == {}


def test_a_login_is_remembered_for_a_while_only(host, root, subject):
    (pool,) = root.pool.get_all()
    subject("bob", "read-only")
    host.login("bob", BOB)
    host.set_password("bob", "new")
    try:
        host.login("bob", BOB)  # as the reference does, for pool.ext_auth_cache_expiry seconds
        root.pool.set_ext_auth_cache_enabled(pool, False)
        refused("SESSION_AUTHENTICATION_FAILED", host.login, "bob", BOB)
        host.login("bob", "new")
    finally:
        host.set_password("bob", BOB)
        root.pool.set_ext_auth_cache_enabled(pool, True)


def test_root_changes_his_password_knowing_the_old_one(started, root):
    assert refused("SESSION_AUTHENTICATION_FAILED", root.session.change_password, "wrong", "new")[1] == "root"
    for unfit in ("", "a\nroot:b", "a\x7fb", "x" * 513):
        refused("CHANGE_PASSWORD_REJECTED", root.session.change_password, ROOT, unfit)
    root.session.change_password(ROOT, "ünlikely: new")
    try:
        refused("SESSION_AUTHENTICATION_FAILED", started.login, "root", ROOT)
        started.login("root", "ünlikely: new")
    finally:
        started.set_password("root", ROOT)
    told = (started.root / "daemon.log").read_text() + started.paths.audit_log.read_text()
    assert "session.change_password" in told
    assert "nlikely" not in told
    assert ROOT not in told


@pytest.fixture
def xe(started, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    def call(*words, check=True, user=None):
        where = ["--socket", str(started.paths.unix_socket)]
        if user:
            secret = tmp_path / "secret"
            secret.write_text("\n".join(user))
            where = ["-s", "127.0.0.1", "-p", str(started.port), "-pwf", str(secret)]
        done = run([sys.executable, "-m", "xapi_shim.cli.main", *where, *words], check=check, cwd=REPO)
        return done if not check else done.stdout

    return call


def test_an_operator_does_it_all_with_xe(host, xe, tmp_path):
    xe("user-password-change", "new=by xe")
    try:
        host.login("root", "by xe")
    finally:
        host.set_password("root", ROOT)
    his = xe("subject-add", "subject-name=alice").strip()
    assert "has no roles" in xe("vm-list", user=("alice", ALICE), check=False).stderr
    xe("subject-role-add", f"uuid={his}", "role-name=read-only")
    assert xe("subject-list", "params=roles", "--minimal") == "read-only\n"
    assert xe("vm-list", "--minimal", user=("alice", ALICE)).strip()
    denied = xe("vm-create", "name-label=x", user=("alice", ALICE), check=False)
    assert (denied.returncode, "RBAC_PERMISSION_DENIED" in denied.stderr) == (1, True)
    login = host.login("alice", ALICE)
    assert xe("session-subject-identifier-list").split() == [f"u{uid(host, 'alice')}"]
    xe("session-subject-identifier-logout", f"subject-identifier=u{uid(host, 'alice')}")
    assert not host.is_alive(login)
    host.login("alice", ALICE)
    xe("session-subject-identifier-logout-all")
    assert xe("session-subject-identifier-list").split() == []
    xe("subject-role-remove", f"uuid={his}", "role-name=read-only")
    xe("subject-remove", f"subject-uuid={his}")
    assert xe("subject-list", "--minimal").strip() == ""
    saved = tmp_path / "audit"
    xe("audit-log-get", f"filename={saved}")
    text = saved.read_text()
    assert re.search(r"'LOCAL_SUPERUSER' 'root' 'ALLOWED' 'OK' 'API' 'subject.create'", text)
    assert re.search(rf"'u{uid(host, 'alice')}' 'alice' 'DENIED' 'OK' 'API' 'VM.create'", text)
    later = tmp_path / "later"
    xe("audit-log-get", f"filename={later}", "since=29990101T00:00:00Z")
    assert later.read_text() == ""

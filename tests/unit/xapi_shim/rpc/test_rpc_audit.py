"""What the audit log says of a call, and its files."""

from datetime import UTC, datetime, timedelta

import pytest

from xapi_shim.database.database import Database
from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.rpc.audit import Caller, Entry, Told, is_audited, params_told, track_id, words
from xapi_shim.rpc.audit_file import AuditFile
from xapi_shim.rpc.sessions import Door, Origin

MESSAGES = all_messages(DATAMODEL)
SESSION = "OpaqueRef:session"
TLS = Origin(Door.TLS, "10.0.0.1")
ROOT = Caller(SESSION, "root", "", local_superuser=True, origin=TLS)


@pytest.fixture
def db():
    return Database(DATAMODEL)


def told(db, name, *args):
    return {t.name: t.value for t in params_told(db, *MESSAGES[name], args)}


def test_objects_are_told_by_name_uuid_and_ref(db):
    vm = db.create("VM", {"name_label": "guest"})
    uuid = db.text("VM", vm, "uuid")
    assert params_told(db, *MESSAGES["VM.start"], (vm, True, False)) == (
        Told("vm", "guest", uuid, vm), Told("start_paused", "true"), Told("force", "false"))  # fmt: skip
    dead = params_told(db, *MESSAGES["VM.destroy"], ("OpaqueRef:NULL",))
    assert dead == (Told("self", "", "", "OpaqueRef:NULL"),)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("session.login_with_password", ("root", "hush!", "1.0", "me")),
        ("session.change_password", ("hush!", "hush!")),
        ("session.slave_login", ("OpaqueRef:NULL", "hush!")),
        ("pool.join", ("10.0.0.2", "root", "hush!")),
        ("pool.initialize_wlb", ("url", "me", "hush!", "me", "hush!")),
        ("pool.enable_external_auth", ("p", {"user": "u", "pass": "hush!"}, "d", "AD")),
        ("secret.create", ({"value": "hush!", "other_config": {"a": "hush!"}},)),
        ("secret.introduce", ("u", "hush!", {"a": "hush!"})),
        ("secret.set_value", ("OpaqueRef:NULL", "hush!")),
        ("host.call_plugin", ("h", "p", "fn", {"anything": "hush!"})),
        ("host.call_extension", ("h", '{"params": ["hush!"]}')),
        ("VM.set_xenstore_data", ("v", {"vm-data/x": "hush!"})),
        ("SR.create", ("h", {"chappassword": "hush!"}, "0", "n", "", "t", "c", False, {"token": "hush!"})),
        ("pool.add_to_other_config", ("p", "admin_password", "hush!")),
        ("host.install_server_certificate", ("h", "cert", "hush!", "")),
        ("SR.probe", ("h", {"location": "http://me:hush!@nas/"}, "t", {})),
    ],
)  # fmt: skip
def test_secrets_are_left_out(db, name, args):
    assert "hush!" not in words(Entry(ROOT, "API", name, params_told(db, *MESSAGES[name], args)))


def test_what_is_no_secret_is_told_and_cut_short(db):
    assert told(db, "pool.enable_external_auth", "p", {"user": "u", "pass": "x"}, "d", "AD") == {
        "pool": "", "config": "user=u, pass=***", "service_name": "d", "auth_type": "AD"}  # fmt: skip
    assert told(db, "pool.add_to_other_config", "p", "k", "v") == {"self": "", "key": "k", "value": "v"}
    assert told(db, "subject.create", {"subject_identifier": "u1"}) == {"args": "u1"}
    long = "x" * 10_000
    caller = Caller(SESSION, long, long, local_superuser=False, origin=TLS)
    assert len(words(Entry(caller, "API", long, (Told("a", long),)))) < 1000


def test_a_line_cannot_be_forged():
    caller = Caller(SESSION, "eve'\n[29990101", "u1", local_superuser=False, origin=TLS)
    line = words(Entry(caller, "API", "VM.start", (Told("a", "\\' 'OK' \x1b"),), allowed=False, error="X"))
    assert line == (
        f"('trackid={track_id(SESSION)}' 'u1' 'eve\\'\\n[29990101' 'DENIED' 'ERROR:X' 'API' 'VM.start' "
        "(('a' '\\\\\\' \\'OK\\' \\x1b' '' '')))"
    )
    assert SESSION not in line


def test_calls_that_change_something_or_read_secrets_are_audited():
    for name, audited in {
        "VM.start": True, "pool.set_name_label": True, "secret.get_value": True, "session.logout": True,
        "task.cancel": True, "VM.recover": True, "session.login_with_password": True,
        "VM.get_all_records": False, "event.from": False, "task.get_status": False,
        "session.get_all_subject_identifiers": False, "VM.get_name_label": False,
    }.items():  # fmt: skip
        assert is_audited(*MESSAGES[name]) == audited, name


def test_files_are_roots_and_turn_over(tmp_path):
    log = AuditFile(tmp_path / "xapi/audit.log", "host|1", max_bytes=2000)
    for at in range(200):
        log.add(Entry(ROOT, "API", f"call{at}"))
    log.append("a line\nof others", TLS)
    lines = list(log.lines())
    assert all(line.startswith("[20") and line.endswith("\n") for line in lines)
    assert "|audit|host_1|INET 10.0.0.1|call199|audit]" in lines[-2]
    assert lines[-1].endswith("|pool.audit_log_append|audit] a line\\nof others\n")
    assert [line.split("'")[-2] for line in lines[-4:-1]] == ["call197", "call198", "call199"]
    names = sorted(path.name for path in (tmp_path / "xapi").iterdir())
    assert names == sorted(["audit.log", *(f"audit.log.{n}" for n in range(1, 10))])
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "xapi").iterdir()} == {0o600}
    assert list(log.lines(datetime.now(UTC) + timedelta(days=1))) == []
    assert list(log.lines(datetime.now(UTC) - timedelta(days=1))) == lines
    log.close()


def test_a_log_that_cannot_be_written_does_not_stop_calls(tmp_path, caplog):
    (tmp_path / "file").touch()
    log = AuditFile(tmp_path / "file/audit.log", "h")
    log.add(Entry(ROOT, "API", "VM.start"))
    assert "cannot open the audit log" in caplog.text
    assert list(AuditFile(tmp_path / "none", "h").lines()) == []

"""session.create_from_db_file: a saved database, read like a host's own and never written."""

import XenAPI
from running_daemon import PASSWORD

from xapi_shim.database import dump


def test_a_saved_database_is_read_beside_the_hosts_own(running, session, vm, refused, tmp_path):
    api, saved = session.xenapi, tmp_path / "saved.xml"
    api.VM.set_tags(vm, ["then"])
    saved.write_text("".join(running.do(lambda: list(dump.write(running.daemon.tools.db)))))
    api.VM.set_name_label(vm, "renamed")
    later = api.VM.clone(vm, "made later")
    then = XenAPI.Session(running.url, ignore_ssl=True)
    then._session = api.session.create_from_db_file(str(saved))
    old = then.xenapi
    assert old.VM.get_name_label(vm) == "guest"
    assert old.VM.get_by_name_label("guest") == [vm]
    assert old.VM.get_by_name_label("renamed") == []
    assert old.VM.get_all_records()[vm]["name_label"] == "guest"
    assert api.VM.get_all_records()[vm]["name_label"] == "renamed"
    assert old.VM.get_all_records()[vm]["name_label"] == "guest"
    assert old.VM.get_all_records_where('field "tags" = "(then)"').keys() <= {vm}
    assert old.VM.get_uuid(vm) == api.VM.get_uuid(vm)
    assert old.VM.get_VBDs(vm) == api.VM.get_VBDs(vm)
    assert refused("HANDLE_INVALID", old.VM.get_record, later)[1:] == ["VM", later]
    refused("RBAC_PERMISSION_DENIED", old.VM.set_name_label, vm, "x")
    refused("OPERATION_NOT_ALLOWED", old.task.create, "t", "")
    refused("OPERATION_NOT_ALLOWED", old.event_from, ["*"], "", 0.0)
    assert old.session.get_auth_user_name(then._session) == "db-from-file"
    running.do(running.daemon.tools.sessions.close, then._session)
    assert api.VM.get_name_label(vm) == "renamed"


def test_what_is_no_saved_database_is_refused(running, session, refused, tmp_path):
    api = session.xenapi
    (tmp_path / "text").write_text("no dump")
    (tmp_path / "empty.xml").write_text(
        '<database><manifest><pair key="format" value="1"/><pair key="generation_count" value="1"/>'
        "</manifest></database>"
    )
    for wrong in ("text", "none", "empty.xml", ".", "x" * 10_000):
        told = refused("INVALID_VALUE", api.session.create_from_db_file, str(tmp_path / wrong))
        assert told[1] == "filename"
    assert PASSWORD not in running.paths.audit_log.read_text()

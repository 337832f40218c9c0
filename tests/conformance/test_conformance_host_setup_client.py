"""The set-up's own client against the daemon: the unix socket lets root in, and refusals keep their codes."""

import pytest

from kronos_installer import leave_pool
from kronos_installer.doctor.path_health import path_findings, read_places
from kronos_installer.doctor.toolstack_health import read_toolstack, toolstack_findings
from kronos_installer.host_files import HostFiles
from kronos_installer.xenapi_client import XenApiFailureError, local_session


def test_the_set_up_is_root_at_the_socket(running):
    with local_session(running.paths.unix_socket) as session:
        (pool,) = session.call("pool.get_all_records").values()
        assert session.call("host.get_enabled", pool["master"]) is True
        with pytest.raises(XenApiFailureError) as refused:
            session.call("SR.get_uuid", "OpaqueRef:none")
    assert refused.value.code == "HANDLE_INVALID"
    assert refused.value.params == ("SR", "OpaqueRef:none")


def test_a_host_alone_has_no_pool_to_leave(running, api, vm):
    (host,) = api.host.get_all()
    with local_session(running.paths.unix_socket) as session:
        membership = leave_pool.read_membership(session, api.host.get_uuid(host))
        assert leave_pool.is_alone(membership)
        assert membership.guests == ()
        api.VM.start(vm, False, False)
        assert leave_pool.read_membership(session, api.host.get_uuid(host)).guests == ("guest",)
        assert membership.repositories == ("Local storage",)


def test_doctor_finds_a_daemon_and_its_files_well(running, api):
    host = HostFiles(running.paths.root)
    running.paths.pool_conf.parent.mkdir(exist_ok=True, parents=True)
    running.paths.pool_conf.write_text("master")
    (machine,) = api.host.get_all()
    running.paths.inventory.write_text(f"INSTALLATION_UUID='{api.host.get_uuid(machine)}'\n")
    reading = read_toolstack(host, lambda: local_session(running.paths.unix_socket))
    assert [problem.id for problem in toolstack_findings(reading, running=True)] == []
    (pool,) = api.pool.get_all()
    api.pool.set_default_SR(pool, "OpaqueRef:NULL")
    api.host.disable(machine)
    reading = read_toolstack(host, lambda: local_session(running.paths.unix_socket))
    assert [problem.id for problem in toolstack_findings(reading, running=True)] == [
        "host-disabled",
        "sr-no-default",
    ]


def test_doctor_knows_the_files_that_the_daemon_makes(running):
    # systemd makes this one (StateDirectoryMode=).
    running.paths.state.chmod(0o700)
    found = path_findings(read_places(HostFiles(running.paths.root)), running=True)
    made_by_others = (
        "/etc/xensource-inventory",
        "/etc/xensource/pool.conf",
        "/etc/xapi.d/",
        "/var/lib/xapi-host-setup",
    )
    assert [f"{p.id} {p.diagnosis}" for p in found if not p.diagnosis.startswith(made_by_others)] == []

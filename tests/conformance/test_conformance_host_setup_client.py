"""The set-up's own client against the daemon: the unix socket lets root in, and refusals keep their codes."""

import pytest

from kronos_installer import leave_pool
from kronos_installer.problem import RefusedError
from kronos_installer.xenapi_client import XenApiFailureError, local_session


def test_the_set_up_is_root_at_the_socket(running):
    with local_session(running.paths.unix_socket) as session:
        (pool,) = session.call("pool.get_all_records").values()
        assert session.call("host.get_enabled", pool["master"]) is True
        with pytest.raises(XenApiFailureError) as refused:
            session.call("SR.get_uuid", "OpaqueRef:none")
    assert refused.value.code == "HANDLE_INVALID"
    assert refused.value.params == ("SR", "OpaqueRef:none")


def test_a_host_alone_has_no_pool_to_leave_and_cannot_be_ejected_yet(running, api, vm):
    (host,) = api.host.get_all()
    with local_session(running.paths.unix_socket) as session:
        membership = leave_pool.read_membership(session, api.host.get_uuid(host))
        assert leave_pool.is_alone(membership)
        assert membership.guests == ()
        api.VM.start(vm, False, False)
        assert leave_pool.read_membership(session, api.host.get_uuid(host)).guests == ("guest",)
        with pytest.raises(RefusedError, match=r"does not serve pool\.eject yet"):
            leave_pool.eject(session, membership)

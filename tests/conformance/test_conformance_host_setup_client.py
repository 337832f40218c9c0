"""The set-up's own client against the daemon: the unix socket lets root in, and refusals keep their codes."""

import pytest

from kronos_installer.xenapi_client import XenApiFailureError, local_session


def test_the_set_up_is_root_at_the_socket(running):
    with local_session(running.paths.unix_socket) as session:
        (pool,) = session.call("pool.get_all_records").values()
        assert session.call("host.get_enabled", pool["master"]) is True
        with pytest.raises(XenApiFailureError) as refused:
            session.call("SR.get_uuid", "OpaqueRef:none")
    assert refused.value.code == "HANDLE_INVALID"
    assert refused.value.params == ("SR", "OpaqueRef:none")

"""Where the daemon listens: clients reach it at every address of its host."""

import socket

import pytest
import XenAPI
from running_daemon import PASSWORD, running_daemon

from xapi_shim.web.listening import ANY
from xapi_shim.web.main import parse_arguments


def session_at(daemon, address):
    session = XenAPI.Session(f"https://{address}:{daemon.daemon.port}", ignore_ssl=True)
    session.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    return session.xenapi


@pytest.mark.parametrize("renewed", [False, True])
def test_both_families(tmp_path, renewed):
    """As a host without IPv4 is reached; its certificate may change while it runs."""
    with running_daemon(tmp_path, address=ANY) as daemon:
        if renewed:
            daemon.wait(daemon.daemon.tools.renew_tls())
        for address in ("127.0.0.1", "[::1]"):
            assert len(session_at(daemon, address).host.get_all()) == 1


def test_it_is_what_the_service_does():
    assert parse_arguments([]).address == ANY


def test_a_port_that_one_family_has_not_free(tmp_path):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        # One address of all is enough: two daemons would each get some of the clients.
        with pytest.raises(OSError, match="in use"), running_daemon(tmp_path, address=ANY, port=port):
            pass
        socket.create_server(("", port)).close()

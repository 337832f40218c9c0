"""What conformance tests ask for: a running daemon, and a client's session with it."""

import os

import pytest
import XenAPI
from pool_daemons import MASTER, free_port, two_hosts
from running_daemon import PASSWORD, running_daemon

from xapi_shim.base.paths import Paths
from xapi_shim.host.self_signed import ensure_certificate


@pytest.fixture
def running(tmp_path):
    with running_daemon(tmp_path) as daemon:
        yield daemon


@pytest.fixture
def trusted(tmp_path):
    """A daemon on the port of HTTPS, with a certificate for its address: clients that verify, and know no port.

    The address is this process's own: tests run in more than one.
    """
    address = f"127.77.{os.getpid() // 254 % 256}.{os.getpid() % 254 + 1}"
    certificate = Paths(tmp_path).server_certificate
    ensure_certificate(certificate, "localhost", [address])
    with running_daemon(tmp_path, address=address, port=443) as daemon:
        yield daemon


@pytest.fixture
def session(running):
    session = XenAPI.Session(running.url, ignore_ssl=True)
    session.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    return session


@pytest.fixture
def api(session):
    return session.xenapi


@pytest.fixture
def host(api):
    (host,) = api.host.get_all()
    return host


@pytest.fixture
def vm(api):
    (template,) = api.VM.get_by_name_label("Linux kernel and ramdisk")
    ref = api.VM.clone(template, "guest")
    api.VM.set_is_a_template(ref, False)
    api.VM.provision(ref)
    api.VM.set_PV_kernel(ref, "/boot/guest/vmlinuz")
    return ref


@pytest.fixture
def refused():
    """Call something that must fail with a XenAPI error, and return its description."""

    def check(code, call, *args):
        with pytest.raises(XenAPI.Failure) as failure:
            call(*args)
        assert failure.value.details[0] == code, failure.value.details
        return failure.value.details

    return check


@pytest.fixture
def hosts(tmp_path):
    """Two hosts, each the master of its own pool."""
    with two_hosts(tmp_path, free_port()) as made:
        yield made


@pytest.fixture
def pool(hosts):
    """A master and its member."""
    master, joiner = hosts
    joiner.session().xenapi.pool.join(MASTER, "root", PASSWORD)
    joiner.restarted()
    return master, joiner

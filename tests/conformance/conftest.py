"""A daemon over the simulator, in a thread of its own, behind real TLS and a real unix socket."""

import asyncio
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import XenAPI

from xapi_shim.base.paths import Paths
from xapi_shim.host.self_signed import ensure_certificate
from xapi_shim.web.daemon import Daemon, Options

PASSWORD = "correct horse"


async def one_password(user, password):
    return (user, password) == ("root", PASSWORD)


class RunningDaemon:
    """Starts on `start`, stops on `stop`; `do` runs a function inside its event loop."""

    def __init__(self, root: Path, address="127.0.0.1", port=0):
        self.paths, self.address, self.port = Paths(root), address, port
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.daemon = None

    def wait(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def start(self):
        async def go():
            options = Options(self.paths, simulator=True, address=self.address, port=self.port, under_systemd=False,
                              authenticate=one_password, login_delay_s=0.0)  # fmt: skip
            self.daemon = Daemon(options)
            await self.daemon.start()

        self.wait(go())

    def stop(self):
        self.wait(self.daemon.stop())

    def close(self):
        self.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def do(self, function, *args):
        async def go():
            return function(*args)

        return self.wait(go())

    @property
    def xen(self):
        return self.daemon.tools.hypervisor

    @property
    def url(self):
        return f"https://{self.address}:{self.daemon.port}"


@contextmanager
def running_daemon(root, **listen):
    # A unix socket's path is short (unix(7)); pytest's folders can be long.
    daemon = RunningDaemon(root, **listen)
    daemon.start()
    guests = root / "boot/guest"
    guests.mkdir(parents=True)
    (guests / "vmlinuz").write_bytes(b"kernel")
    (guests / "initrd").write_bytes(b"ramdisk")
    yield daemon
    daemon.close()


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

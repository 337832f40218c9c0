"""Two daemons over the simulator that can be hosts of one pool: they listen on one port, at addresses of their own."""

import asyncio
import socket
import subprocess
import sys
import threading
import uuid
from contextlib import contextmanager
from dataclasses import replace

import XenAPI
from running_daemon import PASSWORD, RunningDaemon, one_password

from xapi_shim.web.daemon import Daemon, Options

MASTER, JOINER = "127.0.0.1", "127.0.0.2"


def free_port():
    """Return a port that is free on both addresses: hosts of a pool listen on the same one."""
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind((MASTER, 0))
            try:
                second.bind((JOINER, first.getsockname()[1]))
            except OSError:
                continue
            return first.getsockname()[1]
    raise AssertionError("no port is free on both addresses")


class PoolHost(RunningDaemon):
    """A daemon that is started anew when it says so, as systemd does it; its address is where it listens."""

    def prepare(self):
        self.paths.inventory.parent.mkdir(parents=True)
        lines = (("INSTALLATION_UUID", uuid.uuid4()), ("CONTROL_DOMAIN_UUID", uuid.uuid4()))
        self.paths.inventory.write_text("".join(f"{key}='{value}'\n" for key, value in lines))
        guests = self.paths.root / "boot/guest"
        guests.mkdir(parents=True)
        (guests / "vmlinuz").write_bytes(b"kernel")

    def begin(self):
        """Begin to start, and return the future of it."""
        self.waiting = threading.Event()

        async def go():
            options = Options(self.paths, simulator=True, address=self.address, port=self.port, under_systemd=False,
                              authenticate=one_password, login_delay_s=0.0, on_waiting=self.waiting.set)  # fmt: skip
            self.daemon = Daemon(options)
            network = self.daemon.tools.network
            own = network.interfaces.management
            network.interfaces = replace(network.interfaces, management=replace(own, ip=self.address))
            await self.daemon.start()

        return asyncio.run_coroutine_threadsafe(go(), self.loop)

    def start(self):
        self.begin().result(60)

    def restarted(self):
        """Wait until the daemon asks to be started anew, and do it."""
        self.wait(self.daemon.restart.wait())
        self.stop()
        self.start()

    def session(self):
        session = XenAPI.Session(self.url, ignore_ssl=True)
        session.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
        return session

    def run_xe(self, *words):
        argv = [sys.executable, "-m", "xapi_shim.cli.main", "--socket", self.paths.unix_socket, *words]
        return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)

    def xe(self, *words):
        done = self.run_xe(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def two_hosts(folder, port):
    """Yield a master and one that may join it, both running."""
    made = []
    for name, address in (("m", MASTER), ("j", JOINER)):
        host = PoolHost(folder / name, address, port)
        host.prepare()
        host.start()
        made.append(host)
    yield made
    for host in made:
        host.close()


def guest(api, name="guest"):
    (template,) = api.VM.get_by_name_label("Linux kernel and ramdisk")
    vm = api.VM.clone(template, name)
    api.VM.set_is_a_template(vm, False)
    api.VM.provision(vm)
    api.VM.set_PV_kernel(vm, "/boot/guest/vmlinuz")
    return vm


def host_at(api, address):
    (found,) = [ref for ref, one in api.host.get_all_records().items() if one["address"] == address]
    return found


def domains(host):
    """Return the uuids of the guests that a host's hypervisor has."""
    return {one.uuid for one in host.wait(host.xen.domains()) if one.domid != 0}

"""A daemon over the simulator, in a thread of its own, behind real TLS and a real unix socket."""

import asyncio
import threading
from contextlib import contextmanager
from pathlib import Path

from xapi_shim.base.paths import Paths
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

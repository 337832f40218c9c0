"""A clean root in which its own systemd runs, in namespaces of its own: no clock, network or name of this machine's."""

import contextlib
import http.client
import os
import signal
import socket
import time
import xmlrpc.client
from contextlib import contextmanager
from pathlib import Path

from xapi_shim.base.process import run, start

BOOT = Path(__file__).with_name("boot_root.sh")
TIMEOUT_S = 120
# How a boot ends (systemctl(1), is-system-running): in the emergency mode, too.
ENDS = ("running", "degraded", "maintenance")
# It may not make the namespaces that its sandbox is made of, nor is the sandbox what is tested.
WITHOUT_SANDBOX = "[Service]\n" + "".join(
    f"{name}=no\n"
    for name in ("ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateNetwork", "ProtectHostname",
                 "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups",
                 "PrivateIPC", "RestrictNamespaces")
) + "ReadWritePaths=\nProtectProc=default\nBindPaths=\n"  # fmt: skip


class BootedRoot:
    """`run` runs a program inside; `xapi` calls the daemon there over its unix socket, as root."""

    def __init__(self, path: Path, init: int):
        self.path, self.init = path, init

    def run(self, *argv, check=True):
        inside = [
            "nsenter",
            f"--target={self.init}",
            "--mount",
            "--pid",
            "--uts",
            "--ipc",
            "--net",
            "--cgroup",
        ]
        done = run([*inside, "--", *argv], check=check, timeout_s=TIMEOUT_S)
        return done.stdout.strip()

    def state(self, unit):
        return self.run("systemctl", "is-active", unit, check=False)

    def read(self, path):
        return Path(f"/proc/{self.init}/root", path.lstrip("/")).read_text()

    def exists(self, path):
        return Path(f"/proc/{self.init}/root", path.lstrip("/")).exists()

    def wait_until(self, condition, what, timeout_s=TIMEOUT_S):
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, f"{what}: not so after {timeout_s} s"
            time.sleep(0.1)

    def is_up(self):
        """Tell whether the first process still runs: a reboot ends it."""
        return Path(f"/proc/{self.init}/root/run").exists()

    def session(self):
        return Client(f"/proc/{self.init}/root/var/lib/xcp/xapi")


class Client:
    """Calls messages; a failure is an AssertionError with the description."""

    def __init__(self, path):
        transport = xmlrpc.client.Transport()
        transport.make_connection = lambda host: _Connection(path)
        self._server = xmlrpc.client.ServerProxy("http://localhost/", transport=transport)
        self._session = self._value("session.login_with_password", "root", "", "1.0", "tests")

    def _value(self, name, *args):
        answer = getattr(self._server, name)(*args)
        assert answer["Status"] == "Success", answer["ErrorDescription"]
        return answer["Value"]

    def __call__(self, name, *args):
        return self._value(name, self._session, *args)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


@contextmanager
def booted(path: Path, log: Path, timeout_s: float = TIMEOUT_S):
    """Boot the root; what systemd prints goes to `log`. All of it is gone at the end."""
    namespaces = ["--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup"]
    with log.open("w") as out:
        outer = start(["unshare", *namespaces, "--fork", "--kill-child", "sh", BOOT, path], log=out)
        try:
            machine = BootedRoot(path, _child(outer.pid))
            machine.wait_until(
                lambda: machine.run("systemctl", "is-system-running", check=False) in ENDS,
                "booted",
                timeout_s,
            )
            yield machine
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(outer.pid, signal.SIGKILL)
            outer.wait()


def _child(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children")
    end = time.monotonic() + TIMEOUT_S
    while not (found := children.read_text().split()):
        assert time.monotonic() < end, "unshare has started nothing"
        time.sleep(0.01)
    return int(found[0])

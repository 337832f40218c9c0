"""A daemon whose /etc is a copy: real users, groups, passwords and PAM that nobody else sees.

The copy is bound over /etc in a mount namespace of the daemon's own (mount_namespaces(7)), so that tests
run beside each other, and nothing is left of them. It needs root.
"""

import os
import re
import shutil
import ssl
import subprocess
import sys
import xmlrpc.client
from contextlib import contextmanager
from pathlib import Path

import XenAPI

from xapi_shim.base.paths import Paths

SERVER = Path(__file__).with_name("serve_on_stdin.py")
REPO = Path(__file__).resolve().parents[2]
# Run by sh(1) with the copy as $0: what comes next sees it as /etc.
BIND = 'mount --bind "$0" /etc && exec "$@"'


class OwnHost:
    """The running daemon and the users of its /etc."""

    def __init__(self, root: Path):
        self.root, self.etc, self.paths = root, root / "own-etc", Paths(root / "host")
        shutil.copytree("/etc", self.etc, symlinks=True, ignore=_sockets)
        self._configure_pam()
        self.log = (root / "daemon.log").open("wb")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", BIND, self.etc,
             sys.executable, SERVER, self.paths.root],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env={**os.environ, "PYTHONPATH": str(REPO)},
        )  # fmt: skip
        self.port = int(self.process.stdout.readline() or self._fail())

    def _configure_pam(self):
        """Put the packages' own PAM service in; a wrong password is not left waiting by PAM, too."""
        common = self.etc / "pam.d/common-auth"
        service = "packaging/pam.d/xapi" if common.exists() else "rpm/xapi.pam"
        shutil.copy(REPO / service, self.etc / "pam.d/xapi")
        for path in (common, self.etc / "pam.d/password-auth"):
            if path.exists():
                text = path.read_text()
                path.write_text(re.sub(r"^(auth\s.*pam_unix\.so)", r"\1 nodelay", text, flags=re.MULTILINE))

    def _fail(self):
        raise AssertionError((self.root / "daemon.log").read_text())

    def run(self, *argv, stdin=None):
        """Run a program that sees the daemon's /etc."""
        inside = ["nsenter", f"--target={self.process.pid}", "--mount", "--", *argv]
        return subprocess.run(inside, input=stdin, check=True, text=True, capture_output=True).stdout

    def add_user(self, name, password, *groups, comment=""):
        extra = ["--groups", ",".join(groups)] if groups else []
        self.run("useradd", "--no-create-home", "--no-log-init", "--comment", comment, *extra, name)
        self.set_password(name, password)

    def set_password(self, name, password):
        self.run("chpasswd", stdin=f"{name}:{password}\n")

    def add_group(self, name):
        self.run("groupadd", name)

    def confirm(self):
        """Have the daemon ask about its sessions now, as it does every five minutes."""
        self.process.stdin.write("confirm\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "confirmed\n", self._fail()

    def login(self, user, password):
        session = XenAPI.Session(f"https://127.0.0.1:{self.port}", ignore_ssl=True)
        session.xenapi.login_with_password(user, password, "1.0", "tests")
        return session

    def plain(self):
        """Return a client that does nothing by itself; the library would log in again, for one."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return xmlrpc.client.ServerProxy(f"https://127.0.0.1:{self.port}", context=context)

    def is_alive(self, session):
        answer = self.plain().pool.get_all(session.handle)
        if answer["Status"] == "Failure":
            assert answer["ErrorDescription"] == ["SESSION_INVALID", session.handle]
        return answer["Status"] == "Success"

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        self.log.close()


def can_have_one():
    """Say whether a process of ours may have mounts of its own: as root, and let by the container."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0


def _sockets(folder, names):
    return [name for name in names if not os.path.islink(p := os.path.join(folder, name))
            and not os.path.isfile(p) and not os.path.isdir(p)]  # fmt: skip


@contextmanager
def own_host(root):
    host = OwnHost(root)
    try:
        yield host
    finally:
        host.close()

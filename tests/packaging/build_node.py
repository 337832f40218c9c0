"""This machine as a build node: an sshd on a port of its own, with a host key and a user's key made for it."""

import getpass
import os
import signal
import socket
from contextlib import contextmanager
from pathlib import Path

from kronos_lab.machine import free_port, wait_until
from kronos_packaging.ssh_engine import Node
from xapi_shim.base.process import run, start
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

SSHD = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
SetEnv TMPDIR={folder}/tmp
"""
SSH = """\
Host node
    HostName 127.0.0.1
    HostKeyAlias node
    User {user}
    IdentityFile {folder}/user_key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
"""


class BuildNode:
    """`node` is what an engine takes; `left` what builds left on it."""

    def __init__(self, folder: Path, port: int, pid: int):
        self.folder, self.port, self.pid = folder, port, pid
        self.node = Node("node", port, folder / "ssh_config")

    def left(self):
        return sorted(path.name for path in (self.folder / "tmp").iterdir())

    def connections(self):
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def vanish(self):
        """End all connections without a word and take no new one, as when the network between breaks."""
        connections = self.connections()
        os.kill(self.pid, signal.SIGTERM)
        for pid in connections:
            os.kill(pid, signal.SIGKILL)


def _key(path):
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "node", "-f", path])
    return path.with_suffix(".pub").read_text()


@contextmanager
def build_node(folder: Path):
    ensure_packages(["openssh-server", "openssh-client", "mmdebstrap"], reporter=Reporter())
    Path("/run/sshd").mkdir(exist_ok=True)  # sshd's empty root for what it does not trust yet
    (folder / "tmp").mkdir()
    (folder / "known_hosts").write_text(f"node {_key(folder / 'host_key')}")
    _key(folder / "user_key")
    port = free_port()
    (folder / "sshd_config").write_text(SSHD.format(port=port, folder=folder))
    (folder / "ssh_config").write_text(SSH.format(user=getpass.getuser(), folder=folder))
    with (folder / "sshd.log").open("w") as log:
        process = start(["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")], log=log)
        try:
            wait_until("sshd listens", lambda: _listens(process, port), 20)
            yield BuildNode(folder, port, process.pid)
        finally:
            process.terminate()
            process.wait()


def _listens(process, port):
    assert process.poll() is None, "sshd ended"
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

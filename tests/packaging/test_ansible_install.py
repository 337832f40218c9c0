"""The Ansible role's installation of packages, over ssh into a clean root of each release: real get_url and apt."""

import hashlib
import json
import os
import re
import shlex
import shutil

import pytest

# A root with an ssh server, and most of what Kronos' daemon needs.
from test_host_system_booted import PACKAGES

from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.declarations import REPO
from kronos_packaging.repository.serve import serving
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = [pytest.mark.packaging, pytest.mark.long, pytest.mark.timeout(2400)]

ROLES = REPO / "docs/examples/ansible/roles"
PLAY = """\
- hosts: all
  tasks:
    - ansible.builtin.include_role: {name: xapi_host_setup, tasks_from: install.yml}
"""
SSHD = (
    "/usr/sbin/sshd", "-i", "-e", "-o", "UsePAM=no", "-o", "StrictModes=no",
    "-o", "PidFile=none",
)  # fmt: skip


class Host:
    """A clean root with an ssh server that is started for each connection, on its standard input."""

    def __init__(self, root, folder):
        self.root, self.folder = root, folder
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"])
        root.copy_in(folder / "key.pub", "/root/.ssh/authorized_keys", 0o600)
        root.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        root.write("/etc/apt/apt.conf.d/90test", 'APT::Install-Recommends "false";\n')
        (root.path / "run/sshd").mkdir(exist_ok=True)
        root.run(["apt-get", "update", "--quiet=2"], network=True)

    def play(self, answers, *flags):
        """Run the role's installation; return what Ansible counted (`changed`, `failed`, ...) and said."""
        site = self.folder / "site.yml"
        site.write_text(PLAY)
        enter = shlex.join(self.root.run_argv(SSHD, network=True))
        ssh = f"-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ProxyCommand={shlex.quote(enter)}"
        own = {"ansible_user": "root", "ansible_ssh_private_key_file": str(self.folder / "key"),
               "ansible_ssh_common_args": ssh, "ansible_python_interpreter": "/usr/bin/python3"}  # fmt: skip
        env = {"ANSIBLE_ROLES_PATH": str(ROLES), "ANSIBLE_NOCOLOR": "1", "HOME": str(self.folder),
               "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
               # A connection ends with who made it, and its server with it: none is kept for the next task.
               "ANSIBLE_SSH_ARGS": "-o ControlMaster=no"}  # fmt: skip
        extra = json.dumps({**own, **answers})
        argv = ["ansible-playbook", "-i", "host,", "-e", extra, *flags, site]
        done = run(argv, check=False, env=env, timeout_s=1800)
        recap = re.findall(r"(\w+)=(\d+)", done.stdout.rpartition("PLAY RECAP")[2])
        counts = {word: int(count) for word, count in recap}
        return counts.get("changed"), counts.get("failed"), done.stdout + done.stderr

    def has_xapi(self):
        asked = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", "xapi"]
        return self.root.run(asked, check=False).stdout == "installed"


@pytest.fixture
def host(target, tmp_path):
    ensure_packages(["ansible-core", "openssh-client"], reporter=Reporter())
    with clean_root(ensure_root_tar(target, PACKAGES, Reporter())) as root:
        yield Host(root, tmp_path)


def test_a_second_run_changes_nothing(host, dist, tmp_path):
    served = tmp_path / "served"
    shutil.copytree(dist, served)
    keys = hashlib.sha256((served / "kronos-archive-keyring.pgp").read_bytes()).hexdigest()
    with serving(served) as port:
        place = f"http://127.0.0.1:{port}"
        for sources in served.glob("*.sources"):
            sources.write_text(re.sub(r"URIs: .*", f"URIs: {place}/apt", sources.read_text()))
        answers = {"xapi_repository": place, "xapi_keyring_checksum": f"sha256:{keys}"}
        changed, failed, said = host.play(answers, "--check")
        assert (changed, failed, host.has_xapi()) == (2, 0, False), said
        wrong = {**answers, "xapi_keyring_checksum": f"sha256:{'0' * 64}"}
        changed, failed, said = host.play(wrong)
        assert (changed, failed, host.has_xapi()) == (0, 1, False), said
        changed, failed, said = host.play(answers)
        assert (changed, failed, host.has_xapi()) == (3, 0, True), said
        for flags in ((), ("--check",)):
            changed, failed, said = host.play(answers, *flags)
            assert (changed, failed) == (0, 0), said

"""debian/tests/lab by autopkgtest(1) on a lab machine: what Debian's CI runs on machines of its own."""

import pytest
import road_stages as stages
from test_whole_road import base, repository  # noqa: F401 -- fixtures

from kronos_lab.cache import ssh_key
from kronos_lab.machine import Machine
from kronos_packaging.declarations import load_components
from kronos_packaging.tree import read_tree, write_tree
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(3600)]

# autopkgtest's own way to notice a reboot takes a slow answer for none; a boot has an id of its own.
SETUP = """\
#!/bin/sh
set -eu
options='-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=20'
boot() {{ ssh -i {key} -p {port} $options root@127.0.0.1 cat /proc/sys/kernel/random/boot_id; }}
case $1 in
open)
    boot >{state}
    echo login=root; echo hostname=127.0.0.1; echo port={port}; echo identity={key}
    echo "options=$options"; echo capabilities=isolation-machine,reboot ;;
wait-reboot)
    until now=$(boot) && [ "$now" != "$(cat {state})" ]; do sleep 1; done
    echo "$now" >{state} ;;
esac
"""


@pytest.fixture
def tree(tmp_path):
    """The source package, unpacked."""
    (recipe,) = (component.deb for component in load_components() if component.name == "kronos")
    write_tree(read_tree(recipe.own_paths), tmp_path / "tree", 0)
    return tmp_path / "tree"


def test_the_packages_own_lab_test(base, repository, tree, tmp_path):  # noqa: F811
    ensure_packages(["autopkgtest"], reporter=Reporter())
    with Machine(base, name="autopkgtest") as machine:
        stages.add_repository(stages.Road(machine), repository)
        setup, summary = tmp_path / "setup", tmp_path / "summary"
        setup.write_text(SETUP.format(key=ssh_key(), port=machine.ports[22], state=tmp_path / "boot"))
        setup.chmod(0o755)
        argv = ["autopkgtest", "--no-built-binaries", "--test-name=lab", f"--summary-file={summary}", tree]
        done = run([*argv, "--", "ssh", "--timeout-ssh=900", f"--setup-script={setup}"], check=False)
        print(done.stdout, done.stderr)
        assert summary.read_text().split() == ["lab", "PASS"]

"""What unattended set-ups stand on, with each release's own tools: cloud-init, systemd, apt and dpkg."""

import shutil

import pytest

from kronos_installer.detect.release import RELEASES, parse_installed, parse_simulation
from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.declarations import REPO, load_target
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(1800)]

PACKAGES = ("cloud-init", "python3", "systemd")
EXAMPLES = REPO / "docs/examples"


@pytest.fixture(scope="module")
def root(request):
    target = load_target(request.param)
    with clean_root(ensure_root_tar(target, PACKAGES, Reporter())) as root:
        shutil.copytree(EXAMPLES, root.path / "srv/examples")
        yield target, root


each_release = pytest.mark.parametrize("root", ["debian-12", "debian-13"], indirect=True)


@each_release
def test_cloud_inits_schema_takes_the_user_data(root):
    _, root = root
    file = "/srv/examples/cloud-init/user-data.yaml"
    done = root.run(["cloud-init", "schema", "--config-file", file], check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Valid" in done.stdout + done.stderr
    root.write("/srv/bad.yaml", "#cloud-config\nruncmd: 5\n")
    assert root.run(["cloud-init", "schema", "--config-file", "/srv/bad.yaml"], check=False).returncode != 0


@each_release
def test_systemd_takes_the_unit(root):
    _, root = root
    root.write("/usr/sbin/xapi-host-setup", "#!/bin/sh\n")
    (root.path / "usr/sbin/xapi-host-setup").chmod(0o755)
    argv = ["systemd-analyze", "verify", "--man=no", "/srv/examples/xapi-host-setup-once.service"]
    done = root.run(argv, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@each_release
def test_packages_come_and_go(root):
    target, root = root
    (release,) = (one for one in RELEASES if f"{one.os_id}-{one.version}" == target.name)
    before = parse_installed(root.run(release.installed_command()).stdout)
    assert "dpkg" in before
    assert "bridge-utils" not in before
    root.run(release.refresh_command(), network=True)
    assert "bridge-utils" in parse_simulation(root.run(release.simulate_command(["bridge-utils"])).stdout)
    assert parse_simulation(root.run(release.simulate_command(["dpkg"])).stdout) == ()
    assert parse_installed(root.run(release.installed_command()).stdout) == before
    root.run(release.install_command(["bridge-utils"]), network=True)
    added = parse_installed(root.run(release.installed_command()).stdout) - before
    assert "bridge-utils" in added
    root.run(release.repair_command())
    assert root.run(release.remove_command(["libc6"]), check=False).returncode != 0
    root.run(release.remove_command(sorted(added)))
    assert parse_installed(root.run(release.installed_command()).stdout) == before

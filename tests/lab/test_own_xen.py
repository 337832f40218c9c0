"""Our own Xen, on each release it is built for: installed by apt, booted, and PV guests migrated live on it."""

import time

import pytest
import road_stages as stages
from debian.debian_support import Version

from kronos_lab.cache import REPO
from kronos_lab.guest import install_guest
from kronos_lab.image import ensure_image, release_spec
from kronos_lab.installed import APT_GET, PREFER_OURS
from kronos_lab.machine import Machine
from kronos_lab.repo_server import serve
from kronos_packaging import factory
from xapi_shim.base.progress import Reporter

# The matrix row of every change boots our Xen too, on Debian 13; this is both releases, with migration and upgrade.
pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(5400)]

ADDRESS = "10.0.2.60"


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
def test_our_xen(release):
    base = ensure_image(Reporter(), release_spec(release))
    factory.build([release], Reporter())
    with serve(REPO / "dist/apt") as uri, Machine(base, name=f"xen-{release}", extra_ports=(443,)) as machine:
        road = stages.Road(machine)
        with road.stage(f"{release}: install with our Xen"):
            install_ours(road, uri, release)
        with road.stage(f"{release}: set up and reboot into our Xen"):
            stages.set_up(road)
            stages.boot_into_xen(road)
            assert "+0kronos" in machine.succeed("xl dmesg | grep 'Xen version'")
        with road.stage(f"{release}: a PV guest's hello"):
            install_guest(machine)
            session = road.session()
            pv = stages.create_guest(road, "g-pv", "pv", ADDRESS)
            road.xe(f"vm-start uuid={pv}")
            stages.check_guest(road, pv, "g-pv", ADDRESS)
        with road.stage(f"{release}: live migration of a PV guest"):
            assert stages.migrate_live(road, session, pv)
            machine.wait_until_succeeds(f"ping -c 1 -W 2 {ADDRESS}")
        with road.stage(f"{release}: upgrade of the daemon below a running guest"):
            upgrade(road, pv)


def install_ours(road, uri, release):
    machine = road.machine
    stages.prepare(road)
    stages.add_repository(road, uri, release)
    told = machine.succeed("apt-cache madison xen-system-amd64").splitlines()
    offered = [line.split("|")[1].strip() for line in told]
    (ours,) = [version for version in offered if "+0kronos" in version]
    policy = "apt-cache policy xen-system-amd64 | sed -n 's/  Candidate: //p'"
    assert machine.succeed(policy).strip() == max(offered, key=Version)
    machine.succeed("cat > /etc/apt/preferences.d/kronos", stdin=PREFER_OURS)
    assert machine.succeed(policy).strip() == ours
    machine.succeed(f"{APT_GET} xapi", timeout_s=1800)
    installed = machine.succeed("dpkg-query -W -f '${db:Status-Status} ${Version}' xen-system-amd64")
    assert installed == f"installed {ours}"
    assert machine.succeed("systemctl --failed --no-legend").strip() == ""


def upgrade(road, vm):
    """The packages' own scripts restart the daemon; the guest does not notice, clients wait a moment."""
    machine = road.machine
    pid = "systemctl show -p MainPID --value xapi"
    before, domains = machine.succeed(pid), machine.succeed("xl list | awk 'NR>2 {print $1, $2}'")
    assert vm in domains
    machine.succeed(f"{APT_GET} --reinstall xapi-common xapi-toolstack")
    started = time.monotonic()
    machine.wait_until_succeeds("xe host-list --minimal | grep -q .")
    print(f"road: XenAPI answers {time.monotonic() - started:.1f} s after the upgrade's end", flush=True)
    assert machine.succeed(pid) != before
    assert machine.succeed("xl list | awk 'NR>2 {print $1, $2}'") == domains
    assert road.xe(f"vm-param-get uuid={vm} param-name=power-state") == "running"
    machine.wait_until_succeeds(f"ping -c 1 -W 2 {ADDRESS}")

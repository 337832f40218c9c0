"""A set-up host keeps working: through updates of the kernel and of GRUB's menu, and from Debian 12 to 13."""

import re

import matrix_stages
import pytest
import road_stages as stages

from kronos_lab.cache import REPO
from kronos_lab.image import release_spec
from kronos_lab.installed import PREFER_OURS, WAIT_FOR_DPKG
from kronos_lab.repo_server import serve
from kronos_lab.rows import ROWS
from kronos_lab.set_up import boot_without_xen, set_up_phase
from kronos_packaging import factory
from xapi_shim.base.apt_sources import read_mirror, sources_for
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(3 * 3600)]

GUEST = "10.0.2.60"
APT_GET = (
    f"DEBIAN_FRONTEND=noninteractive apt-get {WAIT_FOR_DPKG} -y -q "
    "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
)


def test_kernel_updates_and_a_release_upgrade_keep_the_set_up(tmp_path):
    factory.build(["debian-12", "debian-13"], Reporter())
    with matrix_stages.prepared(ROWS["debian-12-hotplug"], tmp_path / "m") as machine:
        road = stages.Road(machine)
        network = matrix_stages.network(machine)
        # Four initial file systems are made below the emulation: without the drivers of other machines.
        machine.succeed(
            "sed -i 's/^MODULES=.*/MODULES=dep/' /etc/initramfs-tools/initramfs.conf && update-initramfs -u"
        )
        with road.stage("set up on Debian 12"):
            machine.succeed("xapi-host-setup apply --yes")
            boot_into_xen(road, network)
        with road.stage("a kernel's update"):
            boot_without_xen(machine)
            machine.succeed(f"{APT_GET} install --reinstall linux-image-$(uname -r)", timeout_s=1800)
            machine.succeed("update-grub 2>/dev/null")
            boot_into_xen(road, network)
        with road.stage("from Debian 12 to 13"), serve(REPO / "dist/apt") as uri:
            boot_without_xen(machine)
            upgrade(machine, uri)
            matrix_stages.wait_for_network(machine, network)
        with road.stage("reboot into Debian 13's Xen"):
            boot_into_xen(road, network)
            assert machine.succeed(". /etc/os-release; echo $VERSION_ID").strip() == "13"
            assert "4.20" in machine.succeed("xl info xen_version")
        with road.stage("a PV guest's hello"):
            guest = stages.create_guest(road, "g-pv", "pv", GUEST)
            road.xe(f"vm-start uuid={guest}")
            stages.hello(road, guest, "g-pv")
            road.xe(f"vm-shutdown uuid={guest} force=true")
        with road.stage("rollback on Debian 13"):
            machine.succeed("xapi-host-setup rollback --yes")
            machine.reboot()
            machine.fail("test -e /sys/hypervisor/type")
            matrix_stages.wait_for_network(machine, network)
            assert set_up_phase(machine) == "clean"


def boot_into_xen(road, network):
    """Reboot; Xen runs, the network is as before, and the doctor has nothing to say."""
    machine = road.machine
    machine.reboot()
    matrix_stages.wait_until_up_in_xen(machine, network)


def upgrade(machine, uri):
    """As Debian's release notes have it: the new sources, then full-upgrade; ours among them."""
    suite = release_spec("debian-13").suite
    machine.succeed(
        "cat > /etc/apt/sources.list",
        stdin="".join(f"{line}\n" for line in sources_for(read_mirror(), suite)),
    )
    ours = re.sub(r"URIs: .*", f"URIs: {uri}", (REPO / "dist/kronos-debian-13.sources").read_text())
    machine.succeed("cat > /etc/apt/sources.list.d/kronos.sources", stdin=ours)
    machine.succeed("cat > /etc/apt/preferences.d/kronos", stdin=PREFER_OURS)
    # Debian's installer leaves this answer; the lab's disks are made without it.
    machine.succeed("echo grub-pc grub-pc/install_devices multiselect /dev/vda | debconf-set-selections")
    machine.succeed("apt-get update -q")
    machine.succeed(f"{APT_GET} full-upgrade", timeout_s=5400)
    assert machine.succeed("dpkg --audit") == ""

"""apt-get install xapi from the signed repository into a clean root of each target, and all the way back."""

import pytest
from clean_machine import OURS, PLACE, TARGETS, CleanMachine, flip_a_byte

from kronos_packaging.build_deb import build_debs
from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.declarations import load_components
from kronos_packaging.repository.apt_suite import pool_folder
from kronos_packaging.repository.model import Policy, Publication
from kronos_packaging.repository.publish import Options, publish
from kronos_packaging.repository.signer import Signer
from kronos_packaging.tree import read_tree
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

IMPORT_ALL = """
import importlib, pkgutil, sys
names = [m.name for top in sys.argv[1:] for m in pkgutil.walk_packages(
    importlib.import_module(top).__path__, top + ".", onerror=lambda name: sys.exit("cannot import " + name))]
for name in names: importlib.import_module(name)
import pam
print(len(names))
"""


def test_install_use_remove_purge(machine):
    machine.apt("update")
    before = machine.files()
    machine.apt("install", "xapi")
    assert set(machine.installed()) == OURS
    for program in ("xe", "xapi", "xapi-host-setup"):
        assert program in machine.run(program, "--help").stdout
    machine.root.write("/srv/import_all.py", IMPORT_ALL)
    modules = machine.run("python3", "-I", "/srv/import_all.py", "xapi_shim", "kronos_installer").stdout
    assert int(modules) > 100
    assert "answered over the unix socket and over TLS" in machine.smoke()
    machine.run("systemd-analyze", "verify", "--man=no", "xapi.service")
    machine.run("systemctl", "enable", "xapi.service")
    machine.apt("remove", *OURS)
    assert machine.installed() == {}
    machine.apt("purge", *OURS)
    assert machine.files() == before


def test_a_release_without_anything_can_install_it(target, dist):
    with clean_root(ensure_root_tar(target, (), Reporter())) as root:
        machine = CleanMachine(root, target)
        machine.add_repository(dist, PLACE)
        machine.run("apt-get", "--quiet=2", "update", network=True)
        told = machine.run("apt-get", "--quiet=2", "--simulate", "install", "xapi").stdout
    names = {line.split()[1] for line in told.splitlines() if line.startswith("Inst ")}
    assert names >= OURS | {"xen-system-amd64", "qemu-system-xen", "qemu-utils", "bridge-utils"}


def test_a_purge_keeps_guests_disks(machine):
    machine.apt("update")
    machine.apt("install", "xapi")
    disk = machine.path / "var/lib/xapi/sr/local/disk.qcow2"
    disk.parent.mkdir(parents=True)
    disk.write_text("a guest's")
    (machine.path / "var/lib/xapi/state.sqlite").touch()
    machine.apt("purge", *OURS)
    assert disk.read_text() == "a guest's"
    assert not (machine.path / "var/lib/xapi/state.sqlite").exists()


def test_upgrade_leaves_what_a_fresh_install_leaves(machine, target, dist, signing_home, tmp_path):
    (recipe,) = (component.deb for component in load_components() if component.name == "kronos")
    build_debs(read_tree(recipe.own_paths), target, tmp_path / "old", Reporter(), extra_version="~old")

    def republish(packages):
        # Dated now: apt takes no repository that is older than the one it knows.
        with Signer(signing_home) as signer:
            options = Options(base_url=f"file://{PLACE}")
            publish([Publication(target, (packages,))], signer, tmp_path, Policy(), options=options)
        machine.add_repository(tmp_path, PLACE)

    republish(tmp_path / "old")
    machine.apt("update")
    machine.apt("install", "xapi")
    old = machine.installed()
    assert all("~old+deb" in version for version in old.values())
    (machine.path / "etc/xapi.d/plugins/ours").write_text("the administrator's")
    republish(pool_folder(dist / "apt", target))
    machine.apt("update")
    machine.apt("install", "--only-upgrade", *OURS)
    new = machine.installed()
    assert set(new) == OURS
    assert not any("~old" in version for version in new.values())
    assert (machine.path / "etc/xapi.d/plugins/ours").read_text() == "the administrator's"
    (machine.path / "etc/xapi.d/plugins/ours").unlink()
    upgraded = machine.files()
    machine.apt("install", "--reinstall", *OURS)
    assert machine.files() == upgraded


@pytest.mark.parametrize("target", TARGETS[:1], indirect=True)
@pytest.mark.parametrize("what", ["InRelease", "Packages", "deb"])
def test_apt_refuses_a_flipped_byte(machine, target, what):
    suite = machine.repository / "dists" / target.suite
    match what:
        case "InRelease":
            flip_a_byte(suite / "InRelease")
        case "Packages":
            for path in suite.rglob("binary-*/**/*"):
                if path.is_file():
                    flip_a_byte(path)
        case "deb":
            (deb,) = machine.pool.glob("xapi-xe_*.deb")
            flip_a_byte(deb)
    update = machine.apt("update", check=False)
    install = machine.apt("install", "xapi-xe", check=False)
    assert (update.returncode != 0) == (what != "deb"), update
    assert install.returncode != 0, install
    assert "xapi-xe" not in machine.installed()

"""The rpm packages of this tree: the same as the Debian ones, without rpmlint's complaints, installed by dnf."""

import re

import pytest
from clean_machine import OURS, PLACE, flip_a_byte

from kronos_lab.fedora_stand_ins import BASE, stand_in_spec
from kronos_packaging import factory
from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.build_rpm import build_rpms
from kronos_packaging.consistency import differences, read_deb, read_rpm
from kronos_packaging.declarations import REPO, load_components, load_target
from kronos_packaging.name_map import load_name_map
from kronos_packaging.repository.apt_suite import pool_folder
from kronos_packaging.repository.model import Policy, Publication
from kronos_packaging.repository.publish import Options, publish
from kronos_packaging.repository.signer import Signer
from kronos_packaging.tree import read_tree
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

TARGET = load_target("fedora-44")
# Not there at all: nothing here is started.
ABSENT = ("qemu-system-x86-core", "xen", "xen-runtime")
# Folders that Fedora's filesystem and python3-libs own.
FEDORAS_OWN = {
    "./usr/lib/python3.14", "./usr/lib/python3.14/site-packages", "./usr/share/licenses",
}  # fmt: skip


@pytest.fixture(scope="session")
def rpms(signing_home, tmp_path_factory):
    """A dist/ with the yum repositories of the target, as ./inv build makes it."""
    folder = tmp_path_factory.mktemp("rpms")
    factory.build([TARGET.name], Reporter(), dist=folder, base_url=f"file://{PLACE}", tolerant=True)
    return folder


def packages_in(dist):
    return sorted((dist / f"yum/fedora/{TARGET.release}").glob("*/Packages/**/*.rpm"))


def test_they_are_the_same_packages_as_debians(rpms, dist):
    debs = [read_deb(path) for path in pool_folder(dist / "apt", load_target("debian-13")).glob("xapi*.deb")]
    found = [read_rpm(path) for path in packages_in(rpms) if not path.name.endswith(".src.rpm")]
    assert {one.name for one in found} == OURS
    assert differences(debs, found, load_name_map(), TARGET.python) == ()


def test_rpmlint_has_nothing_to_say(rpms):
    ensure_packages(["rpmlint"], reporter=Reporter())
    argv = [
        "rpmlint",
        "--config",
        REPO / "rpm/rpmlint.toml",
        *packages_in(rpms),
        *(REPO / "rpm").glob("*.spec"),
    ]
    done = run(argv, check=False)
    said = re.findall(r"^\S+: [EW]: .*$", done.stdout, re.MULTILINE)
    assert (said, done.returncode) == ([], 0), done.stdout


class Host:
    """A clean root with dnf; `dnf` has our repository only."""

    def __init__(self, root):
        self.root, self.path = root, root.path
        provides = [name for names in (*BASE.values(), ABSENT) for name in names]
        root.write("/base/base.spec", stand_in_spec(provides))
        # rpm's private mounts want a root that is a mount point.
        root.write("/etc/rpm/macros", "%__transaction_unshare %{nil}\n")
        root.run(["rpmbuild", "-bb", "--quiet", "--define", "_topdir /base", "/base/base.spec"])
        (base,) = (root.path / "base/RPMS").rglob("*.rpm")
        root.run(["rpm", "--install", "--justdb", "--nosignature", f"/{base.relative_to(root.path)}"])

    def add_repository(self, dist):
        for name in ("yum", "kronos-archive-keyring.asc"):
            run(["cp", "-a", "--no-target-directory", dist / name, self._made(f"{PLACE}/{name}")])
        self.root.copy_in(dist / "kronos.repo", "/etc/yum.repos.d/kronos.repo")

    def _made(self, place):
        path = self.path / place.lstrip("/")
        run(["rm", "-rf", path])
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def dnf(self, *words, check=True):
        options = [f"--releasever={TARGET.release}", "--forcearch=x86_64", "--assumeyes"]
        # metadata_expire=0 would still let metadata of the same second pass as fresh.
        options += ["--refresh", "--setopt=keepcache=0"]
        return self.root.run(["dnf", *options, *words], check=check)

    def installed(self):
        told = self.root.run(["rpm", "-qa", "--queryformat", "%{NAME} %{VERSION}\\n"]).stdout
        return {name: version for name, version in map(str.split, told.splitlines()) if name in OURS}

    def places(self):
        """Return all there is but what dnf, rpm and Python write for themselves."""
        beside = {
            "base",
            "proc",
            "run",
            "srv",
            "sys",
            "tmp",
            "var/cache",
            "var/lib/dnf",
            "var/lib/rpm",
            "var/log",
        }
        argv = [
            "find",
            ".",
            "-mindepth",
            "1",
            *(w for p in sorted(beside) for w in ("-path", f"./{p}", "-prune", "-o")),
        ]
        told = run([*argv, "-print"], cwd=self.path).stdout.splitlines()
        return {line for line in told if "__pycache__" not in line and not line.startswith("./root")}


@pytest.fixture
def host(rpms):
    with clean_root(ensure_root_tar(load_target("debian-13"), sorted(BASE), Reporter())) as root:
        host = Host(root)
        host.add_repository(rpms)
        yield host


IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
names = [m.name for top in ("xapi_shim", "kronos_installer") for m in pkgutil.walk_packages(
    importlib.import_module(top).__path__, top + ".", onerror=lambda name: sys.exit("cannot import " + name))]
for name in names: importlib.import_module(name)
print(len(names))
"""


def test_dnf_installs_and_removes_all_of_it(host):
    before = host.places()
    host.dnf("install", "xapi")
    assert set(host.installed()) == OURS
    host.root.write("/srv/import_all.py", IMPORT_ALL)
    place = f"/usr/lib/python{TARGET.python}/site-packages"
    assert int(host.root.run(["python3", "-I", "-B", "/srv/import_all.py", place]).stdout) > 100
    host.root.run(["systemd-analyze", "verify", "--man=no", "xapi.service"])
    host.root.run(["rpm", "--verify", "--nodeps", *sorted(OURS)])
    host.dnf("remove", *sorted(OURS))
    assert host.installed() == {}
    assert host.places() - FEDORAS_OWN == before


def test_an_upgrade_keeps_what_an_administrator_changed(host, rpms, signing_home, tmp_path):
    (recipe,) = (component.rpm for component in load_components() if component.name == "kronos")
    build_rpms(read_tree(recipe.own_paths), TARGET, tmp_path / "old", Reporter(), extra_version="~old")
    with Signer(signing_home) as signer:
        builds = [Publication(TARGET, (tmp_path / "old",))]
        options = Options(base_url=f"file://{PLACE}")
        publish(builds, signer, tmp_path / "dist", Policy(), options=options, reporter=Reporter())
    host.add_repository(tmp_path / "dist")
    host.dnf("install", "xapi")
    assert set(host.installed().values()) == {f"{version_of(rpms)}~old"}
    pam = host.path / "etc/pam.d/xapi"
    pam.write_text(pam.read_text() + "# the administrator's\n")
    host.add_repository(rpms)
    host.dnf("upgrade")
    assert set(host.installed().values()) == {version_of(rpms)}
    assert pam.read_text().endswith("# the administrator's\n")


def version_of(dist):
    (path,) = (path for path in packages_in(dist) if path.name.startswith("xapi-xe-"))
    return run(["rpm", "-qp", "--nosignature", "--queryformat=%{VERSION}", path]).stdout


def test_a_set_up_host_keeps_its_tool(host):
    host.dnf("install", "xapi")
    journal = host.path / "var/lib/xapi-host-setup/journal.jsonl"
    journal.parent.mkdir(parents=True)
    journal.touch()
    done = host.dnf("remove", "xapi-host-setup", check=False)
    assert "undo it first: xapi-host-setup rollback" in done.stdout + done.stderr
    assert "xapi-host-setup" in host.installed()


@pytest.mark.parametrize("what", ["xapi-xe-*.rpm", "*-primary.xml*", "repomd.xml"])
def test_dnf_refuses_a_flipped_byte(host, what):
    repository = host.path / f"{PLACE.lstrip('/')}/yum/fedora/{TARGET.release}/x86_64"
    (path,) = (path for path in repository.rglob(what) if "superseded" not in path.parts)
    flip_a_byte(path)
    done = host.dnf("install", "xapi-xe", check=False)
    assert done.returncode != 0
    assert "xapi-xe" not in host.installed()

"""A clean root as a machine with apt: our repository added to it as the README says, and what changed seen."""

import hashlib
import os
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path

from debian.deb822 import Packages, PkgRelation

from kronos_packaging import factory
from kronos_packaging.build_root import Root, clean_root, ensure_root_tar
from kronos_packaging.declarations import REPO
from kronos_packaging.repository.apt_suite import pool_folder
from kronos_packaging.repository.client_files import KEYRING_PLACE
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

# What apt, dpkg and ldconfig write for themselves, and what we put there to begin with.
NOT_THE_PACKAGES = (
    "etc/apt/sources.list.d/kronos.sources", "etc/ld.so.cache", "etc/resolv.conf", "run", "srv", "tmp",
    "usr/sbin/policy-rc.d", "usr/share/keyrings/kronos-archive-keyring.pgp", "var/cache", "var/lib/apt",
    "var/lib/dpkg", "var/log",
)  # fmt: skip

TARGETS = ("debian-12", "debian-13")
# Where a machine finds the repositories.
PLACE = "/srv/kronos"
OURS = {
    "xapi", "xapi-common", "xapi-host-setup", "xapi-network", "xapi-storage", "xapi-toolstack", "xapi-xe",
}  # fmt: skip


def package_paragraphs(dist, target):
    index = dist / f"apt/dists/{target.suite}/main/binary-{target.architecture}/Packages"
    return list(Packages.iter_paragraphs(index.read_text(), use_apt_pkg=False))


def install_base(dist, target):
    """Return what the toolstack's packages need beside themselves, of the distro, Xen too; and what every host has."""
    packages = [package for package in package_paragraphs(dist, target) if package["Package"] in OURS]
    wanted = {
        alternatives[0]["name"]
        for package in packages
        for alternatives in PkgRelation.parse_relations(package.get("Depends", "xapi-common"))
    }
    return sorted((wanted - OURS) | {"passwd", "systemd"})


class CleanMachine:
    """`apt` and `run` work inside; `files` is all there is on its file system."""

    def __init__(self, root: Root, target):
        self.root, self.target, self.path = root, target, root.path
        root.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)

    def add_repository(self, dist: Path, place: str):
        here = self.path / place.lstrip("/") / "apt"
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(dist / "apt", here)
        self.root.copy_in(dist / "kronos-archive-keyring.pgp", KEYRING_PLACE)
        sources = dist / f"kronos-{self.target.name}.sources"
        self.root.copy_in(sources, "/etc/apt/sources.list.d/kronos.sources")
        self.repository = here

    @property
    def pool(self):
        return pool_folder(self.repository, self.target)

    def run(self, *argv, check=True, network=False, timeout_s=300):
        return self.root.run(argv, check=check, network=network, timeout_s=timeout_s)

    def apt(self, *words, check=True):
        """Run apt-get with our repository as its only source: what is missing beside it fails."""
        only = ["Dir::Etc::SourceList=/etc/apt/sources.list.d/kronos.sources", "Dir::Etc::SourceParts=-"]
        options = [word for option in only for word in ("-o", option)]
        return self.run("apt-get", "--quiet=2", "--yes", *options, *words, check=check)

    def installed(self):
        """Return name to version of those of our packages that are installed and configured."""
        told = self.run("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package} ${Version}\n")
        words = [line.split() for line in told.stdout.splitlines()]
        return {name: version for status, name, version in words if status == "installed" and name in OURS}

    def smoke(self):
        """Run the packages' own test of the daemon with simulated guests; return what it printed."""
        self.root.copy_in(REPO / "debian/tests/smoke", "/srv/smoke", 0o755)
        return self.run("/srv/smoke").stdout

    def files(self):
        """Return every path, but those of NOT_THE_PACKAGES, with what makes it what it is."""
        found = {}
        for folder, folders, names in os.walk(self.path):
            place = Path(folder).relative_to(self.path)
            folders[:] = [name for name in folders if str(place / name) not in NOT_THE_PACKAGES]
            for name in (*folders, *names):
                if str(place / name) not in NOT_THE_PACKAGES:
                    found[str(place / name)] = _identity(Path(folder, name))
        return found


def _identity(path):
    status = path.lstat()
    identity = (oct(status.st_mode), status.st_uid, status.st_gid)
    if stat.S_ISLNK(status.st_mode):
        return (*identity, str(path.readlink()))
    if stat.S_ISREG(status.st_mode):
        return (*identity, hashlib.sha256(path.read_bytes()).hexdigest())
    return identity


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def unpacked(deb, folder):
    run(["dpkg-deb", "--extract", deb, folder])
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


@contextmanager
def clean_machine(target, dist, *more):
    """A machine as `machine` is, with the distro's packages `more`."""
    ensure_packages(factory.SYSTEM_PACKAGES, reporter=Reporter())
    packages = sorted({*install_base(dist, target), *more})
    with clean_root(ensure_root_tar(target, packages, Reporter())) as root:
        machine = CleanMachine(root, target)
        machine.add_repository(dist, PLACE)
        yield machine

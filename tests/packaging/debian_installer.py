"""Debian's own installer without the machine: its initrd and its further parts, in a folder, working on another.

What asks for hardware is left out: disks and their partitions, the network's configuration, the kernel, the boot loader.
What reads the preseed file, installs the base system, configures apt and installs packages, and the commands that the
preseed file has run are Debian's own. The parts come by apt from where this machine's own packages come from.
"""

import shutil
from contextlib import contextmanager
from pathlib import Path

from kronos_packaging.build_root import ENTER, clean_root, ensure_root_tar
from xapi_shim.base.apt_sources import read_mirror
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

# The steps of the installer's menu that are run, and what they need beside the initrd.
PARTS = (
    "debootstrap-udeb", "di-utils-mapdevfs", "base-installer", "bootstrap-base", "apt-mirror-setup", "apt-setup-udeb",
    "pkgsel", "finish-install",
)  # fmt: skip
INITRD = "usr/lib/debian-installer/images/{release}/amd64/text/debian-installer/amd64/initrd.gz"
LOG = "var/log/syslog"
STEP_S = 1800.0
# What the steps that are left out would have asked or found, and what a lab has of its own: as few packages as may be.
OWN_ANSWERS = """\
d-i debconf/priority string critical
d-i mirror/protocol string http
d-i mirror/http/hostname string {host}
d-i mirror/http/directory string {folder}
d-i mirror/http/proxy string
d-i mirror/codename string {suite}
d-i mirror/suite string {suite}
d-i apt-setup/security_host string {host}
d-i base-installer/kernel/image string none
d-i base-installer/install-recommends boolean false
d-i pkgsel/run_tasksel boolean false
d-i pkgsel/upgrade select none
popularity-contest popularity-contest/participate boolean false
d-i preseed/include string {example}
"""
# As debian-installer-startup.d and the initrd's own packages do before the menu.
START = """\
debconf-loadtemplate d-i /var/lib/dpkg/info/*.templates
rm -f /var/lib/dpkg/info/*.templates
sh /var/lib/dpkg/info/debian-archive-keyring-udeb.postinst
"""
# preseed_location of the installer's preseed.sh, which reads what the file includes, too.
PRESEED = """\
#!/bin/sh -e
. /usr/share/debconf/confmodule
. /lib/preseed/preseed.sh
preseed_location "$1"
"""
# As the installer's anna does with what it has fetched.
UNPACK = """\
for part in /parts/*.udeb; do udpkg --unpack "$part"; done
debconf-loadtemplate d-i /var/lib/dpkg/info/*.templates
"""


class Installer:
    """The installer's own root at `path`, and the system that it installs at `target`."""

    def __init__(self, path: Path, target: Path):
        self.path, self.target = path, target

    def run(self, script):
        """Run a shell script inside, the installer's syslog beside it. A question ends it: nobody is there."""
        (self.path / "step").write_text(f"syslogd -O /{LOG}\n{script}")
        space = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        enter = ["sh", ENTER, self.path, "--bind", self.target, "/target", "--"]
        own = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "DEBIAN_FRONTEND=text"]
        argv = ["setpriv", "--pdeathsig", "KILL", *space, *enter, *own, "sh", "-e", "/step"]
        done = run(argv, check=False, timeout_s=STEP_S)
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{script}: {done.returncode}: {said[-3000:]}\n{self.log()[-6000:]}"
        assert "!! ERROR" not in said, f"{script}: {said[-3000:]}\n{self.log()[-6000:]}"

    def log(self):
        return (self.path / LOG).read_text(errors="replace")

    def preseed(self, url):
        """Read a preseed file, then unpack the installer's further parts."""
        (self.path / "preseed").write_text(PRESEED)
        (self.path / "preseed").chmod(0o755)
        self.run(f"{START}\ndebconf -o d-i /preseed {url}\n{UNPACK}")

    def base_system(self):
        """Run the step that installs the base system."""
        self._step("bootstrap-base")

    def packages(self):
        """Run the steps that configure apt and install packages, and the late command."""
        self._step("apt-setup-udeb")
        self._step("pkgsel")
        self.run("/usr/lib/finish-install.d/07preseed")

    def _step(self, name):
        """Run a step of the installer's menu as its main-menu does."""
        self.run(f"udpkg --configure --force-configure {name}")


@contextmanager
def debian_installer(target, folder):
    """Yield the installer of a release, with nothing installed so far."""
    ensure_packages(["cpio"], reporter=Reporter())
    own, installed, parts = folder / "installer", folder / "target", folder / "parts"
    for place in (own, installed, parts):
        place.mkdir()
    fetch(target, parts)
    unpacked = folder / "netboot"
    netboot = next(parts.glob("debian-installer-*-netboot-*.deb"))
    run(["dpkg-deb", "--extract", netboot, unpacked])
    initrd = unpacked / INITRD.format(release=target.release)
    run(["sh", "-ec", 'cd "$1" && gzip -dc "$2" | cpio --extract --quiet', "sh", own, initrd])
    for place in (netboot, unpacked):
        run(["rm", "-r", place])
    shutil.move(parts, own)
    shutil.copy("/etc/resolv.conf", own / "etc/resolv.conf")
    try:
        yield Installer(own, installed)
    finally:
        run(["rm", "-rf", "--one-file-system", own, installed])


def fetch(target, folder):
    """Put the installer's initrd and its parts into a folder: by apt, whose signatures they are checked with."""
    mirror = read_mirror()
    with clean_root(ensure_root_tar(target, (), Reporter())) as root:
        line = f"deb {mirror.main} {target.suite} main/debian-installer\n"
        root.write("/etc/apt/sources.list.d/installer.list", line)
        root.run(["apt-get", "update", "--quiet=2"], network=True)
        netboot = f"debian-installer-{target.release}-netboot-amd64"
        argv = ["apt-get", "download", "--quiet=2", netboot, *PARTS]
        root.run(argv, network=True, cwd="/srv", timeout_s=STEP_S)
        for file in (root.path / "srv").iterdir():
            shutil.move(file, folder)


def own_answers(target, example):
    """Return the preseed file that includes an example."""
    scheme, _, place = read_mirror().main.partition("://")
    host, _, folder = place.partition("/")
    assert scheme == "http", "the installer's mirror is spoken to by http"
    return OWN_ANSWERS.format(host=host, folder=f"/{folder}", suite=target.suite, example=example)

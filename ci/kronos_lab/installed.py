"""Machines with Kronos installed and not yet set up: what apt takes minutes for in the emulation, once for many tests."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from debian.deb822 import Packages

from kronos_lab.cache import REPO, lab_dir
from kronos_lab.machine import Machine
from kronos_lab.repo_server import serve
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xapi_shim.base.progress import Reporter

APT = REPO / "dist/apt"
# What an administrator writes who wants our Xen even while the distro's is newer (apt_preferences(5)).
PREFER_OURS = "Package: *\nPin: release o=Kronos\nPin-Priority: 990\n"
_SOURCES = "/etc/apt/sources.list.d/kronos.sources"
# What Debian's file itself names for that.
_XEN_CFG, _NOT_XEN = "/etc/default/grub.d/xen.cfg", "XEN_OVERRIDE_GRUB_DEFAULT=0"
# A machine that has just booted may be at its own daily updates, which hold dpkg's lock (apt.conf(5)).
WAIT_FOR_DPKG = "-o DPkg::Lock::Timeout=900"
APT_GET = f"DEBIAN_FRONTEND=noninteractive apt-get {WAIT_FOR_DPKG} install -y -q --no-install-recommends"


def ensure_installed(reporter: Reporter, base: Path, release: str) -> Path:
    """Return an overlay of `base` with xapi of dist/apt, our own Xen and cpio. Raises LabError.

    What takes long is kept while Xen and what our packages depend on stay the same; on top of it is a disk with our
    packages as dist/apt has them now.
    """
    stood = lab_dir() / f"installed-{release}-{_key(base, release)}.qcow2"
    now = lab_dir() / f"current-{release}-{_content_key(stood, release)}.qcow2"
    is_new = not stood.exists()
    if is_new:
        _make(reporter, f"installing xapi on {release}", base, stood, release)
    if is_new and not now.exists():
        run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", stood, "-F", "qcow2", now])
    elif not now.exists():
        _make(reporter, f"bringing xapi on {release} up to date", stood, now, release)
    for used in (base, stood, now):
        os.utime(used)  # see image.prune_images
    return now


def _make(reporter: Reporter, what: str, below: Path, image: Path, release: str) -> None:
    with reporter.stage(what), tempfile.TemporaryDirectory(dir=lab_dir()) as tmp:
        machine = Machine(below, name=f"install-{release}", folder=Path(tmp))
        with machine:
            install_ours(machine, release)
            machine.shut_down()
        os.replace(machine.spec.disk, image)


def install_ours(machine: Machine, release: str) -> None:
    """Bring the machine's packages of ours to what dist/apt holds, by apt; the rest stays. Raises LabError."""
    sources = (REPO / f"dist/kronos-{release}.sources").read_text()
    with serve(APT) as uri:
        machine.copy_to([REPO / "dist/kronos-archive-keyring.pgp"], "/usr/share/keyrings/")
        machine.succeed(f"cat > {_SOURCES}", stdin=re.sub(r"URIs: .*", f"URIs: {uri}", sources))
        machine.succeed("cat > /etc/apt/preferences.d/kronos", stdin=PREFER_OURS)
        machine.succeed("apt-get update -q")
        machine.succeed(f"{APT_GET} xapi cpio", timeout_s=3600)
        # The same version with another content is nothing new to apt.
        ours = " ".join(name for name, _ in _stanzas(release) if name.startswith("xapi"))
        machine.succeed(f"{APT_GET} --reinstall {ours}", timeout_s=1800)
        # Debian's Xen takes the boot default as soon as it is installed; a host that is not set up boots as before.
        # The file's own test of the variable comes after its first line.
        machine.succeed(
            f"head -n 1 {_XEN_CFG} | grep -qx {_NOT_XEN} || {{ sed -i '1i {_NOT_XEN}' {_XEN_CFG}; update-grub; }}"
        )
        # The indexes of a repository that is gone with us.
        machine.succeed(f"rm -f {_SOURCES} && apt-get clean && sync")


def _key(base: Path, release: str) -> str:
    digest = hashlib.sha256(base.name.encode())
    for name, stanza in _stanzas(release):
        kept = str(stanza.get("Depends", "")) if name.startswith("xapi") else str(stanza)
        digest.update(re.sub(r" \(= [^)]*\)", "", f"{name}: {kept}").encode())
    return digest.hexdigest()[:16]


def _content_key(stood: Path, release: str) -> str:
    digest = hashlib.sha256(stood.name.encode())
    for name, stanza in _stanzas(release):
        if name.startswith("xapi"):
            digest.update(f"{name} {stanza['SHA256']} ".encode())
    return digest.hexdigest()[:16]


def _stanzas(release: str) -> Iterator[tuple[str, Packages]]:
    sources = (REPO / f"dist/kronos-{release}.sources").read_text()
    found = re.search(r"^Suites: (.*)$", sources, re.MULTILINE)
    assert found is not None, sources
    for index in sorted((APT / "dists" / found[1]).rglob("Packages")):
        with index.open() as text:
            for stanza in Packages.iter_paragraphs(text, use_apt_pkg=False):
                yield stanza["Package"], stanza

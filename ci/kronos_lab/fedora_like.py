"""The base disk with Fedora's lay-out: rpm and dnf, GRUB with kernels in files of their own, NetworkManager.

There is no Fedora archive here. The programs are Debian 13's; GRUB's core and modules are those of its next release,
the first upstream one with `blscfg`. docs/support-matrix.md says what a machine of it proves.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_lab import fedora_boot, fedora_stand_ins
from kronos_lab.cache import lab_dir, ssh_key
from kronos_lab.image import (
    PACKAGES,
    TOOLS,
    ImageSpec,
    mmdebstrap_argv,
    one_at_a_time,
    prune_images,
)
from kronos_lab.machine import Machine
from kronos_lab.raw_disk import FIRST_SECTOR, install_boot_code, mounted, partition
from xapi_shim.base.apt_sources import KEYRING, read_mirror, sources_for
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from xapi_shim.base.progress import Reporter

_NOT_FEDORAS = ("grub-pc", "ifupdown", "apt-utils")
SPEC = ImageSpec(
    suite="trixie",
    packages=tuple(
        sorted(
            {
                *PACKAGES,
                *fedora_stand_ins.BASE,
                *fedora_stand_ins.FOR_XEN,
                "cpio",
                "grub2-common",
                "network-manager",
            }
            - {*_NOT_FEDORAS}
        )
    ),
    interfaces="",
    grub=fedora_boot.GRUB_DEFAULTS,
)
# Debian's GRUB of this suite has upstream's blscfg. Its Release file may be older than it says it is good for where a
# mirror stands still; the signature is looked at all the same (apt-secure(8)).
NEWER_GRUB_SUITE, NEWER_GRUB = "sid", "grub-pc-bin"
BOOT_SECTORS = 512 * 2048
PARTITIONS = f"label: dos\nstart={FIRST_SECTOR}, size={BOOT_SECTORS}, type=83, bootable\ntype=83\n"
# Not Fedora's: Debian's network configuration, package manager and what calls it, and the libraries of its Xen, in whose
# place qemu takes ours.
REMOVE = """\
rm -rf /etc/network /etc/cron.daily/apt-compat /etc/cron.daily/dpkg /usr/bin/apt* /usr/bin/dpkg* /etc/apt
rm -rf /usr/lib/systemd/system/apt-* /usr/lib/systemd/system/dpkg-* /etc/systemd/system/timers.target.wants/apt-*
rm -rf /etc/systemd/system/timers.target.wants/dpkg-* /usr/lib/x86_64-linux-gnu/libxen*
"""
# rpm's database: the names that our packages ask for, and what rpm itself sees in the libraries that are there.
DATABASE = """\
mkdir -p /stand-in /etc/yum.repos.d
libraries=$(find /usr/lib/x86_64-linux-gnu -maxdepth 1 -name '*.so*' -type f ! -name 'libxen*')
/usr/lib/rpm/rpmdeps --provides $libraries | sort --unique | sed 's/^/Provides: /' > /tmp/libraries
sed '/^BuildArch:/r /tmp/libraries' /tmp/base.spec > /stand-in/base.spec
rpmbuild -bb --quiet --define '_topdir /stand-in' /stand-in/base.spec
rpm --install --justdb --nosignature /stand-in/RPMS/noarch/base-*.rpm
rm -rf /stand-in /tmp/*
"""
PROVIDES = (
    f"system-release = {fedora_boot.RELEASE}",
    f"system-release(releasever) = {fedora_boot.RELEASE}",
    *(
        name
        for table in (fedora_stand_ins.BASE, fedora_stand_ins.FOR_XEN)
        for names in table.values()
        for name in names
    ),
)
PAM = "".join(f"{kind}\tinclude\tcommon-{kind}\n" for kind in ("auth", "account", "password", "session"))
FILES = {
    "/etc/NetworkManager/NetworkManager.conf": "[main]\n",
    "/etc/pam.d/password-auth": PAM,
    "/etc/pam.d/system-auth": PAM,
    "/etc/ld.so.conf.d/lib64.conf": "/usr/lib64\n",
    # Debian's Python looks where Fedora's would.
    "/usr/lib/python3/dist-packages/fedora.pth": "/usr/lib/python3.14/site-packages\n",
    # As Fedora has it: nothing is enabled by being installed, but by a preset.
    "/usr/lib/systemd/system-preset/99-default-disable.preset": "disable *\n",
    "/usr/bin/qemu-system-i386": '#!/bin/sh\nexec /usr/libexec/xen-qemu-system-i386 "$@"\n',
}
FIRST_BOOT = """\
grub2-mkconfig -o /boot/grub2/grub.cfg
grep -qx blscfg /boot/grub2/grub.cfg
test ! -e /boot/grub
rm -rf /var/log/journal/*
sync
"""


def ensure_fedora_like(reporter: Reporter) -> Path:
    """Return the base disk (qcow2), made if the cache lacks it. Needs root."""
    ensure_packages(TOOLS, reporter=reporter)
    mirror = read_mirror()
    sources = sources_for(mirror, SPEC.suite)
    newer = f"deb {mirror.main} {NEWER_GRUB_SUITE} main"
    made_by = b"".join(
        Path(file).read_bytes() for file in (__file__, fedora_boot.__file__, fedora_stand_ins.__file__)
    )
    own_key = ssh_key().with_suffix(".pub").read_bytes()
    key = SPEC.key(made_by, own_key, repr((sources, newer)).encode())
    image = lab_dir() / f"fedora-like-{key}.qcow2"
    with one_at_a_time():
        if not image.exists():
            with reporter.stage("making the lab's disk with Fedora's lay-out"), _folder() as tmp:
                _make(sources, newer, Path(tmp), image, reporter)
        os.utime(image)  # used now: see prune_images
        prune_images(time.time())
    return image


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=lab_dir())


def _make(sources: list[str], newer: str, tmp: Path, image: Path, reporter: Reporter) -> None:
    tar, raw, grub, root = tmp / "root.tar", tmp / "disk.raw", tmp / "grub", tmp / "root"
    with reporter.stage("mmdebstrap"):
        run(mmdebstrap_argv(SPEC, tar, sources))
        run(newer_grub_argv(grub, newer))
    with reporter.stage("disk"), ExitStack() as stack:
        run(["truncate", f"--size={SPEC.size}", raw])
        run(["sfdisk", "--quiet", raw], stdin=PARTITIONS)
        fstab = ""
        for place, start, size in (
            ("/", FIRST_SECTOR + BOOT_SECTORS, 0),
            ("/boot", FIRST_SECTOR, BOOT_SECTORS),
        ):
            found = str(uuid.uuid4())
            device = stack.enter_context(partition(raw, start, size))
            run(["mkfs.ext4", "-q", "-U", found, device])
            stack.enter_context(mounted(device, root / place.lstrip("/")))
            fstab += f"UUID={found} {place} ext4 defaults 1 1\n"
        run(["tar", "--extract", f"--file={tar}", f"--directory={root}", "--numeric-owner", "--xattrs"])
        tar.unlink()
        _configure(root, fstab)
        _install_grub(root, grub, raw)
    with reporter.stage("first boot"):
        part = tmp / "disk.qcow2"
        run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, part])
        raw.unlink()
        _first_boot(tmp)
    os.replace(part, image)


def newer_grub_argv(folder: Path, source: str) -> list[str]:
    """Return the command that unpacks the newer GRUB and what it runs on below `folder`; nothing is configured."""
    return [
        "mmdebstrap", "--mode=root", "--variant=extract", f"--include={NEWER_GRUB}", f"--keyring={KEYRING}",
        '--aptopt=Acquire::Check-Valid-Until "false"', NEWER_GRUB_SUITE, os.fspath(folder), source,
    ]  # fmt: skip


def _configure(root: Path, fstab: str) -> None:
    def put(path: str, text: str, mode: int = 0o644) -> None:
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    for path, text in {**fedora_boot.FILES, **FILES}.items():
        put(path, text, 0o755 if text.startswith("#!") else 0o644)
    for path, text in fedora_boot.PROGRAMS.items():
        put(path, text, 0o755)
    put("/etc/fstab", fstab)
    put("/etc/hostname", f"{SPEC.hostname}\n")
    put("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {SPEC.hostname}\n::1 localhost\n")
    put("/etc/machine-id", f"{fedora_boot.MACHINE_ID}\n", 0o444)
    put("/root/.ssh/authorized_keys", ssh_key().with_suffix(".pub").read_text(), 0o600)
    (root / "root/.ssh").chmod(0o700)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    put("/tmp/base.spec", fedora_stand_ins.stand_in_spec(PROVIDES))  # noqa: S108 -- on the lab machine
    root_uuid = fstab.partition(" ")[0].removeprefix("UUID=")
    script = f"ROOT_UUID={root_uuid}\n{fedora_boot.LAY_OUT}{DATABASE}{REMOVE}"
    run(["chroot", root, "bash", "-e"], stdin=script)


def _install_grub(root: Path, grub: Path, raw: Path) -> None:
    """Put the newer GRUB's modules where Fedora has them, and its core into the gap before the first partition."""
    modules = grub / "usr/lib/grub/i386-pc"
    for place in ("usr/lib/grub/i386-pc", "boot/grub2/i386-pc"):
        shutil.copytree(modules, root / place)
    for name in ("lib", "lib64"):
        # Of a package that is not unpacked; the loader of grub-mkimage is named by it.
        (grub / name).symlink_to(f"usr/{name}")
    run(["chroot", grub, "/usr/bin/grub-mkimage", "--format=i386-pc", "--output=/core.img", "--prefix=(hd0,msdos1)/grub2",
         "biosdisk", "part_msdos", "ext2"])  # fmt: skip
    shutil.copy(grub / "core.img", root / "boot/grub2/i386-pc")
    install_boot_code(raw, (modules / "boot.img").read_bytes(), (grub / "core.img").read_bytes())


def _first_boot(folder: Path) -> None:
    """Boot once by the kernel's own file, and let the machine's own grub2-mkconfig have the last word."""
    with Machine(folder / "none", name="first-boot", folder=folder) as machine:
        machine.succeed("bash -e", stdin=FIRST_BOOT)
        machine.execute("systemctl is-system-running --wait")  # what starts late is done by now
        assert machine.succeed("systemctl --failed --no-legend") == ""
        machine.shut_down()

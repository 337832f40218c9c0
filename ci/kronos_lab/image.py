"""The base disks: Debian releases as their installers leave them, without Xen.

GRUB for BIOS in a DOS partition table, one ext4 root by UUID, ifupdown with a single
hot-pluggable NIC by DHCP, an ssh server. Made natively in a chroot, kept by the hash of
all that went into it; machines boot overlays of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_lab.cache import lab_dir, ssh_key
from kronos_lab.machine import Machine
from kronos_lab.raw_disk import FIRST_SECTOR, install_boot_code, mounted, partition
from xapi_shim.base.apt_sources import KEYRING, read_mirror, sources_for
from xapi_shim.base.errors import KronosError
from xapi_shim.base.held_lock import held_lock
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xapi_shim.base.progress import Reporter

TOOLS = (
    "mmdebstrap", "qemu-system-x86", "qemu-utils", "e2fsprogs", "fdisk", "openssh-client", "util-linux",
    "debian-archive-keyring", "busybox-static", "cpio", "mount",
)  # fmt: skip
PACKAGES = (
    "linux-image-amd64", "grub-pc", "ifupdown", "openssh-server", "systemd-sysv", "dbus",
    "ca-certificates", "iproute2", "iputils-ping", "kmod", "udev", "procps", "less", "nano", "rsyslog", "cron",
    "logrotate", "systemd-timesyncd", "libpam-systemd", "apt-utils", "tzdata", "kbd", "initramfs-tools", "zstd",
)  # fmt: skip
SIZE = "8G"
NIC = "enp0s3"
UNUSED_S = 14 * 24 * 3600

INTERFACES = f"""\
# This file describes the network interfaces available on your system
# and how to activate them. For more information, see interfaces(5).

source /etc/network/interfaces.d/*

# The loopback network interface
auto lo
iface lo inet loopback

# The primary network interface
allow-hotplug {NIC}
iface {NIC} inet dhcp
"""
GRUB_DEFAULTS = """\
# If you change this file, run 'update-grub' afterwards to update
# /boot/grub/grub.cfg.

GRUB_DEFAULT=0
GRUB_TIMEOUT=1
GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200n8"
GRUB_TERMINAL="console serial"
GRUB_SERIAL_COMMAND="serial --speed=115200 --unit=0 --word=8 --parity=no --stop=1"
"""
FIRST_GRUB = """\
search --no-floppy --fs-uuid --set=root {uuid}
linux /vmlinuz root=UUID={uuid} ro console=ttyS0,115200n8
initrd /initrd.img
boot
"""


@dataclass(frozen=True)
class ImageSpec:
    """All that decides what the disk holds."""

    suite: str = "bookworm"
    packages: tuple[str, ...] = (*PACKAGES, "isc-dhcp-client")
    interfaces: str = INTERFACES
    grub: str = GRUB_DEFAULTS
    size: str = SIZE
    hostname: str = "kronos-lab"

    def key(self, *others: bytes) -> str:
        """Return the name of an image made from this and `others` (code, key, sources)."""
        digest = hashlib.sha256(repr(asdict(self)).encode())
        for other in others:
            digest.update(hashlib.sha256(other).digest())
        return digest.hexdigest()[:16]


# By the names of the factory's targets; what each release's installer brings for DHCP differs.
RELEASES = {
    "debian-12": ImageSpec(),
    "debian-13": ImageSpec(suite="trixie", packages=(*PACKAGES, "dhcpcd-base")),
}


def release_spec(release: str) -> ImageSpec:
    """Return the disk of a release. Raises KronosError naming those there are."""
    try:
        return RELEASES[release]
    except KeyError:
        raise KronosError(f"the lab has no {release}", resolution=f"it has: {', '.join(RELEASES)}") from None


def ensure_image(reporter: Reporter, spec: ImageSpec | None = None) -> Path:
    """Return the base disk (qcow2) of `spec`, made if the cache lacks it. Needs root."""
    ensure_packages(TOOLS, reporter=reporter)
    spec = spec or ImageSpec()
    sources = sources_for(read_mirror(), spec.suite)
    own_key = ssh_key().with_suffix(".pub").read_bytes()
    key = spec.key(Path(__file__).read_bytes(), own_key, repr(sources).encode())
    image = lab_dir() / f"{spec.suite}-{key}.qcow2"
    with one_at_a_time():
        if not image.exists():
            with (
                reporter.stage(f"making the lab's {spec.suite} disk"),
                tempfile.TemporaryDirectory(dir=lab_dir()) as tmp,
            ):
                _make(spec, sources, Path(tmp), image, reporter)
        os.utime(image)  # used now: see prune_images
        prune_images(time.time())
    return image


def prune_images(now_s: float, unused_s: float = UNUSED_S) -> list[Path]:
    """Remove base disks that nobody asked for in `unused_s` seconds before `now_s`; return them.

    A machine that is kept needs the disk that it was made from.
    """
    states = lab_dir().glob("machines/*/machine.json")
    needed = {json.loads(state.read_text())["base"] for state in states}
    old = [
        path
        for path in lab_dir().glob("*.qcow2")
        if path.stat().st_mtime < now_s - unused_s and os.fspath(path) not in needed
    ]
    for path in old:
        path.unlink()
    return sorted(old)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second builder wait for the first one's disk instead of making the same."""
    with held_lock(lab_dir() / "image.lock", make=True):
        yield


def _make(spec: ImageSpec, sources: list[str], tmp: Path, image: Path, reporter: Reporter) -> None:
    tar, raw = tmp / "root.tar", tmp / "disk.raw"
    with reporter.stage("mmdebstrap"):
        run(mmdebstrap_argv(spec, tar, sources))
    with reporter.stage("disk"), ExitStack() as stack:
        run(["truncate", f"--size={spec.size}", raw])
        run(["sfdisk", "--quiet", raw], stdin=f"label: dos\nstart={FIRST_SECTOR}, type=83, bootable\n")
        loop = stack.enter_context(partition(raw, FIRST_SECTOR))
        root_uuid = str(uuid.uuid4())
        run(["mkfs.ext4", "-q", "-U", root_uuid, loop])
        root = tmp / "root"
        stack.enter_context(mounted(loop, root))
        run(["tar", "--extract", f"--file={tar}", f"--directory={root}", "--numeric-owner", "--xattrs"])
        tar.unlink()
        _configure(spec, sources, root, root_uuid)
        _install_grub(root, raw, root_uuid)
    with reporter.stage("qcow2"):
        part = tmp / "disk.qcow2"
        run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, part])
        raw.unlink()
    with reporter.stage("first boot"):
        _first_boot(tmp)
    os.replace(part, image)


def mmdebstrap_argv(spec: ImageSpec, tar: Path, sources: list[str]) -> list[str]:
    """Return the command that makes the root's tar."""
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=important",
        f"--include={','.join(spec.packages)}",
        f"--keyring={KEYRING}",
        '--aptopt=Acquire::Languages "none"',
        spec.suite,
        os.fspath(tar),
        *sources,
    ]


def _configure(spec: ImageSpec, sources: list[str], root: Path, root_uuid: str) -> None:
    def put(path: str, text: str, mode: int = 0o644) -> None:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    put("etc/fstab", f"UUID={root_uuid} / ext4 errors=remount-ro 0 1\n")
    put("etc/network/interfaces", spec.interfaces)
    put("etc/default/grub", spec.grub)
    put("etc/hostname", f"{spec.hostname}\n")
    put("etc/hosts", f"127.0.0.1\tlocalhost\n127.0.1.1\t{spec.hostname}\n::1\tlocalhost ip6-localhost\n")
    put("etc/machine-id", "")
    (root / "var/lib/dbus/machine-id").unlink(missing_ok=True)
    put("root/.ssh/authorized_keys", ssh_key().with_suffix(".pub").read_text(), 0o600)
    (root / "root/.ssh").chmod(0o700)
    resolv = root / "etc/resolv.conf"
    resolv.unlink(missing_ok=True)
    resolv.write_text("nameserver 10.0.2.3\n")
    apt = root / "etc/apt/sources.list"
    apt.write_text("".join(f"{line}\n" for line in sources))
    for extra in (root / "etc/apt/sources.list.d").glob("*"):
        extra.unlink()


def _install_grub(root: Path, raw: Path, root_uuid: str) -> None:
    """Put a GRUB into the gap before the first partition that is good for the first boot.

    grub-install needs device nodes for the partitions of a loop device, which kernels
    without DOS partition support do not make. grub-mkimage needs nothing of this host's
    /dev, /proc or /sys, so none of them is mounted where a failure might leave it to be
    removed.
    """
    modules = root / "usr/lib/grub/i386-pc"
    shutil.copytree(modules, root / "boot/grub/i386-pc")
    run(["chroot", root, "grub-mkimage", "--format=i386-pc", "--output=/boot/grub/i386-pc/core.img",
         "--prefix=(hd0,msdos1)/boot/grub", "biosdisk", "part_msdos", "ext2"])  # fmt: skip
    (root / "boot/grub/grub.cfg").write_text(FIRST_GRUB.format(uuid=root_uuid))
    core = (root / "boot/grub/i386-pc/core.img").read_bytes()
    install_boot_code(raw, (modules / "boot.img").read_bytes(), core)


def _first_boot(folder: Path) -> None:
    """Boot once and let the machine's own grub-install and update-grub have the last word."""
    machine = Machine(base=folder / "none", name="first-boot", folder=folder)
    with machine:
        machine.succeed("grub-install /dev/vda && update-grub")
        machine.succeed("grep -q menuentry /boot/grub/grub.cfg")
        machine.execute("systemctl is-system-running --wait")  # what starts late is done by now
        assert machine.succeed("systemctl --failed --no-legend") == ""
        # Every machine made from this disk is itself (machine-id(5)) and writes its own journal.
        machine.succeed("truncate --size=0 /etc/machine-id && rm -rf /var/log/journal/* && sync")
        machine.shut_down()

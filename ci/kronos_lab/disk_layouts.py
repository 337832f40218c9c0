"""Disks of other lay-outs than the plain one: made on a lab machine by the release's own tools.

A machine of a plain disk gets an empty second one, partitions it, copies itself there and installs GRUB:
this host needs neither device mapper nor a FAT file system.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_lab.cache import lab_dir
from kronos_lab.image import SIZE, one_at_a_time
from kronos_lab.installed import APT_GET
from kronos_lab.machine import OVMF_CODE, Machine
from kronos_lab.rows import Disk
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from xapi_shim.base.progress import Reporter

_COPY = """\
cp -ax /. /mnt
mkdir -p /mnt/dev /mnt/proc /mnt/sys
for place in dev proc sys; do mount --bind /$place /mnt/$place; done
"""
_END = """\
chroot /mnt update-grub
truncate --size=0 /mnt/etc/machine-id
rm -rf /mnt/var/log/journal/*
umount -R /mnt
sync
"""
_SCRIPTS = {
    Disk.UEFI: f"""\
{APT_GET} grub-efi-amd64-bin dosfstools
printf 'label: gpt\\nstart=2048, size=128MiB, type=U\\ntype=L\\n' | sfdisk --quiet /dev/vdb
mkfs.vfat -F 32 /dev/vdb1 >/dev/null
mkfs.ext4 -q /dev/vdb2
mount /dev/vdb2 /mnt
mkdir -p /mnt/boot/efi
{_COPY}
mkdir -p /mnt/boot/efi
mount /dev/vdb1 /mnt/boot/efi
echo "UUID=$(blkid -s UUID -o value /dev/vdb2) / ext4 errors=remount-ro 0 1" > /mnt/etc/fstab
echo "UUID=$(blkid -s UUID -o value /dev/vdb1) /boot/efi vfat umask=0077 0 1" >> /mnt/etc/fstab
DEBIAN_FRONTEND=noninteractive chroot /mnt apt-get install -y -q grub-efi-amd64
chroot /mnt grub-install --target=x86_64-efi --efi-directory=/boot/efi --removable --no-nvram
{_END}""",
    Disk.LVM: f"""\
{APT_GET} lvm2
printf 'label: dos\\nstart=2048, type=8e, bootable\\n' | sfdisk --quiet /dev/vdb
# LVM knows devices by what udev has seen of them.
udevadm settle
pvcreate -q /dev/vdb1
vgcreate -q lab /dev/vdb1
lvcreate -q -y -L 6G -n root lab
mkfs.ext4 -q /dev/lab/root
mount /dev/lab/root /mnt
{_COPY}
echo "/dev/mapper/lab-root / ext4 errors=remount-ro 0 1" > /mnt/etc/fstab
chroot /mnt update-initramfs -u
chroot /mnt grub-install /dev/vdb
{_END}vgchange -q -an lab
""",
}

# Room for a storage repository beside the root's volume.
_SIZES = {Disk.LVM: "14G"}


def ensure_layout(reporter: Reporter, plain: Path, disk: Disk) -> Path:
    """Return a disk with all that is on `plain` and the lay-out, made if the cache lacks it. Needs root."""
    if disk is Disk.PLAIN:
        return plain
    ensure_packages(["ovmf"], reporter=reporter)
    assert OVMF_CODE.exists()
    made_of = f"{plain.name}{_SCRIPTS[disk]}{_SIZES.get(disk, '')}"
    key = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    image = lab_dir() / f"{disk.name.lower()}-{key}.qcow2"
    with one_at_a_time():
        if not image.exists():
            with reporter.stage(f"making a lab disk: {disk}"), _folder() as tmp:
                _make(plain, disk, Path(tmp), image)
    os.utime(image)  # see image.prune_images
    return image


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=lab_dir())


def _make(plain: Path, disk: Disk, folder: Path, image: Path) -> None:
    made = folder / "second.qcow2"
    run(["qemu-img", "create", "-q", "-f", "qcow2", made, _SIZES.get(disk, SIZE)])
    with Machine(plain, name=f"make-{disk.name.lower()}", folder=folder / "m", second_disk=made) as machine:
        machine.succeed("apt-get update -q")
        machine.succeed("bash -e", stdin=_SCRIPTS[disk], timeout_s=3600)
        machine.shut_down()
    os.replace(made, image)

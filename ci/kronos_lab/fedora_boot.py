"""Fedora's lay-out of a boot by GRUB, on a root of Debian's: what of it is Debian's program under Fedora's name.

/boot is a partition of its own, kernels have files of their own in /boot/loader/entries, GRUB's files are in
/boot/grub2, its programs are called grub2-..., and nothing of Debian's own lay-out is left to fall back to.
Facts: Fedora's documentation of GRUB 2 and the Boot Loader Specification.
"""

from __future__ import annotations

RELEASE = "44"
OS_RELEASE = f"""\
NAME="Fedora Linux"
VERSION="{RELEASE} (stand-in)"
ID=fedora
VERSION_ID={RELEASE}
PRETTY_NAME="Fedora Linux {RELEASE} (stand-in)"
PLATFORM_ID="platform:f{RELEASE}"
"""
# As it was when the system was installed: the names of the kernels' entries begin with it (machine-id(5)).
MACHINE_ID = "5f1d3c7e9b2a4846a0c4e1f27d8b6935"
CONSOLES = "console=tty0 console=ttyS0,115200n8"
GRUB_DEFAULTS = f"""\
GRUB_TIMEOUT=1
GRUB_DISTRIBUTOR="$(sed 's, release .*$,,g' /etc/system-release)"
GRUB_DEFAULT=saved
GRUB_DISABLE_SUBMENU=true
GRUB_TERMINAL="console serial"
GRUB_SERIAL_COMMAND="serial --speed=115200 --unit=0 --word=8 --parity=no --stop=1"
GRUB_CMDLINE_LINUX="{CONSOLES}"
GRUB_DISABLE_RECOVERY="true"
GRUB_ENABLE_BLSCFG=true
"""
# The part of the menu that has the kernels: GRUB reads their files itself, whenever it starts.
TEN_LINUX = """\
#!/bin/sh
set -e
. "$pkgdatadir/grub-mkconfig_lib"
[ "$GRUB_ENABLE_BLSCFG" = true ] || { echo "this stand-in knows kernels by their files only" >&2; exit 1; }
prepare_grub_to_access_device "$GRUB_DEVICE_BOOT"
echo "insmod blsuki"
echo "blscfg"
"""
# The block is in its place where none is named; the program's own is Debian's.
EDITENV = """\
#!/bin/sh
case ${1:-} in
-) shift; set -- /boot/grub2/grubenv "$@" ;;
create | list | set | unset) set -- /boot/grub2/grubenv "$@" ;;
esac
exec /usr/libexec/grub-editenv "$@"
"""
# Fedora 42 and later: one folder of programs.
MERGE_SBIN = """\
cp --archive --update=none /usr/sbin/. /usr/bin/
rm -rf /usr/sbin
ln -s bin /usr/sbin
"""
RENAME_GRUB = r"""
cd /usr/bin
adapt='s/\bgrub-(probe|editenv|file|script-check|mkrelpath|mkconfig)\b/grub2-\1/g; s,/boot/grub\b,/boot/grub2,g
s,"\$\{bootdir\}/grub","${bootdir}/grub2",'
sed -E -i "$adapt" /usr/share/grub/grub-mkconfig_lib /etc/grub.d/[0-9]*
for name in reboot set-default mkconfig; do
    sed -E "$adapt" grub-$name >grub2-$name
    chmod 755 grub2-$name
done
# Fedora's reads no /etc/default/grub.d, and knows this option.
sed -E -i '/^for x in .*grub\.d\/\*\.cfg/,/^done/d; s/^    -h \| --help\)/    --no-grubenv-update) ;;\n&/' grub2-mkconfig
sed -i 's/^export GRUB_DEFAULT /export GRUB_ENABLE_BLSCFG GRUB_DEFAULT /' grub2-mkconfig
grep -q no-grubenv-update grub2-mkconfig
! grep -q 'default/grub.d' grub2-mkconfig
for name in probe file script-check mkrelpath; do mv grub-$name grub2-$name; done
mv grub-editenv /usr/libexec/grub-editenv
rm -rf grub-* update-grub* /boot/grub /etc/default/grub.d /etc/kernel /etc/grub.d/05_debian_theme /etc/grub.d/25_bli
"""
KERNEL = f"""
version=$(ls /lib/modules)
mv /boot/initrd.img-$version /boot/initramfs-$version.img
rm -f /initrd.img* /vmlinuz* /boot/initrd.img /boot/vmlinuz
mkdir -p /boot/loader/entries
cat >/boot/loader/entries/{MACHINE_ID}-$version.conf <<END
title Fedora Linux ($version) {RELEASE} (stand-in)
version $version
linux /vmlinuz-$version
initrd /initramfs-$version.img
options root=UUID=$ROOT_UUID ro {CONSOLES}
grub_users \\$grub_users
grub_arg --unrestricted
grub_class fedora
END
grub2-editenv /boot/grub2/grubenv create
grub2-editenv - set saved_entry={MACHINE_ID}-$version boot_success=1
"""
# What the machine boots by until it has made its own menu.
FIRST_MENU = """\
set timeout=0
set root=(hd0,msdos1)
insmod blsuki
blscfg
"""
LAY_OUT = "\n".join((MERGE_SBIN, RENAME_GRUB, KERNEL))
FILES = {
    "/usr/lib/os-release": OS_RELEASE,
    "/etc/system-release": f"Fedora Linux release {RELEASE} (stand-in)\n",
    "/etc/default/grub": GRUB_DEFAULTS,
    "/boot/grub2/grub.cfg": FIRST_MENU,
}
PROGRAMS = {"/etc/grub.d/10_linux": TEN_LINUX, "/usr/bin/grub2-editenv": EDITENV}

"""The lab's guest: a kernel of the machine's own and an initrd of one static busybox and a few modules.

It says hello on its console, tells what it sees of its disk and network, answers pings,
and does what the console tells it: ping, look, online, poweroff, reboot, crash.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kronos_lab.installed import APT_GET

if TYPE_CHECKING:
    from kronos_lab.machine import Machine

MODULES = ("xen-blkfront", "xen-netfront")
FOLDER = "/boot/guest"
KERNEL, INITRD = f"{FOLDER}/vmlinuz", f"{FOLDER}/guest.img"

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /sbin /usr/bin /usr/sbin /etc
/bin/busybox --install -s
# The kernel runs these when the toolstack asks for a clean shutdown; there is no init to talk to.
for verb in poweroff reboot; do
    rm -f /bin/$verb /sbin/$verb /usr/bin/$verb /usr/sbin/$verb
    printf '#!/bin/busybox sh\\nexec /bin/busybox %s -f\\n' $verb >/sbin/$verb
    chmod 755 /sbin/$verb
done
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec </dev/hvc0 >/dev/hvc0 2>&1
for module in /modules/*; do insmod "$module"; done
word() { for pair in $(cat /proc/cmdline); do case $pair in "$1"=*) echo "${pair#*=}";; esac; done; }
name=$(word name)
for n in 1 2 3 4 5 6 7 8 9 10; do [ -e /sys/block/xvda ] && [ -e /sys/class/net/eth0 ] && break; sleep 1; done
if [ -e /sys/block/xvda ]; then
    echo "stamp-$name" | dd of=/dev/xvda bs=512 count=1 conv=sync 2>/dev/null
    sync
    echo 3 >/proc/sys/vm/drop_caches
    echo "KRONOS-GUEST-DISK $(cat /sys/block/xvda/size) $(dd if=/dev/xvda bs=512 count=1 2>/dev/null | head -n 1)"
fi
ip=$(word ip)
if [ -n "$ip" ] && [ -e /sys/class/net/eth0 ]; then
    ifconfig lo 127.0.0.1 up
    ifconfig eth0 "$ip" netmask 255.255.255.0 up
    echo "KRONOS-GUEST-IP $ip"
fi
echo "KRONOS-GUEST-HELLO $name $(uname -r)"
while read -r line; do
    case $line in
    ping) echo KRONOS-GUEST-PONG ;;
    look)
        disks= nics=
        for disk in /sys/block/xvd*; do [ -e "$disk/size" ] && disks="$disks${disk##*/}:$(cat "$disk/size"),"; done
        for nic in /sys/class/net/eth*; do [ -e "$nic" ] && nics="$nics${nic##*/},"; done
        set -- $(grep MemTotal /proc/meminfo)
        echo "KRONOS-GUEST-SEES disks=$disks nics=$nics cpus=$(cat /sys/devices/system/cpu/online) kib=$2 end"
        ;;
    online) for cpu in /sys/devices/system/cpu/cpu*/online; do echo 1 >"$cpu"; done ;;
    poweroff) /sbin/poweroff ;;
    reboot) /sbin/reboot ;;
    crash) echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger ;;
    esac
done
while :; do sleep 60; done
"""

# Built on the machine itself, from its own kernel's modules and a static busybox copied there.
BUILD = f"""\
set -e
work=$(mktemp -d)
mkdir -p {FOLDER} $work/bin $work/modules $work/dev
install -m 755 /tmp/busybox $work/bin/busybox
install -m 755 /tmp/guest-init $work/init
number=10
for module in {" ".join(MODULES)}; do
    modprobe --show-depends $module | while read -r verb path rest; do
        [ "$verb" = insmod ] || continue
        base=$(basename "$path")
        [ -n "$(find $work/modules -name "*-$base")" ] || cp "$path" "$work/modules/$(ls $work/modules | wc -l)-$base"
    done
done
mknod $work/dev/console c 5 1
(cd $work && find . | cpio --quiet -o -H newc | gzip -1) > {INITRD}
cp /boot/vmlinuz-$(uname -r) {KERNEL}
rm -rf $work
"""


def install_guest(machine: Machine) -> None:
    """Put the guest's kernel and initrd below /boot/guest of a lab machine (needs cpio there)."""
    machine.succeed(f"command -v cpio >/dev/null || {APT_GET} cpio")
    machine.succeed("cat > /tmp/guest-init", stdin=INIT)
    machine.copy_to([Path("/bin/busybox")], "/tmp/busybox")  # noqa: S108 -- on the lab machine
    machine.succeed(BUILD)

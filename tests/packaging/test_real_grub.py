"""The boot steps with the distro's own grub-mkconfig, its scripts, grub-reboot and grub-editenv.

In a mount namespace, /boot and /etc/default are folders of the test's. Only grub-probe, which looks for real
disks, is one of ours.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from xapi_shim.base.process import run

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs a mount namespace"),
    pytest.mark.skipif(
        shutil.which("grub-mkconfig") is None, reason="grub-common and grub2-common are not installed"
    ),
]

REPO = Path(__file__).parents[2]
UUID = "7e0f7c50-9f0b-4f4f-9a55-66b0a2b2b7a1"
PROBE = f"""\
#!/bin/sh
case "$*" in
    *target=device*) echo /dev/vda1 ;;
    *target=fs_uuid*) echo {UUID} ;;
    *target=fs*) echo ext2 ;;
    *target=partmap*) echo msdos ;;
    *hint*) echo hd0,msdos1 ;;
esac
"""
# Debian's: Xen is the default as soon as it is installed.
XEN_CFG = """\
XEN_OVERRIDE_GRUB_DEFAULT=1
GRUB_DEFAULT="GNU/Linux, with Xen hypervisor"
"""
DEFAULTS = """\
GRUB_DEFAULT=0
GRUB_TIMEOUT=1
GRUB_DISABLE_OS_PROBER=true
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX=""
"""
IN_PLACE = """\
mount --bind "$1/probe" "$(command -v grub-probe)"
mount --bind "$1/boot" /boot
mount --bind "$1/default" /etc/default
cp -a /etc/grub.d "$1/grub.d"
mount --bind "$1/grub.d" /etc/grub.d
mount --bind "$1/lib" /var/lib
grub-mkconfig -o /boot/grub/grub.cfg
grub-editenv /boot/grub/grubenv create
exec "$2" "$3"
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    files = {
        "probe": PROBE, "default/grub": DEFAULTS, "default/grub.d/xen.cfg": XEN_CFG, "boot/grub/.keep": "", "lib/.keep": "",
        "boot/vmlinuz-6.1.0-56-amd64": "a kernel", "boot/initrd.img-6.1.0-56-amd64": "a ramdisk",
        "boot/config-6.1.0-56-amd64": "CONFIG_XEN_DOM0=y\n", "boot/xen-4.17-amd64.gz": "a hypervisor",
    }  # fmt: skip
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "probe").chmod(0o755)
    return tmp_path


def test_grubs_own_programs_boot_xen_once_then_for_good_then_never(machine: Path) -> None:
    driver = REPO / "tests/packaging/grub_driver.py"
    roots = {"PYTHONPATH": ":".join(str(REPO / room) for room in (".", "packaging", "installer", "ci"))}
    argv = ["unshare", "-m", "sh", "-e", "-s", str(machine), sys.executable, str(driver)]
    said = json.loads(run(argv, stdin=IN_PLACE, env=roots, timeout_s=60).stdout)
    linux, xen = f"gnulinux-simple-{UUID}", f"xen-gnulinux-simple-{UUID}"
    assert [(said[stage]["default"], said[stage]["once"]) for stage in ("before", "tried", "settled", "rolled_back")] == [
        (xen, ""), (linux, xen), (xen, ""), (xen, ""),
    ]  # fmt: skip
    assert "dom0_mem=1536M,max:1536M dom0_max_vcpus=1" in said["tried"]["lines"]
    assert "quiet panic=60 rd.shell=0 rd.emergency=reboot" in said["tried"]["lines"]
    assert "panic=" not in said["settled"]["lines"]
    # GRUB's own, where what it should boot cannot be loaded (GRUB manual, "fallback").
    stages = ("before", "tried", "settled", "rolled_back")
    assert [said[stage]["fallback"] for stage in stages] == ["", "0", "0", ""]
    assert said["same"] is True
    assert not (machine / "grub.d/09_xapi").exists()
    assert not list((machine / "default/grub.d").glob("z*"))

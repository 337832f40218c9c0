"""Boot loaders, firmwares, kernels and processors as distributions and operators have them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from installer_kit import FakeCommands, make_fedora, make_host, put, start_xen

from kronos_installer.boot_checks import boot_problems
from kronos_installer.boot_steps import fallback
from kronos_installer.checks import check
from kronos_installer.detect.bls import parse_bls, read_bls
from kronos_installer.detect.grub import read_grub
from kronos_installer.facts import Facts, facts_record, parse_xl_info, read_facts
from kronos_installer.grub_menu import parse_menu
from kronos_installer.packages import release_problems
from kronos_installer.wishes import Wishes

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

VARIABLES = "/sys/firmware/efi/efivars"
LOADER_INFO = f"{VARIABLES}/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
WISHES = Wishes("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


def put_bytes(host: Host, path: str, content: bytes) -> None:
    host.at(path).parent.mkdir(parents=True, exist_ok=True)
    host.at(path).write_bytes(content)


def facts(host: Host) -> Facts:
    return read_facts(host, host.runner)


def problems(host: Host) -> dict[str, str]:
    return {problem.id: problem.diagnosis for problem in boot_problems(facts(host))}


def start_by(host: Host, file: str) -> None:
    """Have the firmware start a file by its option 3."""
    node = (file + "\0").encode("utf-16-le")
    path = b"\x04\x04" + (4 + len(node)).to_bytes(2, "little") + node + b"\x7f\xff\x04\x00"
    option = b"\x01\0\0\0" + len(path).to_bytes(2, "little") + "x\0".encode("utf-16-le") + path
    put_bytes(host, f"{VARIABLES}/BootCurrent-{GLOBAL}", b"\6\0\0\0\3\0")
    put_bytes(host, f"{VARIABLES}/Boot0003-{GLOBAL}", b"\7\0\0\0" + option)


# --- firmware ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loader", "refused"), [
    ("GRUB 2.12-9", False), ("GRUB 2.14", False), ("systemd-boot 257.8-1", True), ("rEFInd 0.14.2", True), ("", False),
])  # fmt: skip
def test_grub_too_says_who_it_is(host: Host, loader: str, refused: bool) -> None:
    """GRUB has done so since 2.12: Debian 13, Ubuntu 24.04, Fedora 44."""
    put_bytes(host, LOADER_INFO, b"\6\0\0\0" + (loader + "\0").encode("utf-16-le"))
    assert ("boot-loader-other" in problems(host)) is refused
    assert facts_record(facts(host))["boot"]["efi_loader"] == loader


@pytest.mark.parametrize(("file", "known"), [
    ("\\EFI\\debian\\shimx64.efi", True), ("\\EFI\\fedora\\grubx64.efi", True), ("\\EFI\\BOOT\\BOOTX64.EFI", True),
    ("\\EFI\\Linux\\debian-6.12.48.efi", False), ("\\vmlinuz-linux", False), ("\\EFI\\Microsoft\\Boot\\bootmgfw.efi", False),
])  # fmt: skip
def test_the_file_that_the_firmware_started_shows_whether_it_is_grub(
    host: Host, file: str, known: bool
) -> None:
    start_by(host, file)
    assert ("boot-loader-unknown" not in problems(host)) is known
    put_bytes(host, LOADER_INFO, b"\6\0\0\0" + "GRUB 2.12\0".encode("utf-16-le"))
    assert "boot-loader-unknown" not in problems(host)


@pytest.mark.parametrize(("line", "known"), [
    ("BOOT_IMAGE=/boot/vmlinuz-6.1.0-56-amd64 root=UUID=1 ro", True), ("BOOT_IMAGE=(hd0,gpt2)/vmlinuz-6 root=UUID=1", True),
    ("console=ttyS0 root=/dev/vda1 rw", False), ("initrd=\\EFI\\Linux\\initrd.img root=UUID=1", False),
])  # fmt: skip
def test_a_kernel_that_grub_started_was_told_its_file(host: Host, line: str, known: bool) -> None:
    """A virtual machine's host may start the kernel itself; GRUB and what is set up for it then never runs."""
    put(host, "/proc/cmdline", f"{line}\n")
    assert problems(host).get("boot-loader-unknown") == (None if known else "/proc/cmdline:1")
    start_xen(host)
    assert "boot-loader-unknown" not in problems(host)


def test_secure_boot_is_not_known_where_no_variable_is_seen(host: Host) -> None:
    assert facts_record(facts(host))["secure_boot"] is False  # BIOS
    host.at(VARIABLES).mkdir(parents=True)
    assert facts_record(facts(host))["secure_boot"] is None
    assert problems(host)["secure-boot-unknown"].startswith(VARIABLES)
    put_bytes(host, f"{VARIABLES}/BootOrder-{GLOBAL}", b"\7\0\0\0")
    assert facts_record(facts(host))["secure_boot"] is False  # a firmware from before Secure Boot
    assert "secure-boot-unknown" not in problems(host)


# --- kernels ----------------------------------------------------------------------------------------------------------


def test_a_configuration_without_its_kernel_is_no_dom0(host: Host) -> None:
    put(host, "/boot/config-6.1.0-9-amd64", "CONFIG_XEN_DOM0=y\n")
    assert facts(host).machine.dom0_kernels == ("/boot/vmlinuz-6.1.0-56-amd64",)
    host.at("/boot/vmlinuz-6.1.0-56-amd64").unlink()
    assert "kernel-no-dom0" in problems(host)


@pytest.mark.parametrize(
    "config", ["# CONFIG_XEN_DOM0 is not set\n", "CONFIG_XEN_DOM0=m\n", "\x1f\x8b\x08", ""]
)
def test_a_kernel_that_does_not_say_so_is_no_dom0(host: Host, config: str) -> None:
    put(host, "/boot/config-6.1.0-56-amd64", config)
    assert facts(host).machine.dom0_kernels == ()


def test_links_beside_xen_are_no_xen(host: Host) -> None:
    """Fedora has them, and GRUB's script passes them over."""
    host.at("/boot/xen-4.gz").symlink_to("xen-4.17-amd64.gz")
    assert facts(host).machine.xen_images == ("/boot/xen-4.17-amd64.gz",)
    host.at("/boot/xen-4.17-amd64.gz").unlink()
    assert facts(host).machine.xen_images == ()
    assert "xen-missing" in problems(host)


# --- releases ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("release", "title"), [
    ('PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n', "debian is not supported"),
    ('ID="linuxmint"\nID_LIKE="ubuntu debian"\nVERSION_ID="22.3"\n', "linuxmint 22.3 is not supported"),
    ("ID=ubuntu-core\nVERSION_ID=24\n", "ubuntu-core 24 is not supported"),
    ('ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.6"\n', "almalinux 9.6 is not supported"),
    ("PRETTY_NAME='My \"own\" Linux'\n", 'My "own" Linux is not supported'), ("garbage", "this system is not supported"),
])  # fmt: skip
def test_relatives_of_a_release_are_not_that_release(host: Host, release: str, title: str) -> None:
    put(host, "/etc/os-release", release)
    assert [problem.title for problem in release_problems(facts(host))] == [title]


def test_a_system_that_is_an_image_takes_no_packages(tmp_path: Path) -> None:
    """Silverblue, CoreOS and IoT call themselves Fedora."""
    host = make_fedora(tmp_path)
    assert "os-image-based" not in [problem.id for problem in release_problems(facts(host))]
    put(host, "/run/ostree-booted", "")
    (problem,) = release_problems(facts(host))
    assert (problem.id, problem.diagnosis) == ("os-image-based", "/run/ostree-booted:1")


def test_memory_is_missed_whatever_else_is(host: Host) -> None:
    put(host, "/proc/meminfo", "MemFree: 5 kB\n")
    put(host, "/etc/network/interfaces", "no such keyword\n")
    found = facts(host)
    assert found.unreadable
    assert "memory-unknown" in [problem.id for problem in check(found, WISHES)[1]]


# --- GRUB's menu and defaults -----------------------------------------------------------------------------------------

NESTED = """\
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {{
	linux /boot/vmlinuz-2 ro
}}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-1' {{
	menuentry 'Debian GNU/Linux, with Linux 2' --class debian $menuentry_id_option 'gnulinux-2-advanced-1' {{
		linux /boot/vmlinuz-2 ro
	}}
	submenu "Older ones" --id older {{
		menuentry 'It'\\''s old' --id=old {{
			if [ x$grub_platform = xxen ]; then insmod xzio; fi
			linux /boot/vmlinuz-1 ro
		}}
	}}
}}
menuentry "One line" --id one {{ insmod ext2; linux /boot/vmlinuz-3 ro; boot }}
menuentry "Its brace is below" --id below
{{
	multiboot2 /boot/xen.gz
}}
{default}
"""


@pytest.mark.parametrize(("default", "title"), [
    ('set default="1>0"', "Debian GNU/Linux, with Linux 2"), ('set default="1>1>0"', "It's old"),
    ('set default="gnulinux-advanced-1>gnulinux-2-advanced-1"', "Debian GNU/Linux, with Linux 2"),
    ("set default='Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 2'", "Debian GNU/Linux, with Linux 2"),
    ("default=2", "One line"), ("set default=below", "Its brace is below"), ('set default="3"', "Its brace is below"),
    ('set default="$saved_entry"', "One line"), ('set default="${saved_entry}"', "One line"), ("set default=9", "Debian GNU/Linux"),
])  # fmt: skip
def test_what_boots_by_itself(default: str, title: str) -> None:
    entry = parse_menu(NESTED.format(default=default)).default_entry({"saved_entry": "one"})
    assert entry is not None
    assert entry.title == title


def test_entries_as_people_write_them() -> None:
    menu = parse_menu(NESTED.format(default=""))
    assert [(e.title, e.linux, e.xen) for e in menu.all_entries()] == [
        ("Debian GNU/Linux", "/boot/vmlinuz-2", ""), ("Debian GNU/Linux, with Linux 2", "/boot/vmlinuz-2", ""),
        ("It's old", "/boot/vmlinuz-1", ""), ("One line", "/boot/vmlinuz-3", ""),
        ("Its brace is below", "", "/boot/xen.gz"),
    ]  # fmt: skip


@pytest.mark.parametrize("menu", ["\0\1\2\ufffd" * 50, "menuentry 'x\n", "set timeout=5\n", "blscfg\n"])
def test_a_menu_without_entries_is_not_what_booted(host: Host, menu: str) -> None:
    """/boot may be a file system of its own that is not mounted, with old files below its mount point."""
    assert "grub-menu-empty" not in problems(host)
    put(host, "/boot/grub/grub.cfg", menu)
    assert problems(host)["grub-menu-empty"] == "/boot/grub/grub.cfg:1"


def test_the_operators_custom_menu_counts(host: Host) -> None:
    menu = host.read("/boot/grub/grub.cfg")
    assert facts_record(facts(host))["boot"]["default"] != "mine"
    put(
        host, "/boot/grub/custom.cfg", "set default=mine\nmenuentry 'Mine' --id mine {\n\tlinux /vmlinuz\n}\n"
    )
    block = "if [ -f  ${config_directory}/custom.cfg ]; then\n  source ${config_directory}/custom.cfg\nfi\n"
    put(host, "/boot/grub/grub.cfg", f"{menu}{block}")
    assert facts_record(facts(host))["boot"]["default"] == "mine"


# What Fedora's own scripts add; the words are grub.cfg's.
COUNTING = """\
### BEGIN /etc/grub.d/08_fallback_counting ###
insmod increment
if [ -n "${boot_counter}" -a "${boot_success}" = "0" ]; then
  if  [ "${boot_counter}" = "0" -o "${boot_counter}" = "-1" ]; then
    set default=1
    set boot_counter=-1
  else
    decrement boot_counter
  fi
  save_env boot_counter
fi
### END /etc/grub.d/08_fallback_counting ###
"""
HIDING = """\
### BEGIN /etc/grub.d/12_menu_auto_hide ###
if [ x$feature_timeout_style = xy ] ; then
  if [ "${menu_show_once}" ]; then
    set timeout_style=menu
    set timeout=60
  elif [ "${menu_auto_hide}" -a "${menu_hide_ok}" = "1" ]; then
    set timeout_style=hidden
    set timeout=1
  fi
fi
### END /etc/grub.d/12_menu_auto_hide ###
"""


def test_fedoras_own_scripts_change_the_default_and_the_menu_on_conditions(tmp_path: Path) -> None:
    host = make_fedora(tmp_path)
    put(host, "/boot/grub2/grubenv", "# GRUB Environment Block\n")
    before = facts_record(facts(host))["boot"]
    menu = host.read("/boot/grub2/grub.cfg").replace(
        "### BEGIN /etc/grub.d/10_linux", f"{COUNTING}### BEGIN /etc/grub.d/10_linux", 1
    )
    put(
        host,
        "/boot/grub2/grub.cfg",
        menu.replace("### BEGIN /etc/grub.d/20_", f"{HIDING}### BEGIN /etc/grub.d/20_", 1),
    )
    assert facts_record(facts(host))["boot"] | {"free_bytes": 0} == before | {"free_bytes": 0}
    put(host, "/boot/grub2/grubenv", "# GRUB Environment Block\nmenu_auto_hide=1\n")
    assert facts_record(facts(host))["boot"]["menu_hidden"]


@pytest.mark.parametrize(("line", "value"), [
    ("GRUB_DEFAULT=saved", "saved"), ('GRUB_DEFAULT="1>2"', "1>2"), ("GRUB_DEFAULT='1>2'  # the old one", "1>2"),
    ("GRUB_DEFAULT=0 ;", "0"), ("export GRUB_DEFAULT=gnulinux-2-advanced-1", "gnulinux-2-advanced-1"),
    ('GRUB_DEFAULT="Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 2"',
     "Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 2"),
    ("GRUB_DEFAULT=1>2", ""), ("GRUB_DEFAULT=`cat /x`", ""), ('GRUB_DEFAULT="$X"', ""), ("GRUB_DEFAULT='a'b", ""),
    ("# GRUB_DEFAULT=saved", "0"), ('GRUB_DEFAULT="unended', ""),
])  # fmt: skip
def test_defaults_are_shell(host: Host, line: str, value: str) -> None:
    put(host, "/etc/default/grub", f"GRUB_DEFAULT=0\n{line}\n")
    grub = read_grub(host)
    assert grub.setting("GRUB_DEFAULT") == value
    assert grub.written("GRUB_DEFAULT") == (line.partition("=")[2] if line[0] != "#" else "0")


def test_a_name_with_a_quotation_mark_is_taken_up_as_one_word(host: Host) -> None:
    put(host, "/boot/grub/grub.cfg", NESTED.format(default="set default=below"))
    put(host, "/etc/default/grub", 'GRUB_DEFAULT="gnulinux-advanced-1>older>It\'s old"\n')
    assert fallback(read_grub(host)) == "'gnulinux-advanced-1>older>It'\\''s old'"


# --- entries in files of their own ------------------------------------------------------------------------------------


def test_entries_of_kernels_as_distributions_write_them(host: Host) -> None:
    """Fedora's with grub_users, systemd's with counters of tries, a unified image, comments, tabs, rubbish."""
    for name, text in {
        "m-6.12.9+3-1": "# comment\ntitle\tDebian 13\nversion 6.12.9\nlinux\t/m/6.12.9/linux\noptions root=x\noptions quiet\n",
        "m-6.12.10": 'title Fedora Linux (6.12.10) 44 "Server"\nlinux /vmlinuz-6.12.10\ngrub_users $grub_users\n'
                     "grub_arg --unrestricted\ngrub_class fedora\n",
        "m-image": "title An image\nefi /EFI/Linux/x.efi\n", "m-empty": "", "m-rubbish": "\0\0linux\0 x\nlinux\n",
        "m-0-rescue": "linux /vmlinuz-0-rescue\n",
    }.items():  # fmt: skip
        put(host, f"/boot/loader/entries/{name}.conf", text)
    put(host, "/boot/loader/entries/m-9.conf.rpmsave", "linux /old\n")
    assert [(entry.id, entry.title) for entry in read_bls(host)] == [
        ("m-6.12.10", 'Fedora Linux (6.12.10) 44 "Server"'), ("m-6.12.9+3-1", "Debian 13"), ("m-0-rescue", "m-0-rescue"),
    ]  # fmt: skip
    assert parse_bls("a", "options root=x\noptions quiet\n").options == "root=x quiet"


# --- a password -------------------------------------------------------------------------------------------------------

DEBIANS = 'set superusers="root"\npassword_pbkdf2 root grub.pbkdf2.sha512.10000.AA.BB\n'
FEDORAS = """\
### BEGIN /etc/grub.d/01_users ###
if [ -f ${prefix}/user.cfg ]; then
  source ${prefix}/user.cfg
  if [ -n "${GRUB2_PASSWORD}" ]; then
    set superusers="root"
    export superusers
    password_pbkdf2 root ${GRUB2_PASSWORD}
  fi
fi
### END /etc/grub.d/01_users ###
"""


def test_a_menu_with_a_password_would_wait_before_xen(host: Host) -> None:
    assert "grub-password" not in problems(host)
    put(host, "/boot/grub/grub.cfg", f"{DEBIANS}{host.read('/boot/grub/grub.cfg')}")
    assert problems(host)["grub-password"] == "/boot/grub/grub.cfg:1"
    assert facts_record(facts(host))["boot"]["password"] == "/boot/grub/grub.cfg:1"
    put(host, "/etc/grub.d/20_linux_xen", 'CLASS="--class gnu-linux --class xen --unrestricted"\n')
    assert "grub-password" not in problems(host)


def test_fedoras_menu_asks_when_a_password_was_set(tmp_path: Path) -> None:
    host = make_fedora(tmp_path)
    put(host, "/boot/grub2/grub.cfg", f"{FEDORAS}{host.read('/boot/grub2/grub.cfg')}")
    assert "grub-password" not in problems(host)
    put(host, "/boot/grub2/user.cfg", "GRUB2_PASSWORD=grub.pbkdf2.sha512.10000.AA.BB\n")
    assert problems(host)["grub-password"] == "/boot/grub2/user.cfg:1"
    host.at("/boot/grub2/user.cfg").unlink()
    put(host, "/boot/grub2/grub.cfg", f"{FEDORAS}{DEBIANS}")
    assert problems(host)["grub-password"] == "/boot/grub2/grub.cfg:11"


# --- processors -------------------------------------------------------------------------------------------------------

XL_INFO = """\
nr_cpus                : 8
virt_caps              : pv hvm hvm_directio pv_directio hap shadow gnttab-v1
total_memory           : 32567
free_memory            : 12
"""


def test_below_xen_xen_says_what_the_machine_can_do(host: Host) -> None:
    start_xen(host)
    host.at("/sys/class/iommu/dmar0/uevent").unlink()
    put(host, "/proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu lm hypervisor\n")
    runner = host.runner
    found = facts_record(read_facts(host, lambda argv: XL_INFO if argv[0] == "xl" else runner(argv)))
    assert found["virtualization"] == [
        "gnttab-v1",
        "hap",
        "hvm",
        "hvm_directio",
        "hypervisor",
        "pv",
        "pv_directio",
        "shadow",
    ]
    assert (found["boot"]["iommu"], found["boot"]["cpus"], found["memory_mib"]) == ("active", 8, 32567)
    assert parse_xl_info("virt_caps :\ntotal_memory : x\n") == (0, 0, frozenset())


@pytest.mark.parametrize(("features", "capabilities", "is_dom0"), [
    ("00002705", "", False), ("00002f05", "", True), ("00000ee5", "control_d\n", True), ("00002705", "control_d\n", True),
    ("", "", True), ("nonsense", "", True),
])  # fmt: skip
def test_a_guest_of_another_xen_does_not_run_xen(
    host: Host, features: str, capabilities: str, is_dom0: bool
) -> None:
    """A try of Xen in such a machine would count as seen to run, when the machine had come back without it."""
    assert not host.runs_xen()
    start_xen(host)
    put(host, "/sys/hypervisor/properties/features", f"{features}\n")
    put(host, "/proc/xen/capabilities", capabilities)
    assert host.runs_xen() is is_dom0
    found = read_facts(host, host.runner)
    assert (found.machine.under_xen, found.memory_mib) == (is_dom0, 4095 if is_dom0 else 3917)


@pytest.mark.parametrize(("flags", "vendor", "expected"), [
    ("fpu lm vmx ept", "GenuineIntel", ["vmx"]), ("fpu lm svm npt", "AuthenticAMD", ["svm"]),
    ("fpu lm svm hypervisor", "AuthenticAMD", ["hypervisor", "svm"]), ("fpu lm hypervisor", "GenuineIntel", ["hypervisor"]),
])  # fmt: skip
def test_processors(host: Host, flags: str, vendor: str, expected: list[str]) -> None:
    one = f"vendor_id\t: {vendor}\ncpu family\t: 6\nflags\t\t: {flags}\nvmx flags\t: vnmi\n"
    put(host, "/proc/cpuinfo", "\n".join(f"processor\t: {number}\n{one}" for number in range(3)))
    found = facts(host)
    assert (facts_record(found)["virtualization"], found.cpus, found.machine.cpu_vendor) == (
        expected,
        3,
        vendor,
    )


@pytest.mark.parametrize(("table", "iommu"), [("DMAR", "present"), ("IVRS", "present"), ("HPET", "")])
def test_an_iommu_that_nobody_uses_is_there(host: Host, table: str, iommu: str) -> None:
    host.at("/sys/class/iommu/dmar0/uevent").unlink()
    put(host, f"/sys/firmware/acpi/tables/{table}", "")
    assert facts_record(facts(host))["boot"]["iommu"] == iommu


def test_the_facts_are_json(host: Host) -> None:
    assert isinstance(host.runner, FakeCommands)
    json.dumps(facts_record(facts(host)))

"""What GRUB, the kernel and the firmware write: parsed as they mean it, whatever is in it; and our files, run by sh."""

from __future__ import annotations

import shlex
import shutil
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from installer_kit import HERE, choose_once

from kronos_installer.detect.efi import EfiBoot, parse_load_option, read_efi
from kronos_installer.detect.mounts import Mount, indirection, mount_of, parse_mountinfo
from kronos_installer.dom0_vcpus import MOST, Dom0VcpusError, checked_vcpus, dom0_vcpus
from kronos_installer.grub_config import (
    SIMPLE_LINUX,
    Dom0Size,
    SerialConsole,
    add_sourcing,
    render_at_once,
    render_default,
    render_once,
)
from kronos_installer.grub_environment import drop_variable, parse_environment, without
from kronos_installer.grub_menu import parse_menu
from kronos_installer.host_files import HostFiles
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text("abcdefghij_", min_size=1, max_size=12)
VALUES = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cs", "Zl", "Zp", "Cc"]),
    max_size=60,
)
LINES = st.text(st.sampled_from("ab \\#=\n"), max_size=20)


def block(variables: dict[str, str]) -> bytes:
    """Write a block as grub-editenv does: a backslash before line feeds and backslashes."""
    escaped = (
        f"{name}=" + value.replace("\\", "\\\\").replace("\n", "\\\n") for name, value in variables.items()
    )
    return (
        ("# GRUB Environment Block\n" + "".join(f"{line}\n" for line in escaped)).encode().ljust(1024, b"#")
    )


@given(st.dictionaries(NAMES, VALUES | LINES, max_size=5))
def test_an_environment_block_is_read_as_it_was_written(variables: dict[str, str]) -> None:
    assert parse_environment(block(variables).decode()) == variables


@given(st.dictionaries(NAMES, VALUES | LINES, max_size=4), VALUES | LINES)
def test_one_variable_is_taken_out_and_nothing_else(others: dict[str, str], value: str) -> None:
    before = block(others)
    assert drop_variable(before, "next_entry") == before
    after = drop_variable(block(others | {"next_entry": value}), "next_entry")
    assert len(after) == len(block(others | {"next_entry": value}))
    assert parse_environment(after.decode()) == others


@given(st.text())
def test_any_text_is_an_environment_block_of_something(text: str) -> None:
    assert "" not in without(parse_environment(text), "next_entry").values()


@pytest.mark.skipif(shutil.which("grub-editenv") is None, reason="grub-common is not installed")
@given(
    variables=st.dictionaries(
        NAMES, st.text(st.sampled_from("ab >\\=#\n"), min_size=1, max_size=20), min_size=1, max_size=4
    )
)
@settings(max_examples=15, deadline=None)
def test_grub_editenv_means_the_same(
    variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("env") / "grubenv"
    run(["grub-editenv", path, "create"])
    created = path.read_bytes()
    run(["grub-editenv", path, "set", *(f"{name}={value}" for name, value in variables.items())])
    assert parse_environment(path.read_text()) == variables
    for name in variables:
        run(["grub-editenv", path, "unset", name])
    assert path.read_bytes() == created


@pytest.mark.skipif(shutil.which("grub-reboot") is None, reason="grub2-common is not installed")
def test_grub_reboot_chooses_as_the_tests_commands_do(tmp_path: Path) -> None:
    for real in (True, False):
        path = tmp_path / str(real) / "grub/grubenv"
        path.parent.mkdir(parents=True)
        run(["grub-editenv", path, "create"])
        if real:
            run(["grub-reboot", f"--boot-directory={path.parent.parent}", "xen-gnulinux-simple-7e0f"])
        else:
            choose_once(path, "xen-gnulinux-simple-7e0f")
    assert (tmp_path / "True/grub/grubenv").read_bytes() == (tmp_path / "False/grub/grubenv").read_bytes()


@given(st.text())
def test_any_text_is_a_menu_of_something(text: str) -> None:
    menu = parse_menu(text)
    assert (menu.default_entry() is None) == (not menu.all_entries() and menu.resolve("0") is None)


@given(st.lists(st.sampled_from(
    ["menuentry 'a' {", "submenu 'b' --id b {", "if x; then", "function f {", "}", "fi", "blscfg", "linux /v",
     "multiboot2 /xen-4.gz", 'set default="b>a"', "menuentry 'open {", "menuentry {"]), max_size=30))  # fmt: skip
def test_any_order_of_a_menus_lines_is_read(lines: list[str]) -> None:
    menu = parse_menu("\n".join(lines))
    chosen = menu.default_entry()
    assert chosen is None or not chosen.submenu
    assert all(not entry.submenu for entry in menu.all_entries())


TITLES = st.text(st.sampled_from("ab >'\"${}\\é"), min_size=1, max_size=8)


@given(st.lists(st.tuples(TITLES, st.lists(TITLES, max_size=3)), max_size=4))
def test_a_generated_menu_is_read_back(tree: list[tuple[str, list[str]]]) -> None:
    def entry(title: str) -> str:
        return f"menuentry {shlex.quote(title)} --class os $menuentry_id_option 'i' {{\n\tlinux /boot/v\n}}\n"

    text = ""
    for title, entries in tree:
        text += (
            f"submenu {shlex.quote(title)} {{\n" + "".join(map(entry, entries)) + "}\n"
            if entries
            else entry(title)
        )
    menu = parse_menu(text)
    assert [(e.title, [inner.title for inner in e.entries]) for e in menu.entries] == tree
    assert all(e.linux == "/boot/v" and e.id == "i" for e in menu.all_entries())


@given(st.text())
def test_any_text_is_mountinfo_of_something(text: str) -> None:
    assert all(mount_of((mount,), "/boot/grub") in (mount, None) for mount in parse_mountinfo(text))


def test_the_last_longest_mount_counts() -> None:
    text = (
        "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
        "23 22 8:1 / /boot rw shared:2 master:1 - ext4 /dev/sda1 rw\n"
        "24 22 8:3 / /bo rw - ext4 /dev/sda3 rw\n"
        "25 23 0:9 / /boot ro,noatime - btrfs /dev/sda4 rw\n"
        "26 22 0:8 / /mnt/with\\040space rw - tmpfs none ro\n"
    )
    mounts = parse_mountinfo(text)
    assert mount_of(mounts, "/boot/grub/grubenv") == Mount(
        "/boot", "0:9", "btrfs", "/dev/sda4", read_only=True
    )
    assert mount_of(mounts, "/bootstrap") == mounts[0]
    assert mounts[-1] == Mount("/mnt/with space", "0:8", "tmpfs", "none", read_only=True)


def test_what_lies_between_a_device_and_the_plain_disk(tmp_path: Path) -> None:
    def device(number: str, place: str, files: dict[str, str]) -> str:
        where = tmp_path / "sys/devices" / place
        for name, text in {"uevent": "", **files}.items():
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            (where / name).write_text(text)
        link = tmp_path / "sys/dev/block" / number
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"../../devices/{place}")
        return indirection(HostFiles(tmp_path), number)

    assert device("8:0", "pci/block/sda", {}) == device("8:1", "pci/block/sda/sda1", {}) == ""
    assert device("9:127", "virtual/block/md127", {"md/level": "raid1"}) == "a software RAID"
    assert device("259:0", "virtual/block/md127/md127p1", {}) == "a software RAID"
    for number, (uuid, what) in enumerate(
        {"LVM-abc": "LVM", "CRYPT-LUKS2-abc-x": "an encrypted volume", "mpath-3600": "", "part1-mpath-3600": "",
         "DMRAID-isw": "a device mapper target (DMRAID)"}.items()
    ):  # fmt: skip
        assert device(f"254:{number}", f"virtual/block/dm-{number}", {"dm/uuid": f"{uuid}\n"}) == what


def load_option(name: str, file: str) -> bytes:
    path = struct.pack("<BBH", 4, 1, 42) + bytes(38)
    text = (file + "\0").encode("utf-16-le")
    path += struct.pack("<BBH", 4, 4, 4 + len(text)) + text + b"\x7f\xff\x04\x00"
    return struct.pack("<IH", 1, len(path)) + (name + "\0").encode("utf-16-le") + path


def test_the_file_that_the_firmware_starts(tmp_path: Path) -> None:
    assert read_efi(HostFiles(tmp_path)) is None
    option = load_option("débian", "\\EFI\\debian\\shimx64.efi")
    variables = tmp_path / "sys/firmware/efi/efivars"
    variables.mkdir(parents=True)
    assert read_efi(HostFiles(tmp_path)) == EfiBoot("", "", "", (), "")
    for name, data in {"BootCurrent": b"\x0a\0", "BootOrder": b"\x0a\0\1\0\xff", "Boot000A": option}.items():
        (variables / f"{name}-8be4df61-93ca-11d2-aa0d-00e098032b8c").write_bytes(b"\7\0\0\0" + data)
    found = read_efi(HostFiles(tmp_path))
    assert found == EfiBoot("000A", "débian", "\\EFI\\debian\\shimx64.efi", ("000A", "0001"), "")


@given(st.binary(max_size=80), st.integers(0, 120), st.integers(0, 255))
def test_any_bytes_are_a_load_option_of_something(data: bytes, at: int, byte: int) -> None:
    parse_load_option(data)
    option = bytearray(load_option("a", "\\b"))
    option[at % len(option)] = byte
    name, file = parse_load_option(bytes(option))
    assert isinstance(name + file, str)


@given(st.integers(1, 4096))
def test_dom0_has_processors_and_leaves_some(cpus: int) -> None:
    vcpus = dom0_vcpus(cpus)
    assert 1 <= vcpus <= min(cpus, MOST)
    assert checked_vcpus(vcpus, cpus) == vcpus
    assert dom0_vcpus(cpus + 1) >= vcpus


@pytest.mark.parametrize(("cpus", "vcpus"), [(1, 1), (2, 2), (8, 4), (16, 4), (32, 8), (64, 16), (256, 16)])
def test_processors_policy(cpus: int, vcpus: int) -> None:
    assert dom0_vcpus(cpus) == vcpus


@pytest.mark.parametrize("wanted", [-1, 9])
def test_processors_that_there_are_not(wanted: int) -> None:
    with pytest.raises(Dom0VcpusError, match="between 1 and 8"):
        checked_vcpus(wanted, 8)


SETTINGS = ("GRUB_DEFAULT", "GRUB_DISABLE_SUBMENU", "GRUB_CMDLINE_XEN", "GRUB_CMDLINE_LINUX_XEN_REPLACE",
            "GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT")  # fmt: skip
SERIAL = SerialConsole("com1", "115200,8n1")
BEFORE = 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX="ro console=ttyS0,115200n8"\nGRUB_CMDLINE_XEN="loglvl=all"\n'


def evaluated(*texts: str) -> dict[str, str]:
    """Return GRUB's settings after sh has read the files in order, as grub-mkconfig does."""
    function = "grub_get_device_id() { echo uuid-of-$1; }\nGRUB_DEVICE=vda1\n"
    prints = "".join(f"printf '%s\\n' \"${name}\"\n" for name in SETTINGS)
    values = run(["sh", "-e", "-s"], stdin=function + "".join(texts) + prints).stdout.split("\n")
    return dict(zip(SETTINGS, values, strict=False))


def test_settings_of_the_try() -> None:
    found = evaluated(BEFORE, render_once(Dom0Size(1536, 4), SERIAL, SIMPLE_LINUX))
    assert found == {
        "GRUB_DEFAULT": "gnulinux-simple-uuid-of-vda1",
        "GRUB_DISABLE_SUBMENU": "n",
        "GRUB_CMDLINE_XEN": "loglvl=all dom0_mem=1536M,max:1536M dom0_max_vcpus=4 com1=115200,8n1 console=com1,vga",
        "GRUB_CMDLINE_LINUX_XEN_REPLACE": "ro console=hvc0",
        "GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT": "quiet panic=60 rd.shell=0 rd.emergency=reboot",
    }
    assert evaluated(BEFORE, render_once(Dom0Size(1536, 4), None, ""))["GRUB_DEFAULT"] == "0"


@pytest.mark.parametrize("serial", [SERIAL, None])
def test_the_default_differs_from_the_try_in_the_default_and_the_end_of_the_shell(
    serial: SerialConsole | None,
) -> None:
    tried = evaluated(BEFORE, render_once(Dom0Size(1536, 4), serial, "''"))
    settled = evaluated(BEFORE, render_once(Dom0Size(1536, 4), serial, "''"), render_default())
    assert {name for name in SETTINGS if settled[name] != tried[name]} == {
        "GRUB_DEFAULT", "GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT",
    }  # fmt: skip
    assert settled["GRUB_DEFAULT"] == "xen-gnulinux-simple-uuid-of-vda1"
    assert settled["GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT"] == "quiet"
    at_once = evaluated(BEFORE, render_at_once(Dom0Size(1536, 4), serial))
    assert (at_once["GRUB_DEFAULT"], at_once["GRUB_CMDLINE_XEN"]) == (
        settled["GRUB_DEFAULT"], settled["GRUB_CMDLINE_XEN"],
    )  # fmt: skip


@pytest.mark.parametrize("before", [BEFORE, BEFORE.rstrip("\n"), ""])
def test_what_fedora_reads_is_added_at_the_end_and_for_grub_mkconfig_alone(
    tmp_path: Path, before: str
) -> None:
    (tmp_path / "zz-xapi.cfg").write_text("GRUB_DEFAULT=ours\n")
    text = add_sourcing(before).replace("/etc/default/grub.d", str(tmp_path))
    assert evaluated(text)["GRUB_DEFAULT"] == "ours"
    others = run(["sh", "-e", "-s"], stdin=f"{text}echo $GRUB_DEFAULT\n").stdout.strip()
    assert others == ("0" if before else "")
    assert add_sourcing(before).startswith(before)


def test_constructed_and_captured_menus_are_ones_that_grub_reads() -> None:
    for path in HERE.glob("menus/*.cfg"):
        assert parse_menu(path.read_text()).all_entries(), path

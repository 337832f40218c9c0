"""GRUB: what a menu boots by itself, the consoles that are kept; dom0's memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import MENUS

from kronos_installer.dom0_memory import (
    FOR_XEN_AND_GUESTS_MIB,
    LEAST_MIB,
    MOST_MIB,
    SMALLEST_HOST_MIB,
    Dom0MemoryError,
    checked_size_mib,
    dom0_memory_mib,
    parse_size_mib,
)
from kronos_installer.grub_config import (
    Dom0Size,
    SerialConsole,
    parse_serial_console,
    render_at_once,
    render_once,
)
from kronos_installer.grub_menu import parse_menu


@pytest.mark.parametrize(
    ("name", "boots_xen"), [("debian.cfg", True), ("set-up.cfg", True), ("no-submenu.cfg", False)]
)
def test_what_a_real_menu_boots(name: str, *, boots_xen: bool) -> None:
    menu = parse_menu((MENUS / name).read_text())
    chosen = menu.default_entry()
    assert chosen is not None
    assert chosen.boots_xen is boots_xen
    assert any(entry.boots_linux for entry in menu.all_entries())


SUBMENUS = """\
set default="{default}"
menuentry 'Linux' --id linux {{
    linux /boot/vmlinuz
}}
submenu 'A > B' $menuentry_id_option 'more' {{
    menuentry 'It'\\''s Xen' --class xen --id xen {{
        if [ x = y ]; then
            multiboot2 /boot/xen-4.17.gz placeholder
        fi
    }}
    menuentry 'Old' --id old {{
        linux /boot/vmlinuz.old
    }}
}}
"""


@pytest.mark.parametrize(
    ("default", "title"),
    [("0", "Linux"), ("1", "It's Xen"), ("1>1", "Old"), ("more>xen", "It's Xen"), ("A >> B>It's Xen", "It's Xen"),
     ("xen", "Linux"), ("9", "Linux"), ("more>gone", "It's Xen"), ("linux", "Linux")],
)  # fmt: skip
def test_default_is_resolved_as_grub_does(default: str, title: str) -> None:
    entry = parse_menu(SUBMENUS.format(default=default)).default_entry()
    assert entry is not None
    assert entry.title == title


@pytest.mark.parametrize(
    ("text", "console"),
    [
        ("ro quiet", None),
        ("console=tty0 console=ttyS0,115200n8", SerialConsole("com1", "115200,8n1")),
        ("console=ttyS1,57600e7r", SerialConsole("com2", "57600,7e1")),
        ("console=ttyS0", SerialConsole("com1", "9600,8n1")),
        ('GRUB="console=ttyS0,38400"', SerialConsole("com1", "38400,8n1")),
        ("xconsole=ttyS0 console=ttyS0x", None),
    ],
)
def test_serial_console_is_told_to_xen(text: str, console: SerialConsole | None) -> None:
    assert parse_serial_console(text) == console


def test_port_that_xen_cannot_drive() -> None:
    with pytest.raises(ValueError, match="ttyS2"):
        parse_serial_console("console=ttyS2")


DOM0 = Dom0Size(1536, 4)


@pytest.mark.parametrize("text", [render_once(DOM0, None, ""), render_at_once(DOM0, None)])
def test_config_is_without_consoles_where_there_is_no_serial_one(text: str) -> None:
    assert "console" not in text.replace("at the console", "")
    assert "dom0_mem=1536M,max:1536M dom0_max_vcpus=4" in text


@pytest.mark.parametrize(
    ("host", "dom0"),
    [(3917, 1536), (4096, 1536), (8192, 2048), (16384, 3072), (65536, 4608), (1 << 20, 8192)],
)
def test_dom0_memory_policy(host: int, dom0: int) -> None:
    assert dom0_memory_mib(host) == dom0


@given(st.integers(SMALLEST_HOST_MIB, 1 << 24))
def test_policy_is_always_possible_and_never_falls(host: int) -> None:
    mib = dom0_memory_mib(host)
    assert LEAST_MIB <= mib <= min(MOST_MIB, host - FOR_XEN_AND_GUESTS_MIB)
    assert checked_size_mib(mib, host) == mib
    assert dom0_memory_mib(host + 1) >= mib


@pytest.mark.parametrize(("text", "mib"), [("1536M", 1536), ("2G", 2048), ("900", 900), ("3 GiB", 3072)])
def test_sizes(text: str, mib: int) -> None:
    assert parse_size_mib(text) == mib


@pytest.mark.parametrize("text", ["", "-1", "1.5G", "4T", "M"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(Dom0MemoryError):
        parse_size_mib(text)

"""What stands in the way of booting Xen on this host, and what a host that is set up has lost of it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.boot_steps import can_be_tried, serial_console
from kronos_installer.grub_config import changed_files
from kronos_installer.problem import Level, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.facts import Facts
    from kronos_installer.grub_menu import Entry

KIB = 1024
# grub-mkconfig writes the menu beside the old one, and so does a rollback.
_MENU_COPIES = 4
_ROOM_BESIDE_MENU = 256 * KIB
_FILES_MADE = 4
_XEN_OPTIONS = {
    "CONFIG_HVM": ("xen-no-hvm", "this Xen runs PV guests only"),
    "CONFIG_PV": ("xen-no-pv", "this Xen runs no PV guests, and no PV dom0"),
}
# What is as true of a host that is set up as of one that is to be.
LASTING = frozenset({"xen-no-shadow-paging", *(id_ for id_, _ in _XEN_OPTIONS.values())})


def _error(id_: str, title: str, at: str, remedy: str, description: str = "") -> Problem:
    return Problem(Level.ERROR, id_, title, description, at, remedy)


def _warning(id_: str, title: str, at: str, remedy: str = "", description: str = "") -> Problem:
    return Problem(Level.WARNING, id_, title, description, at, remedy)


def boot_problems(facts: Facts) -> Iterator[Problem]:
    """Yield what a host that is to be set up is told."""
    yield from _firmware(facts)
    yield from _loader(facts)
    yield from _xen(facts)
    yield from _room(facts)
    yield from _environment(facts)
    yield from _options(facts)


def _firmware(facts: Facts) -> Iterator[Problem]:
    if facts.machine.secure_boot:
        yield _error("secure-boot", "Secure Boot is on, and GRUB will not start an unsigned Xen then",
                     "the EFI variable SecureBoot is 1", "turn Secure Boot off in the firmware",
                     "Debian, Ubuntu and Fedora sign GRUB and their kernels, and no Xen that GRUB would start.")  # fmt: skip
    efi = facts.boot.efi
    if efi is not None and efi.loader:
        yield _error("boot-loader-other", f"{efi.loader} started this host, not GRUB",
                     "the EFI variable LoaderInfo", "install GRUB and make it the firmware's first choice")  # fmt: skip
    if not facts.boot.iommu and not facts.machine.under_xen:
        yield Problem(Level.INFO, "iommu-missing", "no IOMMU: devices cannot be passed through to guests", "",
                      "/sys/class/iommu is empty", "enable VT-d or AMD-Vi in the firmware, if it has the setting")  # fmt: skip


def _loader(facts: Facts) -> Iterator[Problem]:
    grub = facts.grub
    if grub.layout is None or not grub.menu:
        yield _error("grub-missing", "the host does not boot by a GRUB that grub-mkconfig configures",
                     "/usr/sbin/grub-mkconfig and /boot/grub/grub.cfg, or /usr/sbin/grub2-mkconfig and /boot/grub2/grub.cfg",
                     "only GRUB is supported so far")  # fmt: skip
    elif not grub.has_xen_script:
        yield _error("grub-no-xen", "GRUB's script that makes Xen entries is missing", "/etc/grub.d/20_linux_xen",
                     "reinstall grub-common or grub2-tools")  # fmt: skip
    if grub.parsed.hidden:
        yield Problem(Level.INFO, "grub-menu-hidden", "GRUB does not show its menu: an entry without Xen is chosen "
                      "at the console with Esc or Shift", "", f"{grub.files.menu}:1",
                      "set GRUB_TIMEOUT and GRUB_TIMEOUT_STYLE=menu in /etc/default/grub")  # fmt: skip


def _xen(facts: Facts) -> Iterator[Problem]:
    machine = facts.machine
    fedora = facts.grub.files.name == "fedora"
    if not machine.xen_images:
        yield _error("xen-missing", "Xen is not installed", "/boot: no xen-*.gz",
                     "dnf install xen" if fedora else "apt-get install xen-system-amd64")  # fmt: skip
    yield from _build(facts)
    if not machine.dom0_kernels:
        yield _error("kernel-no-dom0", "no installed kernel can be Xen's dom0", "/boot/config-*: no CONFIG_XEN_DOM0=y",
                     "dnf install kernel" if fedora else "apt-get install linux-image-amd64")  # fmt: skip


def _build(facts: Facts) -> Iterator[Problem]:
    """Yield what the installed Xen was built without."""
    for path in facts.machine.xen_without_shadow_paging:
        yield _warning(
            "xen-no-shadow-paging", "this Xen cannot migrate PV guests live, nor run HVM guests without nested paging",
            f"{path}: no CONFIG_SHADOW_PAGING=y", "install the Xen of Kronos' repository: docs/host-setup.md")  # fmt: skip
    for path, option in facts.boot.xen_without:
        if option in _XEN_OPTIONS:
            yield _warning(*_XEN_OPTIONS[option], f"{path}: {option} is not set",
                           "install the Xen of Kronos' repository: docs/host-setup.md")  # fmt: skip


def _room(facts: Facts) -> Iterator[Problem]:
    boot = facts.boot
    for path, point in boot.read_only:
        yield _error("filesystem-read-only", f"{path} cannot be written: {point} is mounted read-only",
                     f"{point} in /proc/self/mountinfo", f"see why (dmesg), then: mount -o remount,rw {point}")  # fmt: skip
    needed = _MENU_COPIES * len(facts.grub.menu) + _ROOM_BESIDE_MENU
    if facts.grub.menu and (boot.free_bytes < needed or boot.free_files < _FILES_MADE):
        yield _error("boot-full", f"/boot has no room for a new menu: {boot.free_bytes // KIB} KiB and "
                     f"{boot.free_files} files are free, {needed // KIB} KiB and {_FILES_MADE} files are needed",
                     "/boot", "remove old kernels (apt-get autoremove, dnf remove --oldinstallonly)")  # fmt: skip


def _environment(facts: Facts) -> Iterator[Problem]:
    grub = facts.grub
    if grub.layout is not None and not can_be_tried(facts):
        why = facts.boot.environment_obstacle or f"{grub.layout.choose_once} is missing"
        yield _warning("grub-no-one-time", f"Xen cannot be tried just once here: GRUB cannot write on {why}"
                       if facts.boot.environment_obstacle else f"Xen cannot be tried just once here: {why}",
                       grub.environment_path, "be near the console at the first reboot, or put /boot on a plain partition",
                       "Xen becomes the default at once. Should it not come up, somebody must choose an entry "
                       "without Xen at the console.")  # fmt: skip
    if grub.next_entry:
        yield _warning("grub-next-entry", f"the next boot is already promised to {grub.next_entry!r}; "
                       "it will be Xen's", f"{grub.environment_path}:2",
                       f"{grub.files.choose_once.replace('reboot', 'editenv')} - unset next_entry")  # fmt: skip


def _options(facts: Facts) -> Iterator[Problem]:
    ours = tuple(f"{path}:" for path in changed_files(facts.grub.files) if "xapi" in path)
    for assignment in facts.grub.assignments:
        if re.match(r"GRUB_CMDLINE_(XEN|LINUX_XEN)", assignment.name) and not assignment.at.startswith(ours):
            yield _warning("grub-own-xen-options", f"{assignment.name} is set already; it is kept and added to",
                           assignment.at)  # fmt: skip
    try:
        serial_console(facts)
    except ValueError as error:
        yield _warning(
            "serial-port", f"Xen cannot drive {error}: no console there after the reboot", "/proc/cmdline:1"
        )


def boot_findings(facts: Facts, *, settled: bool = True) -> Iterator[Problem]:
    """Yield what a host that is set up has lost. `settled`: Xen has been made the lasting default."""
    grub, menu = facts.grub, facts.grub.parsed
    names = grub.files
    chosen = menu.default_entry(grub.environment)
    again = f"xapi-host-setup status; then {names.mkconfig} -o {names.menu}"
    if settled and (chosen is None or not chosen.boots_xen):
        yield _error("default-not-xen", f"{chosen.title if chosen else 'nothing'!r} boots by itself, not Xen",
                     f"{names.menu}:1", again)  # fmt: skip
    if menu.simple_xen_entry() is None:
        yield _error(
            "grub-no-xen-entry", "GRUB's menu has no Xen entry outside its submenus", f"{names.menu}:1", again
        )
    if not any(entry.boots_linux for entry in menu.all_entries()):
        yield _warning("grub-no-way-back", "no entry without Xen is left in GRUB's menu", f"{names.menu}:1",
                       "see what the scripts of /etc/grub.d find; install a kernel")  # fmt: skip
    if chosen is not None and chosen.boots_xen:
        yield from _images(facts, chosen)
    if not facts.machine.under_xen and settled:
        yield _warning(
            "not-under-xen", "the host runs without Xen", "/sys/hypervisor/type", "reboot into Xen"
        )
    yield from _build(facts)
    yield from _room(facts)


def _images(facts: Facts, entry: Entry) -> Iterator[Problem]:
    """Yield what the default entry names and the host no longer has: a menu that was not made anew."""
    names = facts.grub.files
    xen, kernel = (f"/boot/{path.rpartition('/')[2]}" for path in (entry.xen, entry.dom0_kernel))
    if xen not in facts.machine.xen_images:
        yield _error("xen-missing", f"GRUB's default starts {xen}, which is not there", f"{names.menu}:1",
                     f"{names.mkconfig} -o {names.menu}")  # fmt: skip
    if kernel not in facts.machine.dom0_kernels:
        yield _error("kernel-no-dom0", f"the kernel that Xen would start, {kernel}, is not there or cannot be dom0",
                     f"{kernel.replace('vmlinuz-', 'config-')}: no CONFIG_XEN_DOM0=y",
                     f"install the distribution's kernel, or {names.mkconfig} -o {names.menu}")  # fmt: skip

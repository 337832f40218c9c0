"""What stands in the way of booting Xen on this host, and what a host that is set up has lost of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.boot_steps import can_be_tried, serial_console
from kronos_installer.detect.release import install_again
from kronos_installer.grub_config import FALLBACK_PATH
from kronos_installer.problem import Level, Problem
from kronos_installer.xen_options import own_options, stays_down

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
    elif facts.machine.secure_boot is None:
        yield _warning("secure-boot-unknown", "whether Secure Boot is on is not known; GRUB would not start an unsigned "
                       "Xen then", "/sys/firmware/efi/efivars is empty",
                       "mount -t efivarfs efivarfs /sys/firmware/efi/efivars")  # fmt: skip
    efi = facts.boot.efi
    if efi is not None and efi.other_loader:
        yield _error("boot-loader-other", f"{efi.other_loader} started this host, not GRUB",
                     "the EFI variable LoaderInfo", "install GRUB and make it the firmware's first choice")  # fmt: skip
    if efi is not None and efi.unlikely_file:
        yield _warning("boot-loader-unknown", f"the firmware started {efi.unlikely_file}: no GRUB by its name",
                       f"the EFI variable Boot{efi.current}", "see (efibootmgr -v) whether that leads to GRUB; what is "
                       "set up otherwise never starts")  # fmt: skip
    line = facts.machine.kernel_command_line
    if line and "BOOT_IMAGE=" not in line and not facts.machine.under_xen and not (efi and efi.loader):
        yield _warning("boot-loader-unknown", "GRUB tells a kernel its file (BOOT_IMAGE=), and this one was told none",
                       "/proc/cmdline:1", "see whether GRUB starts this host, or a virtual machine's host does: what is "
                       "set up otherwise never starts")  # fmt: skip
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
                     _script_again(facts))  # fmt: skip
    elif not grub.parsed.all_entries():
        yield _error("grub-menu-empty", "GRUB's menu has no entry: it is not what started this host",
                     f"{grub.files.menu}:1", f"see whether /boot is mounted, then {grub.files.mkconfig} -o "
                     f"{grub.files.menu}")  # fmt: skip
    if grub.password and not grub.xen_unrestricted:
        yield _error("grub-password", "GRUB would ask for a password before it starts Xen, and wait", grub.password,
                     "add --unrestricted to CLASS in /etc/grub.d/20_linux_xen, as its other scripts have it",
                     "Entries that are not --unrestricted are for GRUB's superusers alone; nobody is at the console "
                     "when a host reboots.")  # fmt: skip
    if grub.menu_hidden:
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


def _build(facts: Facts, image: str = "") -> Iterator[Problem]:
    """Yield what the installed Xen was built without: `image`, or all of them."""
    of_image = f"{image.removesuffix('.gz')}.config"
    for path in facts.machine.xen_without_shadow_paging:
        if image and path != of_image:
            continue
        yield _warning(
            "xen-no-shadow-paging", "this Xen cannot migrate PV guests live, nor run HVM guests without nested paging",
            f"{path}: no CONFIG_SHADOW_PAGING=y", "install the Xen of Kronos' repository: docs/host-setup.md")  # fmt: skip
    for path, option in facts.boot.xen_without:
        if option in _XEN_OPTIONS and (not image or path == of_image):
            yield _warning(*_XEN_OPTIONS[option], f"{path}: {option} is not set",
                           "install the Xen of Kronos' repository: docs/host-setup.md")  # fmt: skip


def _room(facts: Facts) -> Iterator[Problem]:
    boot = facts.boot
    for path, point in boot.read_only:
        yield _error("filesystem-read-only", f"{path} cannot be written: {point} is mounted read-only",
                     f"{point} in /proc/self/mountinfo", f"see why (dmesg), then: mount -o remount,rw {point}")  # fmt: skip
    for path, point in boot.over_network:
        yield _error("state-over-network", f"{path} is not there before the network is: {point} waits for it",
                     f"{point} in /proc/self/mountinfo and /etc/fstab", f"put {path} on a local file system",
                     "What a power cut leaves of a network half changed is put back before the network starts, "
                     "from there.")  # fmt: skip
    needed = _MENU_COPIES * len(facts.grub.menu) + _ROOM_BESIDE_MENU
    if facts.grub.menu and (boot.free_bytes < needed or boot.free_files < _FILES_MADE):
        yield _error("boot-full", f"/boot has no room for a new menu: {boot.free_bytes // KIB} KiB and "
                     f"{boot.free_files} files are free, {needed // KIB} KiB and {_FILES_MADE} files are needed",
                     "/boot", "remove old kernels (apt-get autoremove, dnf remove --oldinstallonly)")  # fmt: skip


def _environment(facts: Facts) -> Iterator[Problem]:
    yield from no_one_time(facts)
    yield from taken_choice(facts)


def no_one_time(facts: Facts) -> Iterator[Problem]:
    """Yield why Xen cannot be tried just once."""
    grub = facts.grub
    if grub.layout is not None and not can_be_tried(facts):
        why = facts.boot.environment_obstacle or f"{grub.layout.choose_once} is missing"
        yield _warning("grub-no-one-time", f"Xen cannot be tried just once here: GRUB cannot write on {why}"
                       if facts.boot.environment_obstacle else f"Xen cannot be tried just once here: {why}",
                       grub.environment_path, "be near the console at the next reboot, or put /boot on a plain partition",
                       "Xen becomes, or stays, the default at once. Should it not come up, somebody must choose an "
                       "entry without Xen at the console.")  # fmt: skip


def taken_choice(facts: Facts) -> Iterator[Problem]:
    """Yield what is chosen for the next boot already."""
    grub = facts.grub
    if grub.next_entry:
        yield _warning("grub-next-entry", f"the next boot is already promised to {grub.next_entry!r}; "
                       "it will be Xen's", f"{grub.environment_path}:2",
                       f"{grub.files.choose_once.replace('reboot', 'editenv')} - unset next_entry")  # fmt: skip


def _options(facts: Facts) -> Iterator[Problem]:
    yield from own_options(facts.grub)
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
    if grub.layout is not None and not grub.has_xen_script:
        yield _error("grub-no-xen", "the next update of GRUB's menu leaves Xen out: its script is missing",
                     "/etc/grub.d/20_linux_xen", _script_again(facts))  # fmt: skip
    if not any(entry.boots_linux for entry in menu.all_entries()):
        yield _warning("grub-no-way-back", "no entry without Xen is left in GRUB's menu", f"{names.menu}:1",
                       "see what the scripts of /etc/grub.d find; install a kernel")  # fmt: skip
    yield from _way_out(facts)
    if chosen is not None and chosen.boots_xen:
        yield from _images(facts, chosen)
    if not facts.machine.under_xen and settled:
        yield _warning(
            "not-under-xen", "the host runs without Xen", "/sys/hypervisor/type", "reboot into Xen"
        )
    yield from stays_down(grub)
    # An older one may stay beside it, of an update or of another series.
    yield from _build(facts, _on_host(chosen.xen) if chosen is not None and chosen.boots_xen else "")
    yield from _room(facts)


def _way_out(facts: Facts) -> Iterator[Problem]:
    """Yield what keeps GRUB from its way out of a Xen that it cannot load. A host that was set up before there was one has none."""
    grub, menu = facts.grub, facts.grub.parsed
    if not menu.fallback and not facts.originals[FALLBACK_PATH]:
        return
    way_out = menu.fallback_entry()
    own = way_out is not None and menu.entries[menu.first_linux].is_distributions
    if way_out is not None and own and not way_out.is_distributions:
        yield _warning("grub-fallback", f"where it cannot load Xen GRUB would boot {way_out.title!r}, not this system's kernel",
                       f"{grub.files.menu}: fallback={menu.fallback}", "give what comes before the kernels in /etc/grub.d "
                       f"a name after 10_linux; then {grub.files.mkconfig} -o {grub.files.menu}")  # fmt: skip
    elif way_out is None:
        yield _warning("grub-fallback", "where it cannot load Xen GRUB would wait at its menu",
                       f"{grub.files.menu}: fallback={menu.fallback or '(not set)'} is no entry without Xen",
                       f"{grub.files.mkconfig} -o {grub.files.menu}; see what sets it, or comes before the kernels, in "
                       "/etc/grub.d")  # fmt: skip


def _script_again(facts: Facts) -> str:
    return install_again(facts.machine, "grub2-tools" if facts.grub.files.name == "fedora" else "grub-common")


def _on_host(path: str) -> str:
    """Return where a file lies that GRUB finds on the file system that holds /boot."""
    return f"/boot/{path.rpartition('/')[2]}"


def _images(facts: Facts, entry: Entry) -> Iterator[Problem]:
    """Yield what the default entry names and the host no longer has: a menu that was not made anew."""
    names = facts.grub.files
    xen, kernel = _on_host(entry.xen), _on_host(entry.dom0_kernel)
    if xen not in facts.machine.xen_images:
        yield _error("xen-missing", f"GRUB's default starts {xen}, which is not there", f"{names.menu}:1",
                     f"{names.mkconfig} -o {names.menu}")  # fmt: skip
    if kernel not in facts.machine.dom0_kernels:
        yield _error("kernel-no-dom0", f"the kernel that Xen would start, {kernel}, is not there or cannot be dom0",
                     f"{kernel.replace('vmlinuz-', 'config-')}: no CONFIG_XEN_DOM0=y",
                     f"install the distribution's kernel, or {names.mkconfig} -o {names.menu}")  # fmt: skip

"""What GRUB would load at the next boot, and to come back without Xen: whether the files are there, and whole."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.grub import XEN_SCRIPT
from kronos_installer.doctor.answer import error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kronos_installer.detect.grub import Grub
    from kronos_installer.grub_menu import Entry
    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem


@dataclass(frozen=True)
class BootReading:
    """`sizes` are those of the files that GRUB's entries load, in bytes, None for what is not there, by path on the host.

    `script_runs`: who makes the menu runs the script that puts Xen into it.
    """

    grub: Grub
    sizes: Mapping[str, int | None]
    script_runs: bool = True


def read_boot_files(files: HostFiles, grub: Grub) -> BootReading:
    """Look at each file that an entry names."""
    paths = {path for entry in grub.parsed.all_entries() for path in _files_of(entry)}
    return BootReading(
        grub, {path: _size(files, path) for path in sorted(paths)}, _can_run(files, XEN_SCRIPT)
    )


def _can_run(files: HostFiles, path: str) -> bool:
    """Tell whether a file may be run, or is not there to ask."""
    try:
        return bool(files.at(path).stat().st_mode & stat.S_IXUSR)
    except OSError:
        return True


def _files_of(entry: Entry) -> tuple[str, ...]:
    # /boot may be a file system of its own, or lie in a subvolume: GRUB's paths begin there. What holds a variable
    # is known to GRUB alone.
    return tuple(f"/boot/{name.rpartition('/')[2]}" for name in entry.files if "$" not in name)


def _size(files: HostFiles, path: str) -> int | None:
    try:
        return files.at(path).stat().st_size
    except OSError:
        return None


def boot_file_findings(reading: BootReading, *, settled: bool = True) -> Iterator[Problem]:
    """Yield what would not come up. `settled`: Xen has been made the lasting default."""
    menu, names = reading.grub.parsed, reading.grub.files
    chosen = menu.default_entry(reading.grub.environment)
    for path in _files_of(chosen) if chosen is not None else ():
        if not reading.sizes.get(path):
            what = "is empty" if reading.sizes.get(path) == 0 else "is not there"
            yield error("boot-file", f"{path}, which GRUB loads by default, {what}: the next boot fails", path,
                        "make room in /boot; then update-initramfs -u, dracut --force, or reinstall its package; then "
                        f"{names.mkconfig} -o {names.menu}")  # fmt: skip
    ways_back = [entry for entry in menu.all_entries() if entry.boots_linux]
    if ways_back and not any(
        all(reading.sizes.get(path) for path in _files_of(entry)) for entry in ways_back
    ):
        yield warning("grub-no-way-back", "no entry without Xen has all of its files", f"{names.menu}:1: the files that its "
                      "entries load", "reinstall a kernel's package")  # fmt: skip
    if not reading.script_runs:
        yield error("grub-no-xen", "the next update of GRUB's menu leaves Xen out: its script may not be run", XEN_SCRIPT,
                    f"chmod 0755 {XEN_SCRIPT}")  # fmt: skip
    if not reading.grub.has_environment:
        path = reading.grub.environment_path
        yield warning("grub-environment", "GRUB's environment block is damaged: GRUB complains, and forgets what is chosen",
                      path, f"rm {path} && {names.choose_once.replace('reboot', 'editenv')} {path} create")  # fmt: skip
    once = reading.grub.next_entry
    if settled and once and menu.once:
        entry = menu.resolve(once)
        if entry is None or not entry.boots_xen:
            yield warning("grub-next-entry", f"the next boot is of {entry.title if entry else once!r}, once, without Xen",
                          f"{reading.grub.environment_path}: next_entry",
                          f"{names.choose_once.replace('reboot', 'editenv')} - unset next_entry, unless that is meant")  # fmt: skip

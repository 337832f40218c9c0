"""Where a distribution keeps GRUB's files, and what its commands are called: all that differs between the layouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

DEFAULTS = "/etc/default/grub"
DEFAULTS_FOLDER = "/etc/default/grub.d"
_PLACES = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")


@dataclass(frozen=True)
class GrubLayout:
    """One layout. `directory` holds menu, environment block and modules; `make_menu` writes the menu.

    `choose_once` takes an entry's id and makes it the next boot's, once (grub-reboot(8)).
    `reads_folder`: grub-mkconfig reads DEFAULTS_FOLDER by itself, as Debian's does.
    """

    name: str
    directory: str
    make_menu: tuple[str, ...]
    choose_once: str
    reads_folder: bool

    @property
    def menu(self) -> str:
        """The generated menu."""
        return f"{self.directory}/grub.cfg"

    @property
    def environment(self) -> str:
        """The environment block (GRUB manual, "The GRUB environment block")."""
        return f"{self.directory}/grubenv"

    @property
    def locked_make_menu(self) -> tuple[str, ...]:
        """`make_menu` under a lock that it keeps when we are killed.

        It then runs on, and must not write the menu after we have been started again and put the old one back.
        """
        return ("flock", self.directory, *self.make_menu)


DEBIAN = GrubLayout("debian", "/boot/grub", ("update-grub",), "grub-reboot", reads_folder=True)
FEDORA = GrubLayout(
    "fedora",
    "/boot/grub2",
    ("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"),
    "grub2-reboot",
    reads_folder=False,
)
LAYOUTS = {layout.name: layout for layout in (DEBIAN, FEDORA)}


def find_layout(files: HostFiles) -> GrubLayout | None:
    """Return the layout of the host's GRUB, None where none of the known ones makes the menu."""
    for layout in LAYOUTS.values():
        if has_program(files, layout.make_menu[0]) and files.exists(layout.directory):
            return layout
    return None


def has_program(files: HostFiles, name: str) -> bool:
    """Tell whether a program is where programs of the distribution are."""
    return any(files.exists(f"{place}/{name}") for place in _PLACES)

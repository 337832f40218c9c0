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
    """One layout. `directory` holds menu, environment block and modules; `mkconfig` makes menus (grub-mkconfig(8)).

    `choose_once` takes an entry's id and makes it the next boot's, once (grub-reboot(8)).
    `reads_folder`: `mkconfig` reads DEFAULTS_FOLDER by itself, as Debian's does.
    """

    name: str
    directory: str
    mkconfig: str
    mkconfig_options: tuple[str, ...]
    choose_once: str
    reads_folder: bool

    @property
    def menu(self) -> str:
        """The generated menu."""
        return f"{self.directory}/grub.cfg"

    @property
    def new_menu(self) -> str:
        """Where a menu is made before it is looked at and takes the old one's place.

        grub-mkconfig writes into its output file in place: a power cut then would leave half a menu.
        """
        return f"{self.directory}/.grub.cfg.xapi-host-setup.made"

    @property
    def environment(self) -> str:
        """The environment block (GRUB manual, "The GRUB environment block")."""
        return f"{self.directory}/grubenv"

    @property
    def make_menu(self) -> tuple[str, ...]:
        """The command that writes `new_menu`; `locked`, for it runs on when we are killed."""
        return self.locked(self.mkconfig, *self.mkconfig_options, "-o", self.new_menu)

    def locked(self, *command: str) -> tuple[str, ...]:
        """Return a command under a lock that lasts as long as it runs (flock(1))."""
        return ("flock", self.directory, *command)


DEBIAN = GrubLayout("debian", "/boot/grub", "grub-mkconfig", (), "grub-reboot", reads_folder=True)
# Without the option Fedora's writes kernels' options into the environment block.
FEDORA = GrubLayout(
    "fedora", "/boot/grub2", "grub2-mkconfig", ("--no-grubenv-update",), "grub2-reboot", reads_folder=False
)
LAYOUTS = {layout.name: layout for layout in (DEBIAN, FEDORA)}


def find_layout(files: HostFiles) -> GrubLayout | None:
    """Return the layout of the host's GRUB, None where none of the known ones makes the menu."""
    for layout in LAYOUTS.values():
        if has_program(files, layout.mkconfig) and files.exists(layout.directory):
            return layout
    return None


def has_program(files: HostFiles, name: str) -> bool:
    """Tell whether a program is where programs of the distribution are."""
    return any(files.exists(f"{place}/{name}") for place in _PLACES)

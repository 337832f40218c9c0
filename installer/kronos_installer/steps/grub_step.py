"""The file that makes Xen the default, and the menu made from it: verified, and put back to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.grub import GRUB_CFG, menu_inputs
from kronos_installer.grub_menu import parse_menu
from kronos_installer.host_files import FileState
from kronos_installer.override import override
from kronos_installer.steps.file_step import FileStep
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.steps.step import Record

GRUB_DIRECTORY = "/boot/grub"
# Under a lock that it keeps when we are killed: it then runs on, and must not write the menu
# after we have been started again and put the old one back.
UPDATE_GRUB = ("flock", GRUB_DIRECTORY, "update-grub")
# grub-mkconfig writes here first, and leaves it when a script of /etc/grub.d fails.
_HALF_MADE = f"{GRUB_CFG}.new"


class WrongDefaultError(KronosError):
    """update-grub ran, and the host would not boot Xen, or could boot nothing else any more."""

    def __init__(self, title: str, *, fallback: bool) -> None:
        what = "has no entry without Xen left" if not fallback else f"boots {title!r} by default, not Xen"
        super().__init__(
            f"{GRUB_CFG} {what}", resolution="look for what overrides GRUB_DEFAULT in /etc/grub.d"
        )


@dataclass(frozen=True, kw_only=True)
class GrubStep(FileStep):
    """Writes the file, runs update-grub, and reads in the menu what will boot."""

    kind = "grub"

    @property
    @override
    def needs_reboot(self) -> bool:
        return True

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return (UPDATE_GRUB,)

    @override
    def describe(self) -> str:
        return f"{super().describe()}, run update-grub, and see that Xen is {GRUB_CFG}'s default"

    @override
    def describe_undo(self) -> str:
        return f"{super().describe_undo()}, run update-grub"

    @override
    def capture(self, host: Host) -> Record:
        menu = host.state(GRUB_CFG)
        half_made = host.exists(_HALF_MADE)
        more = {"menu": menu.to_json() if menu else None, "inputs": menu_inputs(host), "half_made": half_made}
        return super().capture(host) | more

    @override
    def apply(self, host: Host, original: Record) -> None:
        super().apply(host, original)
        host.run(UPDATE_GRUB)
        _verify_menu(host.read(GRUB_CFG))

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Put the menu back: as it was where it would be made from the same again, made anew otherwise."""
        super().undo(host, original)
        before = FileState.from_json(original["menu"]) if original["menu"] else None
        if before is not None and menu_inputs(host) == original["inputs"]:
            with host.locked(GRUB_DIRECTORY):
                if host.state(GRUB_CFG) != before:
                    host.write(GRUB_CFG, before)
                host.temporary(GRUB_CFG).unlink(missing_ok=True)
        else:
            host.run(UPDATE_GRUB)
        if not original["half_made"]:
            host.remove(_HALF_MADE)

    @override
    def is_applied(self, host: Host) -> bool:
        try:
            _verify_menu(host.read(GRUB_CFG))
        except WrongDefaultError:
            return False
        return super().is_applied(host)


def _verify_menu(text: str) -> None:
    menu = parse_menu(text)
    chosen = menu.default_entry()
    if chosen is None or not chosen.boots_xen:
        raise WrongDefaultError(chosen.title if chosen else "", fallback=True)
    if not any(entry.boots_linux for entry in menu.all_entries()):
        raise WrongDefaultError(chosen.title, fallback=False)

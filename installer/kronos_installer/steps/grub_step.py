"""A file of GRUB's defaults, and the menu made from it: verified, and put back to the byte."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Self

from kronos_installer.detect.grub import menu_inputs, menu_of, read_environment
from kronos_installer.grub_layout import DEBIAN, LAYOUTS, GrubLayout
from kronos_installer.host_files import FileState
from kronos_installer.override import override
from kronos_installer.steps.file_step import FileStep
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.grub_menu import Entry, Menu
    from kronos_installer.host import Host
    from kronos_installer.steps.step import Record


class Default(StrEnum):
    """What a menu boots by itself."""

    XEN = "xen"
    LINUX = "linux"


class WrongDefaultError(KronosError):
    """The menu was made, and the host would boot something else by itself than it should."""

    def __init__(self, menu: str, title: str, wanted: Default) -> None:
        what = "not Xen" if wanted is Default.XEN else "not a kernel without Xen"
        super().__init__(
            f"{menu} boots {title!r} by default, {what}",
            resolution="look for what overrides GRUB_DEFAULT in /etc/grub.d",
        )


class MissingEntryError(KronosError):
    """The menu was made, and an entry that the host may need is not in it."""

    def __init__(self, menu: str, what: str) -> None:
        super().__init__(f"{menu} has no entry {what}", resolution="see what the scripts of /etc/grub.d find")


class WrongFallbackError(KronosError):
    """The menu was made, and where GRUB cannot load Xen it would not boot a kernel without it."""

    def __init__(self, layout: GrubLayout, fallback: str) -> None:
        super().__init__(
            f"{layout.menu}: `fallback={fallback}` is no entry without Xen",
            resolution=f"look for what sets it in /etc/grub.d; then {layout.mkconfig} -o {layout.menu}, and apply again",
        )


class NotUnderXenError(KronosError):
    """The host does not run Xen, so nobody knows whether it could."""

    def __init__(self) -> None:
        super().__init__(
            "the host does not run under Xen: its one-time try failed, or has not been",
            resolution="see the console of the boot into Xen; the default is the kernel without it",
        )


@dataclass(frozen=True, kw_only=True)
class GrubStep(FileStep):
    """Writes the file, makes the menu, and reads in it what will boot. `default` is what that must be."""

    kind = "grub"
    layout: GrubLayout = DEBIAN
    default: Default = Default.XEN

    @property
    @override
    def needs_reboot(self) -> bool:
        return not self.after_reboot

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return (self.layout.make_menu,)

    @override
    def describe(self) -> str:
        menu = self.layout.menu
        xen = self.default is Default.XEN
        wanted = f"Xen is {menu}'s default" if xen else f"{menu} has Xen and boots without it by default"
        return f"{super().describe()}, make GRUB's menu anew, and see that {wanted}"

    @override
    def describe_undo(self) -> str:
        return f"{super().describe_undo()}, put back GRUB's menu"

    @override
    def capture(self, host: Host) -> Record:
        menu = host.state(self.layout.menu)
        more = {"menu": menu.to_json() if menu else None, "inputs": menu_inputs(host)}
        return super().capture(host) | more

    @override
    def apply(self, host: Host, original: Record) -> None:
        super().apply(host, original)
        _remake_menu(host, self.layout, self.default)

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Put the menu back: as it was where it would be made from the same again, made anew otherwise."""
        super().undo(host, original)
        path = self.layout.menu
        before = FileState.from_json(original["menu"]) if original["menu"] else None
        with host.locked(self.layout.directory):
            # First, for the room they take.
            host.clear_aside(path)
            _remove_made(host, self.layout)
        if before is None or menu_inputs(host) != original["inputs"]:
            _remake_menu(host, self.layout, None)
        elif host.state(path) != before:
            host.write_for_loader(path, before)

    @override
    def is_applied(self, host: Host) -> bool:
        """Tell whether file and menu are there; a default without Xen is none that anybody must keep."""
        try:
            wanted = self.default if self.default is Default.XEN else None
            verify_menu(host, self.layout, host.read(self.layout.menu), wanted)
        except KronosError:
            return False
        return super().is_applied(host)

    @override
    def to_json(self) -> Record:
        return super().to_json() | {"layout": self.layout.name, "default": str(self.default)}

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(
            **cls.fields_of(record),
            # Journals of before there was a choice do not say it.
            layout=LAYOUTS[record.get("layout", DEBIAN.name)],
            default=Default(record.get("default", Default.XEN)),
        )


@dataclass(frozen=True, kw_only=True)
class GrubDefaultStep(GrubStep):
    """Makes Xen the lasting default, when the host has been seen to run it."""

    kind = "grub-default"
    after_reboot: ClassVar[bool] = True
    ends_try: ClassVar[bool] = True

    @override
    def capture(self, host: Host) -> Record:
        if not host.runs_xen():
            raise NotUnderXenError
        return super().capture(host)


@dataclass(frozen=True, kw_only=True)
class GrubScriptStep(FileStep):
    """Writes one of the scripts that the menu is made by; a GrubStep after it makes the menu."""

    kind = "grub-script"
    layout: GrubLayout = DEBIAN

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Take the script back, and what it printed: its menu is undone before it, and may have been made anew with it."""
        super().undo(host, original)
        printed = f"### BEGIN {self.path} ###" in host.read(self.layout.menu)
        if printed and not host.exists(self.path):
            _remake_menu(host, self.layout, None)

    @override
    def to_json(self) -> Record:
        return super().to_json() | {"layout": self.layout.name}

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(**cls.fields_of(record), layout=LAYOUTS[record["layout"]])


def _remake_menu(host: Host, layout: GrubLayout, default: Default | None) -> None:
    """Make the menu aside, look at it, and let it take the old one's place at once."""
    host.run(layout.make_menu)
    made = host.at(layout.new_menu).read_bytes()
    text = made.decode(errors="replace")
    if default is not None:
        verify_menu(host, layout, text, default)
    else:
        verify_way_back(host, layout, text)
    before = host.state(layout.menu)
    after = replace(before, content=made) if before else FileState(made, uid=os.geteuid(), gid=os.getegid())
    if after == before:
        host.clear_aside(layout.menu)
    else:
        host.write_for_loader(layout.menu, after)
    _remove_made(host, layout)


def _remove_made(host: Host, layout: GrubLayout) -> None:
    for path in (layout.new_menu, f"{layout.new_menu}.new"):
        if host.exists(path):
            host.remove(path)


def verify_menu(host: Host, layout: GrubLayout, text: str, default: Default | None) -> None:
    """Raise WrongDefaultError, WrongFallbackError or MissingEntryError unless the menu boots `default`, and without Xen
    where that cannot be loaded, and has entries of both kinds.
    """
    menu = verify_way_back(host, layout, text)
    if menu.simple_xen_entry() is None:
        raise MissingEntryError(layout.menu, "for Xen outside its submenus")
    if menu.fallback and menu.fallback_entry() is None:
        raise WrongFallbackError(layout, menu.fallback)
    chosen = menu.default_entry(read_environment(host, layout))
    if default is not None and (chosen is None or not _boots(chosen, default)):
        raise WrongDefaultError(layout.menu, chosen.title if chosen else "", default)


def verify_way_back(host: Host, layout: GrubLayout, text: str) -> Menu:
    """Return the menu, parsed. Raises MissingEntryError where no entry boots without Xen."""
    menu = menu_of(host, layout, text)
    if not any(entry.boots_linux for entry in menu.all_entries()):
        raise MissingEntryError(layout.menu, "without Xen left")
    return menu


def _boots(entry: Entry, default: Default) -> bool:
    return entry.boots_xen if default is Default.XEN else entry.boots_linux

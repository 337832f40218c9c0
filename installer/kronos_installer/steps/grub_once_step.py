"""Xen boots once: grub-reboot(8) writes the choice into GRUB's environment block, GRUB clears it when it obeys.

A host whose Xen does not come up is back on its default, the kernel without Xen, at the next reset.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from kronos_installer.detect.grub import read_environment, read_menu, resolved
from kronos_installer.grub_environment import NEXT_ENTRY, drop_variable, parse_environment, without
from kronos_installer.grub_layout import LAYOUTS, GrubLayout
from kronos_installer.host_files import FileState
from kronos_installer.override import override
from kronos_installer.steps.step import Record, Step
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Host

_PLACEHOLDER = "ID-OF-THE-XEN-ENTRY"


class OneTimeChoiceError(KronosError):
    """The choice was made, and GRUB would not boot Xen by it, or not only once."""

    def __init__(self, layout: GrubLayout, what: str) -> None:
        super().__init__(f"{layout.choose_once} did not make Xen the next boot: {what}")


@dataclass(frozen=True, kw_only=True)
class GrubOnceStep(Step):
    """Chooses the simple Xen entry, by its id, for the next boot."""

    kind = "grub-once"
    one_time: ClassVar[bool] = True
    layout: GrubLayout

    @property
    @override
    def needs_reboot(self) -> bool:
        return True

    @override
    def describe(self) -> str:
        return f"make Xen the next boot, once, in {self.layout.environment}"

    @override
    def describe_undo(self) -> str:
        return f"take the choice of the next boot back from {self.layout.environment}"

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return (self._command(_PLACEHOLDER),)

    def _command(self, entry: str) -> tuple[str, ...]:
        return self.layout.locked(self.layout.choose_once, entry)

    @override
    def capture(self, host: Host) -> Record:
        found = host.state(resolved(host, self.layout.environment))
        return {"environment": found.to_json() if found else None}

    @override
    def apply(self, host: Host, original: Record) -> None:
        del original
        menu = read_menu(host, self.layout)
        entry = menu.simple_xen_entry()
        if entry is None:
            raise OneTimeChoiceError(self.layout, f"{self.layout.menu} has no Xen entry outside its submenus")
        host.run(self._command(entry.id))
        # GRUB takes the choice back in the blocks that it finds, whatever the journal says of the file.
        host.settle_for_loader(self.layout.directory)
        chosen = read_environment(host, self.layout).get(NEXT_ENTRY, "")
        if chosen != entry.id:
            raise OneTimeChoiceError(self.layout, f"{self.layout.environment} says {chosen!r}")
        if not menu.once:
            raise OneTimeChoiceError(self.layout, f"{self.layout.menu} does not look at {NEXT_ENTRY}")

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Put the block back to the byte; what GRUB or others changed in it since stays, less our choice."""
        path = resolved(host, self.layout.environment)
        before = FileState.from_json(original["environment"]) if original["environment"] else None
        with host.locked(self.layout.directory):
            now = host.state(path)
            if now is not None and now != before:
                _write_back(host, path, now, before)
            host.clear_aside(path)

    @override
    def is_applied(self, host: Host) -> bool:
        """Tell whether Xen is the next boot, or nothing else is: once used up, nobody misses the choice."""
        chosen = read_environment(host, self.layout).get(NEXT_ENTRY, "")
        entry = read_menu(host, self.layout).simple_xen_entry()
        return not chosen or (entry is not None and chosen == entry.id)

    @override
    def to_json(self) -> Record:
        return {"layout": self.layout.name}

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(reason=record["reason"], layout=LAYOUTS[record["layout"]])


def _write_back(host: Host, path: str, now: FileState, before: FileState | None) -> None:
    if without(_variables(now), NEXT_ENTRY) != without(_variables(before), NEXT_ENTRY):
        host.write_for_loader(path, replace(now, content=drop_variable(now.content, NEXT_ENTRY)))
    elif before is not None:
        host.write_for_loader(path, before)
    else:
        host.remove(path)


def _variables(state: FileState | None) -> dict[str, str]:
    return parse_environment(state.content.decode(errors="surrogateescape")) if state else {}

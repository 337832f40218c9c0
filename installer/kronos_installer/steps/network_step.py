"""The files of a network stack that put the management addresses on the bridge: all of them, or none after a reboot.

Several files cannot be replaced at once. What a power cut leaves half written, the boot guard
(kronos_installer.guard) puts back from the journal before any network starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kronos_installer.override import override
from kronos_installer.steps.file_change import FileChange
from kronos_installer.steps.step import Record, Step

if TYPE_CHECKING:
    from kronos_installer.host import Host

__all__ = ["FileChange", "NetworkStep"]


@dataclass(frozen=True, kw_only=True)
class NetworkStep(Step):
    """Changes `files`, after which `interface` is a port of the bridge.

    `switch` makes the running network follow the new files, `switch_back` the old ones once they are back
    (NetworkEdit); neither is run by `apply` and `undo`, which leave what runs alone.
    """

    kind = "network"
    files: tuple[FileChange, ...]
    interface: str
    switch: tuple[tuple[str, ...], ...] = ()
    switch_back: tuple[tuple[str, ...], ...] = ()

    @property
    @override
    def touches_network(self) -> bool:
        return True

    @property
    @override
    def needs_reboot(self) -> bool:
        return True

    @override
    def describe(self) -> str:
        return ", ".join(change.describe() for change in self.files)

    @override
    def describe_undo(self) -> str:
        return ", ".join(change.describe_undo() for change in reversed(self.files))

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return ()

    @override
    def diff(self) -> str:
        return "\n".join(diff for change in self.files if (diff := change.diff()))

    @override
    def capture(self, host: Host) -> Record:
        return {"files": [change.capture(host) for change in self.files]}

    @override
    def apply(self, host: Host, original: Record) -> None:
        for change, before in zip(self.files, original["files"], strict=True):
            change.apply(host, before)

    @override
    def undo(self, host: Host, original: Record) -> None:
        for change, before in reversed(list(zip(self.files, original["files"], strict=True))):
            change.undo(host, before)

    @override
    def is_applied(self, host: Host) -> bool:
        return all(change.is_applied(host) for change in self.files)

    @override
    def changed_since(self, host: Host, original: Record) -> str:
        pairs = zip(self.files, original["files"], strict=True)
        return ", ".join(path for change, before in pairs if (path := change.changed_since(host, before)))

    @override
    def to_json(self) -> Record:
        return {
            "files": [change.to_json() for change in self.files],
            "interface": self.interface,
            "switch": [list(argv) for argv in self.switch],
            "switch_back": [list(argv) for argv in self.switch_back],
        }

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(
            reason=record["reason"],
            files=tuple(FileChange.from_json(change) for change in record["files"]),
            interface=record["interface"],
            switch=tuple(tuple(argv) for argv in record["switch"]),
            switch_back=tuple(tuple(argv) for argv in record["switch_back"]),
        )

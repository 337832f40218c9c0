"""A directory is there. At undo it goes again, unless somebody has put something in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kronos_installer.override import override
from kronos_installer.steps.step import Record, Step

if TYPE_CHECKING:
    from kronos_installer.host import Host


@dataclass(frozen=True, kw_only=True)
class DirectoryStep(Step):
    """Makes `path` and what is missing above it (mode 0755)."""

    kind = "directory"
    path: str

    @override
    def describe(self) -> str:
        return f"make {self.path}/"

    @override
    def describe_undo(self) -> str:
        return f"remove {self.path}/ if it is empty"

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return ()

    @override
    def capture(self, host: Host) -> Record:
        return {"made": host.missing_parents(f"{self.path}/")}

    @override
    def apply(self, host: Host, original: Record) -> None:
        for directory in original["made"]:
            host.make_directory(directory)

    @override
    def undo(self, host: Host, original: Record) -> None:
        for directory in reversed(original["made"]):
            host.remove_directory(directory)

    @override
    def is_applied(self, host: Host) -> bool:
        return host.at(self.path).is_dir()

    @override
    def to_json(self) -> Record:
        return {"path": self.path}

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(reason=record["reason"], path=record["path"])

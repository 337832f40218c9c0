"""A file gets a new content; owner and mode stay, missing directories above it are made."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kronos_installer.host_files import FileState
from kronos_installer.override import override
from kronos_installer.steps.file_change import FileChange, mode_from_json, mode_to_json
from kronos_installer.steps.step import Record, Step

if TYPE_CHECKING:
    from kronos_installer.host import Host


@dataclass(frozen=True, kw_only=True)
class FileStep(Step):
    """`before` is the file the plan was made from (None: there was none).

    `shared`: other programs write the file too, so another content at undo is no surprise. `mode`: see FileChange.
    """

    kind = "file"
    path: str
    content: bytes
    before: FileState | None
    shared: bool = False
    mode: int | None = None

    @property
    @override
    def target(self) -> str:
        return self.path

    @property
    def _change(self) -> FileChange:
        return FileChange(self.path, self.content, self.before, self.mode)

    @override
    def describe(self) -> str:
        return self._change.describe()

    @override
    def describe_undo(self) -> str:
        return self._change.describe_undo()

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return ()

    @override
    def diff(self) -> str:
        return self._change.diff()

    @override
    def capture(self, host: Host) -> Record:
        return self._change.capture(host)

    @override
    def apply(self, host: Host, original: Record) -> None:
        self._change.apply(host, original)

    @override
    def undo(self, host: Host, original: Record) -> None:
        self._change.undo(host, original)

    @override
    def is_applied(self, host: Host) -> bool:
        return host.state(self.path) is not None if self.shared else self._change.is_applied(host)

    @override
    def changed_since(self, host: Host, original: Record) -> str:
        return "" if self.shared else self._change.changed_since(host, original)

    @override
    def to_json(self) -> Record:
        return {
            "path": self.path,
            "content": base64.b64encode(self.content).decode(),
            "before": self.before.to_json() if self.before else None,
            "shared": self.shared,
            "mode": mode_to_json(self.mode),
        }

    @staticmethod
    def fields_of(record: Record) -> Record:
        """Return the fields of what to_json wrote."""
        return {
            "reason": record["reason"],
            "path": record["path"],
            "content": base64.b64decode(record["content"]),
            "before": FileState.from_json(record["before"]) if record["before"] else None,
            "shared": record["shared"],
            # Journals of before there was one do not say it.
            "mode": mode_from_json(record.get("mode")),
        }

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(**cls.fields_of(record))

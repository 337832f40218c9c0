"""A file gets a new content; owner and mode stay, missing directories above it are made."""

from __future__ import annotations

import base64
import difflib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kronos_installer.host_files import FileState
from kronos_installer.override import override
from kronos_installer.steps.step import HostChangedError, Record, Step

if TYPE_CHECKING:
    from kronos_installer.host import Host


@dataclass(frozen=True, kw_only=True)
class FileStep(Step):
    """`before` is the file the plan was made from (None: there was none).

    `shared`: other programs write the file too, so another content at undo is no surprise.
    """

    kind = "file"
    path: str
    content: bytes
    before: FileState | None
    shared: bool = False
    network: bool = False

    @property
    @override
    def touches_network(self) -> bool:
        return self.network

    @property
    @override
    def needs_reboot(self) -> bool:
        return self.network

    @property
    def after(self) -> FileState:
        """The file that `apply` leaves; a new one is whose we are: root, on a host."""
        if self.before is None:
            return FileState(self.content, uid=os.geteuid(), gid=os.getegid())
        return FileState(self.content, self.before.mode, self.before.uid, self.before.gid)

    @override
    def describe(self) -> str:
        return f"{'write' if self.before is None else 'change'} {self.path}"

    @override
    def describe_undo(self) -> str:
        return f"{'remove' if self.before is None else 'put back'} {self.path}"

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return ()

    @override
    def diff(self) -> str:
        old = _display_lines(self.before.content if self.before else b"")
        new = _display_lines(self.content)
        old_name = self.path if self.before else "/dev/null"
        return "\n".join(difflib.unified_diff(old, new, old_name, self.path, lineterm=""))

    @override
    def capture(self, host: Host) -> Record:
        found = host.state(self.path)
        if found != self.before:
            raise HostChangedError(self.path)
        return {"file": found.to_json() if found else None, "made": host.missing_parents(self.path)}

    @override
    def apply(self, host: Host, original: Record) -> None:
        for directory in original["made"]:
            host.make_directory(directory)
        if host.state(self.path) != self.after:
            host.write(self.path, self.after)

    @override
    def undo(self, host: Host, original: Record) -> None:
        if original["file"] is None:
            host.remove(self.path)
        else:
            before = FileState.from_json(original["file"])
            if host.state(self.path) != before:
                host.write(self.path, before)
            host.temporary(self.path).unlink(missing_ok=True)
        for directory in reversed(original["made"]):
            host.remove_directory(directory)

    @override
    def is_applied(self, host: Host) -> bool:
        found = host.state(self.path)
        return found is not None if self.shared else found == self.after

    @override
    def changed_since(self, host: Host, original: Record) -> str:
        before = original["file"] and FileState.from_json(original["file"])
        if self.shared or host.state(self.path) in (self.after, before):
            return ""
        return self.path

    @override
    def to_json(self) -> Record:
        return {
            "path": self.path,
            "content": base64.b64encode(self.content).decode(),
            "before": self.before.to_json() if self.before else None,
            "shared": self.shared,
            "network": self.network,
        }

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(
            reason=record["reason"],
            path=record["path"],
            content=base64.b64decode(record["content"]),
            before=FileState.from_json(record["before"]) if record["before"] else None,
            shared=record["shared"],
            network=record["network"],
        )


def _display_lines(content: bytes) -> list[str]:
    lines = content.decode(errors="replace").split("\n")
    return lines[:-1] if lines[-1] == "" else [*lines[:-1], lines[-1] + "\n\\ No newline at end of file"]

"""One file of a step: what it was, what it becomes; done, undone and told. What file steps of every kind are made of."""

from __future__ import annotations

import base64
import difflib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kronos_installer.host_files import ACCESS_LIST, FileState
from kronos_installer.steps.step import HostChangedError, Record

if TYPE_CHECKING:
    from kronos_installer.host import Host

_NEW_FILE_MODE = 0o644


@dataclass(frozen=True)
class FileChange:
    """`before` is the file the plan was made from (None: there was none), `content` what it becomes (None: it goes).

    `mode` are the permission bits afterwards; None keeps those of `before`, and is 0644 for a new file.
    """

    path: str
    content: bytes | None
    before: FileState | None
    mode: int | None = None

    @property
    def after(self) -> FileState | None:
        """The file that `apply` leaves; owner and group stay, a new one is whose we are: root, on a host."""
        if self.content is None:
            return None
        if self.before is None:
            mode = _NEW_FILE_MODE if self.mode is None else self.mode
            return FileState(self.content, mode, os.geteuid(), os.getegid())
        after = replace(self.before, content=self.content)
        if self.mode in (None, self.before.mode):
            return after
        # An access list says what the permission bits are (acl(5)): it does not outlive theirs.
        kept = {name: value for name, value in self.before.attributes.items() if name != ACCESS_LIST}
        return replace(after, mode=self.mode, attributes=kept)

    def describe(self) -> str:
        """Return what it does, as one line that begins with a verb."""
        if self.content is None:
            return f"remove {self.path}"
        said = f"{'write' if self.before is None else 'change'} {self.path}"
        usual = _NEW_FILE_MODE if self.before is None else self.before.mode
        return said if self.mode in (None, usual) else f"{said} (mode {self.mode:04o})"

    def describe_undo(self) -> str:
        """Return what taking it back does."""
        return f"{'remove' if self.before is None else 'put back'} {self.path}"

    def diff(self) -> str:
        """Return the unified diff."""
        old = _display_lines(self.before.content if self.before else b"")
        new = _display_lines(self.content or b"")
        old_name = "/dev/null" if self.before is None else self.path
        new_name = "/dev/null" if self.content is None else self.path
        return "\n".join(difflib.unified_diff(old, new, old_name, new_name, lineterm=""))

    def capture(self, host: Host) -> Record:
        """Return the original and the directories that are missing above it. Raises HostChangedError."""
        found = host.state(self.path)
        if found != self.before:
            raise HostChangedError(self.path)
        made = [] if self.content is None else host.missing_parents(self.path)
        return {"file": found.to_json() if found else None, "made": made}

    def apply(self, host: Host, original: Record) -> None:
        """Bring the new file about, durably; nothing is written where it is there already."""
        if self.after is None:
            host.remove(self.path)
            return
        for directory in original["made"]:
            host.make_directory(directory)
        if host.state(self.path) != self.after:
            host.write(self.path, self.after)

    def undo(self, host: Host, original: Record) -> None:
        """Bring the original back, durably, and take away the directories that were made for the new file."""
        if original["file"] is None:
            host.remove(self.path)
        else:
            before = FileState.from_json(original["file"])
            if host.state(self.path) != before:
                host.write_back(self.path, before)
            host.temporary(self.path).unlink(missing_ok=True)
        for directory in reversed(original["made"]):
            host.remove_directory(directory)

    def is_applied(self, host: Host) -> bool:
        """Tell whether the new state is there; reads only."""
        return host.state(self.path) == self.after

    def changed_since(self, host: Host, original: Record) -> str:
        """Return the path if it is neither the new file nor the original; "" otherwise."""
        before = original["file"] and FileState.from_json(original["file"])
        return "" if host.state(self.path) in (self.after, before) else self.path

    def to_json(self) -> Record:
        """Return the journal's form."""
        return {
            "path": self.path,
            "content": None if self.content is None else base64.b64encode(self.content).decode(),
            "before": self.before.to_json() if self.before else None,
            "mode": mode_to_json(self.mode),
        }

    @classmethod
    def from_json(cls, record: Record) -> FileChange:
        """Read the journal's form."""
        return cls(
            path=record["path"],
            content=None if record["content"] is None else base64.b64decode(record["content"]),
            before=FileState.from_json(record["before"]) if record["before"] else None,
            mode=mode_from_json(record["mode"]),
        )


def mode_to_json(mode: int | None) -> str | None:
    """Return permission bits as chmod(1) has them, in octal; None stays."""
    return None if mode is None else f"{mode:04o}"


def mode_from_json(text: str | None) -> int | None:
    """Read what mode_to_json wrote."""
    return None if text is None else int(text, 8)


def _display_lines(content: bytes) -> list[str]:
    lines = content.decode(errors="replace").split("\n")
    return lines[:-1] if lines[-1] == "" else [*lines[:-1], lines[-1] + "\n\\ No newline at end of file"]

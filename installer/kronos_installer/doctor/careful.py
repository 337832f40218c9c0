"""Looking at a host that may be broken in any way: nothing is waited for without end, and one fault hides no other."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from kronos_installer.doctor.answer import error
from kronos_installer.host import Host, SystemRunner
from kronos_installer.host_files import FileState, HostFiles, UnreadableFileError
from kronos_installer.override import override
from kronos_installer.time_limit import within
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kronos_installer.host import Runner
    from kronos_installer.problem import Problem

T = TypeVar("T")

# Programs that only look answer within seconds; on a host whose disk, bus or Xen hangs they never do.
LOOK_S = 30.0
# A program that is killed and does not die (it waits for a disk) is left to itself.
_GRACE_S = 2.0


class NoAnswerError(KronosError):
    """A program cannot be started, or does not end."""

    def __init__(self, argv: Sequence[str], why: object) -> None:
        super().__init__(f"{shlex.join(argv)}: {why}")


@dataclass(frozen=True)
class CarefulRunner:
    """Runs a command for `seconds` at most. Raises KronosError, whatever keeps the command from its work."""

    runner: Runner
    seconds: float = LOOK_S

    def __call__(self, argv: Sequence[str]) -> str:
        """Return the command's standard output."""
        inner = self.runner
        if isinstance(inner, SystemRunner):
            inner = replace(inner, timeout_s=self.seconds)
        try:
            return within(self.seconds + _GRACE_S, partial(inner, argv))
        except OSError as caught:
            raise NoAnswerError(argv, caught) from caught


@dataclass(frozen=True)
class CarefulFiles(HostFiles):
    """A host's files; those that cannot be read count as not there, and `unread` says why, by path."""

    unread: dict[str, str] = field(default_factory=dict)

    @override
    def read_bytes(self, path: str) -> bytes:
        try:
            return super().read_bytes(path)
        except UnreadableFileError as caught:
            self._note(path, caught.what)
            return b""

    @override
    def exists(self, path: str) -> bool:
        try:
            return super().exists(path)
        except OSError as caught:
            self._note(path, f"cannot be read: {caught.strerror}")
            return False

    @override
    def state(self, path: str) -> FileState | None:
        found = None
        try:
            found = super().state(path)
        except OSError as caught:
            self._note(path, f"cannot be read: {caught.strerror}")
        return None if path in self.unread else found

    def _note(self, path: str, what: str) -> None:
        # What the kernel shows there answers with errors: the carrier of an interface that is down.
        if not path.startswith("/sys/"):
            self.unread[path] = what


@dataclass
class Look:
    """A look at all areas; `problems` are of those that could not be looked at."""

    problems: list[Problem] = field(default_factory=list)

    def at(self, area: str, read: Callable[[], T], seconds: float = 0) -> T | None:
        """Return what `read` does, None where it fails, or does not end within `seconds` (0: whatever it takes)."""
        try:
            return within(seconds, read) if seconds else read()
        except Exception as caught:  # noqa: BLE001 -- what nobody thought of in one area may not hide the others
            self.problems.append(error("area-unknown", f"how {area} is cannot be told", f"{type(caught).__name__}: {caught}",
                                       "see what is odd about what is named there; all else has been looked at"))  # fmt: skip
            return None


def careful_host(host: Host) -> Host:
    """Return the host with commands that end."""
    return replace(host, runner=CarefulRunner(host.runner))


def unread_findings(files: CarefulFiles) -> list[Problem]:
    """Return the files that could not be read."""
    return [error("file-unreadable", f"it {why}", path,
                  f"see 'ls -lZ {path}' and 'dmesg'; put it back from a backup or its package")
            for path, why in files.unread.items()]  # fmt: skip

"""All that may change a host: a handful of durable file operations and a command runner.

Every operation announces itself to `on_effect` before and after each point at which a
crash would leave something different on the disk. Tests crash there, at every one.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from kronos_installer.boot_file_system import settle
from kronos_installer.host_files import FileState, HostFiles
from xapi_shim.base.atomic_file import fsync_directory
from xapi_shim.base.held_lock import held_lock
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

# What decides the language of grub.cfg: the operator's, as when apt runs update-grub.
_LOCALE = ("LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES")
_COMMAND_TIMEOUT_S = 900
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Runner(Protocol):
    """Runs a command on the host to its end. Raises ProcessError, ProgramMissingError, ProcessTimeoutError."""

    def __call__(self, argv: Sequence[str]) -> str:
        """Return the command's standard output."""


@dataclass(frozen=True)
class SystemRunner:
    """The real one; below another root than `/` it runs in there (chroot(8))."""

    root: Path
    timeout_s: float = _COMMAND_TIMEOUT_S

    def __call__(self, argv: Sequence[str]) -> str:
        inside = [] if self.root.resolve() == self.root.resolve().parent else ["chroot", os.fspath(self.root)]
        env = {name: os.environ.get(name, "") for name in _LOCALE}
        return run([*inside, *argv], env=env, timeout_s=self.timeout_s).stdout


def _nothing(_text: str) -> None:
    pass


@dataclass(frozen=True)
class Host(HostFiles):
    """A host that can be changed. `say` is told what a long wait is for; `settle` see boot_file_system."""

    runner: Runner
    on_effect: Callable[[str], None] = field(default=_nothing)
    say: Callable[[str], None] = field(default=_nothing)
    settle: Callable[[Path], None] = field(default=settle)

    def run(self, argv: Sequence[str]) -> str:
        """Run a command on the host and return what it printed."""
        self.on_effect(f"before {argv[0]}")
        out = self.runner(argv)
        self.on_effect(f"after {argv[0]}")
        return out

    @contextmanager
    def locked(self, directory: str) -> Iterator[None]:
        """Wait until no command that was started under flock(1) of `directory` runs any more, and keep others out."""
        with held_lock(self.at(directory)):
            yield

    def temporary(self, path: str) -> Path:
        """Return where a new content of `path` is written before it takes its place.

        The name is fixed, so that what a crash leaves is found and removed later, and starts
        with a dot, so that no `source *` or `*.cfg` ever reads it.
        """
        where = self.at(path)
        return where.with_name(f".{where.name}.xapi-host-setup")

    def clear_aside(self, path: str) -> None:
        """Remove what a crash may have left beside `path`."""
        self.temporary(path).unlink(missing_ok=True)
        kept = self._kept(path)
        if kept.exists():
            # What a boot loader finds at `path` may be this file still.
            self.settle(kept.parent)
            kept.unlink()

    def _kept(self, path: str) -> Path:
        aside = self.temporary(path)
        return aside.with_name(f"{aside.name}.old")

    def write(self, path: str, state: FileState) -> None:
        """Replace `path`: written aside, owner and mode set, fsynced, renamed, directory fsynced."""
        aside, where = self._write_aside(path, state), self.at(path)
        self.on_effect(f"before renaming {path}")
        aside.replace(where)
        self.on_effect(f"after renaming {path}")
        fsync_directory(where.parent)

    def write_back(self, path: str, state: FileState) -> None:
        """Replace `path` by its original, as `write` does; on a full disk in the room of the file that is there.

        Cut off there it leaves a mixture of both: the journal has the original still, and whoever goes on calls this again.
        """
        try:
            self.write(path, state)
        except OSError as error:
            where = self.at(path)
            if error.errno not in _FULL or where.is_symlink() or not where.is_file():
                raise
            self._overwrite(path, state)

    def _overwrite(self, path: str, state: FileState) -> None:
        self.on_effect(f"before overwriting {path}")
        with self.at(path).open("r+b") as file:
            # Before anything of it is lost: all of the original fits.
            os.posix_fallocate(file.fileno(), 0, max(1, len(state.content)))
            # It may be for fewer eyes.
            self._give_all_else(file.fileno(), state)
            half = len(state.content) // 2
            file.write(state.content[:half])
            file.flush()
            self.on_effect(f"half-way through overwriting {path}")
            file.write(state.content[half:])
            file.truncate(len(state.content))
            file.flush()
            os.fsync(file.fileno())
        self.on_effect(f"after overwriting {path}")

    def write_for_loader(self, path: str, state: FileState) -> None:
        """Replace `path` so that GRUB finds the old or the new one, whole, at every moment (see boot_file_system).

        The old file keeps its blocks, by another name, until the directory on the disk names the new one.
        """
        self.clear_aside(path)
        aside, where, kept = self._write_aside(path, state), self.at(path), self._kept(path)
        if where.exists():
            self.on_effect(f"before keeping {path}")
            # FAT has no second names; nor has it a journal.
            with suppress(PermissionError):
                kept.hardlink_to(where)
        self.on_effect(f"before settling {path}")
        self.settle(where.parent)
        self.on_effect(f"before renaming {path}")
        aside.replace(where)
        self.on_effect(f"after renaming {path}")
        self.settle(where.parent)
        kept.unlink(missing_ok=True)
        self.on_effect(f"after settling {path}")
        fsync_directory(where.parent)

    def settle_for_loader(self, directory: str) -> None:
        """Let a boot loader see all that was written in `directory` and beside it, by whomever."""
        if self.at(directory).is_dir():
            self.on_effect(f"before settling {directory}")
            self.settle(self.at(directory))

    def _write_aside(self, path: str, state: FileState) -> Path:
        aside = self.temporary(path)
        aside.unlink(missing_ok=True)
        self.on_effect(f"before writing {path}")
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(state.content)
                file.flush()
                self._give_all_else(file.fileno(), state)
                os.fsync(file.fileno())
        except OSError:
            aside.unlink(missing_ok=True)
            raise
        return aside

    def _give_all_else(self, fd: int, state: FileState) -> None:
        """Give owner, mode and attributes."""
        now = os.fstat(fd)
        if (state.uid, state.gid) != (now.st_uid, now.st_gid):
            os.fchown(fd, state.uid, state.gid)
        os.fchmod(fd, state.mode)
        for name, value in state.attributes.items():
            # What only a privileged process may say is nothing that this one was asked to change.
            with suppress(PermissionError):
                os.setxattr(fd, name, value)

    def remove(self, path: str) -> None:
        """Remove the file at `path`, and what a crash left beside it, if they are there."""
        where = self.at(path)
        if not where.parent.is_dir():
            return
        self.on_effect(f"before removing {path}")
        self.temporary(path).unlink(missing_ok=True)
        where.unlink(missing_ok=True)
        self.on_effect(f"after removing {path}")
        fsync_directory(where.parent)

    def make_directory(self, path: str) -> None:
        """Make the directory at `path` (mode 0755) if it is not there; its parent is."""
        self.on_effect(f"before making {path}")
        self.at(path).mkdir(mode=0o755, exist_ok=True)
        self.on_effect(f"after making {path}")
        fsync_directory(self.at(path).parent)

    def remove_directory(self, path: str) -> bool:
        """Remove the directory at `path`; return False when it holds something and stays."""
        where = self.at(path)
        if not where.is_dir():
            return True
        if any(where.iterdir()):
            return False
        self.on_effect(f"before removing {path}")
        where.rmdir()
        self.on_effect(f"after removing {path}")
        fsync_directory(where.parent)
        return True

    def missing_parents(self, path: str) -> list[str]:
        """Return the directories above `path` that are not there, outermost first."""
        missing = []
        parent = path.rpartition("/")[0]
        while parent and not self.at(parent).is_dir():
            missing.append(parent)
            parent = parent.rpartition("/")[0]
        return missing[::-1]

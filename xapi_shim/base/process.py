"""The only place that starts programs: argument lists, a clean environment, typed failures."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

_PASSED_ON = (
    "HOME", "TERM", "SSL_CERT_FILE", "http_proxy", "https_proxy", "no_proxy", "XDG_CACHE_HOME", "XDG_DATA_HOME",
    "KRONOS_CACHE", "KRONOS_SIGNING_HOME", "CI", "COLUMNS", "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ProgramMissingError(KronosError):
    """The program is not installed."""

    def __init__(self, program: str) -> None:
        super().__init__(f"program not found: {program}", resolution="install the package that provides it")
        self.program = program


class ProcessError(KronosError):
    """The program ended with a status other than 0, by a signal, or not in time."""

    def __init__(self, argv: Sequence[str], returncode: int, stdout: str, stderr: str) -> None:
        how = (
            f"killed by {signal.Signals(-returncode).name}" if returncode < 0 else f"exit status {returncode}"
        )
        last = (stderr.strip() or stdout.strip()).splitlines()
        super().__init__(f"{shlex.join(argv)}: {how}" + (f": {last[-1]}" if last else ""))
        self.argv, self.returncode, self.stdout, self.stderr = tuple(argv), returncode, stdout, stderr


class ProcessTimeoutError(KronosError):
    """The program did not end in time and was killed."""

    def __init__(self, argv: Sequence[str], timeout_s: float) -> None:
        super().__init__(f"{shlex.join(argv)}: not done after {timeout_s:g} s")
        self.argv, self.timeout_s = tuple(argv), timeout_s


@dataclass(frozen=True)
class Completed:
    """What a finished program left: its status and both outputs as text."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return PATH, LANG=C.UTF-8 and a short list of passed-on variables, then `extra`."""
    env = {"PATH": os.environ.get("PATH", _DEFAULT_PATH), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    env.update({name: os.environ[name] for name in _PASSED_ON if name in os.environ})
    env.update(extra or {})
    return env


def _argv(argv: Sequence[str | os.PathLike[str]]) -> list[str]:
    return [os.fspath(arg) for arg in argv]


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float | None = None,
    check: bool = True,
    log: IO[str] | None = None,
) -> Completed:
    """Run `argv` to its end and return its output.

    With `log` both outputs go to that file instead of the result.
    Raises ProgramMissingError, ProcessError (when `check`), ProcessTimeoutError.
    """
    args = _argv(argv)
    try:
        done = subprocess.run(
            args,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=log if log is not None else subprocess.PIPE,
            stderr=subprocess.STDOUT if log is not None else subprocess.PIPE,
            env=clean_environment(env),
            cwd=cwd,
            timeout=timeout_s,
            check=False,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise ProgramMissingError(args[0]) from error
    except subprocess.TimeoutExpired as error:
        raise ProcessTimeoutError(args, timeout_s or 0) from error
    if check and done.returncode != 0:
        raise ProcessError(args, done.returncode, done.stdout or "", done.stderr or "")
    return Completed(tuple(args), done.returncode, done.stdout or "", done.stderr or "")


def replace_process(argv: Sequence[str | os.PathLike[str]]) -> None:
    """Become `argv` (exec), keeping the terminal. Raises ProgramMissingError; returns never."""
    args = _argv(argv)
    try:
        os.execvp(args[0], args)  # noqa: S606 -- no shell wanted
    except FileNotFoundError as error:
        raise ProgramMissingError(args[0]) from error


def start(
    argv: Sequence[str | os.PathLike[str]],
    *,
    log: IO[str],
    env: Mapping[str, str] | None = None,
    new_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a long-running `argv` whose outputs go to `log`; the caller owns the returned process."""
    args = _argv(argv)
    try:
        return subprocess.Popen(
            args,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=clean_environment(env),
            start_new_session=new_session,
        )
    except FileNotFoundError as error:
        raise ProgramMissingError(args[0]) from error


async def run_async(
    argv: Sequence[str | os.PathLike[str]],
    *,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    check: bool = True,
) -> Completed:
    """`run` for coroutines. Cancelling kills the program; raises as `run` does."""
    # Not at the top: most programs have no coroutines, and asyncio takes half of their start.
    import asyncio

    args = _argv(argv)
    async with _spawned(args, env=env, pipe_stdin=stdin is not None) as process:
        try:
            out, err = await asyncio.wait_for(
                process.communicate(None if stdin is None else stdin.encode()), timeout_s
            )
        except TimeoutError as error:
            raise ProcessTimeoutError(args, timeout_s or 0) from error
    stdout, stderr = out.decode(errors="replace"), err.decode(errors="replace")
    code = process.returncode if process.returncode is not None else -signal.SIGKILL
    if check and code != 0:
        raise ProcessError(args, code, stdout, stderr)
    return Completed(tuple(args), code, stdout, stderr)


async def stream_lines(
    argv: Sequence[str | os.PathLike[str]], *, env: Mapping[str, str] | None = None
) -> AsyncIterator[str]:
    """Yield the lines that a long-running `argv` prints, until it ends; closing kills it.

    Raises ProgramMissingError, and ProcessError when it ends by itself with a status other than 0.
    """
    args = _argv(argv)
    async with _spawned(args, env=env, pipe_stdin=False) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while line := await process.stdout.readline():
            yield line.decode(errors="replace").rstrip("\n")
        stderr = (await process.stderr.read()).decode(errors="replace")
        if await process.wait() != 0:
            raise ProcessError(args, process.returncode or 0, "", stderr)


@asynccontextmanager
async def _spawned(
    args: list[str], *, env: Mapping[str, str] | None, pipe_stdin: bool
) -> AsyncIterator[asyncio.subprocess.Process]:
    import asyncio

    try:
        process = await asyncio.create_subprocess_exec(
            *args,
            stdin=asyncio.subprocess.PIPE if pipe_stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=clean_environment(env),
        )
    except FileNotFoundError as error:
        raise ProgramMissingError(args[0]) from error
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def run_in_foreground(
    argv: Sequence[str | os.PathLike[str]], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> int:
    """Run `argv` on this process's own terminal and return its exit status. Raises ProgramMissingError."""
    args = _argv(argv)
    try:
        return subprocess.run(args, cwd=cwd, env=clean_environment(env), check=False).returncode
    except FileNotFoundError as error:
        raise ProgramMissingError(args[0]) from error

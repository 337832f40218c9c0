"""Runs the tools of a Linux host's system."""

from __future__ import annotations

from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import Completed, run_async
from xapi_shim.host.interface import HostError

TIMEOUT_S = 90.0


async def ask_tool(*argv: str, timeout_s: float = TIMEOUT_S) -> Completed:
    """Run a tool whose exit status is an answer. Raises HostError where it cannot be run, or does not end."""
    try:
        return await run_async(argv, timeout_s=timeout_s, check=False)
    except KronosError as error:
        raise HostError(error.message, resolution=error.resolution) from error


async def run_tool(*argv: str, timeout_s: float = TIMEOUT_S) -> str:
    """Run a tool that must succeed, and return what it prints. Raises HostError with its complaint."""
    done = await ask_tool(*argv, timeout_s=timeout_s)
    if done.returncode != 0:
        told = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
        raise HostError(f"{argv[0]}: {told[-1]}")
    return done.stdout

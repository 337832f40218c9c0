"""Xen's own programs, run to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run_async
from xapi_shim.xen.interface import XenError

if TYPE_CHECKING:
    from xapi_shim.base.process import Completed


async def attempt(*argv: str, timeout_s: float) -> Completed:
    """Run a tool of Xen's to its end, whatever its status. Raises XenError."""
    try:
        return await run_async(argv, timeout_s=timeout_s, check=False)
    except KronosError as error:
        raise XenError(error.message, resolution=error.resolution) from error

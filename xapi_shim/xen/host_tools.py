"""What the toolstack asks of Xen about the host as a whole, not a guest: its console, its keys, its idle states."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from xapi_shim.xen import xenstore
from xapi_shim.xen.interface import XenError
from xapi_shim.xen.tools import attempt
from xapi_shim.xen.xl_text import complaint

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 60.0
# One letter or digit each; a dash first would be an option to xl.
_KEYS = re.compile(r"[A-Za-z0-9*+%?]+")


class XenHostTools(Protocol):
    """Xen's own console and settings. Every method may raise XenError."""

    async def console(self, *, clear: bool) -> str:
        """Return what Xen wrote on its console, and forget it afterwards if asked to."""
        ...

    async def send_debug_keys(self, keys: str) -> None:
        """Press keys on Xen's console, one after the other. Raises XenError for what is no key."""
        ...

    async def set_max_cstate(self, limit: tuple[int, int | None] | None) -> None:
        """Let processors idle no deeper than C-state, and sub-state, `limit`; None for no limit."""
        ...

    async def publish(self, folder: str, keys: Mapping[str, str]) -> None:
        """Have a folder of xenstore, which every guest may read, hold these keys and no others."""
        ...


class XlHostTools:
    """XenHostTools over xl(1) and xenpm(1)."""

    async def console(self, *, clear: bool) -> str:
        return await _run("xl", "dmesg", *(["-c"] if clear else []))

    async def send_debug_keys(self, keys: str) -> None:
        check_debug_keys(keys)
        await _run("xl", "debug-keys", keys)

    async def set_max_cstate(self, limit: tuple[int, int | None] | None) -> None:
        args = ["unlimited"] if limit is None else [str(part) for part in limit if part is not None]
        await _run("xenpm", "set-max-cstate", *args)

    async def publish(self, folder: str, keys: Mapping[str, str]) -> None:
        await xenstore.publish(folder, keys)


@dataclass
class SimulatedXenHostTools:
    """XenHostTools in memory."""

    text: str = "(XEN) Xen version 0 (simulated)\n"
    limit: tuple[int, int | None] | None = None
    published: dict[str, dict[str, str]] = field(default_factory=dict)

    async def console(self, *, clear: bool) -> str:
        told = self.text
        if clear:
            self.text = ""
        return told

    async def send_debug_keys(self, keys: str) -> None:
        check_debug_keys(keys)
        for key in keys:
            self.text += f"(XEN) '{key}' pressed\n"

    async def set_max_cstate(self, limit: tuple[int, int | None] | None) -> None:
        self.limit = limit

    async def publish(self, folder: str, keys: Mapping[str, str]) -> None:
        self.published[folder] = dict(keys)


def check_debug_keys(keys: str) -> None:
    """Raise XenError for what is no keys of Xen's."""
    if not _KEYS.fullmatch(keys):
        raise XenError(f"not keys of Xen's console: {keys[:32]!r}")


async def _run(*argv: str) -> str:
    done = await attempt(*argv, timeout_s=TIMEOUT_S)
    if done.returncode != 0:
        raise XenError(f"{' '.join(argv[:2])}: {complaint(done.stderr)}")
    return done.stdout

"""What guests are told, and tell, through xenstore (xenstore(1)): keys in a guest's own part, and keys for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.xen.interface import XenError
from xapi_shim.xen.tools import attempt
from xapi_shim.xen.xl_text import complaint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.base.process import Completed

TIMEOUT_S = 60.0


async def write_guest_keys(domid: int, folder: str, keys: Mapping[str, str]) -> None:
    """Write `keys` below a folder of a guest's part; the key "" is the folder's own value.

    The guest may read and change them: new keys have their folder's rights. Raises XenError.
    """
    top = f"/local/domain/{domid}/{folder}"
    await _write({top: keys.get("", "")})
    await _xenstore("chmod", "--", top, "n0", f"b{domid}")
    await _write({f"{top}/{key}": value for key, value in keys.items() if key})


async def read_guest_key(domid: int, key: str) -> str | None:
    """Return a key of a guest's part, None where there is none. Raises XenError."""
    done = await _attempt("read", "-R", "--", f"/local/domain/{domid}/{key}")
    return done.stdout.removesuffix("\n") if done.returncode == 0 else None


async def publish(folder: str, keys: Mapping[str, str]) -> None:
    """Have a folder of xenstore, which every guest may read, hold these keys and no others. Raises XenError."""
    await _attempt("rm", "--", folder)  # not there: no trouble
    await _write({folder: ""})
    await _xenstore("chmod", "--", folder, "r0")
    await _write({f"{folder}/{key}": value for key, value in keys.items()})


async def _write(keys: Mapping[str, str]) -> None:
    """Write all in one transaction."""
    if keys:
        await _xenstore("write", "-R", "--", *(word for pair in keys.items() for word in pair))


async def _xenstore(command: str, *args: str) -> None:
    done = await _attempt(command, *args)
    if done.returncode != 0:
        raise XenError(f"xenstore-{command}: {complaint(done.stderr)}")


async def _attempt(command: str, *args: str) -> Completed:
    return await attempt(f"xenstore-{command}", *args, timeout_s=TIMEOUT_S)

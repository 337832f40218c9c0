"""host_crashdump.*: what kdump kept of the host's crashes, a folder each below /var/crash (kdump-tools(8))."""

from __future__ import annotations

import logging
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.base.atomic_file import fsync_directory
from xapi_shim.datamodel.errors import InternalErrorError
from xapi_shim.rpc.dates import to_text

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.datamodel.model import Value

log = logging.getLogger(__name__)

# Debian's: the minute of the crash; Fedora's: the address and the second.
_NAME = re.compile(r"[0-9]{12}|[0-9A-Fa-f.:]+-[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9:]{8}")


def _size(folder: Path) -> int:
    """Return how many bytes the files below a folder have."""
    return sum(os.lstat(Path(where) / name).st_size for where, _, names in os.walk(folder) for name in names)


def settle_crashdumps(tools: Toolstack) -> None:
    """At start-up: one record for each folder, none for those that are gone. Raises OSError."""
    db, root = tools.db, tools.paths.crash_dumps
    found = {p.name: p for p in root.iterdir() if _NAME.fullmatch(p.name)} if root.is_dir() else {}
    folders = {name: p for name, p in found.items() if p.is_dir() and not p.is_symlink()}
    with db.transaction():
        for ref in db.items("host", tools.host, "crashdumps"):
            if folders.pop(db.text("host_crashdump", ref, "filename"), None) is None:
                db.destroy("host_crashdump", ref)
        for name, folder in folders.items():
            at = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
            values: dict[str, Value] = {
                "host": tools.host,
                "timestamp": to_text(at),
                "size": _size(folder),
                "filename": name,
            }
            db.create("host_crashdump", values)


async def destroy(call: Call, self: str) -> None:
    """Delete a dump and its record. Raises INTERNAL_ERROR where the files stay."""
    name = call.db.text("host_crashdump", self, "filename")
    root = call.tools.paths.crash_dumps
    if _NAME.fullmatch(name):
        try:
            shutil.rmtree(root / name)
            fsync_directory(root)
        except FileNotFoundError:
            log.info("crash dump %s is gone already", name)
        except OSError as error:
            raise InternalErrorError(f"cannot delete the dump: {error.strerror}") from error
    call.db.destroy("host_crashdump", self)


MESSAGES = {"host_crashdump.destroy": destroy}

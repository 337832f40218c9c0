"""What clients of SR.probe read: XML, as the reference's storage managers write it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xapi_shim.storage.mounts import Export

_DECLARATION = '<?xml version="1.0" ?>\n'


def sr_list(uuids: Iterable[str]) -> str:
    """Return the SRs that were found."""
    lines = [f"\t<SR>\n\t\t<UUID>{escape(uuid)}</UUID>\n\t</SR>\n" for uuid in uuids]
    return f"{_DECLARATION}<SRlist>\n{''.join(lines)}</SRlist>\n"


def nfs_exports(server: str, exports: Iterable[Export]) -> str:
    """Return what a server serves."""
    lines = [
        f"\t<Export>\n\t\t<Target>{escape(server)}</Target>\n\t\t<Path>{escape(export.path)}</Path>\n"
        f"\t\t<Accesslist>{escape(export.clients)}</Accesslist>\n\t</Export>\n"
        for export in exports
    ]
    return f"{_DECLARATION}<nfs-exports>\n{''.join(lines)}</nfs-exports>\n"

"""What clients of SR.probe read: XML, as the reference's storage managers write it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xapi_shim.storage.iscsi import Lun, Target
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


def iscsi_targets(targets: Iterable[Target]) -> str:
    """Return the targets that a portal announced."""
    lines = [
        f"\t<TGT>\n\t\t<Index>{index}</Index>\n\t\t<IPAddress>{escape(target.portal.server)}</IPAddress>\n"
        f"\t\t<TargetIQN>{escape(target.name)}</TargetIQN>\n\t</TGT>\n"
        for index, target in enumerate(targets)
    ]
    return f"{_DECLARATION}<iscsi-target-iqns>\n{''.join(lines)}</iscsi-target-iqns>\n"


def iscsi_luns(luns: Iterable[Lun]) -> str:
    """Return the LUNs of a target."""
    lines = [
        f"\t<LUN>\n\t\t<vendor>{escape(lun.vendor)}</vendor>\n\t\t<serial>{escape(lun.serial)}</serial>\n"
        f"\t\t<LUNid>{lun.number}</LUNid>\n\t\t<size>{lun.size_bytes}</size>\n"
        f"\t\t<SCSIid>{escape(lun.scsi_id)}</SCSIid>\n\t</LUN>\n"
        for lun in luns
    ]
    return f"{_DECLARATION}<iscsi-target>\n{''.join(lines)}</iscsi-target>\n"

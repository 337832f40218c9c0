"""A file system for guests' disks on a device that is empty (mke2fs(8)). It is taken away again only while it holds nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kronos_installer.override import override
from kronos_installer.steps.device import file_system_uuid, held_names, is_mounted, signatures
from kronos_installer.steps.step import HostChangedError, Record, Step

if TYPE_CHECKING:
    from kronos_installer.host import Host

LABEL = "xapi-storage"
_SAID = 3


@dataclass(frozen=True, kw_only=True)
class FileSystemStep(Step):
    """Makes an ext4 of `uuid` on `device`, which is mounted at `mount_point` by others."""

    kind = "file-system"
    device: str
    uuid: str
    mount_point: str

    @override
    def describe(self) -> str:
        return f"make an ext4 file system on {self.device}, which is empty"

    @override
    def describe_undo(self) -> str:
        return f"remove the file system from {self.device} if it is empty"

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return (self._command(self.device),)

    def _command(self, device: str) -> tuple[str, ...]:
        # -F: nothing asks. -m 0: no part of it is kept for root's own use.
        return ("mkfs.ext4", "-q", "-F", "-m", "0", "-L", LABEL, "-U", self.uuid, device)

    @override
    def capture(self, host: Host) -> Record:
        if signatures(host, self.device):
            raise HostChangedError(self.device)
        return {}

    @override
    def apply(self, host: Host, original: Record) -> None:
        """Make it, anew where that was cut off: nothing is on it before the step is done.

        After a power cut the kernel may call another disk so. Raises HostChangedError where something else is on it.
        """
        del original
        device = self._place(host)
        if signatures(host, device) and not self._is_ours(host):
            raise HostChangedError(device)
        host.run(self._command(device))

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Remove our file system while it holds nothing; with data it stays, unmounted, whatever is forced."""
        del original
        if is_mounted(host, self.mount_point):
            host.run(("umount", self.mount_point))
        device = self._place(host)
        if self._is_ours(host) and not held_names(host, device, self.mount_point):
            host.run(("wipefs", "--all", device))
        host.remove_directory(self.mount_point)

    def _is_ours(self, host: Host) -> bool:
        return file_system_uuid(host, self._place(host)) == self.uuid

    def _place(self, host: Host) -> str:
        """Return where the file system is by its uuid: after a boot the kernel may name its disks in another order."""
        link = f"/dev/disk/by-uuid/{self.uuid}"
        return link if host.at(link).exists() else self.device

    @override
    def is_applied(self, host: Host) -> bool:
        return self._is_ours(host)

    @override
    def changed_since(self, host: Host, original: Record) -> str:
        del original
        device = self._place(host)
        names = held_names(host, device, self.mount_point) if self._is_ours(host) else ()
        more = f" and {len(names) - _SAID} more" if len(names) > _SAID else ""
        return f"{device}, which holds {', '.join(names[:_SAID])}{more}" if names else ""

    @override
    def to_json(self) -> Record:
        return {"device": self.device, "uuid": self.uuid, "mount_point": self.mount_point}

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(
            reason=record["reason"],
            device=record["device"],
            uuid=record["uuid"],
            mount_point=record["mount_point"],
        )

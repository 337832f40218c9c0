"""What storage drivers ask of LVM: one volume group on one device, its volumes named by us.

Each message is told the device, and looks at no other: one that does not answer holds up its own group only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from xapi_shim.storage.interface import StorageError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Group:
    """A volume group and the device that it is on."""

    device: Path
    name: str


@dataclass(frozen=True)
class Volume:
    """A logical volume: its size in bytes, its tags."""

    name: str
    size_bytes: int
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GroupState:
    """A group's extents, all of one size, and its volumes by name."""

    extent_bytes: int
    extents: int
    free_extents: int
    volumes: tuple[Volume, ...]

    def find(self, name: str) -> Volume | None:
        return next((volume for volume in self.volumes if volume.name == name), None)


class LvmError(StorageError):
    """LVM refused; `code` is the driver's own where it knows better."""

    code = 117  # LVMRead

    def __init__(self, what: str, detail: str, *, code: int = 117) -> None:
        super().__init__(f"{what}: {detail}")
        self.what, self.detail, self.code = what, detail, code


class VolumeGroups(Protocol):
    """A host's LVM. Every message may raise LvmError, NotAnsweringError.

    Those that say "changes" write the group's metadata, which one host at a time may do.
    """

    async def signatures(self, device: Path) -> tuple[str, ...]:
        """Return what is known to be on a device, as wipefs(8) calls it: none where nothing is."""
        ...

    async def group_on(self, device: Path) -> str:
        """Return the name of the group that a device is of, "" for none."""
        ...

    async def state(self, group: Group) -> GroupState | None:
        """Return what a group holds, None where it is not there."""
        ...

    async def make_group(self, group: Group) -> None:
        """Make a group of an empty device; changes."""
        ...

    async def remove_group(self, group: Group) -> None:
        """Remove a group without volumes, and what says that the device is LVM's; changes."""
        ...

    async def create(self, group: Group, name: str, extents: int) -> None:
        """Make a volume, not active, that holds what its extents held before; changes."""
        ...

    async def remove(self, group: Group, name: str) -> None:
        """Remove a volume, that is deactivated first; changes."""
        ...

    async def rename(self, group: Group, name: str, new_name: str) -> None:
        """Give a volume another name; nothing is changed where there is one of that name. Changes."""
        ...

    async def set_extents(self, group: Group, name: str, extents: int) -> None:
        """Make a volume larger, or cut it off; changes."""
        ...

    async def tag(self, group: Group, name: str, *, add: str = "", remove: str = "") -> None:
        """Add a tag to a volume, remove one; changes."""
        ...

    async def activate(self, group: Group, name: str) -> Path:
        """Return a volume's device on this host, which has the size that the metadata say now."""
        ...

    async def deactivate(self, group: Group, name: str) -> None:
        """Remove a volume's device; nothing where there is none."""
        ...

    async def deactivate_all(self, group_name: str) -> None:
        """Remove all devices of a group's volumes from this host, also where the device that it is on is gone."""
        ...

    async def zero(self, path: Path, begin: int, end: int) -> None:
        """Have bytes `begin` to `end` of an active volume read as zeros, on the device itself."""
        ...

    async def copy(self, source: Path, target: Path) -> None:
        """Copy an active volume onto another that is not smaller, on the device itself."""
        ...

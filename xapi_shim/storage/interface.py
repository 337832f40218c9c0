"""What the toolstack asks of a storage repository (SR): one driver object per attached SR.

A driver is made from a PBD's device_config and the SR's uuid, keeps no state but those, and
so may be made anew for every call. Volumes are named by uuid, or by what VolumeInfo.key says;
sizes are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    ImageFormat = Literal["raw", "qcow2"]


@dataclass(frozen=True)
class DriverInfo:
    """What an SM record says of a kind of SR; `configuration` maps device_config keys to their meaning."""

    type: str
    name: str
    description: str
    vendor: str
    version: str
    capabilities: tuple[str, ...]
    configuration: tuple[tuple[str, str], ...]
    # What SR.content_type says of it: "iso" for a library of media, which guests may not write.
    content_type: str = "user"
    # Whether several hosts reach the same volumes.
    sharable: bool = False
    # Whether a server elsewhere may keep it from being attached for a while.
    remote: bool = False


@dataclass(frozen=True)
class VolumeInfo:
    """A volume: what a guest sees of it, and what it takes on the device.

    `location` is what its driver knows it by; "" where that is the uuid.
    """

    uuid: str
    virtual_size_bytes: int
    physical_utilisation_bytes: int
    name: str = ""
    read_only: bool = False
    location: str = ""

    @property
    def key(self) -> str:
        """What a VDI's location says."""
        return self.location or self.uuid


@dataclass(frozen=True)
class SrStat:
    """Sizes of an SR: of its device, used of it, and promised to guests."""

    physical_size_bytes: int
    physical_utilisation_bytes: int
    virtual_allocation_bytes: int


class StorageError(KronosError):
    """A storage driver's error; `code` is the number the reference's storage managers give it.

    `details` is what clients read by program, as XML, where the reference has it.
    """

    code: int = 202  # SMGeneral
    details: str = ""


class SrConfigError(StorageError):
    """A device_config without a key it needs, or with a value that cannot be."""

    code = 94  # ConfigLocationMissing

    def __init__(self, key: str, reason: str, *, code: int = 94, details: str = "") -> None:
        super().__init__(f"device_config {key}: {reason}")
        self.key, self.reason, self.code, self.details = key, reason, code, details


class MountError(StorageError):
    """What another machine serves cannot be mounted, or not be let go of; `code` is the driver's own."""

    code = 73  # NFSMount

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(f"{what}: {detail}")
        self.what, self.detail = what, detail


class SrMissingError(StorageError):
    """The SR's device or directory is not there."""

    code = 47  # SRUnavailable

    def __init__(self, location: str) -> None:
        super().__init__(f"no storage repository at {location}")
        self.location = location


class SrExistsError(StorageError):
    """There is something already where an SR is to be made."""

    code = 42  # SRExists

    def __init__(self, location: str, *, kind: str = "directory") -> None:
        super().__init__(
            f"not empty: {location}", resolution=f"name an empty {kind}, or introduce the SR there"
        )
        self.location = location


class SrNotEmptyError(StorageError):
    """An SR that still holds volumes cannot be destroyed."""

    code = 39  # SRNotEmpty

    def __init__(self, location: str) -> None:
        super().__init__(f"there are volumes left at {location}", resolution="destroy them first")
        self.location = location


class SrNoSpaceError(StorageError):
    """The SR's device is full."""

    code = 44  # SRNoSpace

    def __init__(self, needed_bytes: int, free_bytes: int) -> None:
        super().__init__(f"no space: {needed_bytes} bytes needed, {free_bytes} free")
        self.needed_bytes, self.free_bytes = needed_bytes, free_bytes


class VolumeMissingError(StorageError):
    """There is no such volume."""

    code = 144  # VDIMissing

    def __init__(self, uuid: str) -> None:
        super().__init__(f"no such volume: {uuid}")
        self.uuid = uuid


class VolumeExistsError(StorageError):
    """There is such a volume already."""

    code = 43  # VDIExists

    def __init__(self, uuid: str) -> None:
        super().__init__(f"there is such a volume already: {uuid}")
        self.uuid = uuid


class VolumeSizeError(StorageError):
    """A size that the SR cannot give a volume."""

    code = 79  # VDISize

    def __init__(self, size_bytes: int, reason: str) -> None:
        super().__init__(f"a volume of {size_bytes} bytes: {reason}")
        self.size_bytes, self.reason = size_bytes, reason


class VolumeDamagedError(StorageError):
    """What is where the volume should be is not one."""

    code = 46  # VDIUnavailable

    def __init__(self, uuid: str, reason: str) -> None:
        super().__init__(f"volume {uuid} cannot be used: {reason}")
        self.uuid, self.reason = uuid, reason


class NotSupportedError(StorageError):
    """Not something that SRs of its kind can do."""

    code = 38  # Unimplemented

    def __init__(self, operation: str) -> None:
        super().__init__(f"this kind of storage repository has no {operation}")
        self.operation = operation


class SrDriver(Protocol):
    """An SR. Every message may raise StorageError and OSError; those of a volume raise VolumeMissingError."""

    def driver_info(self) -> DriverInfo: ...

    async def probe(self) -> str:
        """Return the SRs found where device_config leads, as XML. Raises NotSupportedError; SrConfigError with details."""
        ...

    async def create(self, size_bytes: int) -> None:
        """Make the SR on its device; 0 means all of it. Raises SrExistsError; then nothing is changed."""
        ...

    async def attach(self) -> None:
        """Make the SR usable on this host. Raises SrMissingError."""
        ...

    async def detach(self) -> None:
        """Undo `attach`."""
        ...

    async def destroy(self) -> None:
        """Remove an SR without volumes from its device. Raises SrNotEmptyError."""
        ...

    async def scan(self) -> tuple[VolumeInfo, ...]:
        """Return all volumes, by uuid."""
        ...

    async def stat(self) -> SrStat: ...

    async def volume_create(self, uuid: str, virtual_size_bytes: int, *, name: str = "") -> VolumeInfo:
        """Make a volume that reads as zeros; its size is rounded up to what the format can.

        Raises VolumeExistsError, VolumeSizeError, SrNoSpaceError; then nothing is left of it.
        """
        ...

    async def volume_destroy(self, uuid: str) -> None: ...

    async def volume_resize(self, uuid: str, virtual_size_bytes: int) -> VolumeInfo:
        """Make a volume larger. Raises VolumeSizeError, also for a smaller size; SrNoSpaceError."""
        ...

    async def volume_clone(self, uuid: str, new_uuid: str) -> VolumeInfo:
        """Make a writable copy. Raises NotSupportedError where the SR cannot."""
        ...

    async def volume_path(self, uuid: str) -> tuple[Path, ImageFormat]:
        """Return where a guest's disk back end finds the volume, and in which format."""
        ...


if TYPE_CHECKING:
    # From a PBD's device_config and the SR's uuid. Raises SrConfigError.
    SrDriverFactory = Callable[[Mapping[str, str], str], SrDriver]

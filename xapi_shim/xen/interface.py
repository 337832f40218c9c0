"""What the toolstack asks of a hypervisor; implemented by xl on Xen and by the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Protocol

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping
    from pathlib import Path


class XenError(KronosError):
    """The hypervisor or its tools refused."""


class NotEnoughMemoryError(XenError):
    """The host has less free memory than the guest needs, in bytes."""

    def __init__(self, needed_bytes: int, free_bytes: int) -> None:
        super().__init__(f"{needed_bytes} bytes of memory are needed, {free_bytes} are free")
        self.needed_bytes, self.free_bytes = needed_bytes, free_bytes


class BootFileMissingError(XenError):
    """A kernel or ramdisk is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no such file: {path}")
        self.path = path


class DomainMissingError(XenError):
    """There is no such domain (any more)."""

    def __init__(self, domid: int) -> None:
        super().__init__(f"no domain {domid}")
        self.domid = domid


class DomainStartError(XenError):
    """A domain could not be built; nothing of it is left."""


class DomainExistsError(DomainStartError):
    """The guest has a domain already, which is left as it is."""

    def __init__(self, uuid: str) -> None:
        super().__init__(f"there is a domain of this guest already: {uuid}")
        self.uuid = uuid


class DeviceExistsError(XenError):
    """The guest has a device in that place already."""

    def __init__(self, device: str) -> None:
        super().__init__(f"the guest has this device already: {device}")
        self.device = device


class DeviceMissingError(XenError):
    """The guest has no such device (any more)."""

    def __init__(self, device: str) -> None:
        super().__init__(f"the guest has no such device: {device}")
        self.device = device


class DeviceBusyError(XenError):
    """The guest does not let go of a device, which stays as it is."""

    def __init__(self, device: str, reason: str) -> None:
        super().__init__(f"the guest does not release {device}: {reason}", resolution="stop using it there")
        self.device, self.reason = device, reason


class InvalidDomainConfigError(XenError):
    """A guest's configuration that cannot be put to the hypervisor."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class DomainType(StrEnum):
    """How a guest is virtualised."""

    PV = "pv"
    PVH = "pvh"
    HVM = "hvm"


class RunState(StrEnum):
    """What a domain does; a blocked domain (all its vCPUs idle) is running."""

    RUNNING = "running"
    PAUSED = "paused"
    SHUTDOWN = "shutdown"
    DYING = "dying"


class ShutdownReason(IntEnum):
    """Why a domain shut down; the numbers are Xen's SHUTDOWN_* (xen/include/public/sched.h)."""

    POWEROFF = 0
    REBOOT = 1
    SUSPEND = 2
    CRASH = 3
    WATCHDOG = 4
    SOFT_RESET = 5
    UNKNOWN = -1


class Trigger(StrEnum):
    """What can be done to a guest as if by its board's wires (xl(1), trigger)."""

    NMI = "nmi"
    RESET = "reset"
    INIT = "init"
    POWER = "power"
    SLEEP = "sleep"
    S3RESUME = "s3resume"


@dataclass(frozen=True)
class Scheduling:
    """How a guest shares the processors: None and empty leave what is.

    `weight` is 1 to 65535 (256 is usual), `cap` in percent of one processor (0: none), `cpus` the
    numbers of those that its vCPUs may run on.
    """

    weight: int | None = None
    cap: int | None = None
    cpus: tuple[int, ...] = ()


@dataclass(frozen=True)
class Devices:
    """What a domain has: disks by name (xvda), network interfaces by number."""

    disks: frozenset[str] = frozenset()
    vifs: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Disk:
    """A disk in a guest: a file or block device of dom0's as `device` (xvda)."""

    path: Path
    image_format: str
    device: str
    read_only: bool
    is_cdrom: bool = False


@dataclass(frozen=True)
class Vif:
    """A network interface of a guest on one of dom0's bridges."""

    mac: str
    bridge: str
    devid: int
    mtu: int | None = None
    # The hotplug script that puts it on the bridge; the hypervisor's own choice without (xl-network-configuration(5)).
    script: str = ""


@dataclass(frozen=True)
class DomainConfig:
    """All that is needed to build a domain."""

    uuid: str
    name: str
    domain_type: DomainType
    memory_static_max_bytes: int
    memory_target_bytes: int
    vcpus_max: int
    vcpus: int
    kernel: Path | None = None
    ramdisk: Path | None = None
    cmdline: str = ""
    disks: tuple[Disk, ...] = ()
    vifs: tuple[Vif, ...] = ()
    scheduling: Scheduling = Scheduling()
    # Whether Xen's tools choose the NUMA nodes that it fits on best; else it runs anywhere.
    numa_placement: bool = True


@dataclass(frozen=True)
class DomainInfo:
    """A domain as the hypervisor sees it; dom0's domid is 0."""

    uuid: str
    domid: int
    name: str
    run_state: RunState
    shutdown_reason: ShutdownReason | None
    memory_bytes: int
    vcpus_online: int
    cpu_time_s: float


@dataclass(frozen=True)
class HypervisorInfo:
    """The host as the hypervisor sees it; `build` holds its compiler, build date and the like."""

    version: str
    commandline: str
    capabilities: tuple[str, ...]
    virt_caps: tuple[str, ...]
    total_memory_bytes: int
    free_memory_bytes: int
    cpus: int
    cores_per_socket: int
    threads_per_core: int
    cpu_mhz: float
    build: tuple[tuple[str, str], ...] = ()


class Hypervisor(Protocol):
    """One host's hypervisor. Every method may raise XenError."""

    async def info(self) -> HypervisorInfo: ...

    async def domains(self) -> tuple[DomainInfo, ...]:
        """Return all domains, dom0 too."""
        ...

    async def create(self, config: DomainConfig, *, paused: bool) -> int:
        """Build a domain and return its domid; on an error nothing is left of it.

        Raises NotEnoughMemoryError, BootFileMissingError, InvalidDomainConfigError, DomainStartError.
        """
        ...

    async def destroy(self, domid: int) -> None:
        """Raise DomainMissingError when it is gone already."""
        ...

    async def pause(self, domid: int) -> None: ...

    async def unpause(self, domid: int) -> None: ...

    async def request_shutdown(self, domid: int, reason: ShutdownReason) -> None:
        """Ask the guest to power off or reboot; it may take its time, or not react at all."""
        ...

    async def set_vcpus(self, domid: int, vcpus: int) -> None:
        """Tell a guest how many of its vCPUs to use, at least 1."""
        ...

    async def set_memory_target(self, domid: int, target_bytes: int) -> None:
        """Tell a guest's balloon driver how much memory to keep."""
        ...

    async def set_scheduling(self, domid: int, scheduling: Scheduling) -> None:
        """Change how a guest shares the processors."""
        ...

    async def send_sysrq(self, domid: int, key: str) -> None:
        """Press a guest's SysRq with `key`, one character; it may not listen."""
        ...

    async def send_trigger(self, domid: int, trigger: Trigger) -> None:
        """Raise XenError where the guest's kind has no such wire."""
        ...

    async def devices(self, domids: Collection[int]) -> Mapping[int, Devices]:
        """Return what domains have; one that is not there has nothing."""
        ...

    async def attach_disk(self, domid: int, disk: Disk) -> None:
        """Give a running guest a disk. Raises DeviceExistsError, InvalidDomainConfigError."""
        ...

    async def detach_disk(self, domid: int, device: str, *, force: bool) -> None:
        """Take a disk (xvda) from a guest, asked first unless `force`.

        Raises DeviceMissingError, DeviceBusyError.
        """
        ...

    async def attach_vif(self, domid: int, vif: Vif) -> None:
        """Give a running guest an interface. Raises DeviceExistsError, InvalidDomainConfigError."""
        ...

    async def detach_vif(self, domid: int, devid: int) -> None:
        """Take an interface from a guest, asked first. Raises DeviceMissingError."""
        ...

    async def write_keys(self, domid: int, folder: str, keys: Mapping[str, str]) -> None:
        """Write `keys` below `folder` of a guest's part of xenstore, for it to read and change.

        The key "" is the folder's own value. Raises DomainMissingError.
        """
        ...

    async def read_key(self, domid: int, key: str) -> str | None:
        """Return a key of a guest's part of xenstore, None where there is none."""
        ...

    async def console_tty(self, domid: int) -> str | None:
        """Return the path of the terminal of a guest's console, None where it has none (yet)."""
        ...

    def changes(self) -> AsyncIterator[None]:
        """Yield once at the start, and whenever a domain may have come, stopped or gone.

        Several changes may make one yield. It ends when closed here or by `close`, never by itself.
        """
        ...

    async def close(self) -> None:
        """End every `changes`; guests run on."""
        ...

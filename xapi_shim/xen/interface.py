"""What the toolstack asks of a hypervisor; implemented by xl on Xen and by the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Protocol

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
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

"""A hypervisor in process: for trying Kronos on a laptop, and for tests of what stands above it.

It behaves: memory is accounted, kernels must exist, guests obey requests, and can power
off, reboot or crash by themselves. It is never evidence for Xen.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xapi_shim.xen.change_signal import ChangeSignal
from xapi_shim.xen.interface import (
    BootFileMissingError,
    DomainExistsError,
    DomainInfo,
    DomainMissingError,
    HypervisorInfo,
    NotEnoughMemoryError,
    RunState,
    ShutdownReason,
    XenError,
)
from xapi_shim.xen.xl_config import needed_memory_bytes, render

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from xapi_shim.xen.interface import DomainConfig

GIB = 1 << 30
DOM0_UUID = "00000000-0000-0000-0000-000000000000"


@dataclass
class SimulatedXen:
    """A Hypervisor with `total_bytes` of memory, of which dom0 has `dom0_bytes`."""

    total_bytes: int = 64 * GIB
    dom0_bytes: int = 2 * GIB
    cpus: int = 8
    # Whether guests do what request_shutdown asks.
    obedient: bool = True
    configs: dict[int, DomainConfig] = field(default_factory=dict)
    _domains: dict[int, DomainInfo] = field(default_factory=dict)
    _last: int = 0
    _signal: ChangeSignal = field(default_factory=ChangeSignal)

    def __post_init__(self) -> None:
        self._domains[0] = DomainInfo(
            DOM0_UUID, 0, "Domain-0", RunState.RUNNING, None, self.dom0_bytes, min(self.cpus, 4), 0.0
        )

    async def info(self) -> HypervisorInfo:
        return HypervisorInfo(
            version="simulated",
            commandline="",
            capabilities=("xen-3.0-x86_64", "hvm-3.0-x86_64"),
            virt_caps=("pv", "hvm", "hap"),
            total_memory_bytes=self.total_bytes,
            free_memory_bytes=self.free_bytes,
            cpus=self.cpus,
            cores_per_socket=self.cpus,
            threads_per_core=1,
            cpu_mhz=2400.0,
        )

    @property
    def free_bytes(self) -> int:
        return self.total_bytes - sum(d.memory_bytes for d in self._domains.values())

    async def domains(self) -> tuple[DomainInfo, ...]:
        return tuple(self._domains.values())

    async def create(self, config: DomainConfig, *, paused: bool) -> int:
        await asyncio.sleep(0)
        render(config)  # what xl could not be told is refused here too
        for path in (config.kernel, config.ramdisk):
            if path is not None and not path.is_file():
                raise BootFileMissingError(path)
        if any(d.uuid == config.uuid for d in self._domains.values()):
            raise DomainExistsError(config.uuid)
        needed = needed_memory_bytes(config)
        if needed > self.free_bytes:
            raise NotEnoughMemoryError(needed, self.free_bytes)
        self._last += 1
        self.configs[self._last] = config
        self._domains[self._last] = DomainInfo(
            config.uuid,
            self._last,
            config.uuid,
            RunState.PAUSED if paused else RunState.RUNNING,
            None,
            config.memory_target_bytes,
            config.vcpus,
            0.0,
        )
        self._signal.notify()
        return self._last

    def _guest(self, domid: int) -> DomainInfo:
        if domid <= 0:
            raise XenError(f"not a guest's domid: {domid}")
        return self._domain(domid)

    def _domain(self, domid: int) -> DomainInfo:
        if domid not in self._domains:
            raise DomainMissingError(domid)
        return self._domains[domid]

    def _set(self, domid: int, state: RunState, reason: ShutdownReason | None = None) -> None:
        self._domains[domid] = replace(self._domain(domid), run_state=state, shutdown_reason=reason)
        self._signal.notify()

    async def destroy(self, domid: int) -> None:
        self._guest(domid)
        self._remove(domid)

    def _remove(self, domid: int) -> None:
        del self._domains[domid]
        self.configs.pop(domid, None)
        self._signal.notify()

    async def pause(self, domid: int) -> None:
        self._switch(domid, RunState.PAUSED)

    async def unpause(self, domid: int) -> None:
        self._switch(domid, RunState.RUNNING)

    def _switch(self, domid: int, state: RunState) -> None:
        """Pause or unpause; a domain that has shut down stays so, as Xen's does."""
        if self._guest(domid).run_state in (RunState.RUNNING, RunState.PAUSED):
            self._set(domid, state)

    async def request_shutdown(self, domid: int, reason: ShutdownReason) -> None:
        if reason not in (ShutdownReason.POWEROFF, ShutdownReason.REBOOT):
            raise XenError(f"a guest cannot be asked for a {reason.name.lower()}")
        self._guest(domid)
        if self.obedient:
            asyncio.get_running_loop().call_soon(self.stop_inside, domid, reason)

    def stop_inside(self, domid: int, reason: ShutdownReason) -> None:
        """Let a guest stop by itself: power off, reboot, crash."""
        if domid in self._domains:
            self._set(domid, RunState.SHUTDOWN, reason)

    def domid_of(self, uuid: str) -> int:
        """Return the domid of a guest. Raises StopIteration when it does not run."""
        return next(d.domid for d in self._domains.values() if d.uuid == uuid)

    async def set_vcpus(self, domid: int, vcpus: int) -> None:
        self._domains[domid] = replace(self._domain(domid), vcpus_online=vcpus)

    async def set_memory_target(self, domid: int, target_bytes: int) -> None:
        self._domains[domid] = replace(self._domain(domid), memory_bytes=target_bytes)

    async def console_tty(self, domid: int) -> str | None:
        """Return the terminal of a guest that has nothing to say."""
        self._guest(domid)
        return "/dev/null"

    def changes(self) -> AsyncIterator[None]:
        return self._signal.listen()

    async def close(self) -> None:
        self._signal.close()

    def guest_poweroff(self, uuid: str) -> None:
        """Let a guest power itself off."""
        self.stop_inside(self.domid_of(uuid), ShutdownReason.POWEROFF)

    def guest_reboot(self, uuid: str) -> None:
        """Let a guest reboot itself."""
        self.stop_inside(self.domid_of(uuid), ShutdownReason.REBOOT)

    def guest_crash(self, uuid: str) -> None:
        """Let a guest crash."""
        self.stop_inside(self.domid_of(uuid), ShutdownReason.CRASH)

    def xl_destroy(self, uuid: str) -> None:
        """Remove a guest's domain behind the toolstack's back."""
        self._remove(self.domid_of(uuid))

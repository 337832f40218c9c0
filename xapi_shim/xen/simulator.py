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
    DeviceBusyError,
    DeviceExistsError,
    DeviceMissingError,
    Devices,
    DomainExistsError,
    DomainInfo,
    DomainMissingError,
    HypervisorInfo,
    NotEnoughMemoryError,
    RunState,
    ShutdownReason,
    Trigger,
    XenError,
)
from xapi_shim.xen.xl_config import check_scheduling, disk_spec, needed_memory_bytes, render, vif_spec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from xapi_shim.xen.interface import Disk, DomainConfig, Scheduling, Vif

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
    # Names of disks that guests do not let go of.
    held: set[str] = field(default_factory=set)
    configs: dict[int, DomainConfig] = field(default_factory=dict)
    # What guests are told, and tell, by domid and path.
    keys: dict[int, dict[str, str]] = field(default_factory=dict)
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
        self.keys.pop(domid, None)
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
        self._guest(domid)
        if not 1 <= vcpus <= self.configs[domid].vcpus_max:
            raise XenError(f"{vcpus} vCPUs of at most {self.configs[domid].vcpus_max}")
        self._domains[domid] = replace(self._domain(domid), vcpus_online=vcpus)

    async def set_memory_target(self, domid: int, target_bytes: int) -> None:
        self._guest(domid)
        if target_bytes > self.configs[domid].memory_static_max_bytes:
            raise XenError("more memory than its static maximum")
        if self.obedient:
            self._domains[domid] = replace(self._domain(domid), memory_bytes=target_bytes)

    async def set_scheduling(self, domid: int, scheduling: Scheduling) -> None:
        self._guest(domid)
        check_scheduling(scheduling)
        if any(cpu >= self.cpus for cpu in scheduling.cpus):
            raise XenError(f"the host has no such processors: {scheduling.cpus}")
        have = self.configs[domid].scheduling
        new = replace(
            have,
            weight=have.weight if scheduling.weight is None else scheduling.weight,
            cap=have.cap if scheduling.cap is None else scheduling.cap,
            cpus=scheduling.cpus or have.cpus,
        )
        self.configs[domid] = replace(self.configs[domid], scheduling=new)

    async def send_sysrq(self, domid: int, key: str) -> None:
        self._guest(domid)
        if len(key) != 1 or not key.isascii() or not key.isalnum():
            raise XenError(f"not a key of SysRq: {key!r}")
        if key in ("c", "b", "o") and self.obedient:
            reasons = {"c": ShutdownReason.CRASH, "b": ShutdownReason.REBOOT, "o": ShutdownReason.POWEROFF}
            self.stop_inside(domid, reasons[key])

    async def send_trigger(self, domid: int, trigger: Trigger) -> None:
        """Take a wire that guests without firmware have; Xen refuses them the others."""
        self._guest(domid)
        if trigger is not Trigger.NMI:
            raise XenError(f"Send trigger '{trigger}' failed")

    async def devices(self, domids: Collection[int]) -> Mapping[int, Devices]:
        return {domid: self._devices(domid) for domid in domids}

    def _devices(self, domid: int) -> Devices:
        config = self.configs.get(domid)
        if config is None:
            return Devices()
        return Devices(
            frozenset(disk.device for disk in config.disks), frozenset(vif.devid for vif in config.vifs)
        )

    async def attach_disk(self, domid: int, disk: Disk) -> None:
        self._guest(domid)
        disk_spec(disk)
        config = self.configs[domid]
        if disk.device in self._devices(domid).disks:
            raise DeviceExistsError(disk.device)
        self.configs[domid] = replace(config, disks=(*config.disks, disk))

    async def detach_disk(self, domid: int, device: str, *, force: bool) -> None:
        self._guest(domid)
        config = self.configs[domid]
        if device not in self._devices(domid).disks:
            raise DeviceMissingError(device)
        if device in self.held and not force:
            raise DeviceBusyError(device, "it is in use there")
        left = tuple(disk for disk in config.disks if disk.device != device)
        self.configs[domid] = replace(config, disks=left)

    async def attach_vif(self, domid: int, vif: Vif) -> None:
        self._guest(domid)
        vif_spec(vif)
        config = self.configs[domid]
        if vif.devid in self._devices(domid).vifs:
            raise DeviceExistsError(str(vif.devid))
        self.configs[domid] = replace(config, vifs=(*config.vifs, vif))

    async def detach_vif(self, domid: int, devid: int) -> None:
        self._guest(domid)
        config = self.configs[domid]
        if devid not in self._devices(domid).vifs:
            raise DeviceMissingError(str(devid))
        self.configs[domid] = replace(config, vifs=tuple(vif for vif in config.vifs if vif.devid != devid))

    async def write_keys(self, domid: int, folder: str, keys: Mapping[str, str]) -> None:
        self._guest(domid)
        have = self.keys.setdefault(domid, {})
        have |= {f"{folder}/{key}" if key else folder: value for key, value in {"": "", **keys}.items()}

    async def read_key(self, domid: int, key: str) -> str | None:
        return self.keys.get(domid, {}).get(key)

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
